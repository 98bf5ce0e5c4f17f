/// \file
/// Whether what clients saw of registers could have come from one register: linearizability, judged exactly.
#pragma once

#include "troupe/types.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace troupe {

/// One read or write of a register, as its client saw it. Every write of a register writes a value of its own.
struct register_operation {
  enum class kind : std::uint8_t {
    write,         ///< It was acknowledged.
    unknown_write, ///< It may have taken effect, or may yet.
    refused_write, ///< It certainly has not and will not take effect.
    read,          ///< It was answered. (Others say nothing and are left out.)
  };

  std::string key;
  kind what = kind::read;
  std::string value; ///< Empty for a read that found nothing.
  instant asked;
  instant answered; ///< Says nothing of an unknown write.
};

/// Says what is wrong with a history, or nothing if it is linearizable. Registers begin empty.
///
/// Since values are unique, no search is needed (Gibbons and Korach, "Testing Shared Memories", 1997): a write and its
/// reads make a zone from the first end to the last beginning among them. Where the end comes first, the register held
/// the value all through the zone. A history is linearizable if and only if no read ends before its write begins, no
/// two such zones overlap, and no other zone lies within one.
[[nodiscard]] std::optional<std::string> find_violation(const std::vector<register_operation>& history);

} // namespace troupe
