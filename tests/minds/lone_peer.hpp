/// \file
/// One peer's mind on a table: the test is its network, its disk and its clock.
#pragma once

#include "actors/peer/consensus.hpp"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

namespace troupe::test {

using namespace std::chrono_literals;

/// Peer `self` of a group of `size`, numbered from 1.
class lone_peer {
public:
  explicit lone_peer(std::uint64_t self = 1, std::uint64_t size = 3, recovered_group remembered = {},
                     peer_options options = {})
      : self_{self}, size_{size}, options_{options}, durable_{remembered}, mind_{peer_id{self},
                                                                                 {},
                                                                                 members(size),
                                                                                 remembered,
                                                                                 options} {
    mind_.begin(now_, out_);
    take_out();
  }

  // -- what happens to it --------------------------------------------------------------------------------------------

  template <class Message>
  void hears(const Message& message) {
    mind_.handle(message, now_, out_);
    take_out();
  }

  bool admits(const append_reply& reply) {
    const bool admitted = mind_.admit(reply, now_, out_);
    take_out();
    return admitted;
  }

  /// Everything written so far becomes durable.
  void disk_catches_up() {
    if (!pending_.empty())
      disk_reports(pending_.back().id);
  }

  /// Everything up to one write becomes durable.
  void disk_reports(write_id up_to) {
    while (!pending_.empty() && pending_.front().id <= up_to) {
      apply(pending_.front().what);
      pending_.erase(pending_.begin());
    }
    hears(persisted{{}, up_to});
  }

  /// What was not durable is gone; the peer begins again with the rest.
  void lose_power() {
    pending_.clear();
    said_.clear();
    out_ = {};
    mind_ = consensus{peer_id{self_}, {}, members(size_), durable_, options_};
    mind_.begin(now_, out_);
    take_out();
  }

  void wait(duration span) {
    now_ += span;
    mind_.tick(now_, out_);
    take_out();
  }

  /// Waits until its election timer has fired.
  void waits_in_vain_for_a_leader() { wait(options_.times.election_timeout_max); }

  /// Elected by a quorum of the others, its disk keeping up.
  void becomes_leader() {
    waits_in_vain_for_a_leader();
    while (mind_.is_candidate()) {
      disk_catches_up();
      for (auto request : requests_for_votes()) {
        vote_reply yes;
        yes.about = {
            {}, request.about.to, request.about.from, request.pre_vote ? term_before(request) : request.about.term};
        yes.round = request.round;
        yes.pre_vote = request.pre_vote;
        yes.granted = true;
        hears(yes);
        if (mind_.is_leader())
          return;
      }
    }
  }

  proposal_result proposes(const std::string& content) {
    entry_block_builder block;
    block.add(entry_kind::command, content);
    const auto result = mind_.propose(block.take(), now_);
    mind_.flush(now_, out_);
    take_out();
    return result;
  }

  void hears_of_follower(std::uint64_t id, std::uint64_t match, std::uint64_t read_round = 0) {
    hears(follower_heard{peer_id{id}, mind_.current_term(), 1, log_index{match}, read_round, now_});
  }

  /// What it has of a snapshot is stored; the whole is durable, if it asked for that.
  void stores_pieces() {
    for (const auto& piece : std::exchange(pieces, {})) {
      if (piece.is_given_up)
        continue;
      if (piece.is_end)
        durable_.snapshots = {piece.what};
      hears(piece_stored{{}, piece.what, piece.offset + piece.bytes.size(), piece.is_end});
    }
  }

  // -- what it says --------------------------------------------------------------------------------------------------

  [[nodiscard]] bool is_silent() const { return said_.empty(); }

  /// The one message it has said since it was last asked.
  template <class Message>
  Message says() {
    REQUIRE(said_.size() == 1);
    auto* message = std::get_if<Message>(&said_.front());
    REQUIRE(message);
    auto result = std::move(*message);
    said_.clear();
    return result;
  }

  /// All votes asked for since.
  std::vector<request_vote> requests_for_votes() {
    std::vector<request_vote> result;
    for (auto& message : std::exchange(said_, {}))
      if (auto* request = std::get_if<request_vote>(&message))
        result.push_back(*request);
    return result;
  }

  /// All answers to requests for votes since.
  std::vector<vote_reply> replies_to_votes() {
    std::vector<vote_reply> result;
    for (auto& message : std::exchange(said_, {}))
      if (auto* reply = std::get_if<vote_reply>(&message))
        result.push_back(*reply);
    return result;
  }

  void forgets_what_it_said() { said_.clear(); }
  [[nodiscard]] const std::vector<peer_message>& said_now() const { return said_; }

  // -- what it is ----------------------------------------------------------------------------------------------------

  consensus& mind() { return mind_; }
  [[nodiscard]] std::uint64_t term() const { return mind_.current_term().value(); }
  [[nodiscard]] std::uint64_t commit() const { return mind_.commit().value(); }
  [[nodiscard]] std::uint64_t last() const { return mind_.entries().last_index().value(); }
  [[nodiscard]] instant now() const { return now_; }
  [[nodiscard]] const recovered_group& durable() const { return durable_; }
  [[nodiscard]] std::size_t pending_writes() const { return pending_.size(); }

