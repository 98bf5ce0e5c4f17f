/// \file
/// Always on: is every answer that a client gets the one that the committed log gives, and recent enough (invariant
/// I15)?
///
/// The log says in which order writes took effect, so nothing need be searched: for each key there is a chain of
/// versions, one for each committed write, and every answer has its place in it. That makes it fast, and stricter than
/// linearizability.hpp: what is not committed yet must not be seen either.
#pragma once

#include "stage/history.hpp"
#include "stage/register_model.hpp"
#include "troupe/types.hpp"

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace troupe {

/// Is told what clients do and what is committed, in the order in which it happens; a commit no later than anything
/// that rests on it (the first replica to apply an entry tells of it before it applies). Who sees an entry committed
/// must be able to say which operation it is: the command carries its number. Reports the first promise that is broken,
/// and then no more.
///
/// Checked, for each key:
///  * What takes effect was asked for, as it is, before it is committed; takes effect once; was not refused.
///  * A write is answered once it is committed, with what the model answers at its place.
///  * A read is answered with what the model answers at some version, no older than any that a client was answered from
///    (or that a client's answered write made) before the read was invoked, and committed before it returns. If several
///    would do, the oldest is taken for it: that forbids least afterwards, so there is no false alarm where values are
///    not unique.
///  * Each operation ends once.
/// So writes take effect in their order in time, too: each in the log after it was asked for and before it was
/// answered.
///
/// An event costs a look-up or two, a completed read also a step over each version that was committed since the newest
/// one that anybody had been answered from when it was invoked. Keeps a record per operation and each version's value.
class key_oracle {
public:
  /// `on_broken` is called once, with words that name the operations in conflict.
  explicit key_oracle(std::function<void(const std::string&)> on_broken = {}) : on_broken_{std::move(on_broken)} {}

  /// A client asks for something. `at` only serves the words: events are told in order.
  void invoked(operation_id id, std::string_view key, register_command command, event_ordinal at);
  /// It is answered.
  void completed(operation_id id, const register_answer& answer, event_ordinal at);
  /// It is told for certain that nothing was done, nor will be.
  void refused(operation_id id);
  /// It will hear nothing any more, or was told that the outcome is uncertain. What it asked for may take effect later.
  void lost(operation_id id);

  /// An entry takes effect. Rising indices for each key; what has been told may be told again, as replicas and their
  /// later lives do. Commands that sessions have found to be repetitions take no effect: they are not told. Reads that
  /// go through the log need not be.
  void committed(log_index index, operation_id id, std::string_view key, const register_command& command);

  /// The first promise that was broken.
  [[nodiscard]] const std::optional<std::string>& broken() const { return broken_; }

private:
  struct version {
    log_index index;
    operation_id by;
    register_state value;
  };

  /// What became of a key. Places are counted in `versions`: the first is the one of before the run.
  struct chain {
    std::string key;
    std::vector<version> versions{1};
    std::size_t floor = 0;             ///< The newest version that an answer has come from.
    operation_id answered_from_floor;  ///< Who got it.
    std::vector<operation_id> writers; ///< All who asked for a write: looked through for words only.
  };

  enum class fate : std::uint8_t { open, completed, refused, lost };

  struct asked {
    chain* of;
    register_command command;
    event_ordinal invoked;
    std::size_t floor; ///< The key's, when this was invoked.
    operation_id answered_from_floor;
    std::size_t place = 0; ///< Of the version that it made; 0 if it is not committed.
    fate end = fate::open;
  };

  /// An operation that now ends; nothing if it cannot.
  asked* ends(operation_id id, fate how);
  void check_read(operation_id id, const asked& read, const register_answer& answer, event_ordinal at);
  void check_write(operation_id id, const asked& write, const register_answer& answer, event_ordinal at);
  void raise_floor(chain& of, std::size_t place, operation_id answered);

  [[nodiscard]] std::string name(operation_id id) const;
  [[nodiscard]] std::string name(const version& of) const;
  [[nodiscard]] std::string why_not(const asked& read, const register_answer& answer) const;
  void fail(const std::string& what);

  std::function<void(const std::string&)> on_broken_;
  std::optional<std::string> broken_;
  std::map<std::string, chain, std::less<>> keys_;
  std::unordered_map<operation_id, asked> operations_; ///< Never walked through: that order is not the run's.
};

} // namespace troupe
