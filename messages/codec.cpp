// Heads, in order of their fields (little-endian; every head begins with from u64 | to u64 | term u64):
//
//   request_vote    round u64 | pre_vote u8 | transfer u8 | last log term u64 | last log index u64
//   vote_reply      round u64 | pre_vote u8 | granted u8
//   append_entries  incarnation u32 | number u64 | previous term u64 | previous index u64 | commit u64 |
//                   read_round u64 | lost u64 | repaired until u64 | batches u32 | per batch: term u64 | first u64 |
//                   count u32 | leader_time i64 | checksum u32 | size u32
//   append_reply    incarnation u32 | number u64 | read_round u64 | success u8 | match u64 | last u64 |
//                   conflict term u64 | conflict index u64 | full u8 | lost u64
//   install_snapshot incarnation u32 | number u64 | read_round u64 | at term u64 | at index u64 | time i64 |
//                   size u64 | offset u64 | checksum of the piece u32
//   snapshot_reply  incarnation u32 | number u64 | read_round u64 | at term u64 | at index u64 | received u64 |
//                   installed u8 | match u64 | lost u64
//   timeout_now     -
//   forward         number u64 | operation u8 | count u32 | checksum u32 | size u32
//   forward_reply   number u64 | offset u32 | refused u8 | count u32 | per answer: end u32 | the answers' bytes
//
// Only append_entries, install_snapshot and forward have a tail.
#include "troupe/message_codec.hpp"

#include "messages/wire.hpp"
#include "troupe/assert.hpp"

#include <bit>
#include <limits>

