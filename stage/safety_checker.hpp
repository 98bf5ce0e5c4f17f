/// \file
/// Watches every message that leaves a peer and every write that becomes durable, and fails the story the moment one
/// of Raft's promises is broken, whether or not anybody would have noticed.
///
/// It believes disks, not claims: what counts is what each node would still know if its power went now.
///
/// Checked: one vote per node and term, one leader per term, log matching, leader append-only, leader completeness,
/// commits justified by a durable quorum and an entry of the leader's own term (paper §5.4.2), no truncation of what is
/// committed, deliveries equal and gapless, terms and votes that never go back, and no message ahead of its sender's
/// disk (law 1).
#pragma once

#include "stage/durable_model.hpp"
#include "stage/verdict.hpp"
#include "troupe/message_codec.hpp"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace troupe {

class safety_checker {
public:
  /// Watches a group of the given peers.
  safety_checker(verdict& judge, std::vector<peer_id> members);

  /// The model of a node's disk, to be fed by the node's storage through all its lives.
  [[nodiscard]] std::shared_ptr<durable_model> disk_of(peer_id id) { return disks_.at(id); }

  /// Sees each write of a node before it takes effect.
  std::function<void(peer_id, const log_write&)> on_written;
  /// Sees it again when it has become durable, before that takes effect.
  std::function<void(peer_id, const log_write&)> on_durable;

  /// Takes every commit for justified: for peers that play opposite puppets, who have no disks.
  void trust_commits() { trusts_commits_ = true; }

  /// Holds leaders to that bound of what they accept and have not committed. A lot by itself may be larger than their
  /// own bound: then this one must be as large.
  void bound_uncommitted(std::size_t bytes) { most_uncommitted_bytes_ = bytes; }

  /// A message leaves a living peer.
  void leaves(const peer_message& message);
  /// A new life of a peer's service begins: deliveries start over.
  void service_begins(peer_id id) { delivered_[id] = log_index{}; }
  /// A peer's service is told a whole state, as of an index.
  void installs(peer_id id, log_index index);
  /// A peer's service gets a committed command.
  void delivers(peer_id id, log_index index, term_number term, std::string_view command);

  /// The highest index known to be committed.
  [[nodiscard]] log_index committed() const { return log_index{ledger_.size()}; }
  /// Whether an entry of that term is known to be committed.
  [[nodiscard]] bool commit_of_term(term_number term) const { return !ledger_.empty() && ledger_.back().term == term; }

private:
  struct committed_entry {
    term_number term;
    term_number committed_in; ///< The term of the leader that committed it.
    std::optional<std::uint32_t> checksum;
  };
  struct place {
    std::uint32_t checksum = 0;
    term_number before; ///< The term of the entry before.
    friend bool operator==(const place&, const place&) = default;
  };

  void check(const request_vote& message);
  void check(const vote_reply& message);
  void check(const append_entries& message);
  void check(const append_reply& message);
  void check(const install_snapshot& message);
  void check(const snapshot_reply& message);
  void check(const envelope& about, std::string_view kind);
  void check_leader(const append_entries& message);
  void check_commit(peer_id leader, term_number term, log_index commit);
  void becomes_durable(peer_id id, const log_write& write);
  void is_written(peer_id id, const log_write& write);
  void check_uncommitted(peer_id id, term_number term, const log_write& write);
  void check_say(peer_id id, const std::string& what);
  void remember_vote(peer_id id, const hard_state& vote);
  void remember_entries(peer_id id, const log_write& write);
  [[nodiscard]] log_index committed_while_leading(peer_id id) const;
  [[nodiscard]] bool may_stand_for(peer_id id, log_position at);
  void commit_up_to(log_index index, const std::string& who);
  [[nodiscard]] const logged_entry* durable_on_quorum(log_index index) const;
  [[nodiscard]] log_index committed_by_leader(peer_id id) const;
  [[nodiscard]] std::optional<term_number> term_in_log_of(peer_id leader, term_number term, log_index index) const;
  void fail(const std::string& what);
  /// About an entry, or an election: with what disks, and what is known to be committed, say of it.
  void fail(const std::string& what, log_index entry);
  void fail(const std::string& what, term_number elected);

  verdict& judge_;
  std::vector<peer_id> members_;
  std::map<peer_id, std::shared_ptr<durable_model>> disks_;
  std::map<std::pair<peer_id, term_number>, peer_id> votes_;
  std::map<term_number, peer_id> leaders_;
  /// Terms of entries that the leader of a term has sent.
  std::map<term_number, std::unordered_map<std::uint64_t, term_number>> sent_;
  /// How far each peer has acknowledged in each term.
  std::map<std::pair<term_number, peer_id>, log_index> acknowledged_;
  std::unordered_map<std::uint64_t, place> places_;
  std::vector<committed_entry> ledger_;
  std::map<peer_id, log_index> delivered_;
  bool trusts_commits_ = false;
  std::optional<std::size_t> most_uncommitted_bytes_;
};

} // namespace troupe
