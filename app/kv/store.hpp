/// \file
/// The state machine of the `troupe` program: Redis strings.
#pragma once

#include "app/kv/command.hpp"
#include "app/kv/trie.hpp"
#include "troupe/state_machine.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

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

  /// In constant time, and shares the entries with the picture; each part of the store is copied when it is next
  /// written to. Equal states make equal bytes, whatever their histories and wherever chunks end.
  [[nodiscard]] std::unique_ptr<state_view> save() override;

  /// Throws std::runtime_error, and leaves the state as it was, if the chunks are not what `save` wrote. Takes memory
  /// for the state, and beside it for one entry and a chunk. Frees the old state before it returns, which is as long a
  /// turn again: `build` spares the caller both.
  void load(chunk_source& chunks) override;

  /// As `load`, but aside. Taking the place is a swap; the state whose place was taken is freed with the `built_state`.
  [[nodiscard]] std::unique_ptr<built_state> build(chunk_source& chunks) override;

  /// The trie's; see there what it tells.
  [[nodiscard]] std::optional<std::uint64_t> state_hash() const override { return values_.state_hash(); }

  [[nodiscard]] std::size_t size() const { return values_.size(); }

private:
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

  void append_value(std::string& out, std::optional<std::string_view> value) const;

  trie values_;
};

} // namespace troupe::kv
