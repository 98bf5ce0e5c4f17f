// How two ends of a link introduce themselves and part. Input: the head of a hello or of a closing frame.
#include "actors/link/hello.hpp"
#include "tests/fuzz/input.hpp"

using namespace troupe;

namespace {

const uuid disk_of_two{{2, 2, 2, 2}};
const link_identity me{"blue", peer_id{1}, {{1, 1}}, 4, {14, 13}};
const acquaintances known{{peer_id{2}, acquaintance{disk_of_two, 3, 23, 77}}, {peer_id{3}, std::nullopt}};

bool is_printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](unsigned char c) { return c >= 0x20 && c < 0x7f; });
}

void check_notice(const refusal_notice& notice) {
  TROUPE_ASSERT(is_printable(notice.words), "what strangers say reaches no terminal unfiltered");
  const auto told = decode_closing(encode_closing(notice));
  TROUPE_ASSERT(told && told->reason == notice.reason, "a refusal arrives as it was meant");
  TROUPE_ASSERT(told->words == notice.words.substr(0, longest_closing_words), "with its words, up to their limit");
}

void check_hello(std::string_view head) {
  const auto heard = decode_hello(head);
  if (!heard)
    return;
  const auto verdict = judge(me, known, *heard);
  if (heard->magic != hello_magic || heard->version != protocol_version) {
    TROUPE_ASSERT(verdict, "no other protocol is believed");
    return check_notice(*verdict);
  }
  TROUPE_ASSERT(encode(*heard) == head, "there is one way to write a hello");
  if (verdict)
    return check_notice(*verdict);
  TROUPE_ASSERT(heard->cluster == me.cluster && heard->to == me.self && heard->role == link_role::peer,
                "only a peer of this cluster that means this node is believed");
  TROUPE_ASSERT(known.contains(heard->from) && heard->disk != me.disk, "and only a member on a disk of its own");
  if (heard->from != peer_id{2})
    return;
  TROUPE_ASSERT(heard->disk == disk_of_two && heard->boot >= 3, "on the disk it is known by, and not an older one");
  const auto& lives = heard->lives;
  const auto back = heard->boot - 3;
  TROUPE_ASSERT(back < lives.size() ? lives[back] == 23 : lives.size() == lives_kept,
                "whoever has not forgotten it knows the life he was met in, and when");
  TROUPE_ASSERT(std::find(lives.begin(), lives.end(), 77) == lives.end(), "no copy that was refused comes back");
}

void check_closing(std::string_view head) {
  const auto heard = decode_closing(head);
  if (!heard)
    return;
  TROUPE_ASSERT(heard->words.size() <= longest_closing_words, "closing words are short");
  check_notice(*heard);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const auto head = fuzz::input{bytes, size}.rest();
  check_hello(head);
  check_closing(head);
  return 0;
}
