/// \file
/// Tells what clients did and what was committed to everything that judges it, event by event.
#pragma once

#include "stage/key_history.hpp"
#include "stage/key_oracle.hpp"
#include "stage/linearizability.hpp"

#include <doctest/doctest.h>

#include <map>
#include <string>

namespace troupe::test {

using verb = register_command::verb;
using answer = register_answer;

inline register_command get() {
  return {verb::get, {}, 0};
}
inline register_command set(std::string value) {
  return {verb::set, std::move(value), 0};
}
inline register_command set_nx(std::string value) {
  return {verb::set_nx, std::move(value), 0};
}
inline register_command del() {
  return {verb::del, {}, 0};
}
inline register_command add(std::int64_t delta) {
  return {verb::add, {}, delta};
}
inline register_command append(std::string suffix) {
  return {verb::append, std::move(suffix), 0};
}
inline const answer ok = answer::ok();
inline const answer nil = answer::nil();
inline answer number_of(std::int64_t number) {
  return answer::of(number);
}
inline answer value(std::string text) {
  return answer::of(std::move(text));
}

/// A history as it is told. Operations are on key "x" if nothing else is said; ordinals and indices rise by themselves.
class told_history {
public:
  operation_id ask(const register_command& command, const std::string& key = "x") {
    const auto id = operation_id{asked_.size() + 1};
    asked_[id] = {key, command};
    oracle_.invoked(id, key, command, ++now_);
    seen_.invoked(id, key, command, now_);
    return id;
  }
  void commit(operation_id id) { commit_at(id, ++index_); }
  void commit_at(operation_id id, std::uint64_t index) {
    ++now_;
    oracle_.committed(log_index{index}, id, asked_.at(id).first, asked_.at(id).second);
  }
  void answer_with(operation_id id, const answer& told) {
    oracle_.completed(id, told, ++now_);
    seen_.completed(id, told, now_);
  }
  void refuse(operation_id id) {
    ++now_;
    oracle_.refused(id);
    seen_.refused(id);
  }
  void lose(operation_id id) {
    ++now_;
    oracle_.lost(id);
  }

  /// All of it, one after another.
  operation_id write(const register_command& command, const answer& told, const std::string& key = "x") {
    const auto id = ask(command, key);
    commit(id);
    answer_with(id, told);
    return id;
  }
  operation_id read(const answer& told, const std::string& key = "x") {
    const auto id = ask(get(), key);
    answer_with(id, told);
    return id;
  }

  [[nodiscard]] key_oracle& oracle() { return oracle_; }
  /// What the oracle has found broken, or nothing.
  [[nodiscard]] std::string broken() const { return oracle_.broken().value_or(""); }
  /// What a search finds in the history of a key.
  [[nodiscard]] linearization search(const std::string& key = "x") const {
    return linearize<register_model>(seen_.of(key));
  }
  [[nodiscard]] linearizable found(const std::string& key = "x") const { return search(key).verdict; }
  [[nodiscard]] const key_history& seen() const { return seen_; }

private:
  std::map<operation_id, std::pair<std::string, register_command>> asked_;
  key_oracle oracle_;
  key_history seen_;
  event_ordinal now_ = 0;
  std::uint64_t index_ = 0;
};

/// The words hold all of these, in this order.
inline bool tells_of(const std::string& words, std::initializer_list<std::string> parts) {
  std::size_t at = 0;
  for (const auto& part : parts) {
    at = words.find(part, at);
    if (at == std::string::npos)
      return false;
    at += part.size();
  }
  return true;
}

} // namespace troupe::test
