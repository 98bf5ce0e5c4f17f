/// \file
/// What clients asked for, what they were told, and what was applied: judged apart from the code that did it.
///
/// The service behind it counts: each command carries a token of its own and is answered with its place and the number
/// of commands applied up to it; a query is answered with the number of commands applied so far. So every answer says
/// when in the history it belongs, and linearizability is a comparison of numbers.
///
/// Checked:
/// - each operation has one end, in the order of its lot, and is accepted or refused before it has any;
/// - an answered command names its own token, and the place where every node has applied that token;
/// - no command is applied twice, nor one that its client was told is certainly not carried out;
/// - all nodes apply the same commands in the same order, from the first on in each of their lives;
/// - in real time: what is asked after an answer has come is answered from a history at least as long, a command from a
///   longer one; and nobody sees commands that nobody has asked for.
#pragma once

#include "troupe/entry.hpp"
#include "troupe/raft_messages.hpp"
#include "troupe/state_machine.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// A refusal's name.
[[nodiscard]] std::string_view name_of(refusal why);

/// How many operations have come to which end.
struct client_tally {
  std::uint64_t asked = 0;
  std::uint64_t answered = 0;
  std::map<refusal, std::uint64_t> refused;
  std::uint64_t cut_off = 0; ///< Their node crashed: nobody was left to tell them.

  [[nodiscard]] std::uint64_t refused_with(refusal why) const;
  [[nodiscard]] std::uint64_t open() const;
};

class client_ledger {
public:
  /// Names a client's use of one life of a node.
  using connection = std::uint64_t;

  /// Hears what is broken.
  std::function<void(const std::string&)> on_broken;
  /// No operation may take longer than this to end; nothing while a service may be slow.
  std::optional<duration> patience;

  /// A client asks: returns the block to submit, of `count` operations with tokens of their own, each `padding` bytes
  /// longer than it need be.
  [[nodiscard]] entry_block asks(connection from, std::uint64_t number, operation what, std::uint32_t count,
                                 std::size_t padding, instant now);
  // What it hears.
  void is_accepted(connection to, std::uint64_t number);
  void is_answered(connection to, std::uint64_t number, std::uint32_t offset, const answer_list& answers, instant now);
  void is_refused(connection to, std::uint64_t number, std::uint32_t offset, refusal why, instant now);
  /// Its node is gone: what is open ends without a word, and nothing that is heard of it counts.
  void is_cut_off(connection from);

  // What a service does.
  void begins_life(int server) { applied_[server] = 0; }
  /// The state of so many commands takes the place of what the server has; never of fewer than it has applied.
  void loads(int server, std::uint64_t applied);
  /// Applies a command in the present life of a server, and returns the answer.
  [[nodiscard]] std::string applies(int server, const command& what);
  /// Answers a query.
  [[nodiscard]] std::string tells(int server, std::string_view content) const;

  [[nodiscard]] client_tally tally(operation what) const;
  /// Commands applied anywhere.
  [[nodiscard]] std::uint64_t applied() const { return places_.size(); }
  [[nodiscard]] std::uint64_t applied_by(int server) const;
  [[nodiscard]] bool all_have_ended() const;
  /// One operation that has not ended, for words about it.
  [[nodiscard]] std::string describe_open() const;

private:
  enum class fate : std::uint8_t { open, answered, refused, cut_off };

  struct lot {
    connection from = 0;
    std::uint64_t number = 0;
    operation what = operation::command;
    std::uint32_t count = 0;
    std::uint64_t floor = 0; ///< The longest history an answer had come from when it was asked.
    instant asked_at{};
    bool is_accepted = false;
    std::uint32_t answered = 0;
    fate rest = fate::open; ///< What became of the operations from `answered` on.
    refusal why = refusal::no_leader;

    [[nodiscard]] bool has_ended() const { return answered == count || rest != fate::open; }
  };

  struct place {
    term_number term;
    std::string token;
    std::uint64_t position = 0; ///< Counted from 1, commands only.
  };

  /// A lot that somebody is told of; nothing if it does not count any more, or if it is unheard of, which is broken.
  lot* find(connection to, std::uint64_t number, std::string_view news);
  void check_command(const lot& asked, const std::string& token, std::string_view answer);
  void check_query(const lot& asked, const std::string& token, std::string_view answer);
  void check_patience(const lot& asked, instant now);
  [[nodiscard]] static std::string token_of(std::size_t lot, std::uint32_t offset);
  void check_may_apply(const std::string& token);
  void broken(const std::string& what) const { on_broken(what); }

  std::vector<lot> lots_;
  std::map<std::pair<connection, std::uint64_t>, std::size_t> by_number_;
  std::uint64_t commands_asked_ = 0;
  std::uint64_t seen_ = 0; ///< The longest history an answer has come from.
  std::map<log_index, place> places_;
  std::map<std::string, log_index, std::less<>> place_of_;
  std::map<int, std::uint64_t> applied_;
};

/// A service that counts for the ledger, on a server, and hands commands on to `delivering`. It applies a few commands
/// at a time, so that lots are answered in parts. The ledger must outlive it.
[[nodiscard]] std::shared_ptr<state_machine> make_counting_machine(client_ledger& ledger, int server,
                                                                   std::shared_ptr<state_machine> delivering);

} // namespace troupe
