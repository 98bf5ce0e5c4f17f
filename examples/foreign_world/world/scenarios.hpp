/// \file
/// The scenarios of the course's labs 2A and 2B, two of 2C and four of 2D, with its figures.
#pragma once

#include "world/tester.hpp"

#include <functional>
#include <string>
#include <vector>

namespace world {

struct scenario {
  std::string number; ///< "2B-3"
  std::string title;
  int servers = 0;
  std::function<void(tester&)> play;
};

[[nodiscard]] std::vector<scenario> elections();   ///< 2A
[[nodiscard]] std::vector<scenario> agreements();  ///< 2B, but for what follows
[[nodiscard]] std::vector<scenario> bursts();      ///< 2B-7 and 2B-10: many commands at once
[[nodiscard]] std::vector<scenario> persistence(); ///< 2C
[[nodiscard]] std::vector<scenario> snapshots();   ///< 2D

/// All of them.
[[nodiscard]] std::vector<scenario> scenarios();

} // namespace world
