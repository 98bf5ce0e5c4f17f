// What a client is told must not depend on how its words are cut, nor on when they are answered: reads and writes go
// different ways through a node, and may not overtake each other. Input: u8 how to cut | the stream.
#include "tests/app/fake_node.hpp"
#include "tests/fuzz/input.hpp"

using namespace troupe;

namespace {

/// Answers what is open and takes what is told, until there is nothing of either.
std::string everything(resp::fake_node& node, std::uint64_t who) {
  std::string all;
  for (;;) {
    node.settle();
    const auto more = node.hears(who);
    if (more.empty())
      return all;
    all += more;
  }
}

std::string told(std::string_view words) {
  resp::fake_node node;
  const auto who = node.connect();
  node.tell(who, words);
  return everything(node, who);
}

std::string told_in_pieces(fuzz::pieces words, bool at_once) {
  resp::fake_node node;
  const auto who = node.connect();
  std::string all;
  while (words.any()) {
    const auto piece = words.next();
    node.tell(who, fuzz::view(piece));
    all += at_once ? everything(node, who) : node.hears(who);
  }
  return all + everything(node, who);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  fuzz::input in{bytes, size};
  const auto how = in.byte();
  const auto stream = in.rest();
  TROUPE_ASSERT(told_in_pieces({stream, how}, how % 2 == 0) == told(stream), "a client is told the same");
  return 0;
}
