/// \file
/// Many clients at once that ask for more than a node can do, from one thread.
#pragma once

#include "app/child_process.hpp"

#include <poll.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace troupe {

/// A process's memory in bytes, as the kernel counts it: `VmHWM`, the most it ever had, or `VmRSS`, what it has now.
[[nodiscard]] std::uint64_t memory_of(const child_process& process, const std::string& field);

/// Connections that each say a text again and again, as fast as it is taken.
class crowd {
public:
  /// How its members behave.
  struct manners {
    std::string request;                  ///< One request, as RESP.
    std::size_t times = 0;                ///< How often each member says it.
    bool reads = true;                    ///< They take their replies, which are one line each.
    std::size_t window = std::size_t(-1); ///< Requests that a member has under way at a time.
  };

  /// Connects `members` clients to a port on loopback.
  crowd(std::uint16_t port, std::size_t members, manners how);
  ~crowd();
  crowd(const crowd&) = delete;
  crowd& operator=(const crowd&) = delete;

  /// Talks and listens for as long as something happens, `span` at most.
  void play(duration span);

  /// Whether every member has said all and heard an answer to each request, or lost its connection.
  [[nodiscard]] bool is_done() const;

  /// Replies by their first word: "+OK", "-BUSY", ...
  [[nodiscard]] const std::map<std::string, std::uint64_t>& replies() const { return replies_; }
  [[nodiscard]] std::uint64_t heard(const std::string& word) const;
  [[nodiscard]] std::uint64_t sent_bytes() const { return sent_bytes_; }
  /// Members whose connection the node has ended.
  [[nodiscard]] std::size_t dropped() const { return dropped_; }
  /// For messages: "+OK 12, -BUSY 400, 3 dropped".
  [[nodiscard]] std::string words() const;

private:
  struct member {
    int socket = -1;
    std::size_t said = 0;   ///< Whole requests.
    std::size_t within = 0; ///< Bytes of the next one.
    std::size_t answered = 0;
    std::string line; ///< Of a reply that has not come whole.
  };

  [[nodiscard]] bool wants_to_say(const member& one) const;
  bool say(member& one);
  bool listen(member& one);
  void take(member& one, std::string_view bytes);
  void hang_up(member& one);

  manners how_;
  std::vector<member> members_;
  std::map<std::string, std::uint64_t> replies_;
  std::uint64_t sent_bytes_ = 0;
  std::size_t dropped_ = 0;
};

} // namespace troupe
