/// \file
/// Troupe's log and snapshots in a store that takes the whole state at once: the adapter between `troupe::storage` and
/// a persister that can do nothing but replace everything it holds.
///
/// Votes, entries and snapshots live in memory. Every `submit` changes them, encodes all of it anew and hands it to the
/// persister; only when that says it is safe is `done` called, for on `done` rest Raft's promises: votes given, entries
/// acknowledged. Saving costs time in proportion to the whole log, which suits small logs and no others. Snapshots keep
/// the log small: one is saved together with the log, as the course's persister does it, and the log that it stands for
/// goes with the write after.
///
/// The same class serves any persister of this kind: a file written aside and renamed, a row of a database, an object
/// in a bucket. Run troupe/storage_conformance.hpp against yours, as conformance.cpp does here.
#pragma once

#include "guest/blob.hpp"

#include <troupe/storage.hpp>

#include <functional>
#include <memory>
#include <vector>

namespace guest {

/// Hands everything to the persister. `saved` must be called once, on any thread, when it has replaced what was there
/// before and survives a crash; never, if it does not come to that. It is replaced as a whole or not at all. The next
/// save comes only when this one is answered, so a persister need not keep them in order.
using save_function = std::function<void(blobs all, std::function<void()> saved)>;

class blob_storage final : public troupe::storage {
public:
  /// Takes up what an earlier one saved last; empty blobs are a store never used. Throws `std::runtime_error` if they
  /// are not, byte by byte, what was saved: a peer that had forgotten its vote could vote twice.
  blob_storage(const blobs& saved, save_function save);

  [[nodiscard]] troupe::recovered_group recover(troupe::group_id group, std::size_t tail_bytes) override;
  void submit(std::vector<troupe::log_write> writes, std::function<void()> done) override;
  [[nodiscard]] troupe::read_plan plan_read(const troupe::log_range& range) override;

  [[nodiscard]] bool keeps_snapshots() const override { return true; }
  [[nodiscard]] troupe::snapshot_write_plan plan_snapshot(troupe::group_id group,
                                                          const troupe::snapshot_mark& at) override;
  [[nodiscard]] troupe::snapshot_read_plan plan_snapshot_read(troupe::group_id group, troupe::log_index index) override;

private:
  class memory;
  class sink;
  class reader;

  /// Shared with the snapshots under way: they are written and read on another thread.
  std::shared_ptr<memory> memory_;
};

} // namespace guest
