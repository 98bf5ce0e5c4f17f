/// \file
/// Turns a client's bytes into commands: RESP2 multibulk requests, and the inline ones that people type into telnet.
#pragma once

#include "app/resp/limits.hpp"

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::resp {

/// Reads requests the way Redis 7.0 does (its `processInputBuffer`), with the same error texts. Incremental: it goes on
/// where it was when more bytes come, however they are cut. What came whole is not copied: arguments are views into the
/// bytes that were fed.
///
/// One round: `feed` new bytes; take commands with `next` until it says otherwise; `settle`, which copies what is left
/// and so lets go of the bytes fed.
class parser {
public:
  enum class outcome {
    incomplete, ///< More bytes are needed.
    command,    ///< `arguments` holds one command, never an empty one. It stays until `drop_command`.
    broken,     ///< `error` says what the client did wrong. There is no way on: all later calls say the same.
  };

  /// `limits` must outlive the parser.
  explicit parser(const client_limits& limits) : limits_{&limits} {}
  parser(const parser&) = delete;
  parser& operator=(const parser&) = delete;

  /// Gives the bytes that come next. They must stay valid and unchanged until `settle`.
  void feed(std::string_view bytes);

  /// Looks for the next command. Gives the same one again until it is dropped.
  [[nodiscard]] outcome next();

  /// The command `next` has found; valid until it is dropped, or `feed` or `settle` is called.
  [[nodiscard]] std::span<const std::string_view> arguments() const { return arguments_; }

  /// Has done with the command.
  void drop_command();

  void settle();

  /// Redis's words, such as `Protocol error: invalid bulk length`.
  [[nodiscard]] std::string_view error() const { return error_; }

  /// Drops all that is held, at any time: nothing more is read.
  void give_up();

  /// Bytes held back: part of a command, or commands that nobody has asked for yet.
  [[nodiscard]] std::size_t held_bytes() const { return window_.size() - command_at_; }

  /// What it takes up for them, within a factor of two: small arguments take more than their bytes.
  [[nodiscard]] std::size_t taken_bytes() const {
    return held_bytes() + places_.size() * (sizeof(place) + sizeof(std::string_view));
  }

private:
  struct place {
    std::size_t at;
    std::size_t size;
  };

  outcome read_inline();
  outcome read_multibulk();
  outcome read_count();
  outcome read_argument();
  outcome found();
  outcome fail(std::string_view what);
  /// The line at `at_` without its end, and moves behind it; nothing while the end has not come.
  bool take_line(std::string_view& line);

  const client_limits* limits_;
  std::string kept_;              ///< Bytes of our own, when a command came in pieces.
  std::string_view window_;       ///< All bytes there are: `kept_`, or the ones fed.
  bool fed_ = false;              ///< Between `feed` and `settle`.
  std::size_t command_at_ = 0;    ///< Where the current command begins in the window.
  std::size_t at_ = 0;            ///< How far it has been read.
  std::size_t line_scanned_ = 0;  ///< Up to here there is no line end.
  bool counted_ = false;          ///< The multibulk count has been read.
  std::size_t missing_ = 0;       ///< Arguments still to come.
  bool sized_ = false;            ///< The next argument's size has been read.
  std::size_t size_ = 0;          ///< That size.
  std::size_t command_bytes_ = 0; ///< Sum of the arguments' sizes announced so far.
  std::vector<place> places_;     ///< Arguments found, relative to `command_at_`.
  bool is_inline_ = false;
  std::string inline_text_; ///< Unquoted words of an inline command; `places_` then point into it.
  bool ready_ = false;      ///< `arguments_` holds a command.
  std::vector<std::string_view> arguments_;
  std::string error_;
};

} // namespace troupe::resp
