/// \file
/// What a key of the key-value store does when it does one thing after another: app/kv/store.hpp in few words, without
/// its code. tests/app holds the two against each other.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace troupe {

/// A key's value, or nothing.
using register_state = std::optional<std::string>;

/// What is asked of one key. (A command on many keys is one on each.)
struct register_command {
  enum class verb : std::uint8_t {
    get,            ///< Answers the value, or nil.
    exists,         ///< Answers 1 or 0.
    strlen,         ///< Answers a number; 0 for nothing.
    set,            ///< Answers ok.
    set_if_absent,  ///< SET NX: answers ok, or nil.
    set_if_present, ///< SET XX: answers ok, or nil.
    set_nx,         ///< SETNX: answers 1 or 0.
    get_set,        ///< Answers what was there before, or nil.
    del,            ///< Answers 1 if there was something, else 0.
    add,            ///< Answers the sum; an error if the value is no integer or the sum does not fit.
    append,         ///< Answers the length. (The store's bound of 16 MiB is not modelled.)
  };

  verb what = verb::get;
  std::string text;       ///< What to set or append.
  std::int64_t delta = 0; ///< What to add.

  [[nodiscard]] bool is_read() const { return what <= verb::strlen; }
  friend bool operator==(const register_command&, const register_command&) = default;
};

/// What a client is told. Errors are told apart from answers, not from each other.
struct register_answer {
  enum class kind : std::uint8_t { nil, ok, error, number, text };

  kind what = kind::nil;
  std::int64_t number = 0; ///< Of kind `number`.
  std::string text;        ///< Of kind `text`.

  [[nodiscard]] static register_answer nil() { return {}; }
  [[nodiscard]] static register_answer ok() { return {kind::ok, 0, {}}; }
  [[nodiscard]] static register_answer error() { return {kind::error, 0, {}}; }
  [[nodiscard]] static register_answer of(std::int64_t number) { return {kind::number, number, {}}; }
  [[nodiscard]] static register_answer of(std::string text) { return {kind::text, 0, std::move(text)}; }
  /// A value, or nil.
  [[nodiscard]] static register_answer of(const register_state& value) { return value ? of(*value) : nil(); }

  friend bool operator==(const register_answer&, const register_answer&) = default;
};

struct register_effect {
  register_state after;
  register_answer answer;
};

/// What a command does to a key.
[[nodiscard]] register_effect effect_of(const register_command& command, const register_state& before);

/// What is asked, and what was answered if that is known.
struct register_operation {
  register_command command;
  std::optional<register_answer> answer;
};

/// For people. Long values are cut off.
[[nodiscard]] std::string words_of(const register_state& value);
[[nodiscard]] std::string words_of(const register_command& command);
[[nodiscard]] std::string words_of(const register_answer& answer);
[[nodiscard]] std::string words_of(const register_operation& operation);

/// The model of one key, for linearizability.hpp.
struct register_model {
  using state = register_state;
  using operation = register_operation;

  [[nodiscard]] state initial() const { return {}; }
  [[nodiscard]] std::optional<state> step(const state& before, const operation& what) const {
    auto effect = effect_of(what.command, before);
    if (what.answer && *what.answer != effect.answer)
      return std::nullopt;
    return std::optional<state>{std::in_place, std::move(effect.after)};
  }
  /// Reads do, and writes that are answered that they changed nothing.
  [[nodiscard]] bool only_looks(const operation& what) const;
  [[nodiscard]] std::string words(const state& value) const { return words_of(value); }
  [[nodiscard]] std::string words(const operation& what) const { return words_of(what); }
};

} // namespace troupe
