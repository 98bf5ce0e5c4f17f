#include "actors/link/hello.hpp"

#include <doctest/doctest.h>

using namespace troupe;

namespace {

const uuid disk_two{{0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0xfe, 0xdc, 0xba, 0x98, 0x76, 0x54, 0x32, 0x10}};
const link_identity me{"blue", peer_id{1}, {1, 1}, 4, {1}};
const acquaintances known{{peer_id{2}, acquaintance{disk_two, 9}}, {peer_id{3}, std::nullopt}};

/// What node `id` says to node 1.
hello from(std::uint64_t id, const uuid& disk) {
  return introduce({"blue", peer_id{id}, disk, 9, {9}}, peer_id{1});
}

/// What node 2 says to node 1 in a boot of its disk, and of its lives.
std::optional<refusal_notice> verdict(const acquaintances& met, std::uint64_t boot, const last_lives& lives) {
  return judge(me, met, introduce({"blue", peer_id{2}, disk_two, boot, lives}, peer_id{1}));
}

std::optional<link_refusal> reason(const hello& words) {
  const auto notice = judge(me, known, words);
  return notice ? std::optional{notice->reason} : std::nullopt;
}

} // namespace

TEST_CASE("an introduction comes back as it was said") {
  auto said = from(2, disk_two);
  said.lives = {0x1122334455667788, 1, 0};
  const auto heard = decode_hello(encode(said));
  REQUIRE(heard);
  CHECK(heard->magic == hello_magic);
  CHECK(heard->version == protocol_version);
  CHECK(heard->role == link_role::peer);
  CHECK(heard->from == peer_id{2});
  CHECK(heard->to == peer_id{1});
  CHECK(heard->disk == disk_two);
  CHECK(heard->boot == 9);
  CHECK(heard->lives == said.lives);
  CHECK(heard->cluster == "blue");
}

TEST_CASE("an introduction that lacks a byte, or has one too many, is none") {
  auto said = from(2, disk_two);
  const auto bytes = encode(said);
  for (std::size_t length = 0; length < bytes.size(); ++length)
    CHECK_FALSE(decode_hello(bytes.substr(0, length)));
  CHECK_FALSE(decode_hello(bytes + 'x'));
  said.boot = lives_kept;
  said.lives.assign(lives_kept, 7);
  const auto bytes_of_many = encode(said);
  CHECK(decode_hello(bytes_of_many)->lives.size() == lives_kept);
  auto of_one_life_more = bytes_of_many.substr(0, bytes_of_many.size() - 2 - said.cluster.size() - 8 * lives_kept - 1);
  of_one_life_more.push_back(static_cast<char>(lives_kept + 1));
  of_one_life_more.append(8 * (lives_kept + 1), 'l');
  of_one_life_more.append("\4\0blue", 6);
  CHECK_FALSE(decode_hello(of_one_life_more));
}

TEST_CASE("a hello of no boot, of no life, of more lives than boots, or of life 0 is none") {
  const auto said = encode(from(2, disk_two));
  const auto at_boot = said.size() - 2 - 4 - 8 - 1 - 8;
  const auto with = [&](std::size_t at, char value) {
    auto changed = said;
    changed[at] = value;
    return decode_hello(changed);
  };
  CHECK(with(at_boot, 1)->boot == 1);
  CHECK_FALSE(with(at_boot, 0));
  CHECK_FALSE(with(at_boot + 9, 0)); // The life, 9.
  auto without = said;
  without.erase(at_boot + 9, 8);
  without[at_boot + 8] = 0;
  CHECK_FALSE(decode_hello(without));
  auto of_two = said;
  of_two.insert(at_boot + 9, 8, 'x');
  of_two[at_boot + 8] = 2;
  CHECK(decode_hello(of_two));
  of_two[at_boot] = 1;
  CHECK_FALSE(decode_hello(of_two));
}

