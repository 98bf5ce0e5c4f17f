/// \file
/// The state machine of the `troupe` program: Redis strings.
#pragma once

#include "app/kv/command.hpp"
#include "troupe/state_machine.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace troupe::kv {

/// A map of strings. Takes the commands of command.hpp, answers with the bytes of RESP2 replies that Redis 7.0 would
/// give. Deterministic: the answer and the new state follow from the old state and the command alone; what cannot be
/// decoded changes nothing and answers an error.
///
/// Reads may come through the log (`apply`) as well as by `query`.
class store final : public state_machine {
public:
  [[nodiscard]] std::size_t apply(std::span<const command> commands, answer_list& answers) override;
  void query(std::string_view content, answer_list& answers) override;

  /// Copies the map; chunks hold entries in order of their keys, so equal states make equal bytes.
  [[nodiscard]] std::unique_ptr<state_view> save() override;

  /// Throws std::runtime_error, and leaves the state as it was, if the chunks are not what `save` wrote.
  void load(chunk_source& chunks) override;

  [[nodiscard]] std::size_t size() const { return values_.size(); }

private:
  struct hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view key) const { return std::hash<std::string_view>{}(key); }
  };
  using map = std::unordered_map<std::string, std::string, hash, std::equal_to<>>;

  void carry_out(std::string_view content, bool may_write, std::string& out);
  bool write(opcode code, command_reader& arguments, std::string& out);
  bool read(opcode code, command_reader& arguments, std::string& out) const;

  bool set(command_reader& arguments, std::string& out);
  bool get_set(command_reader& arguments, std::string& out);
  bool set_nx(command_reader& arguments, std::string& out);
  bool del(command_reader& arguments, std::string& out);
  bool add(command_reader& arguments, std::string& out);
  bool append(command_reader& arguments, std::string& out);
  bool mset(command_reader& arguments, std::string& out);
  bool mget(command_reader& arguments, std::string& out) const;
  bool exists(command_reader& arguments, std::string& out) const;

  void put(std::string_view key, std::string_view value);
  [[nodiscard]] const std::string* find(std::string_view key) const;
  void append_value(std::string& out, const std::string* value) const;

  map values_;
};

} // namespace troupe::kv
