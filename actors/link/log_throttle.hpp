/// \file
/// What is worth a line in the log, when strangers decide how often it happens. A mind.
#pragma once

#include "troupe/types.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace troupe {

/// Lets the same words be said once in a while only, and says how often it happened in between. However many things
/// happen and however they differ, at most `most` lines come in `quiet`: whoever can provoke a line cannot fill a disk
/// with them.
class log_throttle {
public:
  explicit log_throttle(duration quiet = std::chrono::minutes{1}, std::size_t most = 32) : quiet_{quiet}, most_{most} {}

  /// It has happened again. How often since it was said last, this time included; 0: not to be said now.
  [[nodiscard]] std::uint64_t times(std::string_view what, instant now) {
    auto at = said_.find(what);
    if (at == said_.end()) {
      if (!has_room(now))
        return 0;
      at = said_.emplace(what, entry{now - quiet_, 0}).first;
    }
    auto& one = at->second;
    ++one.unsaid;
    if (now - one.last < quiet_)
      return 0;
    one.last = now;
    return std::exchange(one.unsaid, 0);
  }

private:
  struct entry {
    instant last;
    std::uint64_t unsaid = 0;
  };

  /// Forgets what was said long ago, if there are too many.
  bool has_room(instant now) {
    if (said_.size() >= most_)
      std::erase_if(said_, [&](const auto& each) { return now - each.second.last >= quiet_; });
    return said_.size() < most_;
  }

  duration quiet_;
  std::size_t most_;
  std::map<std::string, entry, std::less<>> said_;
};

} // namespace troupe
