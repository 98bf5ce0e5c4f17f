/// \file
/// The index of one group's log in memory: where each batch lies on disk, and the terms.
#pragma once

#include "troupe/storage.hpp"
#include "troupe/types.hpp"

#include <cstdint>
#include <vector>

namespace troupe {

/// Where an entries record lies. 24 bytes, one per batch in the log.
struct record_place {
  log_index first;
  std::uint32_t segment = 0;
  /// Offset of the record in its segment, in units of `record_alignment` bytes.
  std::uint32_t offset_units = 0;
  std::uint32_t payload_bytes = 0;
  /// Entries that count: fewer than the record has if a truncation cut into it.
  std::uint32_t count = 0;

  [[nodiscard]] log_index last() const { return first + (count - 1); }
};
static_assert(sizeof(record_place) == 24);

/// One group's log: consecutive entries from its first index on.
class group_log {
public:
  /// 0 for an empty log.
  [[nodiscard]] log_index last() const { return places_.empty() ? log_index{} : places_.back().last(); }
  [[nodiscard]] term_number last_term() const { return terms_.empty() ? term_number{} : terms_.back().term; }
  [[nodiscard]] const std::vector<term_run>& terms() const { return terms_; }
  [[nodiscard]] const std::vector<record_place>& places() const { return places_; }

  /// The term of an entry that is in the log.
  [[nodiscard]] term_number term_at(log_index index) const;

  /// May a batch with these come next?
  [[nodiscard]] bool continues_with(log_index first, term_number term) const {
    return first == last().next() && term >= last_term();
  }

  /// Adds a record. It must continue the log.
  void append(const record_place& place, term_number term);

  /// Drops the entries from `from` on. Returns false, and changes nothing, if there are none.
  bool truncate(log_index from);

  /// The records with the entries from `first` on, up to about `max_bytes` of payload and at least one; clipped to
  /// `last` by the caller. Both indices must be in the log.
  [[nodiscard]] std::vector<record_place> locate(log_index first, log_index last, std::size_t max_bytes) const;

private:
  std::vector<record_place> places_;
  std::vector<term_run> terms_;
};

} // namespace troupe
