/// \file
/// What the tests of damaged logs share: a log over some segments, and hands that damage it.
#pragma once

#include "support.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <string>

namespace troupe::test {

/// Of a node that others can repair.
inline log_options repairable() {
  auto options = small_segments();
  options.may_lose = true;
  return options;
}

inline std::string segment(std::uint32_t number) {
  return "d/log/" + segment_name(number);
}

inline constexpr std::uint64_t entries_of_log = 40;

/// A log of 40 entries of group 0 in term 7 over some segments, all of it durable; the node has voted for node 2.
inline void write_log(simulated_disk& disk) {
  log_storage log{disk, "d/log", repairable()};
  log.submit({voting(group_id{0}, 7, 2)}, [] {});
  for (std::uint64_t index = 1; index <= entries_of_log; ++index)
    log.submit({appending(group_id{0}, {batch(7, index, {std::string(400, 'x')})})}, [] {});
}

inline void flip(simulated_disk& disk, const std::string& file, std::size_t at) {
  disk.corrupt(file, at, std::string(1, static_cast<char>(disk.contents(file)[at] ^ 4)));
}

/// The vote of `write_log` stands, `last` entries are there, and the rest is said to be lost.
inline void require_declared(log_storage& log, std::uint64_t last) {
  const auto found = contents(log, 0);
  CHECK(found.vote.current_term == term_number{7});
  CHECK(found.vote.voted_for == peer_id{2});
  CHECK(found.vote.lost != 0);
  CHECK(found.entries.size() == last);
}

/// How many files were set aside for that loss.
inline std::size_t count_set_aside(simulated_disk& disk, std::uint64_t loss) {
  std::size_t count = 0;
  for (const auto& name : disk.list("d/log"))
    count += name.starts_with("damaged-" + std::to_string(loss) + "-") ? 1 : 0;
  return count;
}

} // namespace troupe::test
