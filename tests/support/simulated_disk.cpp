#include "tests/support/simulated_disk.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace distributo::tests {
namespace {

constexpr std::uint64_t sector = 512;

std::uint64_t mixed(std::uint64_t digest, std::uint64_t value) {
    constexpr std::uint64_t golden = 0x9e3779b97f4a7c15;
    digest = (digest ^ value) * golden;
    return digest ^ digest >> 32U;
}

bool chance(std::mt19937_64& random, double probability) {
    return std::bernoulli_distribution(probability)(random);
}

/// How much of what was not synced survives. The ends are the most telling.
double some_share(std::mt19937_64& random) {
    constexpr std::array shares = {0.0, 0.1, 0.5, 0.9, 1.0};
    return shares[random() % shares.size()];
}

/// What was never written: zeros, or what somebody else had there.
void grow(std::string& bytes, std::uint64_t size, std::mt19937_64& random) {
    const bool zeros = chance(random, 0.5);
    while (bytes.size() < size)
        bytes.push_back(zeros ? '\0' : static_cast<char>(random()));
}

}  // namespace

void SimulatedDisk::File::apply(const Change& change, std::string& bytes) {
    if (change.truncates)
        return bytes.resize(change.offset);
    bytes.resize(std::max<std::size_t>(bytes.size(), change.offset + change.bytes.size()));
    bytes.replace(change.offset, change.bytes.size(), change.bytes);
}

std::string SimulatedDisk::File::after_cut(std::mt19937_64& random) const {
    auto left = durable_;
    // A disk may have got a while in order, and then lost its head.
    const auto in_order =
        chance(random, 0.5) || changes_.empty() ? 0 : random() % (changes_.size() + 1);
    const auto share = some_share(random);
    for (std::size_t i = 0; i < changes_.size(); ++i) {
        const auto& change = changes_[i];
        const auto survives = [&] { return i < in_order || chance(random, share); };
        if (change.truncates) {
            if (survives())
                apply(change, left);
            continue;
        }
        for (std::uint64_t from = 0; from < change.bytes.size();) {
            const auto start = change.offset + from;
            const auto size =
                std::min(sector - start % sector, std::uint64_t{change.bytes.size()} - from);
            if (survives()) {
                grow(left, start, random);
                apply({start, change.bytes.substr(from, size), false}, left);
            }
            from += size;
        }
    }
    if (chance(random, 0.2))
        grow(left, now_.size(), random);
    return left;
}

SimulatedDisk::SimulatedDisk(const DiskImage& image) {
    for (const auto& [name, bytes] : image)
        names_.emplace(name, std::make_shared<File>(name, bytes));
    durable_names_ = names_;
}

SimulatedDisk::Status SimulatedDisk::begin(std::unique_lock<std::mutex>& lock,
                                           Kind kind,
                                           const std::string& file,
                                           std::uint64_t where,
                                           std::uint64_t size) {
    ++waiting_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return !held_ || cut_; });
    --waiting_;
    if (cut_)
        return Status::io_error;
    ++operations_;
    const auto called = file.substr(file.rfind('/') + 1);
    trace_ = mixed(trace_, std::hash<std::string>()(called));
    for (const auto value : {static_cast<std::uint64_t>(kind), where, size})
        trace_ = mixed(trace_, value);
    if (operations_ >= cut_at_) {
        constexpr std::array names = {"create", "write", "truncate", "sync", "remove"};
        cut_in_ = names[static_cast<std::size_t>(kind)] + (' ' + called);
        cut_ = true;
        changed_.notify_all();
    }
    return faults_ ? faults_({kind, file, operations_}) : Status::ok;
}

SimulatedDisk::FilePtr SimulatedDisk::open(const std::string& name, bool create) {
    std::unique_lock lock(mutex_);
    const auto known = names_.find(name);
    if (known != names_.end())
        return known->second;
    if (!create || begin(lock, Kind::create, name, 0, 0) != Status::ok)
        return nullptr;
    auto made = std::make_shared<File>(name);
    name_changes_.push_back({name, made});
    names_.emplace(name, made);
    return made;
}

bool SimulatedDisk::exists(const std::string& name) {
    const std::lock_guard lock(mutex_);
    return names_.contains(name);
}

SimulatedDisk::Status SimulatedDisk::remove(const std::string& name, bool sync) {
    std::unique_lock lock(mutex_);
    if (const auto status = begin(lock, Kind::remove, name, 0, 0); status != Status::ok)
        return status;
    name_changes_.push_back({name, nullptr});
    names_.erase(name);
    if (cut_)
        return Status::io_error;
    if (sync)
        sync_directory();
    return Status::ok;
}

