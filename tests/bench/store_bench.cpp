// What the key-value machine takes: memory per entry, time per command, and how long commands wait for a picture of it.
// Prints; nothing here can fail. store_bench [ENTRIES], 1,000,000 by default: keys of 16 bytes, values of 100.
#include "app/kv/store.hpp"

#include <malloc.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <thread>
#include <vector>

using namespace troupe;

namespace {

using ticks = std::chrono::steady_clock;

double since(ticks::time_point start) {
  return std::chrono::duration<double>(ticks::now() - start).count();
}

std::string key_of(std::size_t number) {
  char text[24];
  std::snprintf(text, sizeof text, "key:%012zu", number);
  return text;
}

std::string content_of(kv::opcode code, const std::string& key, std::string_view value) {
  std::string content;
  kv::append_opcode(content, code);
  kv::append_argument(content, key);
  if (!kv::is_read(code))
    kv::append_argument(content, value);
  return content;
}

/// Nanoseconds per command, on keys at random out of `entries`; the longest single command, in microseconds.
struct pace {
  double mean_ns = 0;
  double longest_us = 0;
};

pace carry_out(kv::store& machine, const std::vector<std::string>& contents) {
  pace found;
  const auto begin = ticks::now();
  for (const auto& content : contents) {
    const auto start = ticks::now();
    answer_list answers;
    if (kv::is_read(static_cast<kv::opcode>(content.front())))
      machine.query(content, answers);
    else {
      const command one{log_index{1}, term_number{1}, 0, 0, content};
      static_cast<void>(machine.apply({&one, 1}, answers));
    }
    found.longest_us = std::max(found.longest_us, since(start) * 1e6);
  }
  found.mean_ns = since(begin) * 1e9 / static_cast<double>(contents.size());
  return found;
}

void print(const char* what, pace found) {
  std::printf("%-44s %8.0f ns %10.0f us longest\n", what, found.mean_ns, found.longest_us);
}

} // namespace

int main(int argc, char** argv) {
  const auto entries = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1'000'000;
  std::mt19937_64 random{1};
  const auto at_random = [&](kv::opcode code, char filling) {
    std::vector<std::string> contents(std::min<std::size_t>(entries, 500'000));
    for (auto& each : contents)
      each = content_of(code, key_of(random() % entries), std::string(100, filling));
    return contents;
  };
  const auto sets = at_random(kv::opcode::set, 'w');
  const auto gets = at_random(kv::opcode::get, ' ');

  kv::store machine;
  const auto before = mallinfo2();
  std::vector<std::string> filling;
  for (std::size_t i = 0; i < entries;) {
    filling.clear();
    for (std::size_t n = 0; n < 10'000 && i < entries; ++n, ++i)
      filling.push_back(content_of(kv::opcode::set, key_of(i), std::string(100, 'v')));
    static_cast<void>(carry_out(machine, filling));
  }
  filling = {};
  const auto after = mallinfo2();
  std::printf("%-44s %8.1f bytes\n", "memory per entry",
              static_cast<double>(after.uordblks + after.hblkhd - before.uordblks - before.hblkhd)
                  / static_cast<double>(entries));
  print("GET", carry_out(machine, gets));
  print("SET of a key that is there", carry_out(machine, sets));

  auto start = ticks::now();
  auto view = machine.save();
  std::printf("%-44s %8.0f us\n", "save", since(start) * 1e6);
  print("SET, the picture held", carry_out(machine, sets));
  const auto held = mallinfo2();
  std::printf("%-44s %8.1f bytes\n", "and per entry, what the picture holds alone",
              static_cast<double>(held.uordblks + held.hblkhd - after.uordblks - after.hblkhd)
                  / static_cast<double>(entries));
  print("SET, the same keys again", carry_out(machine, sets));
  double written = 0;
  std::size_t bytes = 0;
  std::thread writer{[&] {
    start = ticks::now();
    for (auto chunk = view->next_chunk(); !chunk.empty(); chunk = view->next_chunk())
      bytes += chunk.size();
    written = since(start);
  }};
  writer.join();
  std::printf("%-44s %8.0f ms, %zu bytes\n", "reading the picture on a thread", written * 1e3, bytes);
  start = ticks::now();
  view.reset();
  std::printf("%-44s %8.0f ms\n", "dropping it", since(start) * 1e3);
  print("SET, the picture gone", carry_out(machine, sets));

  auto copy = machine.save();
  start = ticks::now();
  auto built = machine.build(*copy);
  std::printf("%-44s %8.0f ms\n", "build", since(start) * 1e3);
  start = ticks::now();
  built->take_place();
  std::printf("%-44s %8.0f us\n", "take_place", since(start) * 1e6);
  copy.reset();
  start = ticks::now();
  built.reset();
  std::printf("%-44s %8.0f ms\n", "dropping the state before", since(start) * 1e3);
}
