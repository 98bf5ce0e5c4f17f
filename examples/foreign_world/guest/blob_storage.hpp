/// \file
/// Troupe's log in a store that takes the whole state as one blob: the adapter between `troupe::storage` and a
/// persister that can do nothing but replace everything it holds.
///
/// Votes and entries live in memory. Every `submit` changes them, encodes all of it anew and hands it to the persister;
/// only when that says the blob is safe is `done` called, for on `done` rest Raft's promises: votes given, entries
/// acknowledged. Saving costs time in proportion to the whole log, which suits small logs and no others.
///
/// The same class serves any persister of this kind: a file written aside and renamed, a row of a database, an object
/// in a bucket. Run troupe/storage_conformance.hpp against yours, as conformance.cpp does here.
#pragma once

#include <troupe/storage.hpp>

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace guest {

/// Hands a blob to the persister. `saved` must be called once, on any thread, when the blob has replaced the one before
/// it and survives a crash; never, if it does not come to that. The blob is replaced as a whole or not at all.
using save_function = std::function<void(std::string blob, std::function<void()> saved)>;

class blob_storage final : public troupe::storage {
public:
  /// Takes up what an earlier one saved last; an empty blob is a store never used. Throws `std::runtime_error` if the
  /// blob is not, byte by byte, what was saved: a peer that had forgotten its vote could vote twice.
  blob_storage(std::string_view blob, save_function save);

  [[nodiscard]] troupe::recovered_group recover(troupe::group_id group, std::size_t tail_bytes) override;
  void submit(std::vector<troupe::log_write> writes, std::function<void()> done) override;
  [[nodiscard]] troupe::read_plan plan_read(const troupe::log_range& range) override;

private:
  /// One group's part of the blob. The batches are consecutive from index 1 on; their bytes are shared with the peer.
  struct remembered {
    troupe::hard_state vote;
    std::vector<troupe::entry_batch> log;
  };

  static void apply(const troupe::log_write& write, remembered& group);
  [[nodiscard]] std::string encode() const;
  void decode(std::string_view blob);

  save_function save_;
  std::map<troupe::group_id, remembered> groups_;
};

} // namespace guest
