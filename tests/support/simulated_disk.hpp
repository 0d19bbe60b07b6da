#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace distributo::tests {

/// What stands on a disk: the bytes of every file by its name.
using DiskImage = std::map<std::string, std::string>;

/// A disk in memory that forgets what a real one may forget when the power goes: of all that was
/// written since a file's last sync, any sectors of 512 bytes and any changes of its size; of all
/// names made and removed since the directory's last sync, any. What survives needs no order.
///
/// The operations that change something are counted, and one of them can be made the last.
/// Thread-safe.
class SimulatedDisk {
public:
    enum class Status { ok, short_read, io_error, full };
    enum class Kind : std::uint8_t { create, write, truncate, sync, remove };
    struct Operation {
        Kind kind;
        const std::string& file;
        std::uint64_t number;  ///< 1, 2, 3 …
    };
    class File;
    using FilePtr = std::shared_ptr<File>;

    explicit SimulatedDisk(const DiskImage& image = {});

    /// Null when there is none, or when it cannot be made.
    [[nodiscard]] FilePtr open(const std::string& name, bool create);
    [[nodiscard]] bool exists(const std::string& name);
    Status remove(const std::string& name, bool sync_directory);
    Status read(File& file, std::uint64_t offset, char* to, std::size_t size);
    Status write(File& file, std::uint64_t offset, std::string_view bytes);
    Status truncate(File& file, std::uint64_t size);
    Status sync(File& file, bool sync_directory);
    [[nodiscard]] std::uint64_t size(const File& file);

    /// From now on a sync says ok and does nothing.
    void ignore_syncs();
    /// The power goes during the operation with that number: what it does is as good as not synced,
    /// and it fails like all that comes after it.
    void cut_at(std::uint64_t operation);
    /// The power goes now.
    void cut();
    [[nodiscard]] bool is_cut();
    /// What was going on then, as "write store.db"; empty: nothing.
    [[nodiscard]] std::string cut_in();
    [[nodiscard]] std::uint64_t operations();
    /// Tells one sequence of operations, without what they wrote, from another.
    [[nodiscard]] std::uint64_t trace();
    /// One of the images that the power cut may have left.
    [[nodiscard]] DiskImage after_cut(std::mt19937_64& random);
    /// What the next process finds when only the one that used the disk has ended.
    [[nodiscard]] DiskImage as_it_is();
    /// Asked before each operation is carried out; it has this status unless that is ok. What a
    /// sync that failed was to write is lost at a cut, although a later one succeeds.
    void set_faults(std::function<Status(const Operation&)> faults);

    /// Whoever wants to change something waits until release().
    void hold();
    /// Until somebody waits, or the power has gone.
    void wait_for_somebody();
    void release();

private:
    [[nodiscard]] Status begin(std::unique_lock<std::mutex>& lock,
                               Kind kind,
                               const std::string& file,
                               std::uint64_t where,
                               std::uint64_t size);
    void sync_directory();

    struct NameChange {
        std::string name;
        FilePtr file;  ///< null: removed
    };

    std::mutex mutex_;
    std::condition_variable changed_;
    std::map<std::string, FilePtr> names_;
    std::map<std::string, FilePtr> durable_names_;
    std::vector<NameChange> name_changes_;  // since the directory's last sync
    std::function<Status(const Operation&)> faults_;
    std::uint64_t operations_ = 0;
    std::uint64_t cut_at_ = ~std::uint64_t{0};
    std::uint64_t trace_ = 0;
    std::string cut_in_;
    std::uint64_t waiting_ = 0;
    bool held_ = false;
    bool cut_ = false;
    bool ignores_syncs_ = false;
};

/// Belongs to the disk that made it, whose mutex guards it.
class SimulatedDisk::File {
public:
    explicit File(std::string name, std::string bytes = {})
        : name_(std::move(name)), now_(bytes), durable_(std::move(bytes)) {}
    [[nodiscard]] const std::string& name() const noexcept { return name_; }

private:
    friend class SimulatedDisk;
    /// A write, or a change of the size to `offset`.
    struct Change {
        std::uint64_t offset = 0;
        std::string bytes;
        bool truncates = false;
    };
    static void apply(const Change& change, std::string& bytes);
    [[nodiscard]] std::string after_cut(std::mt19937_64& random) const;

    std::string name_;
    std::string now_;
    std::string durable_;
    std::vector<Change> changes_;  // since the last sync
};

}  // namespace distributo::tests
