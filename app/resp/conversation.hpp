/// \file
/// One client, from its connection to its end: what it asks, what waits for an answer, what it is told and in which
/// order. No CAF, no sockets, no clock.
#pragma once

#include "actors/port/lots.hpp"
#include "app/resp/limits.hpp"
#include "app/resp/operations.hpp"
#include "app/resp/parser.hpp"
#include "app/resp/session.hpp"
#include "app/resp/status.hpp"

#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::resp {

/// Bytes on their way to a client.
using output = std::vector<char>;

/// The mind of one client connection.
///
/// Replies come strictly in the order of the requests: each request has a slot in a queue; what is known at once fills
/// its slot at once, what goes to the state machine fills it when the answer comes.
///
/// Writes go through the log. Reads go by read-index, unless a write (or a logged read) of the same client is
/// unanswered: then they go through the log behind it, and so see it. A write behind unanswered reads that go by
/// read-index waits for them, so that none of them sees it. See docs/decisions/0003-reads-behind-writes.md.
///
/// What a read will bring is not known beforehand. So that a few small requests do not call forth gigabytes at once,
/// the values asked for and not yet answered are bounded by what the last ones took (`output_pause_bytes` in all).
///
/// Each function that may have something to say appends it to `out`.
class conversation {
public:
  /// `limits`, `book` and `around` must outlive it.
  conversation(client_identity who, const client_limits& limits, lot_book& book, const surroundings& around);

  /// Hears bytes from the client.
  void hear(std::string_view bytes, output& out);

  /// Hears that no more bytes will come. It is over once the commands that are whole are answered.
  void hear_end() { heard_all_ = true; }

  /// Hears answers to its operations `delivered.run`.
  void hear_answers(const lot_book::delivery& delivered, output& out);

  /// Hears that operations ended without an answer.
  void hear_refusal(const operation_run& run, refusal why, output& out);

  /// Hears what it asked for with `wants_status`; `text` of an error if the peer does not say.
  void hear_status(const node_status& status, output& out);
  void hear_no_status(output& out);

  /// Says an error and ends the conversation; what it holds of the client's input is dropped.
  void dismiss(std::string_view error, output& out);

  /// Why it was dismissed: the error that was said. Empty if it was not.
  [[nodiscard]] const std::string& dismissal() const { return dismissal_; }

  /// What the client's input takes up: part of a command, or commands that wait for earlier ones.
  [[nodiscard]] std::size_t input_bytes() const { return parser_.taken_bytes(); }

  /// The client has taken `bytes` of what was said.
  void taken(std::size_t bytes, output& out);

  /// Whether bytes should be read from the client: not while it owes us reading, or is far ahead of its answers.
  [[nodiscard]] bool wants_input() const;

  /// Whether a request for the node's status waits; once per batch of them.
  [[nodiscard]] bool wants_status();

  /// All has been said: the connection is to be closed once `out` is flushed.
  [[nodiscard]] bool is_over() const { return over_ || (heard_all_ && !held_ && slots_.empty()); }

  /// The client does not take what it asked for: the connection is to be closed at once.
  [[nodiscard]] bool is_stuck() const { return unsent_bytes_ > limits_->output_bytes; }

  /// Bytes said that the client has not taken yet.
  [[nodiscard]] std::size_t unsent_bytes() const { return unsent_bytes_; }

  /// All that is kept for the client to take, replies that wait behind earlier ones included.
  [[nodiscard]] std::size_t output_bytes() const { return unsent_bytes_ + held_reply_bytes_; }

  [[nodiscard]] const session& about() const { return session_; }

private:
  enum class awaits : std::uint8_t { nothing, query, logged_read, write, info, json };

  /// One request's place in the queue.
  struct slot {
    awaits what = awaits::nothing;
    bool resp3 = false;
    bool last = false;        ///< The connection ends behind it.
    std::uint32_t values = 0; ///< How many values its reply may bring.
    std::string text;         ///< The reply, once known. Before that, for INFO: the sections.
  };

  void take_commands(output& out);
  [[nodiscard]] bool may_go_on() const;
  [[nodiscard]] bool may_ask_for(std::size_t values) const;
  void learn(std::size_t reply_bytes, std::size_t values);
  bool take_command(std::span<const std::string_view> arguments, output& out);
  bool take_operation(verb what, std::span<const std::string_view> arguments, output& out);
  void ask_status(const command_description& command, std::span<const std::string_view> arguments, output& out);
  void say_error(std::string_view text, output& out);
  void say(std::string_view reply, output& out, bool last = false);
  void fill(std::uint64_t sequence, std::string_view reply, output& out);
  void hold(slot& place, std::string_view reply);
  void say_ready(output& out);
  void write(std::string_view bytes, output& out);

  const client_limits* limits_;
  lot_book* book_;
  const surroundings* around_;
  session session_;
  parser parser_;
  std::deque<slot> slots_;
  std::uint64_t first_sequence_ = 0; ///< The sequence number of the front slot.
  std::size_t queries_ = 0;          ///< Slots that await a query.
  std::size_t logged_ = 0;           ///< Slots that await a command.
  std::size_t unsent_bytes_ = 0;
  std::size_t held_reply_bytes_ = 0; ///< Text of the slots.
  std::size_t awaited_values_ = 0;   ///< Sum over the slots that await an operation.
  std::size_t value_bytes_;          ///< What a value is expected to take, judged by the last ones.
  bool status_wanted_ = false;
  bool held_ = false;   ///< Commands wait in the parser.
  bool ending_ = false; ///< Nothing more is heard.
  bool over_ = false;
  bool heard_all_ = false; ///< No more bytes will come.
  std::string dismissal_;
  std::string scratch_;
};

} // namespace troupe::resp
