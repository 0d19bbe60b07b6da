#include "scale.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

namespace image {

namespace {

double to_light(double value) {
    return value <= 0.04045 ? value / 12.92 : std::pow((value + 0.055) / 1.055, 2.4);
}

std::uint8_t to_byte(double value) {
    return static_cast<std::uint8_t>(std::lround(std::clamp(value, 0.0, 1.0) * 255));
}

std::uint8_t from_light(double light) {
    return to_byte(light <= 0.0031308 ? light * 12.92 : 1.055 * std::pow(light, 1 / 2.4) - 0.055);
}

/// The light of every sample value, for 8 or 16 bits.
template <class Sample>
const std::vector<float>& light_table() {
    static const std::vector<float> table = [] {
        constexpr std::size_t most = std::numeric_limits<Sample>::max();
        std::vector<float> light(most + 1);
        for (std::size_t i = 0; i <= most; ++i) {
            light[i] = static_cast<float>(to_light(static_cast<double>(i) / most));
        }
        return light;
    }();
    return table;
}

/// A row as light, each colour multiplied by its alpha.
template <class Sample>
void decode_row(std::span<const std::byte> row, std::uint32_t channels, std::vector<float>& out) {
    const std::vector<float>& light = light_table<Sample>();
    const bool has_alpha = channels % 2 == 0;
    const std::uint32_t colors = has_alpha ? channels - 1 : channels;
    std::array<Sample, 4> pixel{};
    for (std::size_t at = 0; at < out.size(); at += channels) {
        std::memcpy(pixel.data(), row.data() + at * sizeof(Sample), channels * sizeof(Sample));
        float alpha = 1;
        if (has_alpha) {
            alpha = static_cast<float>(pixel[colors]) / std::numeric_limits<Sample>::max();
            out[at + colors] = alpha;
        }
        for (std::uint32_t c = 0; c < colors; ++c) {
            out[at + c] = light[pixel[c]] * alpha;
        }
    }
}

/// The source pixels first … last that one output pixel covers, and how much of each end.
struct Cover {
    std::size_t first = 0;
    std::size_t last = 0;
    double first_part = 1;
    double last_part = 1;
    double whole = 1;
};

std::vector<Cover> covers(double left, double width, std::uint32_t count, std::uint32_t source) {
    std::vector<Cover> out(count);
    for (std::uint32_t i = 0; i < count; ++i) {
        const double begin = left + width * i / count;
        const double end = std::min<double>(left + width * (i + 1) / count, source);
        Cover& cover = out[i];
        cover.first = static_cast<std::size_t>(begin);
        cover.last = std::max(cover.first, static_cast<std::size_t>(std::ceil(end)) - 1);
        cover.whole = end - begin;
        cover.first_part = std::min(end, static_cast<double>(cover.first + 1)) - begin;
        cover.last_part = end - static_cast<double>(cover.last);
    }
    return out;
}

/// Adds up rows into the output rows that they belong to.
class Accumulator {
public:
    Accumulator(const Header& header, const Frame& frame, Alpha alpha)
        : channels_(header.channels),
          flatten_(header.alpha() && alpha == Alpha::on_white),
          columns_(covers(frame.left, frame.width, frame.out.width, header.width)),
          rows_(covers(frame.top, frame.height, frame.out.height, header.height)),
          line_(columns_.size() * channels_),
          sum_(line_.size()) {
        out_.width = frame.out.width;
        out_.height = frame.out.height;
        out_.channels = flatten_ ? channels_ - 1 : channels_;
        out_.samples.reserve(columns_.size() * rows_.size() * out_.channels);
    }

    /// Row `y` of the source, as decode_row makes it; they come in order.
    void add(std::size_t y, const std::vector<float>& row) {
        if (next_ == rows_.size() || y < rows_[next_].first) {
            return;
        }
        average_columns(row);
        // A row that two output rows share comes to both.
        while (next_ < rows_.size() && y >= rows_[next_].first) {
            const Cover& cover = rows_[next_];
            const double part = y == cover.first  ? cover.first_part
                                : y == cover.last ? cover.last_part
                                                  : 1;
            for (std::size_t i = 0; i < sum_.size(); ++i) {
                sum_[i] += line_[i] * part / cover.whole;
            }
            if (y < cover.last) {
                return;
            }
            emit();
            ++next_;
        }
    }