TEST_CASE("of an introduction in another version only the version is read") {
  auto words = from(2, disk_two);
  words.version = 2;
  const auto heard = decode_hello(encode(words).substr(0, 6));
  REQUIRE(heard);
  CHECK(reason(*heard) == link_refusal::wrong_version);
}

TEST_CASE("a known node on its own disk is believed, and so is one that was never met") {
  CHECK_FALSE(reason(from(2, disk_two)));
  CHECK_FALSE(reason(from(3, {7, 7})));
}

TEST_CASE("O2: a known node with a new uuid is refused: a wiped disk would vote twice") {
  const auto notice = judge(me, known, from(2, {8, 8}));
  REQUIRE(notice);
  CHECK(notice->reason == link_refusal::changed_disk);
  CHECK(notice->words.find(to_string(disk_two)) != std::string::npos);
  CHECK(notice->words.find("cannot come back") != std::string::npos);
}

TEST_CASE("O3: a known disk in an earlier boot than the last one seen is refused: an older copy was put back") {
  const auto of_boot = [](std::uint64_t boot) { return verdict(known, boot, {boot}); };
  const auto notice = of_boot(8);
  REQUIRE(notice);
  CHECK(notice->reason == link_refusal::old_disk);
  CHECK(is_about_identity(notice->reason));
  CHECK(to_link_refusal(static_cast<std::uint16_t>(notice->reason)) == link_refusal::old_disk);
  CHECK(notice->words.find("older copy") != std::string::npos);
  CHECK_FALSE(of_boot(9));  // A link is made anew in the same life of the node,
  CHECK_FALSE(of_boot(10)); // and in the next one.
}

TEST_CASE(
    "O3: a known disk that does not know the life it was seen in is refused, however often it was started since") {
  const acquaintances met_in_life_99{{peer_id{2}, acquaintance{disk_two, 9, 99}}};
  const auto said = [&](std::uint64_t boot, const last_lives& lives) {
    const auto notice = verdict(met_in_life_99, boot, lives);
    return notice ? std::optional{notice->reason} : std::nullopt;
  };
  const auto notice = verdict(met_in_life_99, 9, {50, 8, 7}); // A copy of boot 8, started once more.
  REQUIRE(notice);
  CHECK(notice->reason == link_refusal::old_disk);
  CHECK(notice->words.find("another copy of its data directory") != std::string::npos);
  CHECK(said(11, {52, 51, 50, 8}) == link_refusal::old_disk); // And twice more.
  CHECK(said(11, {52, 51}) == link_refusal::old_disk);        // Who has forgotten nothing must know.
  CHECK_FALSE(said(9, {99, 8, 7}));
  CHECK_FALSE(said(10, {12, 99, 8}));
}

TEST_CASE("O3: a node that was started more often than its disk remembers while a peer was away is believed") {
  const acquaintances met_long_ago{{peer_id{2}, acquaintance{disk_two, 9, 99}}};
  CHECK_FALSE(verdict(met_long_ago, 9 + lives_kept, last_lives(lives_kept, 1)));
  CHECK(verdict(met_long_ago, 8 + lives_kept, last_lives(lives_kept, 1)));
}

TEST_CASE("O3: an older copy that is refused and started again, as a supervisor does, never wears its peers out") {
  std::optional<acquaintance> book = acquaintance{disk_two, 9, 99};
  const auto judged = [&](std::uint64_t boot, const last_lives& lives) {
    const auto words = introduce({"blue", peer_id{2}, disk_two, boot, lives}, peer_id{1});
    const auto notice = judge(me, {{peer_id{2}, book}}, words);
    book = notice ? refused(book, words, notice->reason) : met(book, words);
    return !notice;
  };
  last_lives copy{8, 7};
  for (std::uint64_t boot = 9; boot < 9 + 3 * lives_kept; ++boot) {
    copy.insert(copy.begin(), 1000 + boot);
    copy.resize(std::min(copy.size(), lives_kept));
    CHECK_FALSE(judged(boot, copy));
  }
  CHECK(judged(10, {10, 99, 8, 7})); // The disk itself goes on,
  CHECK_FALSE(judged(9 + 3 * lives_kept, copy));
  CHECK(judged(11, {11, 10, 99, 8})); // and on.
}