SimulatedDisk::Status SimulatedDisk::read(File& file,
                                          std::uint64_t offset,
                                          char* to,
                                          std::size_t size) {
    const std::lock_guard lock(mutex_);
    if (cut_)
        return Status::io_error;
    const auto there = offset < file.now_.size() ? file.now_.copy(to, size, offset) : 0;
    std::fill(to + there, to + size, '\0');
    return there == size ? Status::ok : Status::short_read;
}

SimulatedDisk::Status SimulatedDisk::write(File& file,
                                           std::uint64_t offset,
                                           std::string_view bytes) {
    std::unique_lock lock(mutex_);
    const auto status = begin(lock, Kind::write, file.name_, offset, bytes.size());
    if (status != Status::ok)
        return status;
    file.changes_.push_back({offset, std::string(bytes), false});
    File::apply(file.changes_.back(), file.now_);
    return cut_ ? Status::io_error : Status::ok;
}

SimulatedDisk::Status SimulatedDisk::truncate(File& file, std::uint64_t size) {
    std::unique_lock lock(mutex_);
    const auto status = begin(lock, Kind::truncate, file.name_, size, 0);
    if (status != Status::ok)
        return status;
    file.changes_.push_back({size, {}, true});
    File::apply(file.changes_.back(), file.now_);
    return cut_ ? Status::io_error : Status::ok;
}

SimulatedDisk::Status SimulatedDisk::sync(File& file, bool directory) {
    std::unique_lock lock(mutex_);
    const auto status = begin(lock, Kind::sync, file.name_, 0, 0);
    if (cut_)
        return Status::io_error;
    // As Linux does it: whatever could not be written counts as written afterwards.
    if (status != Status::ok)
        file.changes_.clear();
    if (status != Status::ok || ignores_syncs_)
        return status;
    for (const auto& change : file.changes_)
        File::apply(change, file.durable_);
    file.changes_.clear();
    if (directory)
        sync_directory();
    return Status::ok;
}

std::uint64_t SimulatedDisk::size(const File& file) {
    const std::lock_guard lock(mutex_);
    return file.now_.size();
}

void SimulatedDisk::sync_directory() {
    if (ignores_syncs_)
        return;
    durable_names_ = names_;
    name_changes_.clear();
}

void SimulatedDisk::ignore_syncs() {
    const std::lock_guard lock(mutex_);
    ignores_syncs_ = true;
}

void SimulatedDisk::cut_at(std::uint64_t operation) {
    const std::lock_guard lock(mutex_);
    cut_at_ = operation;
}

void SimulatedDisk::cut() {
    const std::lock_guard lock(mutex_);
    cut_ = true;
    changed_.notify_all();
}

bool SimulatedDisk::is_cut() {
    const std::lock_guard lock(mutex_);
    return cut_;
}

std::string SimulatedDisk::cut_in() {
    const std::lock_guard lock(mutex_);
    return cut_in_;
}

std::uint64_t SimulatedDisk::operations() {
    const std::lock_guard lock(mutex_);
    return operations_;
}

std::uint64_t SimulatedDisk::trace() {
    const std::lock_guard lock(mutex_);
    return trace_;
}

void SimulatedDisk::set_faults(std::function<Status(const Operation&)> faults) {
    const std::lock_guard lock(mutex_);
    faults_ = std::move(faults);
}

DiskImage SimulatedDisk::after_cut(std::mt19937_64& random) {
    const std::lock_guard lock(mutex_);
    auto names = durable_names_;
    const auto share = some_share(random);
    for (const auto& change : name_changes_) {
        if (!chance(random, share))
            continue;
        if (change.file)
            names.insert_or_assign(change.name, change.file);
        else
            names.erase(change.name);
    }
    DiskImage image;
    for (const auto& [name, file] : names)
        image.emplace(name, file->after_cut(random));
    return image;
}

DiskImage SimulatedDisk::as_it_is() {
    const std::lock_guard lock(mutex_);
    DiskImage image;
    for (const auto& [name, file] : names_)
        image.emplace(name, file->now_);
    return image;
}

void SimulatedDisk::hold() {
    const std::lock_guard lock(mutex_);
    held_ = true;
}

void SimulatedDisk::wait_for_somebody() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return waiting_ > 0 || cut_; });
}

void SimulatedDisk::release() {
    const std::lock_guard lock(mutex_);
    held_ = false;
    changed_.notify_all();
}

}  // namespace distributo::tests
