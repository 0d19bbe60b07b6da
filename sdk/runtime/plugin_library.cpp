#include "runtime/plugin_library.hpp"

#include "base/version.hpp"
#include "runtime/abi_text.hpp"

#include <boost/dll/shared_library.hpp>

#include <dlfcn.h>
#include <string>

namespace distributo::runtime {
namespace {

using base::Errc;
namespace dll = boost::dll;

/// RTLD_NODELETE has no name in Boost.DLL; RTLD_NOW reports missing symbols now and not in a task.
constexpr auto load_mode = static_cast<dll::load_mode::type>(RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);

constexpr unsigned newest_known_major = 9;

base::Error no_entry(const dll::shared_library& library) {
    for (unsigned major = DTO_ABI_MAJOR + 1; major <= newest_known_major; ++major)
        if (library.has("distributo_module_v" + std::to_string(major)))
            return base::error(Errc::invalid_argument,
                               "needs ABI " + std::to_string(major) + ", this host has ABI " +
                                   std::to_string(DTO_ABI_MAJOR),
                               "update this host, or build the plugin with an older SDK");
    return base::error(Errc::invalid_argument,
                       "is not a Distributo plugin: it does not export " DTO_ENTRY_SYMBOL,
                       "build it with distributo_add_plugin(), which exports the entry function");
}

void DTO_CALL refuse(void* reason, dto_str text) {
    *static_cast<std::string*>(reason) = copy_text(text);
}

}  // namespace

struct PluginLibrary::Image {
    dll::shared_library library;
};

PluginLibrary::PluginLibrary(std::unique_ptr<Image> image) : image_(std::move(image)) {}
PluginLibrary::PluginLibrary(PluginLibrary&&) noexcept = default;
PluginLibrary& PluginLibrary::operator=(PluginLibrary&&) noexcept = default;
PluginLibrary::~PluginLibrary() = default;

base::Result<PluginLibrary> PluginLibrary::load(const std::filesystem::path& library) {
    if (!library.is_absolute())
        return base::error(Errc::internal, library.string() + " is not an absolute path");
    auto image = std::make_unique<Image>();
    boost::dll::fs::error_code error;
    image->library.load(library, error, load_mode);
    if (error) {
        // What Boost.DLL reports is always "bad file descriptor"; the reason is only here.
        const char* reason = dlerror();  // NOLINT(concurrency-mt-unsafe): thread-local in glibc
        return base::error(Errc::invalid_argument,
                           "cannot be loaded: " + std::string(reason ? reason : error.message()));
    }
    if (!image->library.has(DTO_ENTRY_SYMBOL))
        return no_entry(image->library);

    PluginLibrary loaded(std::move(image));
    const auto entry = reinterpret_cast<dto_entry_fn>(
        &loaded.image_->library.get<const dto_module*(const dto_entry*)>(DTO_ENTRY_SYMBOL));
    std::string reason;
    dto_entry request{};
    request.struct_size = sizeof request;
    request.abi_minor = DTO_ABI_MINOR;
    request.host_name = abi_text(host_name);
    request.host_version = abi_text(base::version);
    request.ctx = &reason;
    request.refuse = &refuse;
    loaded.module_ = entry(&request);
    if (!loaded.module_)
        return base::error(
            Errc::invalid_argument,
            "refuses to be loaded: " + (reason.empty() ? "it gave no reason" : reason));
    return loaded;
}

}  // namespace distributo::runtime
