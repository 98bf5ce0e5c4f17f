/// \file
/// One of each message between peers, with every field set to something of its own.
#pragma once

#include "troupe/message_codec.hpp"

#include <string>
#include <vector>

namespace troupe::testing {

inline const envelope sample_envelope{group_id{7}, peer_id{2}, peer_id{3}, term_number{11}};

inline entry_batch sample_batch(std::uint64_t term, std::uint64_t first, std::vector<std::string> contents) {
  entry_block_builder block;
  for (const auto& content : contents)
    block.add(entry_kind::command, content);
  return entry_batch::stamp(block.take(), term_number{term}, log_index{first}, -5 - static_cast<std::int64_t>(first));
}

inline request_vote sample_request_vote() {
  return {sample_envelope, 21, true, true, {term_number{10}, log_index{100}}};
}

inline vote_reply sample_vote_reply() {
  return {sample_envelope, 22, true, true};
}

inline append_entries sample_append_entries() {
  append_entries m;
  m.about = sample_envelope;
  m.incarnation = 23;
  m.number = 24;
  m.previous = {term_number{9}, log_index{100}};
  m.commit = log_index{99};
  m.read_round = 25;
  m.repair = {37, log_index{98}};
  m.batches = {sample_batch(9, 101, {"a", "", "ccc"}), sample_batch(11, 104, {std::string(1000, 'd')})};
  return m;
}

inline append_reply sample_append_reply() {
  append_reply m;
  m.about = sample_envelope;
  m.incarnation = 26;
  m.number = 27;
  m.read_round = 28;
  m.success = true;
  m.match = log_index{104};
  m.last = log_index{105};
  m.conflict = {term_number{8}, log_index{90}};
  m.is_full = true;
  m.lost = 38;
  return m;
}

inline install_snapshot sample_install_snapshot() {
  install_snapshot m;
  m.about = sample_envelope;
  m.incarnation = 32;
  m.number = 33;
  m.read_round = 34;
  m.at = {term_number{9}, log_index{500}};
  m.time = -35;
  m.size_bytes = 1000;
  m.offset = 36;
  m.bytes = shared_bytes{std::string(100, 's')};
  return m;
}

inline snapshot_reply sample_snapshot_reply() {
  snapshot_reply m;
  m.about = sample_envelope;
  m.incarnation = 37;
  m.number = 38;
  m.read_round = 39;
  m.at = {term_number{9}, log_index{500}};
  m.received_bytes = 136;
  m.is_installed = true;
  m.match = log_index{500};
  m.lost = 40;
  return m;
}

inline forward sample_forward() {
  entry_block_builder block;
  block.add(entry_kind::command, "get x");
  block.add(entry_kind::command, "get y");
  return {sample_envelope, 29, operation::query, block.take()};
}

inline forward_reply sample_forward_reply() {
  forward_reply m;
  m.about = sample_envelope;
  m.number = 30;
  m.offset = 31;
  m.count = 3;
  m.answers = "onethree";
  m.ends = {3, 3, 8};
  return m;
}

inline std::vector<encoded_message> sample_messages() {
  append_entries heartbeat = sample_append_entries();
  heartbeat.batches.clear();
  forward_reply refused;
  refused.about = sample_envelope;
  refused.refused = static_cast<std::uint8_t>(refusal::busy);
  return {encode(sample_request_vote()),
          encode(sample_vote_reply()),
          encode(sample_append_entries()),
          encode(heartbeat),
          encode(sample_append_reply()),
          encode(sample_install_snapshot()),
          encode(sample_snapshot_reply()),
          encode(timeout_now{sample_envelope}),
          encode(sample_forward()),
          encode(sample_forward_reply()),
          encode(refused)};
}

/// The tail as it lies in the receiver's buffer.
inline shared_bytes joined(const std::vector<shared_bytes>& parts) {
  std::string bytes;
  for (const auto& part : parts)
    bytes += part.view();
  return shared_bytes{std::move(bytes)};
}

inline std::optional<peer_message> decode(const encoded_message& message) {
  return troupe::decode(message.type, message.group, message.head, joined(message.tail));
}

inline encoded_message encode(const peer_message& message) {
  return std::visit([](const auto& m) { return troupe::encode(m); }, message);
}

} // namespace troupe::testing
