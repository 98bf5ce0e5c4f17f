/// \file
/// Operations a follower has passed on to the leader and not heard the end of.
#pragma once

#include "troupe/raft_messages.hpp"
#include "troupe/types.hpp"

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

namespace troupe {

/// A lot on its way. `Client` names who submitted it.
template <class Client>
struct forwarded_lot {
  Client client;
  std::uint64_t client_number = 0; ///< As its submitter calls it.
  operation what = operation::command;
  std::uint32_t count = 0;
  std::uint32_t answered = 0; ///< Answers come in order, in parts.
  std::size_t bytes = 0;
  peer_id leader;
  term_number term;
  instant deadline{};

  /// What the submitter hears when the end of the lot is lost: a command may have been carried out, a query is merely
  /// not answered.
  [[nodiscard]] refusal when_lost() const {
    return what == operation::command ? refusal::uncertain : refusal::no_leader;
  }
};

/// The lots of one peer, by the number they were forwarded under. Never retried: a retry could carry out twice.
template <class Client>
class forwarded_lots {
public:
  using lot = forwarded_lot<Client>;

  void add(std::uint64_t number, lot entry) {
    bytes_ += entry.bytes;
    lots_.emplace(number, std::move(entry));
  }

  /// The lot an answer belongs to, if its part is the one that is next; else nothing: the answer is stale.
  [[nodiscard]] lot* find(std::uint64_t number, std::uint32_t offset) {
    const auto found = lots_.find(number);
    return found != lots_.end() && found->second.answered == offset ? &found->second : nullptr;
  }

  void erase(std::uint64_t number) {
    const auto found = lots_.find(number);
    bytes_ -= found->second.bytes;
    lots_.erase(found);
  }

  /// Takes out the lots for which `is_lost` holds.
  template <class F>
  [[nodiscard]] std::vector<lot> take_if(F&& is_lost) {
    std::vector<lot> taken;
    for (auto it = lots_.begin(); it != lots_.end();) {
      if (!is_lost(it->second)) {
        ++it;
        continue;
      }
      bytes_ -= it->second.bytes;
      taken.push_back(std::move(it->second));
      it = lots_.erase(it);
    }
    return taken;
  }

  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  [[nodiscard]] bool empty() const { return lots_.empty(); }

private:
  std::map<std::uint64_t, lot> lots_;
  std::size_t bytes_ = 0;
};

} // namespace troupe
