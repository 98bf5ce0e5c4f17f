// Replies as `demo`, `status` and the tests read them from whoever answers. Input: u8 how to cut | the stream.
#include "app/resp_reply.hpp"
#include "tests/fuzz/input.hpp"
#include "tests/fuzz/replies.hpp"

using namespace troupe;

namespace {

struct reading {
  std::vector<resp_reply> replies;
  bool garbage = false;
  friend bool operator==(const reading&, const reading&) = default;
};

/// Every element took a line to announce.
std::size_t weight(const resp_reply& one) {
  auto sum = one.text.size() + 3;
  for (const auto& element : one.elements)
    sum += weight(element);
  return sum;
}

bool take(resp_reply_reader& reader, reading& into) {
  resp_reply found;
  auto got = reader.next(found);
  for (; got == resp_reply_reader::outcome::reply; got = reader.next(found))
    into.replies.push_back(found);
  into.garbage = got == resp_reply_reader::outcome::garbage;
  return !into.garbage;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  fuzz::input in{bytes, size};
  const auto how = in.byte();
  const auto stream = in.rest();
  resp_reply_reader reader;
  reading whole;
  reader.feed(stream);
  const bool goes_on = take(reader, whole);
  TROUPE_ASSERT(reader.held_bytes() <= stream.size(), "no more is held than has come");

  resp_reply_reader again;
  reading cut;
  for (auto rest = fuzz::pieces{stream, how}; rest.any() && !cut.garbage;) {
    again.feed(fuzz::view(rest.next()));
    static_cast<void>(take(again, cut));
  }
  TROUPE_ASSERT(cut == whole, "replies mean the same however they are cut");

  std::size_t sum = 0;
  for (const auto& one : whole.replies)
    sum += weight(one);
  TROUPE_ASSERT(sum <= stream.size(), "a reply is no larger than what it was read from");
  // The other reader knows RESP3 as well, and is stricter with lines.
  if (const auto count = fuzz::count_replies(stream); count && goes_on && reader.held_bytes() == 0)
    TROUPE_ASSERT(*count == whole.replies.size(), "two readers count the same replies");
  return 0;
}
