/// \file
/// What a node tells about itself.
#pragma once

#include "troupe/client_messages.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace troupe::resp {

/// Everything INFO and TROUPE STATUS tell.
struct node_status {
  peer_state peer;
  std::size_t clients = 0;
  std::size_t max_clients = 0;
  std::uint16_t port = 0;
  std::chrono::seconds uptime{};
  std::int64_t process = 0; ///< Its id in the operating system.
};

/// The text of INFO. `sections` are lower-case names, each followed by a blank; empty means all there are, and so do
/// `all`, `default` and `everything`. Unknown ones give nothing.
[[nodiscard]] std::string info_text(const node_status& status, std::string_view sections);

/// `{"id","role","term","leader","commit","applied","last","log_start","snapshot":{"index","bytes"},"disk_full",
/// "has_say","longest_leader_silence_us","followers":[{"id","match","lag","connected","has_say"}]}`, in one line;
/// `leader` is null if none is known, `log_start` is the last index the log has forgotten, `lag` counts entries.
[[nodiscard]] std::string status_json(const peer_state& peer);

} // namespace troupe::resp
