/// \file
/// What is outside of a reception: the connections of its clients, and its peer.
#pragma once

#include "actors/port/lots.hpp"
#include "troupe/types.hpp"

#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace troupe::resp {

struct guest;

/// Sockets and actors, or what stands for them. Each call is carried out at once, and nothing of it comes back to the
/// reception before that has returned to its caller.
class outside {
public:
  virtual ~outside() = default;

  /// Now, on the monotonic clock.
  [[nodiscard]] virtual instant now() const = 0;
  /// What CONFIG GET shows: names and values.
  [[nodiscard]] virtual std::span<const std::pair<std::string, std::string>> settings() const = 0;

  // -- a client's connection -----------------------------------------------------------------------------------------

  /// It may have something to take (`outbox::hand_over`); how much of it went out is heard by `reception::hear_taken`.
  virtual void say(guest& to) = 0;
  /// Its bytes are wanted, or not for now.
  virtual void listen(const guest& to, bool wanted) = 0;
  /// The last word is said, and perhaps not out yet: its conversation is over or dismissed. Once.
  virtual void last_word_said(const guest& to) = 0;
  /// That word is out, and the client has not ended its input. Returns whether its connection stays for the client to
  /// see that; if not, `part_from` follows.
  [[nodiscard]] virtual bool last_word_out(const guest& to) = 0;
  /// Ends the connection at once; the guest is gone afterwards. `why` is empty if nothing is wrong.
  virtual void part_from(const guest& whom, std::string_view why) = 0;

  // -- the peer ------------------------------------------------------------------------------------------------------

  /// A lot goes to the peer.
  virtual void hand_in(lot_book::submission lot) = 0;
  /// `reception::submit_gathered` is to be called behind whatever has arrived by now.
  virtual void remind() = 0;
  /// The peer is asked for its state. `reception::hear_status` or, after `status_deadline`, `hear_no_status` follows.
  virtual void ask_state() = 0;
};

} // namespace troupe::resp
