// Messages between peers. Input: u16 type | u32 group | u16 length of the head | head | tail.
#include "tests/fuzz/checksums.hpp"
#include "tests/fuzz/input.hpp"
#include "troupe/message_codec.hpp"

using namespace troupe;

namespace {

constexpr std::size_t front_bytes = 2 + 4 + 2;

std::string joined(const std::vector<shared_bytes>& parts) {
  std::string bytes;
  for (const auto& part : parts)
    bytes += part.view();
  return bytes;
}

/// Takes a batch apart at `at` and finds the same entries.
void check_slices(const entry_batch& batch, std::uint32_t at) {
  std::uint32_t count = 0;
  std::size_t bytes = 0;
  for (const auto& entry : batch) {
    TROUPE_ASSERT(entry.index == batch.first() + count, "entries are consecutive");
    bytes += entry.content.size() + entry_overhead_bytes;
    ++count;
  }
  TROUPE_ASSERT(count == batch.count() && bytes == batch.size_bytes(), "a batch holds what it says");
  const auto middle = batch.first() + at % count;
  const auto front = batch.slice(batch.first(), middle);
  TROUPE_ASSERT(batch.payload().view().starts_with(front.payload().view()), "a slice shares the bytes of its batch");
  TROUPE_ASSERT(front.last() == middle && batch.front_within(front.size_bytes()).last() >= middle,
                "what fits is found to fit");
  if (middle != batch.last())
    TROUPE_ASSERT(front.size_bytes() + batch.slice(middle.next(), batch.last()).size_bytes() == bytes,
                  "the parts of a batch are the batch");
}

void check_warranted(const peer_message& message, std::size_t head_bytes, std::size_t tail_bytes) {
  if (const auto* entries = std::get_if<append_entries>(&message)) {
    TROUPE_ASSERT(entries->batches.size() <= head_bytes / 36, "a batch takes room in the head");
    auto at = entries->previous;
    for (const auto& batch : entries->batches) {
      TROUPE_ASSERT(batch.first() == at.index.next() && batch.term() >= at.term && batch.term() <= entries->about.term,
                    "batches follow each other in a log of the leader's term");
      at = batch.last_position();
      check_slices(batch, static_cast<std::uint32_t>(entries->number));
    }
  } else if (const auto* lot = std::get_if<forward>(&message)) {
    TROUPE_ASSERT(lot->block.payload.size() == tail_bytes, "a forwarded lot is its tail");
  } else if (const auto* answers = std::get_if<forward_reply>(&message)) {
    TROUPE_ASSERT(answers->ends.size() == answers->count
                      && 4 * answers->ends.size() + answers->answers.size() <= head_bytes,
                  "answers take room in the head");
  }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  fuzz::input in{bytes, size};
  const auto type = static_cast<message_type>(in.number(2));
  const auto group = group_id{static_cast<std::uint32_t>(in.number(4))};
  const auto head = in.bytes(in.number(2));
  const auto tail = shared_bytes{std::string{in.rest()}};
  const auto message = decode(type, group, head, tail);
  if (!message)
    return 0;
  check_warranted(*message, head.size(), tail.size());
  const auto again = std::visit([](const auto& m) { return encode(m); }, *message);
  TROUPE_ASSERT(again.type == type && again.group == group, "a message keeps its type and group");
  TROUPE_ASSERT(again.head == head && joined(again.tail) == tail.view(), "there is one way to write a message");
  return 0;
}

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* bytes, std::size_t size, std::size_t most);

/// Chance does not find checksums: three mutants in four get theirs mended.
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* bytes, std::size_t size, std::size_t most, unsigned seed) {
  size = LLVMFuzzerMutate(bytes, size, most);
  if (seed % 4 == 0 || size < front_bytes)
    return size;
  const std::span<char> all{reinterpret_cast<char*>(bytes), size};
  fuzz::input in{bytes, size};
  const auto type = static_cast<std::uint16_t>(in.number(2));
  static_cast<void>(in.number(4));
  const auto head_bytes = std::min<std::size_t>(in.number(2), size - front_bytes);
  fuzz::mend_payloads(type, all.subspan(front_bytes, head_bytes), all.subspan(front_bytes + head_bytes));
  return size;
}
