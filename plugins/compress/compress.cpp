#include "support/files.hpp"
#include "zstd_stream.hpp"

#include <distributo/plugin.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace {

/// Small enough that a cancel is obeyed soon at the highest level (some 2 MB/s).
constexpr std::size_t chunk_bytes = std::size_t{256} << 10;

constexpr std::int32_t default_level = 3;
constexpr std::int32_t max_level = 19;  // above, memory grows to where a host would not expect it

/// What one task may write when neither it nor the operator says more or less: a file of a few
/// KiB can hold 100 GB of zeros.
constexpr std::uint64_t default_max_output = std::uint64_t{16} << 30;

struct Config {
    std::optional<std::uint64_t> max_output_bytes;
};
BOOST_DESCRIBE_STRUCT(Config, (), (max_output_bytes))

struct CompressRequest {
    std::string input;
    std::string output;
    std::optional<std::int32_t> level;
    std::optional<bool> checksum;
};
BOOST_DESCRIBE_STRUCT(CompressRequest, (), (input, output, level, checksum))

struct DecompressRequest {
    std::string input;
    std::string output;
    std::optional<std::uint64_t> max_output_bytes;
};
BOOST_DESCRIBE_STRUCT(DecompressRequest, (), (input, output, max_output_bytes))

struct Sizes {
    std::uint64_t input_bytes = 0;
    std::uint64_t output_bytes = 0;
    double ratio = 1;
};
BOOST_DESCRIBE_STRUCT(Sizes, (), (input_bytes, output_bytes, ratio))

/// How many times larger the plain data are, to three digits after the point.
double ratio(std::uint64_t plain, std::uint64_t compressed) {
    return std::round(static_cast<double>(plain) / static_cast<double>(compressed) * 1000) / 1000;
}

/// Input, output and the way between them, for both directions.
class Conversion {
public:
    Conversion(const std::string& input, const std::string& output, const distributo::Task& task)
        : task_(task), input_("payload.input", input), output_("payload.output", output) {
        // Run a second time, such a task would read what it wrote the first time.
        if (input_.is(output)) {
            throw distributo::permanent("payload.output: is the input file");
        }
    }

    /// Feeds the whole input to `step`.
    template <class Step>
    void each_chunk(Step step) {
        std::vector<std::byte> chunk(chunk_bytes);
        for (std::size_t got = chunk.size(); got == chunk.size();) {
            task_.check();
            got = input_.read(chunk);
            step(std::span<const std::byte>(chunk).first(got));
            done_ += got;
            task_.progress(static_cast<double>(done_) /
                           static_cast<double>(std::max<std::uint64_t>(input_.size(), 1)));
        }
    }

    void commit() {
        input_.require_unchanged();
        output_.commit();
    }

    [[nodiscard]] const support::Input& input() const noexcept { return input_; }
    [[nodiscard]] support::Output& output() noexcept { return output_; }

private:
    const distributo::Task& task_;
    support::Input input_;
    support::Output output_;
    std::uint64_t done_ = 0;
};

class Zstandard {
public:
    explicit Zstandard(const distributo::Setup& setup)
        : max_output_(setup.config<Config>().max_output_bytes.value_or(default_max_output)) {}

    Sizes compress(const CompressRequest& request, distributo::Task& task) const {
        const std::int32_t level = request.level.value_or(default_level);
        if (level < 1 || level > max_level) {
            throw distributo::permanent("payload.level: expected 1 to " +
                                        std::to_string(max_level) + ", got " +
                                        std::to_string(level));
        }
        Conversion files(request.input, request.output, task);
        zstd::Compressor stream(level, request.checksum.value_or(true), files.input().size());
        const auto sink = [&files](auto data) { files.output().write(data); };
        files.each_chunk([&](auto data) { stream.add(data, sink); });
        stream.finish(sink);
        files.commit();
        const std::uint64_t plain = files.input().size();
        return {plain, files.output().size(), ratio(plain, files.output().size())};
    }

    Sizes decompress(const DecompressRequest& request, distributo::Task& task) const {
        const std::uint64_t limit =
            std::min(request.max_output_bytes.value_or(max_output_), max_output_);
        Conversion files(request.input, request.output, task);
        zstd::Decompressor stream(files.input().path());
        const auto sink = [&](std::span<const std::byte> data) {
            task.check();
            if (data.size() > limit - files.output().size()) {
                throw distributo::permanent(files.input().path() + " holds more than " +
                                            std::to_string(limit) + " bytes, the limit of " +
                                            (request.max_output_bytes == limit
                                                 ? "payload.max_output_bytes"
                                                 : "max_output_bytes of this host"));
            }
            files.output().write(data);
        };
        files.each_chunk([&](auto data) { stream.add(data, sink); });
        stream.finish();
        files.commit();
        const std::uint64_t plain = files.output().size();
        return {files.input().size(), plain, ratio(plain, files.input().size())};
    }

private:
    std::uint64_t max_output_;
};

}  // namespace

DISTRIBUTO_PLUGIN("distributo.compress",
                  "1.0.0",
                  distributo::task_type<&Zstandard::compress>("compress.zstd")
                      .summary("Compresses a file with Zstandard")
                      .idempotent(),
                  distributo::task_type<&Zstandard::decompress>("decompress.zstd")
                      .summary("Decompresses a Zstandard file")
                      .idempotent(),
                  distributo::config<Config>(),
                  distributo::license("MIT"));