    [[nodiscard]] Picture take() { return std::move(out_); }

private:
    void average_columns(const std::vector<float>& row) {
        auto to = line_.begin();
        for (const Cover& cover : columns_) {
            for (std::uint32_t c = 0; c < channels_; ++c) {
                double sum = row[cover.first * channels_ + c] * cover.first_part;
                for (std::size_t x = cover.first + 1; x < cover.last; ++x) {
                    sum += row[x * channels_ + c];
                }
                if (cover.last > cover.first) {
                    sum += row[cover.last * channels_ + c] * cover.last_part;
                }
                *to++ = sum / cover.whole;
            }
        }
    }

    /// The finished sums as samples.
    void emit() {
        const bool has_alpha = channels_ % 2 == 0;
        const std::uint32_t colors = has_alpha ? channels_ - 1 : channels_;
        for (std::size_t at = 0; at < sum_.size(); at += channels_) {
            const double alpha = has_alpha ? sum_[at + colors] : 1;
            for (std::uint32_t c = 0; c < colors; ++c) {
                const double color = sum_[at + c];
                out_.samples.push_back(from_light(flatten_    ? color + 1 - alpha
                                                  : alpha > 0 ? color / alpha
                                                              : 0));
            }
            if (has_alpha && !flatten_) {
                out_.samples.push_back(to_byte(alpha));
            }
        }
        std::fill(sum_.begin(), sum_.end(), 0.0);
    }

    std::uint32_t channels_;
    bool flatten_;
    std::vector<Cover> columns_;
    std::vector<Cover> rows_;
    std::vector<double> line_;
    std::vector<double> sum_;
    std::size_t next_ = 0;
    Picture out_;
};

}  // namespace

Frame fit_into(Size picture, Size box, Fit fit) noexcept {
    const double width = picture.width;
    const double height = picture.height;
    const double by_width = width / box.width;
    const double by_height = height / box.height;
    const auto rounded = [](double length) {
        return static_cast<std::uint32_t>(std::max(1L, std::lround(length)));
    };
    if (fit == Fit::contain) {
        const double factor = std::max({by_width, by_height, 1.0});
        return {0, 0, width, height, {rounded(width / factor), rounded(height / factor)}};
    }
    const double factor = std::min(by_width, by_height);
    Frame frame;
    if (factor >= 1) {
        frame.width = box.width * factor;
        frame.height = box.height * factor;
        frame.out = box;
    } else {
        frame.out = {std::min(picture.width, rounded(box.width * factor)),
                     std::min(picture.height, rounded(box.height * factor))};
        frame.width = frame.out.width;
        frame.height = frame.out.height;
    }
    frame.left = std::max(0.0, width - frame.width) / 2;
    frame.top = std::max(0.0, height - frame.height) / 2;
    if (factor < 1) {  // pixels stay pixels
        frame.left = std::floor(frame.left);
        frame.top = std::floor(frame.top);
    }
    return frame;
}

Picture scale(Reader& reader,
              const Frame& frame,
              Alpha alpha,
              const std::function<void(std::uint32_t)>& after_row) {
    const Header& header = reader.header();
    Accumulator sums(header, frame, alpha);
    std::vector<float> row(std::size_t{header.width} * header.channels);
    for (std::uint32_t y = 0; y < header.height; ++y) {
        const std::span<const std::byte> samples = reader.next_row();
        if (header.wide) {
            decode_row<std::uint16_t>(samples, header.channels, row);
        } else {
            decode_row<std::uint8_t>(samples, header.channels, row);
        }
        sums.add(y, row);
        after_row(y + 1);
    }
    return sums.take();
}

}  // namespace image
