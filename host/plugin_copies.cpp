#include "host/plugin_copies.hpp"

#include "base/log.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

namespace distributo::host {
namespace {

namespace fs = std::filesystem;

constexpr const char* history_name = "history";
constexpr const char* quarantines_name = "quarantines";

}  // namespace

PluginHistory PluginCopies::load_history() const {
    return PluginHistory::parse(load(history_name));
}

void PluginCopies::save(const PluginHistory& history) {
    save(history_name, history.text());
}

QuarantineBook PluginCopies::load_quarantines(base::WallTime now) const {
    return QuarantineBook::parse(load(quarantines_name), now);
}

void PluginCopies::save(const QuarantineBook& quarantines) {
    save(quarantines_name, quarantines.text());
}

std::string PluginCopies::load(const char* name) const {
    std::ifstream in(cache() / name, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

void PluginCopies::save(const char* name, std::string text) {
    run([name, text = std::move(text), cache = cache()] {
        const auto fresh = cache / (std::string(name) + ".new");
        std::ofstream out(fresh, std::ios::binary | std::ios::trunc);
        out << text;
        out.close();
        std::error_code error;
        if (out)
            fs::rename(fresh, cache / name, error);
        if (!out || error)
            base::log::warn("plugins.not_saved",
                            {{"file", fresh.native()}, {"why", "cannot be written"}});
    });
}

}  // namespace distributo::host
