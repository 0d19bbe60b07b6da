#include "tests/torture/power_cut/history.hpp"

#include "coordinator/store/sqlite/database.hpp"
#include "coordinator/store/sqlite/sqlite_store.hpp"
#include "tests/support/disk_vfs.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace distributo::tests {
namespace {

// Operations of the disk up to the cut: some cuts are to hit the start, some the end.
constexpr std::uint64_t early = 60;
constexpr std::uint64_t late = 800;
constexpr std::uint64_t of_closing = 25;
constexpr std::uint64_t most_rounds = 20;
constexpr std::uint64_t most_calls = 6;

/// Waits until the store has nothing to do. False when it is broken.
bool rest(Client& store) {
    store.send(store::Transaction{});
    return store.answers().at(0).acknowledged;
}

}  // namespace

History::History(std::uint64_t seed, bool syncs, Figures& figures)
    : random_(seed),
      syncs_(syncs),
      figures_(figures),
      file_((directory_.path() / "store.db").string()),
      load_(random_) {}

Client History::client(const DiskVfs& vfs) {
    store::SqliteOptions options;
    options.directory = directory_.path();
    options.reserve = 0;
    options.vfs = vfs.name();
    options.spacing = base::Duration::zero();
    // Often enough that many cuts are in it; and never by the time, so that a seed replays.
    options.log_pages = 10 + static_cast<int>(random_() % 50);
    options.log_idle = std::chrono::hours(1);
    return Client(
        [&](auto post) { return store::make_sqlite_store(std::move(options), std::move(post)); });
}

std::string History::next() {
    SimulatedDisk disk(image_);
    if (!syncs_)
        disk.ignore_syncs();
    auto wrong = work(disk);

    ++figures_.cuts;
    figures_.operations += disk.operations();
    figures_.trace = figures_.trace * 31 + disk.trace();
    ++figures_.cuts_in[disk.cut_in()];
    // A failed store ends without a power cut, as a rule.
    image_ = failed_ && random_() % 2 == 0 ? disk.as_it_is() : disk.after_cut(random_);
    if (wrong.empty())
        wrong = check();
    if (!wrong.empty())
        ++figures_.bad_cuts;
    return wrong;
}

void History::plan_fault(SimulatedDisk& disk) {
    using Kind = SimulatedDisk::Kind;
    using Status = SimulatedDisk::Status;
    enum Fault { no_room, any, any_sync, sync_of_file, faults };
    const auto fault = static_cast<Fault>(random_() % faults);
    disk.set_faults([this, fault, at = up_to(late)](const auto& operation) mutable {
        const bool syncs = operation.kind == Kind::sync;
        const bool fits = fault == any || (fault == no_room && operation.kind == Kind::write) ||
                          (fault == any_sync && syncs) ||
                          (fault == sync_of_file && syncs && operation.file == file_);
        if (operation.number < at || !fits)
            return Status::ok;
        at = ~std::uint64_t{0};
        ++figures_.faults;
        if (fault == no_room)
            return Status::full;
        failed_ = operation.kind;
        return Status::io_error;
    });
}

std::string History::work(SimulatedDisk& disk) {
    failed_.reset();
    const bool at_rest = random_() % 5 == 0;
    if (!at_rest)
        disk.cut_at(up_to(random_() % 6 == 0 ? early : late));
    else if (random_() % 2 == 0)
        plan_fault(disk);
    const DiskVfs vfs(disk);
    auto store = client(vfs);
    const auto opened = store.open();
    if (!opened)
        return disk.is_cut() || failed_ ? std::string() : "cannot open: " + opened.error().message;
    if (auto wrong = ledger_.opened(*opened); !wrong.empty())
        return wrong;
    load_.start(opened->next_id);
    works_ = true;
    for (auto rounds = up_to(most_rounds); works_ && !(at_rest && rounds == 0); --rounds)
        if (auto wrong = send(store, disk); !wrong.empty())
            return wrong;
    if (works_ && at_rest && random_() % 3 != 0) {
        disk.cut_at(disk.operations() + up_to(of_closing));
        store.close();
    }
    disk.cut();
    return {};
}

/// The store's thread takes what is queued when it comes by. To make it always the same: give it
/// one call while it has nothing to do, stop it in there, and only then queue the others.
std::string History::send(Client& store, SimulatedDisk& disk) {
    disk.hold();
    for (auto calls = up_to(most_calls); calls > 0; --calls) {
        const auto first = ledger_.all_answered();
        auto call = first ? load_.write() : load_.any();
        ledger_.sent(call);
        store.send(std::move(call));
        if (first)
            disk.wait_for_somebody();
    }
    disk.release();
    if (auto wrong = take_answers(store); !wrong.empty())
        return wrong;
    works_ = rest(store);
    if (works_ && failed_ == SimulatedDisk::Kind::sync)
        return "went on after a sync had failed";
    return {};
}

std::string History::take_answers(Client& store) {
    for (const auto& answer : store.answers()) {
        if (answer.acknowledged)
            ++figures_.acknowledged;
        if (auto wrong = ledger_.answered(answer); !wrong.empty())
            return wrong;
    }
    return {};
}

std::string History::check() {
    SimulatedDisk disk(image_);
    const DiskVfs vfs(disk);
    try {
        const store::Database database(file_, store::Database::Mode::write, vfs.name());
        database.leave_log_on_close();
        auto check = database.prepare("PRAGMA integrity_check");
        auto rows = check.query();
        if (!rows.next() || rows.text(0) != "ok") {
            ++figures_.damaged;
            return "not sound: " + std::string(rows.text(0));
        }
    } catch (const store::DatabaseError& error) {
        ++figures_.damaged;
        return std::string("damaged: ") + error.what();
    }
    auto store = client(vfs);
    const auto opened = store.open();
    if (!opened) {
        ++figures_.damaged;
        return "cannot open: " + opened.error().message;
    }
    auto found = store.snapshot(ledger_.next_id());
    found.merge(describe(*opened));
    auto wrong = ledger_.settle(found);
    if (!wrong.empty())
        figures_.lost += ledger_.lost();
    return wrong;
}

}  // namespace distributo::tests