namespace troupe {

namespace {

constexpr std::size_t batch_head_bytes = 8 + 8 + 4 + 8 + 4 + 4;

/// No cluster counts its terms or entries this far in any number of years: such a number is garbage, and arithmetic
/// upon it could wrap.
constexpr std::uint64_t number_limit = std::uint64_t{1} << 60;

template <class Tag>
bool in_range(number<Tag> n) {
  return n.value() < number_limit;
}

/// A place in a log: both parts zero, before the first entry, or neither.
bool is_place(const log_position& at) {
  return in_range(at.term) && in_range(at.index) && (at.term == term_number{}) == (at.index == log_index{});
}

std::uint32_t size_of(const shared_bytes& payload) {
  TROUPE_ASSERT(payload.size() <= std::numeric_limits<std::uint32_t>::max(), "a payload is smaller than 4 GiB");
  return static_cast<std::uint32_t>(payload.size());
}

encoded_message begin_message(message_type type, const envelope& about) {
  encoded_message message{type, about.group, {}, {}};
  wire_writer{message.head}.put(about.from.value()).put(about.to.value()).put(about.term.value());
  return message;
}

void put_position(wire_writer& out, const log_position& at) {
  out.put(at.term.value()).put(at.index.value());
}

log_position take_position(wire_reader& in) {
  const auto term = in.take<std::uint64_t>();
  return {term_number{term}, log_index{in.take<std::uint64_t>()}};
}

envelope take_envelope(group_id group, wire_reader& in) {
  envelope about;
  about.group = group;
  about.from = peer_id{in.take<std::uint64_t>()};
  about.to = peer_id{in.take<std::uint64_t>()};
  about.term = term_number{in.take<std::uint64_t>()};
  return about;
}

bool is_sane(const envelope& about) {
  return about.from != nobody && about.to != nobody && about.from != about.to && in_range(about.term);
}

using decoded = std::optional<peer_message>;

decoded decode_request_vote(const envelope& about, wire_reader in) {
  request_vote m;
  m.about = about;
  m.round = in.take<std::uint64_t>();
  m.pre_vote = in.flag();
  m.transfer = in.flag();
  m.last_log = take_position(in);
  if (!in.complete() || !is_place(m.last_log) || m.last_log.term > about.term)
    return std::nullopt;
  return m;
}

decoded decode_vote_reply(const envelope& about, wire_reader in) {
  vote_reply m;
  m.about = about;
  m.round = in.take<std::uint64_t>();
  m.pre_vote = in.flag();
  m.granted = in.flag();
  if (!in.complete())
    return std::nullopt;
  return m;
}

/// Reads one batch whose payload begins at `offset` of the tail and moves `offset` behind it. Nothing, unless it
/// follows `previous` in a log of the leader's term.
std::optional<entry_batch> take_batch(wire_reader& in, const shared_bytes& tail, std::size_t& offset,
                                      const log_position& previous, term_number leaders) {
  const auto term = term_number{in.take<std::uint64_t>()};
  const auto first = log_index{in.take<std::uint64_t>()};
  const auto count = in.take<std::uint32_t>();
  const auto leader_time = std::bit_cast<std::int64_t>(in.take<std::uint64_t>());
  const auto checksum = in.take<std::uint32_t>();
  const std::size_t size = in.take<std::uint32_t>();
  const bool follows = first == previous.index.next() && term >= previous.term && term != term_number{};
  if (!in.sound() || !follows || term > leaders || size > tail.size() - offset)
    return std::nullopt;
  auto batch = entry_batch::verify(term, first, count, leader_time, checksum, tail.part(offset, size));
  offset += size;
  return batch;
}

decoded decode_append_entries(const envelope& about, wire_reader in, const shared_bytes& tail) {
  append_entries m;
  m.about = about;
  m.incarnation = in.take<std::uint32_t>();
  m.number = in.take<std::uint64_t>();
  m.previous = take_position(in);
  m.commit = log_index{in.take<std::uint64_t>()};
  m.read_round = in.take<std::uint64_t>();
  m.repair.lost = in.take<std::uint64_t>();
  m.repair.until = log_index{in.take<std::uint64_t>()};
  const std::size_t batches = in.take<std::uint32_t>();
  if (!in.sound() || !is_place(m.previous) || m.previous.term > about.term || !in_range(m.commit)
      || !in_range(m.repair.until))
    return std::nullopt;
  if (in.left() != batches * batch_head_bytes)
    return std::nullopt;
  m.batches.reserve(batches);
  std::size_t offset = 0;
  auto previous = m.previous;
  for (std::size_t i = 0; i < batches; ++i) {
    auto batch = take_batch(in, tail, offset, previous, about.term);
    if (!batch)
      return std::nullopt;
    previous = batch->last_position();
    m.batches.push_back(std::move(*batch));
  }
  if (!in.complete() || offset != tail.size() || !in_range(previous.index))
    return std::nullopt;
  return m;
}

decoded decode_append_reply(const envelope& about, wire_reader in) {
  append_reply m;
  m.about = about;
  m.incarnation = in.take<std::uint32_t>();
  m.number = in.take<std::uint64_t>();
  m.read_round = in.take<std::uint64_t>();
  m.success = in.flag();
  m.match = log_index{in.take<std::uint64_t>()};
  m.last = log_index{in.take<std::uint64_t>()};
  m.conflict = take_position(in);
  m.is_full = in.flag();
  m.lost = in.take<std::uint64_t>();
  const bool sane = in_range(m.match) && in_range(m.last) && in_range(m.conflict.term) && in_range(m.conflict.index);
  if (!in.complete() || !sane)
    return std::nullopt;
  return m;
}

decoded decode_install_snapshot(const envelope& about, wire_reader in, const shared_bytes& tail) {
  install_snapshot m;
  m.about = about;
  m.incarnation = in.take<std::uint32_t>();
  m.number = in.take<std::uint64_t>();
  m.read_round = in.take<std::uint64_t>();
  m.at = take_position(in);
  m.time = std::bit_cast<std::int64_t>(in.take<std::uint64_t>());
  m.size_bytes = in.take<std::uint64_t>();
  m.offset = in.take<std::uint64_t>();
  const auto checksum = in.take<std::uint32_t>();
  const bool is_snapshot = is_place(m.at) && m.at.index != log_index{} && m.at.term <= about.term;
  const bool lies_within = m.offset <= m.size_bytes && tail.size() <= m.size_bytes - m.offset;
  if (!in.complete() || !is_snapshot || !lies_within || checksum != crc32c(tail.view()))
    return std::nullopt;
  m.bytes = tail;
  return m;
}

decoded decode_snapshot_reply(const envelope& about, wire_reader in) {
  snapshot_reply m;
  m.about = about;
  m.incarnation = in.take<std::uint32_t>();
  m.number = in.take<std::uint64_t>();
  m.read_round = in.take<std::uint64_t>();
  m.at = take_position(in);
  m.received_bytes = in.take<std::uint64_t>();
  m.is_installed = in.flag();
  m.match = log_index{in.take<std::uint64_t>()};
  m.lost = in.take<std::uint64_t>();
  if (!in.complete() || !is_place(m.at) || !in_range(m.match))
    return std::nullopt;
  return m;
}

decoded decode_timeout_now(const envelope& about, wire_reader in) {
  if (!in.complete())
    return std::nullopt;
  return timeout_now{about};
}

decoded decode_forward(const envelope& about, wire_reader in, const shared_bytes& tail) {
  forward m;
  m.about = about;
  m.number = in.take<std::uint64_t>();
  const auto what = in.take<std::uint8_t>();
  const auto count = in.take<std::uint32_t>();
  const auto checksum = in.take<std::uint32_t>();
  const std::size_t size = in.take<std::uint32_t>();
  const bool known =
      what == static_cast<std::uint8_t>(operation::command) || what == static_cast<std::uint8_t>(operation::query);
  if (!in.complete() || !known || size != tail.size())
    return std::nullopt;
  // A block has no place in a log yet; any place will do to have its entries checked.
  if (!entry_batch::verify(term_number{1}, log_index{1}, count, 0, checksum, tail))
    return std::nullopt;
  m.what = static_cast<operation>(what);
  m.block = {count, tail};
  return m;
}

decoded decode_forward_reply(const envelope& about, wire_reader in) {
  forward_reply m;
  m.about = about;
  m.number = in.take<std::uint64_t>();
  m.offset = in.take<std::uint32_t>();
  m.refused = in.take<std::uint8_t>();
  m.count = in.take<std::uint32_t>();
  if (!in.sound() || m.refused > static_cast<std::uint8_t>(refusal::stopped))
    return std::nullopt;
  if (in.left() / sizeof(std::uint32_t) < m.count || m.count > std::numeric_limits<std::uint32_t>::max() - m.offset)
    return std::nullopt;
  if (m.refused != 0 && m.count != 0) // A refusal ends the lot from `offset` on: it answers nothing.
    return std::nullopt;
  m.ends.reserve(m.count);
  std::uint32_t before = 0;
  for (std::uint32_t i = 0; i < m.count; ++i) {
    const auto end = in.take<std::uint32_t>();
    if (end < before)
      return std::nullopt;
    m.ends.push_back(end);
    before = end;
  }
  if (in.left() != before)
    return std::nullopt;
  m.answers = in.take_bytes(before);
  return m;
}

} // namespace

encoded_message encode(const request_vote& m) {
  auto message = begin_message(message_type::request_vote, m.about);
  wire_writer out{message.head};
  out.put(m.round).flag(m.pre_vote).flag(m.transfer);
  put_position(out, m.last_log);
  return message;
}

encoded_message encode(const vote_reply& m) {
  auto message = begin_message(message_type::vote_reply, m.about);
  wire_writer{message.head}.put(m.round).flag(m.pre_vote).flag(m.granted);
  return message;
}

encoded_message encode(const append_entries& m) {
  auto message = begin_message(message_type::append_entries, m.about);
  message.head.reserve(128 + m.batches.size() * batch_head_bytes);
  wire_writer out{message.head};
  out.put(m.incarnation).put(m.number);
  put_position(out, m.previous);
  out.put(m.commit.value()).put(m.read_round).put(m.repair.lost).put(m.repair.until.value());
  out.put(static_cast<std::uint32_t>(m.batches.size()));
  message.tail.reserve(m.batches.size());
  for (const auto& batch : m.batches) {
    out.put(batch.term().value()).put(batch.first().value()).put(batch.count());
    out.put(std::bit_cast<std::uint64_t>(batch.leader_time())).put(batch.checksum()).put(size_of(batch.payload()));
    message.tail.push_back(batch.payload());
  }
  return message;
}

encoded_message encode(const append_reply& m) {
  auto message = begin_message(message_type::append_reply, m.about);
  wire_writer out{message.head};
  out.put(m.incarnation).put(m.number).put(m.read_round).flag(m.success);
  out.put(m.match.value()).put(m.last.value());
  put_position(out, m.conflict);
  out.flag(m.is_full).put(m.lost);
  return message;
}

encoded_message encode(const install_snapshot& m) {
  auto message = begin_message(message_type::install_snapshot, m.about);
  wire_writer out{message.head};
  out.put(m.incarnation).put(m.number).put(m.read_round);
  put_position(out, m.at);
  out.put(std::bit_cast<std::uint64_t>(m.time)).put(m.size_bytes).put(m.offset).put(crc32c(m.bytes.view()));
  message.tail.push_back(m.bytes);
  return message;
}

encoded_message encode(const snapshot_reply& m) {
  auto message = begin_message(message_type::snapshot_reply, m.about);
  wire_writer out{message.head};
  out.put(m.incarnation).put(m.number).put(m.read_round);
  put_position(out, m.at);
  out.put(m.received_bytes).flag(m.is_installed).put(m.match.value()).put(m.lost);
  return message;
}

encoded_message encode(const timeout_now& m) {
  return begin_message(message_type::timeout_now, m.about);
}

encoded_message encode(const forward& m) {
  auto message = begin_message(message_type::forward, m.about);
  wire_writer out{message.head};
  out.put(m.number).put(static_cast<std::uint8_t>(m.what)).put(m.block.count);
  out.put(crc32c(m.block.payload.view())).put(size_of(m.block.payload));
  message.tail.push_back(m.block.payload);
  return message;
}

encoded_message encode(const forward_reply& m) {
  auto message = begin_message(message_type::forward_reply, m.about);
  message.head.reserve(64 + m.ends.size() * sizeof(std::uint32_t) + m.answers.size());
  wire_writer out{message.head};
  // What is refused is not answered, whatever else the message holds.
  const auto answered = m.refused == 0 ? m.count : 0;
  TROUPE_ASSERT(answered == 0 || (m.ends.size() == answered && m.ends.back() == m.answers.size()),
                "a reply has one answer per operation");
  out.put(m.number).put(m.offset).put(m.refused).put(answered);
  if (answered == 0)
    return message;
  for (const auto end : m.ends)
    out.put(end);
  message.head += m.answers;
  return message;
}

std::optional<peer_message> decode(message_type type, group_id group, std::string_view head, const shared_bytes& tail) {
  wire_reader in{head};
  const auto about = take_envelope(group, in);
  if (!in.sound() || !is_sane(about))
    return std::nullopt;
  const bool may_have_tail =
      type == message_type::append_entries || type == message_type::install_snapshot || type == message_type::forward;
  if (!may_have_tail && !tail.empty())
    return std::nullopt;
  switch (type) {
  case message_type::request_vote: return decode_request_vote(about, in);
  case message_type::vote_reply: return decode_vote_reply(about, in);
  case message_type::append_entries: return decode_append_entries(about, in, tail);
  case message_type::append_reply: return decode_append_reply(about, in);
  case message_type::install_snapshot: return decode_install_snapshot(about, in, tail);
  case message_type::snapshot_reply: return decode_snapshot_reply(about, in);
  case message_type::timeout_now: return decode_timeout_now(about, in);
  case message_type::forward: return decode_forward(about, in, tail);
  case message_type::forward_reply: return decode_forward_reply(about, in);
  }
  return std::nullopt;
}

const envelope& about(const peer_message& message) {
  return std::visit([](const auto& m) -> const envelope& { return m.about; }, message);
}

} // namespace troupe
