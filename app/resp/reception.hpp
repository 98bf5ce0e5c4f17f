/// \file
/// All clients of a node: what lies between the bytes on their connections and the lots that the peer is given. No CAF,
/// no sockets, no clock.
#pragma once

#include "app/resp/conversation.hpp"
#include "app/resp/outbox.hpp"
#include "app/resp/outside.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace troupe::resp {

/// How long a client waits for what only the peer knows, before it hears that it cannot be told.
inline constexpr auto status_deadline = std::chrono::seconds{5};

/// What the clients of a node may take up.
struct reception_limits {
  client_limits each;
  gateway_limits together;
  gather_limits gather;
};

/// A client that is there.
struct guest {
  guest(client_identity who, std::int64_t at, const client_limits& limits, lot_book& book, const surroundings& around)
      : line{at}, mind{std::move(who), limits, book, around} {}

  [[nodiscard]] std::uint64_t id() const { return mind.about().who.id; }

  std::int64_t line; ///< What its connection is called outside.
  conversation mind;
  outbox replies;
  std::size_t input_bytes = 0;  ///< Of its input, as counted in the sum of all.
  std::size_t output_bytes = 0; ///< Of its conversation, as counted in the sum of all.
  bool is_read = true;          ///< Bytes are wanted from it.
  bool touched = false;         ///< Something was said to it since it was last tended.
  bool leaving = false;         ///< It has been told its last word.
  bool silent = false;          ///< It has ended its input.
};

/// The mind of a gateway: conversations (conversation.hpp) over one book of lots. Production's gateway runs it over
/// sockets, the stage over bytes that come as chance has it.
///
/// Under load a lot is under way, and what comes gathers behind it; else it goes at once. Answers and refusals find
/// their conversations, and each connection is tended once for all of them. A peer that is lost leaves what it was
/// given uncertain; everything else, and all that comes later, is answered with an error at once.
class reception final : private surroundings {
public:
  /// `around` must outlive it.
  reception(const reception_limits& limits, outside& around);
  reception(const reception&) = delete;
  reception& operator=(const reception&) = delete;

  // -- connections ---------------------------------------------------------------------------------------------------
  // A guest may be gone when one of these returns.

  /// A client has come on a connection that is called `line` outside. Its id must be new.
  guest& let_in(client_identity who, std::int64_t line = 0);
  /// Null if it is not there (any more).
  [[nodiscard]] guest* find(std::uint64_t id);
  /// Bytes of a client. Those of one that has been told its last word are dropped.
  void hear(guest& from, std::string_view bytes);
  /// Its connection has taken `bytes` of what it was handed.
  void hear_taken(guest& by, std::size_t bytes);
  /// No more bytes will come. It may still listen: what it has asked for is answered before its connection ends.
  void hear_end(guest& of);
  /// It has hung up. What it has asked for keeps its place, and is answered to nobody.
  void forget(const guest& whom);
  /// Says an error, behind the replies that it waits for, and ends its connection.
  void dismiss(guest& whom, std::string_view error);
  /// How many clients are there.
  [[nodiscard]] std::size_t size() const { return guests_.size(); }

  // -- the peer ------------------------------------------------------------------------------------------------------

  /// Submits what has gathered: `outside::remind` has come due.
  void submit_gathered();
  void hear_accepted(const submission_accepted& m);
  void hear_answers(const submission_answered& m);
  void hear_refusal(const submission_refused& m);
  /// The peer's state, as far as clients may know it.
  void hear_status(const node_status& status);
  /// It was not told in time.
  void hear_no_status();
  /// There is no peer any more.
  void lose_peer();
  /// Lots that the peer has and has not wholly answered.
  [[nodiscard]] std::size_t open_lots() const { return book_.open_lots(); }

private:
  [[nodiscard]] instant now() const override { return outside_->now(); }
  [[nodiscard]] std::string client_list() const override;
  [[nodiscard]] std::span<const std::pair<std::string, std::string>> settings() const override {
    return outside_->settings();
  }

  void tend(guest& one);
  void tend_touched();
  guest* touch(std::uint64_t id);
  void count(guest& one, std::size_t input_bytes, std::size_t output_bytes);
  [[nodiscard]] guest& holder_of_most(std::size_t guest::*bytes);
  [[nodiscard]] bool make_room(const guest& present);
  void take_leave(guest& one);
  void part_from(const guest& one, std::string_view why);

  void submit_soon();
  void submit_lots();
  void refuse(const operation_run& run, refusal why);
  void abandon_lots();

  [[nodiscard]] bool await_status(guest& one);
  void ask_state();
  void tell_no_status(const std::vector<std::uint64_t>& whom);

  reception_limits limits_;
  outside* outside_;
  lot_book book_;
  std::unordered_map<std::uint64_t, guest> guests_; ///< By id.
  std::vector<std::uint64_t> touched_;
  std::size_t input_bytes_ = 0;              ///< Sum over the guests.
  std::size_t output_bytes_ = 0;             ///< Sum over the guests.
  std::vector<std::uint64_t> status_wanted_; ///< Who will be told next time.
  std::vector<std::uint64_t> status_asked_;  ///< Whom the question under way is for.
  bool has_peer_ = true;
  bool is_asking_ = false;
  bool submit_is_due_ = false;
};

} // namespace troupe::resp
