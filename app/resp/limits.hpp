/// \file
/// What one client may take up. Every bound is an option of the program.
#pragma once

#include <cstddef>

namespace troupe::resp {

/// Bounds of one client connection. A request that exceeds one of the first four gets Redis's protocol error and ends
/// its connection; the other ones stop reading from it, and at last end it. No other client notices.
struct client_limits {
  /// Arguments of one command, its name included.
  std::size_t arguments = 65536;
  /// One argument.
  std::size_t argument_bytes = std::size_t{8} << 20;
  /// All arguments of one command. Encoded, it must stay below `bounds::proposal_bytes` of the peer.
  std::size_t command_bytes = std::size_t{15} << 20;
  /// An inline command, or a line that announces a size.
  std::size_t inline_bytes = std::size_t{64} << 10;
  /// Commands read and not yet answered; with more of them the client is not read from.
  std::size_t pipeline = 4096;
  /// Replies that the client has not taken yet; beyond it the client is not read from. Also what the values may come to
  /// that it has asked for and not been given yet, judged by the last ones; beyond it, its next read waits for them.
  std::size_t output_pause_bytes = std::size_t{1} << 20;
  /// Beyond it the client is taken for one that never reads, and its connection ends.
  std::size_t output_bytes = std::size_t{128} << 20;
};

/// Bounds of all clients of a node together.
struct gateway_limits {
  /// Replies that they have not taken yet; beyond it the connection that has most of them ends.
  std::size_t output_bytes = std::size_t{1} << 30;
  /// Commands that are not whole yet, or wait for earlier ones; beyond it the connection that holds most is told `BUSY`
  /// and ends. The memory for them stays below twice this; what a connection is read with comes on top, 1 KiB, or up to
  /// 64 KiB once it has sent much at a time.
  std::size_t input_bytes = std::size_t{256} << 20;
};

} // namespace troupe::resp
