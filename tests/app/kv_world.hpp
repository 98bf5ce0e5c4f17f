/// \file
/// What tests of the key-value machine share: commands, snapshots in pieces.
#pragma once

#include "app/kv/store.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

namespace troupe::testing {

inline std::string encoded(kv::opcode code, const std::vector<std::string>& arguments) {
  auto out = std::string{};
  kv::append_opcode(out, code);
  for (const auto& one : arguments)
    kv::append_argument(out, one);
  return out;
}

/// Applies one command; its answer.
inline std::string carry_out(kv::store& to, std::string_view content) {
  auto answers = answer_list{};
  const auto one = command{log_index{1}, term_number{1}, 0, 0, content};
  (void)to.apply({&one, 1}, answers);
  REQUIRE_EQ(answers.count(), 1);
  return answers.bytes;
}

inline std::string query(kv::store& of, std::string_view content) {
  auto answers = answer_list{};
  of.query(content, answers);
  REQUIRE_EQ(answers.count(), 1);
  return answers.bytes;
}

/// A snapshot as it may arrive: in these pieces.
class chunk_list final : public state_view {
public:
  explicit chunk_list(std::vector<std::string> chunks) : chunks_{std::move(chunks)} {}
  std::string next_chunk() override { return at_ < chunks_.size() ? chunks_[at_++] : std::string{}; }

private:
  std::vector<std::string> chunks_;
  std::size_t at_ = 0;
};

/// The store's snapshot, in one piece.
inline std::string dump(kv::store& of) {
  return read_all(*of.save());
}

} // namespace troupe::testing
