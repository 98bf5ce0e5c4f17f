#include "tests/minds/codec_samples.hpp"

#include <doctest/doctest.h>

#include <random>

using namespace troupe;
namespace samples = troupe::testing;

namespace {

bool same_bytes(const encoded_message& a, const encoded_message& b) {
  return a.type == b.type && a.group == b.group && a.head == b.head
      && samples::joined(a.tail).view() == samples::joined(b.tail).view();
}

/// What decodes must be what was said: encoded again, it gives the same bytes.
void check_refused_or_faithful(const encoded_message& bytes) {
  if (const auto message = samples::decode(bytes))
    CHECK(same_bytes(samples::encode(*message), bytes));
}

/// Encodes sound entries and lets a test spoil the message before.
template <class Spoil>
bool is_refused(append_entries m, Spoil spoil) {
  spoil(m);
  return !samples::decode(troupe::encode(m));
}

} // namespace

TEST_CASE("every field of an append_entries comes back") {
  const auto sent = samples::sample_append_entries();
  const auto message = samples::decode(encode(sent));
  REQUIRE(message);
  const auto& m = std::get<append_entries>(*message);
  CHECK(m.about.group == sent.about.group);
  CHECK(m.about.from == sent.about.from);
  CHECK(m.about.to == sent.about.to);
  CHECK(m.about.term == sent.about.term);
  CHECK(m.incarnation == sent.incarnation);
  CHECK(m.number == sent.number);
  CHECK(m.previous == sent.previous);
  CHECK(m.commit == sent.commit);
  CHECK(m.read_round == sent.read_round);
  CHECK(m.repair == sent.repair);
  REQUIRE(m.batches.size() == sent.batches.size());
  for (std::size_t i = 0; i < m.batches.size(); ++i) {
    CHECK(m.batches[i].term() == sent.batches[i].term());
    CHECK(m.batches[i].first() == sent.batches[i].first());
    CHECK(m.batches[i].count() == sent.batches[i].count());
    CHECK(m.batches[i].leader_time() == sent.batches[i].leader_time());
    CHECK(m.batches[i].checksum() == sent.batches[i].checksum());
    CHECK(m.batches[i].payload().view() == sent.batches[i].payload().view());
  }
}

TEST_CASE("every field of votes, replies and forwarded operations comes back") {
  const auto vote = std::get<request_vote>(samples::decode(encode(samples::sample_request_vote())).value());
  CHECK(vote.round == 21);
  CHECK(vote.pre_vote);
  CHECK(vote.transfer);
  CHECK(vote.last_log == samples::sample_request_vote().last_log);
  const auto given = std::get<vote_reply>(samples::decode(encode(samples::sample_vote_reply())).value());
  CHECK(given.round == 22);
  CHECK(given.pre_vote);
  CHECK(given.granted);
  const auto reply = std::get<append_reply>(samples::decode(encode(samples::sample_append_reply())).value());
  CHECK(reply.incarnation == 26);
  CHECK(reply.number == 27);
  CHECK(reply.read_round == 28);
  CHECK(reply.success);
  CHECK(reply.match == log_index{104});
  CHECK(reply.last == log_index{105});
  CHECK(reply.conflict == samples::sample_append_reply().conflict);
  CHECK(reply.is_full);
  CHECK(reply.lost == 38);
  const auto stored = std::get<snapshot_reply>(samples::decode(encode(samples::sample_snapshot_reply())).value());
  CHECK(stored.is_installed);
  CHECK(stored.match == log_index{500});
  CHECK(stored.lost == 40);
  const auto passed = std::get<forward>(samples::decode(encode(samples::sample_forward())).value());
  CHECK(passed.number == 29);
  CHECK(passed.what == operation::query);
  CHECK(passed.block.count == 2);
  CHECK(passed.block.payload.view() == samples::sample_forward().block.payload.view());
  const auto answer = std::get<forward_reply>(samples::decode(encode(samples::sample_forward_reply())).value());
  CHECK(answer.number == 30);
  CHECK(answer.offset == 31);
  CHECK(answer.refused == 0);
  CHECK(answer.count == 3);
  CHECK(answer.answers == "onethree");
  CHECK(answer.ends == std::vector<std::uint32_t>{3, 3, 8});
}

TEST_CASE("what decodes is what was said, for every message") {
  for (const auto& message : samples::sample_messages()) {
    const auto back = samples::decode(message);
    REQUIRE(back);
    CHECK(same_bytes(samples::encode(*back), message));
    CHECK(about(*back).to == samples::sample_envelope.to);
  }
}

TEST_CASE("encoding copies no payload, and decoding shares the buffer it came in") {
  const auto sent = samples::sample_append_entries();
  const auto message = encode(sent);
  REQUIRE(message.tail.size() == 2);
  CHECK(message.tail[0].data() == sent.batches[0].payload().data());
  const auto buffer = samples::joined(message.tail);
  const auto back = std::get<append_entries>(decode(message.type, message.group, message.head, buffer).value());
  CHECK(back.batches[0].payload().data() == buffer.data());
  CHECK(back.batches[1].payload().data() == buffer.data() + back.batches[0].size_bytes());
}

