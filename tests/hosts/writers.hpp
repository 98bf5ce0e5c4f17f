/// \file
/// Load whose acknowledged writes are checked: clients that append numbers of their own to lists of their own.
#pragma once

#include "tests/hosts/cluster.hpp"

#include <atomic>
#include <cstdint>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace troupe::testing {

/// What one client knows: which of its numbers must be in its list, and which must not.
struct writing_record {
  std::string key;
  std::set<std::uint64_t> acknowledged;
  std::set<std::uint64_t> refused; ///< The answer said: certainly not carried out.
  std::uint64_t last = 0;          ///< The numbers tried are 1 to this.
  std::vector<std::string> stale;  ///< Reads that missed what had been acknowledged before.
};

/// What is wrong with a list, in words; empty if nothing is. Each number acknowledged is in it once, those refused are
/// not, and the other ones at most once.
[[nodiscard]] std::string what_is_wrong(const writing_record& known, const std::string& list);

/// Writers, one thread each, from their making until `stop`. Each talks to its host's node, or another one's when that
/// gives no good answer; every tenth command reads the list back.
class writers {
public:
  writers(hosted_cluster& cluster, std::size_t count);
  ~writers();

  /// Ends them all; what they know by then.
  [[nodiscard]] std::vector<writing_record> stop();

  /// Acknowledged writes so far, of all of them.
  [[nodiscard]] std::uint64_t acknowledged() const { return acknowledged_; }

private:
  void write(hosted_cluster& cluster, std::size_t number, writing_record& record);

  std::atomic<bool> stopping_ = false;
  std::atomic<std::uint64_t> acknowledged_ = 0;
  std::vector<writing_record> records_;
  std::vector<std::thread> threads_;
};

} // namespace troupe::testing
