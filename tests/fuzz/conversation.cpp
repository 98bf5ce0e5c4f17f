// Conversations of clients with a node, down to the store: answers come late, in parts, as refusals. Input: steps, each
// u8 what | u8 how much, and, if the step is words of a client, that many bytes.
#include "app/resp/conversation.hpp"
#include "tests/app/fake_node.hpp"
#include "tests/fuzz/input.hpp"
#include "tests/fuzz/replies.hpp"

using namespace troupe;

namespace {

constexpr std::uint64_t clients = 2;

/// How many replies a client may expect: one for each command, and one for bytes that are none.
std::size_t count_commands(std::string_view said) {
  const resp::client_limits limits;
  resp::parser parser{limits};
  parser.feed(said);
  for (std::size_t count = 0;; ++count) {
    const auto got = parser.next();
    if (got == resp::parser::outcome::incomplete)
      return count;
    if (got == resp::parser::outcome::broken)
      return count + 1;
    parser.drop_command();
  }
}

/// One walk through the steps: several clients at once, answers late, in parts, or never.
class scene {
public:
  scene() {
    for (std::uint64_t i = 0; i < clients; ++i)
      static_cast<void>(node_.connect());
  }

  void play(fuzz::input& in) {
    while (!in.empty()) {
      const auto what = in.byte();
      const auto amount = in.byte();
      const auto who = 1 + (what >> 3) % clients;
      switch (what % 8) {
      case 0:
      case 1:
      case 2: say(who, in.bytes(amount)); break;
      case 3: node_.submit(); break;
      case 4: answer(amount); break;
      case 5: refuse(amount); break;
      case 6: node_.tell_status(); break;
      case 7: hear(who); break;
      }
    }
  }

  /// Answers all that is open and checks what each client was told in the end.
  void end() {
    while (!parts_.empty())
      refuse(0);
    node_.settle();
    for (std::uint64_t who = 1; who <= clients; ++who) {
      hear(who);
      node_.settle();
      hear(who);
      check(who);
    }
  }

private:
  void say(std::uint64_t who, std::string_view words) {
    if (!node_.clients.at(who)->mind.wants_input())
      return; // The gateway would not read.
    const std::string fleeting{words};
    node_.tell(who, fleeting);
    said_[who] += fleeting;
  }

  void hear(std::uint64_t who) { heard_[who] += node_.hears(who); }

  /// Answers the next operations of the oldest lot, never all of a large one at once.
  void answer(std::uint8_t amount) {
    node_.submit();
    if (node_.lots.empty())
      return;
    const auto number = node_.lots.begin()->first;
    auto& done = parts_[number];
    const auto count = node_.lots.begin()->second.block.count;
    const auto step = std::min<std::uint32_t>(count - done, 1 + amount % 4);
    node_.answer(number, done, step);
    done += step;
    if (done == count)
      forget(number);
  }

  void refuse(std::uint8_t amount) {
    node_.submit();
    if (node_.lots.empty()) {
      parts_.clear();
      return;
    }
    const auto number = node_.lots.begin()->first;
    const auto why = static_cast<refusal>(1 + amount % static_cast<unsigned>(refusal::stopped));
    node_.refuse(number, why, parts_[number]);
    forget(number);
  }

  void forget(std::uint64_t number) {
    parts_.erase(number);
    node_.lots.erase(number);
  }

  void check(std::uint64_t who) {
    const auto& mind = node_.clients.at(who)->mind;
    const auto& told = heard_[who];
    const auto replies = fuzz::count_replies(told);
    TROUPE_ASSERT(replies, "a client is told whole replies and nothing else");
    const auto asked = count_commands(said_[who]);
    TROUPE_ASSERT(*replies <= asked, "nobody is answered who has not asked");
    TROUPE_ASSERT(mind.is_over() || *replies == asked, "every command is answered, once");
    TROUPE_ASSERT(mind.unsent_bytes() == 0, "and the count of bytes untaken comes out even");
  }

  resp::fake_node node_;
  std::map<std::uint64_t, std::uint32_t> parts_; ///< How many operations of an open lot are answered.
  std::map<std::uint64_t, std::string> said_;
  std::map<std::uint64_t, std::string> heard_;
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  fuzz::input in{bytes, size};
  scene one;
  one.play(in);
  one.end();
  return 0;
}
