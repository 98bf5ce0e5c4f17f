/// \file
/// What the world and a peer's process write into each other's pipes.
///
/// A frame is a length and one fixed set of fields; which of them mean something depends on the kind.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

enum class frame_kind : std::uint8_t {
  // From the world.
  boot = 1,      ///< The first frame: `bytes` and `snapshot` are what the last life saved.
  saved,         ///< What came with save `number` has replaced what was there before it.
  start,         ///< Start() with command `bytes`.
  ask_state,     ///< GetState().
  take_snapshot, ///< Snapshot(): `bytes` is the state as of `index`.
  kill,          ///< Kill().
  // From the peer.
  booted = 32,
  save,      ///< Replace my state by `bytes` and my snapshot by `snapshot`, both or none.
  delivered, ///< Command `bytes` is agreed on at `index`.
  installed, ///< State `bytes`, as of `index`, takes the place of all that was delivered.
  started,   ///< Start()'s answer: `index`, `term`, `yes`: is leader.
  state,     ///< GetState()'s answer: `term`, `yes`: is leader.
  killed,
  // Both ways.
  call = 64, ///< An RPC to or from `server` with argument `bytes`, to be answered under `number`.
  returned,  ///< The end of call `number`: if `yes` with result `bytes`, else it failed.
};

struct frame {
  frame_kind kind{};
  std::uint64_t number = 0;
  std::int32_t server = 0;
  std::uint64_t index = 0;
  std::uint64_t term = 0;
  bool yes = false;
  std::string bytes = {};
  std::string snapshot = {};
};

/// The frame with its length before it.
[[nodiscard]] std::string encoded(const frame& f);

/// Puts frames together again from whatever pieces a pipe hands over.
class frame_splitter {
public:
  void feed(std::string_view piece) { buffer_ += piece; }
  /// The next whole frame, if there is one.
  [[nodiscard]] std::optional<frame> next();

private:
  std::string buffer_;
};