TEST_CASE("O3: what a node said in the life before, and is heard late, is refused, and not held against it") {
  // Both hellos lay in the backlog of a host that stood still, and the later one was read first.
  std::optional<acquaintance> book = acquaintance{disk_two, 8, 88};
  const auto judged = [&](std::uint64_t boot, const last_lives& lives) {
    const auto words = introduce({"blue", peer_id{2}, disk_two, boot, lives}, peer_id{1});
    const auto notice = judge(me, {{peer_id{2}, book}}, words);
    book = notice ? refused(book, words, notice->reason) : met(book, words);
    return !notice;
  };
  CHECK(judged(10, {100, 99, 88}));
  CHECK_FALSE(judged(9, {99, 88}));
  CHECK(judged(10, {100, 99, 88}));
  CHECK(judged(11, {110, 100, 99, 88}));
}

TEST_CASE("each thing that can be wrong has a reason of its own") {
  auto words = from(2, disk_two);
  words.magic = 0x50545448;
  CHECK(reason(words) == link_refusal::not_a_peer);
  words = from(2, disk_two);
  words.cluster = "green";
  CHECK(reason(words) == link_refusal::wrong_cluster);
  words = from(2, disk_two);
  words.role = link_role::client;
  CHECK(reason(words) == link_refusal::role_not_served);
  words = from(2, disk_two);
  words.to = peer_id{5};
  CHECK(reason(words) == link_refusal::not_for_us);
  CHECK(reason(from(1, {1, 1})) == link_refusal::own_id);
  CHECK(reason(from(9, {9, 9})) == link_refusal::unknown_node);
  CHECK(reason(from(3, disk_two)) == link_refusal::copied_disk);
  CHECK(reason(from(3, {1, 1})) == link_refusal::copied_disk);
}

TEST_CASE("words of strangers reach a terminal without their control characters") {
  auto words = from(2, disk_two);
  words.cluster = "\x1b[31mgreen\n";
  const auto notice = judge(me, known, words);
  REQUIRE(notice);
  CHECK(notice->words.find("\"?[31mgreen?\"") != std::string::npos);
  const auto heard = decode_closing(encode_closing({link_refusal::stopping, "by\ne"}));
  REQUIRE(heard);
  CHECK(heard->words == "by?e");
}

TEST_CASE("a closing carries its reason - one of a later version counts as another") {
  const auto heard = decode_closing(encode_closing({link_refusal::changed_disk, "wiped"}));
  REQUIRE(heard);
  CHECK(heard->reason == link_refusal::changed_disk);
  CHECK(heard->words == "wiped");
  CHECK(to_link_refusal(31) == link_refusal::other);
  CHECK(to_link_refusal(999) == link_refusal::other);
  CHECK_FALSE(is_about_identity(link_refusal::other));
  CHECK_FALSE(is_about_identity(link_refusal::replaced));
  CHECK_FALSE(decode_closing("\1"));
  CHECK(decode_closing(encode_closing({link_refusal::other, std::string(5000, 'w')}))->words.size()
        == longest_closing_words);
}

TEST_CASE("a uuid reads as it is written") {
  CHECK(to_string(disk_two) == "01234567-89ab-cdef-fedc-ba9876543210");
  CHECK(parse_uuid(to_string(disk_two)) == disk_two);
  CHECK_FALSE(parse_uuid(""));
  CHECK_FALSE(parse_uuid("0123456789abcdeffedcba9876543210"));
  CHECK_FALSE(parse_uuid("01234567-89ab-cdef-fedc-ba987654321"));
  CHECK_FALSE(parse_uuid("01234567-89ab-cdef-fedc-ba987654321g"));
  CHECK_FALSE(parse_uuid("01234567-89ab-cdef-fedc-ba98765432100"));
}
