/// \file
/// The index of one group's log in memory: where it begins, where each batch lies on disk, and the terms.
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

/// One group's log: consecutive entries behind the position where it begins.
class group_log {
public:
  /// A log that is read back. If `is_partial`, records before the first that is read were dropped, perhaps some of this
  /// group: its first entries may then have any index, and `complete` tells whether a start explains it.
  explicit group_log(bool is_partial = false) : is_partial_{is_partial} {}

  [[nodiscard]] const log_start& start() const { return start_; }
  /// The segment of the newest start record; 0: there is none.
  [[nodiscard]] std::uint32_t start_segment() const { return start_segment_; }
  /// The oldest segment that something of this log lies in, its start included; `none` if nothing does.
  [[nodiscard]] std::uint32_t oldest_segment(std::uint32_t none) const;

  /// `start().before.index` for an empty log.
  [[nodiscard]] log_index last() const { return places_.empty() ? start_.before.index : places_.back().last(); }
  /// Of the last entry; of the one before the start for an empty log.
  [[nodiscard]] term_number last_term() const { return terms_.empty() ? start_.before.term : terms_.back().term; }
  /// Of the entries behind the start.
  [[nodiscard]] const std::vector<term_run>& terms() const { return terms_; }
  /// The first of them may begin before the log does.
  [[nodiscard]] const std::vector<record_place>& places() const { return places_; }

  /// The term of an entry that is in the log.
  [[nodiscard]] term_number term_at(log_index index) const;

  /// Does the log have this entry, or begin right behind it?
  [[nodiscard]] bool has(const log_position& at) const;

  /// May a batch with these come next?
  [[nodiscard]] bool continues_with(log_index first, term_number term) const;

  /// Adds a record. It must continue the log.
  void append(const record_place& place, term_number term);

  /// Drops the entries from `from` on, which must be behind the start. Returns false, and changes nothing, if there are
  /// none.
  bool truncate(log_index from);

  /// May the log begin there, without its entries becoming void?
  [[nodiscard]] bool may_keep_behind(const log_position& before) const;

  /// The log begins behind `start.before` from now on, as a record in `segment` says. `voids`: no entry is left; else
  /// those behind it are, and it is not before where it began so far.
  void begin(const log_start& start, bool voids, std::uint32_t segment);

  /// Everything was read back. Returns whether the entries are consecutive from the start on; the log is then no longer
  /// partial.
  [[nodiscard]] bool complete();

  /// The records with the entries from `first` on, up to about `max_bytes` of payload and at least one; clipped to
  /// `last` by the caller. Both indices must be in the log.
  [[nodiscard]] std::vector<record_place> locate(log_index first, log_index last, std::size_t max_bytes) const;

private:
  void forget_upto(log_index index);

  log_start start_;
  std::uint32_t start_segment_ = 0;
  std::vector<record_place> places_;
  std::vector<term_run> terms_;
  bool is_partial_ = false;
};

} // namespace troupe
