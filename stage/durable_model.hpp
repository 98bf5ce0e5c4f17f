/// \file
/// What one node would still know if the power went now.
#pragma once

#include "troupe/storage.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace troupe {

/// An entry as checkers see it: its term, and a checksum of kind and content (nothing if it was not seen).
struct logged_entry {
  term_number term;
  std::optional<std::uint32_t> checksum;
  std::size_t bytes = 0; ///< As encoded; 0 if it was not seen.
};

/// Two pictures of a node's storage, kept from what passes the storage seam: as written, and as durable. Survives the
/// node's crashes; one group.
class durable_model {
public:
  /// Called for each write as it becomes durable, before it takes effect here.
  std::function<void(const log_write&)> on_durable;
  /// Called with the vote that was found after the power went.
  std::function<void(const hard_state&)> on_recovered;
  /// Called for each write as it is submitted, before it takes effect here.
  std::function<void(const log_write&)> on_written;

  /// What was committed at an index, for entries that are known by a snapshot only.
  std::function<std::optional<logged_entry>(log_index)> committed_at;

  void submitted(const std::vector<log_write>& writes);
  /// All that was submitted is durable.
  void synced();
  /// The power went and this was found: says what was promised and is lost, if anything is. What was found is durable
  /// from now on.
  [[nodiscard]] std::optional<std::string> recovered(const recovered_group& found);
  /// A fault has taken the disk: whatever the next recovery finds is no loss.
  void forgive() { is_forgiven_ = true; }
  /// Whether the disk lies about syncs, or did until the power went last. What a recovery lacks then is no bug of its:
  /// it is nothing that `recovered` says, but what `gone_unnoticed` is.
  void doubt(bool doubts) { is_doubted_ = doubts; }

  /// What was promised, and the last recovery lacked without a word; nothing of a disk that was not in doubt.
  [[nodiscard]] const std::optional<std::string>& gone_unnoticed() const { return gone_unnoticed_; }

  [[nodiscard]] const hard_state& vote() const { return durable_.vote; }
  /// As written, durable or not.
  [[nodiscard]] const hard_state& written_vote() const { return written_.vote; }
  /// The last durable index.
  [[nodiscard]] log_index last() const { return durable_.last(); }
  /// The durable entry at an index, from 1; nothing beyond the last.
  [[nodiscard]] const logged_entry* durable_at(log_index index) const { return durable_.at(index); }
  /// The entry that a fault took with the disk, and that was durable until then.
  [[nodiscard]] const logged_entry* taken_at(log_index index) const { return taken_.at(index); }
  /// The entry at an index as written, durable or not.
  [[nodiscard]] const logged_entry* written_at(log_index index) const { return written_.at(index); }
  [[nodiscard]] log_index last_written() const { return written_.last(); }
  /// Up to here a snapshot stands for the log, durably.
  [[nodiscard]] log_index start() const { return durable_.start; }
  /// Term, vote, where the log begins, and the entries behind that as encoded.
  [[nodiscard]] std::size_t size_bytes() const;

private:
  struct picture {
    hard_state vote;
    log_index start;
    std::vector<logged_entry> log; ///< From index 1 on: what is forgotten was something, too.

    [[nodiscard]] log_index last() const { return log_index{log.size()}; }
    [[nodiscard]] const logged_entry* at(log_index index) const;
    void apply(const log_write& write, const durable_model& model);
    void begin_behind(log_position before, const durable_model& model);
  };

  [[nodiscard]] bool may_find_loss(std::uint64_t lost) const;
  [[nodiscard]] std::optional<std::string> lost_since(const picture& found, log_index covered) const;

  picture durable_;
  picture taken_;
  picture written_;
  std::vector<log_write> unsynced_;
  std::optional<std::string> gone_unnoticed_;
  /// Of its losses, the last that was declared: each has a higher number than those before.
  std::uint64_t newest_loss_ = 0;
  bool is_forgiven_ = false;
  bool is_doubted_ = false;
};

/// The checksum of an entry's kind and content.
[[nodiscard]] std::uint32_t checksum_of(const entry_view& entry);

} // namespace troupe