  /// What the last event wanted done beside messages and writes.
  [[nodiscard]] const peer_output& last_output() const { return last_; }
  std::vector<confirmed_read> confirmed;
  std::vector<failed_read> failed;
  std::vector<snapshot_piece> pieces;
  std::vector<snapshot_mark> installed;
  bool leadership_ended = false;

private:
  static configuration members(std::uint64_t size) {
    std::vector<peer_id> all;
    for (std::uint64_t id = 1; id <= size; ++id)
      all.push_back(peer_id{id});
    return configuration::of(all);
  }

  static term_number term_before(const request_vote& request) { return request.about.term.before(); }

  void take_out() {
    for (auto& message : out_.send)
      said_.push_back(std::move(message));
    for (auto& write : out_.writes)
      pending_.push_back(std::move(write));
    confirmed.insert(confirmed.end(), out_.confirmed_reads.begin(), out_.confirmed_reads.end());
    failed.insert(failed.end(), out_.failed_reads.begin(), out_.failed_reads.end());
    pieces.insert(pieces.end(), out_.pieces.begin(), out_.pieces.end());
    if (out_.install)
      installed.push_back(*out_.install);
    leadership_ended = leadership_ended || out_.leadership_ended.has_value();
    last_ = std::exchange(out_, {});
  }

  void apply(const log_write& write) {
    if (write.vote)
      durable_.vote = *write.vote;
    raft_log image{durable_};
    if (write.start) {
      if (image.has(write.start->before))
        image.forget_up_to(write.start->before);
      else
        image.begin_behind(write.start->before, write.start->time);
      durable_.start = *write.start;
    }
    if (write.truncate_from)
      image.truncate_from(*write.truncate_from);
    for (const auto& batch : write.append)
      image.append(batch);
    durable_.last = image.last_index();
    durable_.tail.clear();
    durable_.terms.clear();
    if (const auto first = image.base().index.next(); image.last_index() >= first)
      durable_.tail = image.entries(first, image.last_index(), ~std::size_t{});
    for (const auto& batch : durable_.tail)
      if (durable_.terms.empty() || durable_.terms.back().term != batch.term())
        durable_.terms.push_back({batch.first(), batch.term()});
  }

  std::uint64_t self_;
  std::uint64_t size_;
  peer_options options_;
  instant now_{1000s};
  peer_output out_;
  peer_output last_;
  recovered_group durable_;
  std::vector<persist> pending_;
  std::vector<peer_message> said_;
  consensus mind_;
};

// -- messages --------------------------------------------------------------------------------------------------------

inline request_vote asks_for_vote(std::uint64_t candidate, std::uint64_t in_term, log_position last = {}) {
  request_vote request;
  request.about = {{}, peer_id{candidate}, peer_id{1}, term_number{in_term}};
  request.round = 77;
  request.last_log = last;
  return request;
}

inline request_vote asks_whether_it_would(std::uint64_t candidate, std::uint64_t in_term, log_position last = {}) {
  auto request = asks_for_vote(candidate, in_term, last);
  request.pre_vote = true;
  return request;
}

inline log_position at(std::uint64_t term, std::uint64_t index) {
  return {term_number{term}, log_index{index}};
}

/// Entries of one term at consecutive indices.
inline entry_batch batch(std::uint64_t term, std::uint64_t first, std::vector<std::string> contents) {
  entry_block_builder block;
  for (const auto& content : contents)
    block.add(entry_kind::command, content);
  return entry_batch::stamp(block.take(), term_number{term}, log_index{first}, 0);
}

inline append_entries sends_entries(std::uint64_t leader, std::uint64_t in_term, log_position previous,
                                    std::vector<entry_batch> batches = {}, std::uint64_t commit = 0) {
  append_entries request;
  request.about = {{}, peer_id{leader}, peer_id{1}, term_number{in_term}};
  request.incarnation = 1;
  request.number = 5;
  request.previous = previous;
  request.batches = std::move(batches);
  request.commit = log_index{commit};
  return request;
}

/// A piece of leader 2's snapshot of 10 bytes, "0123456789", in term 5.
inline install_snapshot sends_piece(log_position place, std::uint64_t number, std::uint64_t offset, std::size_t count) {
  install_snapshot piece;
  piece.about = {{}, peer_id{2}, peer_id{1}, term_number{5}};
  piece.incarnation = 1;
  piece.number = number;
  piece.at = place;
  piece.time = 7;
  piece.size_bytes = 10;
  piece.offset = offset;
  piece.bytes = shared_bytes{std::string{"0123456789"}.substr(offset, count)};
  return piece;
}

/// A log of single entries with these terms, remembered by a disk, in a term with no vote cast.
inline recovered_group remembers(std::vector<std::uint64_t> terms, std::uint64_t current_term) {
  recovered_group group;
  group.vote = {term_number{current_term}, nobody};
  for (std::size_t i = 0; i < terms.size(); ++i) {
    group.tail.push_back(batch(terms[i], i + 1, {"e" + std::to_string(i + 1) + "t" + std::to_string(terms[i])}));
    if (group.terms.empty() || group.terms.back().term.value() != terms[i])
      group.terms.push_back({log_index{i + 1}, term_number{terms[i]}});
  }
  group.last = log_index{terms.size()};
  return group;
}

} // namespace troupe::test
