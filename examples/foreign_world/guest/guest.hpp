/// \file
/// The ways a process of this program can take part in its own world.
#pragma once

#include <cstdint>

namespace guest {

/// What the world tells a peer's process on its command line.
struct lot {
  int server = 0; ///< Which of the servers it is, counted from 0 as the world does.
  int servers = 0;
  std::uint64_t seed = 0;
};

/// Lives in the world behind standard input and output, as one server, until it hangs up. Returns the exit code.
[[nodiscard]] int live(const lot& mine);

/// Runs Troupe's storage checks against `blob_storage`. Returns the exit code.
[[nodiscard]] int check_conformance(std::uint64_t seed);

} // namespace guest
