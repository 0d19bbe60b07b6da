#include "runtime/plugin_library.hpp"

#include "base/version.hpp"
#include "runtime/abi_text.hpp"
#include "runtime/elf_symbols.hpp"

#include <boost/dll/shared_library.hpp>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <dlfcn.h>
#include <fcntl.h>
#include <string>
#include <string_view>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace distributo::runtime {
namespace {

using base::Errc;
namespace dll = boost::dll;

/// RTLD_NODELETE has no name in Boost.DLL; RTLD_NOW reports missing symbols now and not in a task.
constexpr auto load_mode = static_cast<dll::load_mode::type>(RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);

/// A file's content, for reading.
class Mapping {
public:
    explicit Mapping(const std::filesystem::path& file) {
        const int descriptor = open(file.c_str(), O_RDONLY | O_CLOEXEC);
        if (descriptor < 0)
            return;
        struct stat about {};
        if (fstat(descriptor, &about) == 0 && about.st_size > 0) {
            size_ = static_cast<std::size_t>(about.st_size);
            memory_ = mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, descriptor, 0);
        }
        close(descriptor);
    }
    Mapping(const Mapping&) = delete;
    Mapping& operator=(const Mapping&) = delete;
    ~Mapping() {
        if (memory_ != MAP_FAILED)
            munmap(memory_, size_);
    }
    [[nodiscard]] std::string_view bytes() const noexcept {
        return memory_ == MAP_FAILED ? std::string_view()
                                     : std::string_view(static_cast<const char*>(memory_), size_);
    }

private:
    void* memory_ = MAP_FAILED;
    std::size_t size_ = 0;
};

/// Refuses what has no entry function for this host, before any of its code runs.
base::Result<void> check_entry(const std::filesystem::path& library) {
    const Mapping file(library);
    if (file.bytes().empty())
        return base::error(Errc::io, "cannot be read: " + std::string(std::strerror(errno)));
    const auto majors = entry_majors(file.bytes());
    if (!majors)
        return majors.error();
    if (std::find(majors->begin(), majors->end(), DTO_ABI_MAJOR) != majors->end())
        return {};
    if (majors->empty())
        return base::error(
            Errc::invalid_argument,
            "is not a Distributo plugin: it does not export " DTO_ENTRY_SYMBOL,
            "build it with distributo_add_plugin(), which exports the entry function");
    return base::error(Errc::invalid_argument,
                       "needs ABI " + std::to_string(majors->front()) + ", this host has ABI " +
                           std::to_string(DTO_ABI_MAJOR),
                       "update this host, or build the plugin with an older SDK");
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
    if (auto checked = check_entry(library); !checked)
        return checked.error();
    auto image = std::make_unique<Image>();
    boost::dll::fs::error_code error;
    image->library.load(library, error, load_mode);
    if (error) {
        // What Boost.DLL reports is always "bad file descriptor"; the reason is only here.
        const char* reason = dlerror();  // NOLINT(concurrency-mt-unsafe): thread-local in glibc
        return base::error(Errc::invalid_argument,
                           "cannot be loaded: " + std::string(reason ? reason : error.message()));
    }

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
