/// \file
/// What tests of hostile input ask of a living cluster: is everybody else served, is memory flat, does the log say why.
#pragma once

#include "tests/clients/clients.hpp"

#include <sys/resource.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace troupe {

/// Looks again and again, until `done` says yes or a minute has passed.
template <class Done>
[[nodiscard]] bool becomes_true(Done done) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes{1};
  while (!done()) {
    if (std::chrono::steady_clock::now() > deadline)
      return false;
    ::usleep(5000);
  }
  return true;
}

[[nodiscard]] inline std::string text_of(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream{path}.rdbuf();
  return text.str();
}

/// What the kernel and its log say of one node.
class observed_node {
public:
  observed_node(served_cluster& in, peer_id id)
      : log_{in.cluster.at(id).log}, process_{"/proc/" + std::to_string(in.cluster.at(id).process->id())} {}

  /// Memory it holds now, and the most it has ever held, in bytes.
  [[nodiscard]] std::size_t resident_bytes() const { return status_kilobytes("VmRSS:") << 10; }
  [[nodiscard]] std::size_t most_resident_bytes() const { return status_kilobytes("VmHWM:") << 10; }

  [[nodiscard]] std::size_t open_files() const {
    const std::filesystem::directory_iterator files{process_ + "/fd"};
    return static_cast<std::size_t>(std::distance(begin(files), end(files)));
  }

  /// Waits for a line of its log with these words; the queue of the log may be behind.
  [[nodiscard]] bool logs(std::string_view words) const {
    return becomes_true([&] { return text_of(log_).find(words) != std::string::npos; });
  }
  [[nodiscard]] std::string log() const { return text_of(log_); }

  /// The most it has ever held is at most `bytes` more than `before`.
  void check_grew_at_most(std::size_t bytes, std::size_t before) const {
    const auto grown = most_resident_bytes() - before;
    MESSAGE("grew by " << (grown >> 10) << " KiB, allowed are " << (bytes >> 10));
    CHECK(grown <= bytes);
  }

private:
  [[nodiscard]] std::size_t status_kilobytes(std::string_view key) const {
    std::ifstream status{process_ + "/status"};
    for (std::string line; std::getline(status, line);)
      if (line.starts_with(key))
        return std::stoul(line.substr(key.size()));
    FAIL("no such line in the status of the process");
    return 0;
  }

  std::string log_;
  std::string process_;
};

/// A good client that writes and reads all the time, in a thread of its own. It is served if each of its commands is
/// answered, and rightly.
class bystander {
public:
  explicit bystander(endpoint node) : thread_{[this, node] { live(node); }} {}
  ~bystander() { (void)stop(); }
  bystander(const bystander&) = delete;
  bystander& operator=(const bystander&) = delete;

  [[nodiscard]] std::uint64_t served() const { return served_; }

  /// Waits until it has been served `times` times more. Whoever it is must not be locked out.
  [[nodiscard]] bool is_served(std::uint64_t times = 20) const {
    const auto goal = served_ + times;
    return becomes_true([&] { return served_ >= goal; });
  }

  /// Ends it; what went wrong, or nothing.
  [[nodiscard]] std::string stop() {
    stopping_ = true;
    if (thread_.joinable())
      thread_.join();
    return trouble_;
  }

private:
  void live(const endpoint& node) {
    auto client = resp_client::connect(node, patience);
    for (std::uint64_t n = 1; !stopping_ && trouble_.empty(); ++n) {
      const auto value = std::to_string(n);
      const auto set = client.call({"SET", "bystander", value}, patience);
      const auto get = client.call({"GET", "bystander"}, patience);
      if (set.is_ok() && get.text == value)
        ++served_;
      else
        trouble_ = "SET: " + set.text + ", GET: " + get.text + " instead of " + value;
    }
  }

  static constexpr duration patience = std::chrono::seconds{20};
  std::atomic<bool> stopping_ = false;
  std::atomic<std::uint64_t> served_ = 0;
  std::string trouble_;
  std::thread thread_;
};

/// A cluster with a bystander, and what must still be true of it after an attack: the same leader in the same term, the
/// bystander served all the time, no node ended.
class besieged_cluster : public served_cluster {
public:
  explicit besieged_cluster(std::vector<std::string> flags = {})
      : served_cluster{patient(std::move(flags))}, term_{cluster.leader()->term}, good{cluster.at(leader).client} {}

  void check_unshaken() {
    CHECK(good.is_served());
    CHECK(good.stop() == "");
    const auto now = cluster.leader();
    REQUIRE(now);
    CHECK(now->id == leader);
    CHECK(now->term.value() == term_.value());
  }

  [[nodiscard]] observed_node observe(peer_id id) { return {*this, id}; }

private:
  /// A disk that stalls on a busy machine is no attack: it must not cost the leader its office.
  static std::vector<std::string> patient(std::vector<std::string> flags) {
    flags.insert(flags.end(), {"--election-timeout", "3s..4s"});
    return flags;
  }

  term_number term_;

public:
  bystander good;
};

/// Lets this process have `files` open at a time; false where the system does not let it.
[[nodiscard]] inline bool may_open(std::size_t files) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur >= files)
    return true;
  limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, files);
  return ::setrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur >= files;
}

/// Leaves a test that needs many sockets where there can be none; ctest knows the word.
#define TROUPE_NEEDS_FILES(files)                                                                                      \
  if (!troupe::may_open(files)) {                                                                                      \
    std::puts("skipped: this test needs more open files than ulimit -Hn allows");                                      \
    return;                                                                                                            \
  }

} // namespace troupe