TEST_CASE("I-1: a message that lacks a byte, or has one too many, is none") {
  for (const auto& message : samples::sample_messages()) {
    const auto tail = samples::joined(message.tail);
    for (std::size_t length = 0; length < message.head.size(); ++length)
      CHECK_FALSE(decode(message.type, message.group, message.head.substr(0, length), tail));
    CHECK_FALSE(decode(message.type, message.group, message.head + '\0', tail));
    for (std::size_t length = 0; length < tail.size(); ++length)
      CHECK_FALSE(decode(message.type, message.group, message.head, tail.part(0, length)));
    CHECK_FALSE(decode(message.type, message.group, message.head, shared_bytes{std::string{tail.view()} + '\0'}));
  }
}

TEST_CASE("I-1: a flipped bit gives another well-formed message or none - in a payload always none") {
  for (const auto& message : samples::sample_messages()) {
    for (std::size_t bit = 0; bit < 8 * message.head.size(); ++bit) {
      auto spoilt = message;
      spoilt.head[bit / 8] = static_cast<char>(spoilt.head[bit / 8] ^ (1 << bit % 8));
      check_refused_or_faithful(spoilt);
    }
    auto tail = std::string{samples::joined(message.tail).view()};
    for (std::size_t bit = 0; bit < 8 * tail.size(); ++bit) {
      tail[bit / 8] = static_cast<char>(tail[bit / 8] ^ (1 << bit % 8));
      CHECK_FALSE(decode(message.type, message.group, message.head, shared_bytes{tail}));
      tail[bit / 8] = static_cast<char>(tail[bit / 8] ^ (1 << bit % 8));
    }
  }
}

TEST_CASE("I-1: random bytes are no message, whatever type they claim, and cost no memory") {
  std::mt19937_64 random{1};
  for (int round = 0; round < 200'000; ++round) {
    encoded_message message;
    message.type = static_cast<message_type>(random() % 40);
    message.head.resize(random() % 200);
    for (auto& byte : message.head) // Small numbers, so that many get past the first checks.
      byte = random() % 3 == 0 ? static_cast<char>(random()) : '\0';
    if (random() % 2 == 0)
      message.tail.push_back(shared_bytes{std::string(random() % 64, '\0')});
    check_refused_or_faithful(message);
  }
}

TEST_CASE("counts are believed only as far as bytes have come for them") {
  auto message = encode(samples::sample_append_entries());
  const auto count_at = 24 + 4 + 8 + 16 + 8 + 8 + 16;
  message.head.replace(count_at, 4, "\xff\xff\xff\xff");
  CHECK_FALSE(samples::decode(message));
  auto reply = encode(samples::sample_forward_reply());
  reply.head.replace(24 + 8 + 4 + 1, 4, "\xff\xff\xff\xff");
  CHECK_FALSE(samples::decode(reply));
}

TEST_CASE("I-5: batches that do not follow each other in a log of the leader's term are refused") {
  const auto sent = samples::sample_append_entries();
  const auto sound = [](append_entries&) {};
  CHECK_FALSE(is_refused(sent, sound));
  CHECK(is_refused(sent, [](auto& m) { m.previous.index = log_index{99}; }));
  CHECK(is_refused(sent, [](auto& m) { m.previous.term = term_number{10}; }));
  CHECK(is_refused(sent, [](auto& m) { m.about.term = term_number{10}; }));
  CHECK(is_refused(sent, [](auto& m) { std::swap(m.batches[0], m.batches[1]); }));
  CHECK(is_refused(sent, [](auto& m) { m.batches.pop_back(), m.batches.push_back(m.batches[0]); }));
}

TEST_CASE("I-5: absurd fields are refused") {
  const auto sent = samples::sample_append_entries();
  const auto beyond = std::uint64_t{1} << 60;
  CHECK(is_refused(sent, [&](auto& m) { m.about.term = term_number{beyond}; }));
  CHECK(is_refused(sent, [&](auto& m) { m.about.term = term_number{~std::uint64_t{0}}; }));
  CHECK(is_refused(sent, [&](auto& m) { m.commit = log_index{beyond}; }));
  CHECK(is_refused(sent, [&](auto& m) {
    m.batches.clear();
    m.previous.index = log_index{~std::uint64_t{0}};
  }));
  CHECK(is_refused(sent, [](auto& m) {
    m.batches.clear();
    m.previous.term = term_number{};
  }));
  CHECK(is_refused(sent, [](auto& m) { m.about.from = nobody; }));
  CHECK(is_refused(sent, [](auto& m) { m.about.to = nobody; }));
  CHECK(is_refused(sent, [](auto& m) { m.about.to = m.about.from; }));
  CHECK(is_refused(sent, [&](auto& m) {
    m.previous.index = log_index{beyond - 2};
    m.batches = {samples::sample_batch(9, beyond - 1, {"x", "y"})};
  }));
}

TEST_CASE("a forwarded block that is not the entries it claims to be is refused") {
  auto m = samples::sample_forward();
  m.block.count = 3;
  CHECK_FALSE(samples::decode(encode(m)));
  m.block = {0, {}};
  CHECK_FALSE(samples::decode(encode(m)));
  m.block = {1, shared_bytes{std::string{"not an entry"}}};
  CHECK_FALSE(samples::decode(encode(m)));
}

TEST_CASE("a refusal carries no answers") {
  auto m = samples::sample_forward_reply();
  m.refused = static_cast<std::uint8_t>(refusal::uncertain);
  const auto back = std::get<forward_reply>(samples::decode(encode(m)).value());
  CHECK(back.refused == m.refused);
  CHECK(back.offset == m.offset);
  CHECK(back.count == 0);
  CHECK(back.answers.empty());
}
