/// \file
/// What the tests of embedding share: a counter, directories and ports that are nobody's, and what the process holds.
#pragma once

#include "troupe/state_machine.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::embedding {

/// Nothing in these tests takes this long unless it is broken.
inline constexpr auto patience = std::chrono::seconds{30};

/// The replicated counter: a command is a number to add, the answer to anything is the value.
class counter final : public state_machine {
public:
  std::size_t apply(std::span<const command> commands, answer_list& answers) override;
  void query(std::string_view content, answer_list& answers) override;
  std::unique_ptr<state_view> save() override { return view_of(std::to_string(value_)); }
  void load(chunk_source& chunks) override { value_ = std::stoll(read_all(chunks)); }

private:
  long long value_ = 0;
};

/// A directory of its own, removed at the end.
class scratch_directory {
public:
  scratch_directory();
  ~scratch_directory();
  scratch_directory(const scratch_directory&) = delete;
  scratch_directory& operator=(const scratch_directory&) = delete;
  [[nodiscard]] std::string operator/(const std::string& name) const { return (path_ / name).string(); }

private:
  std::filesystem::path path_;
};

/// Loopback addresses with ports that were free a moment ago, all different.
[[nodiscard]] std::vector<std::string> free_addresses(std::size_t count);

/// Threads of this process, and files it has open.
[[nodiscard]] std::size_t threads_now();
[[nodiscard]] std::size_t open_files_now();
/// Which files those are.
[[nodiscard]] std::string open_files_in_words();
/// Resident memory of this process, bytes.
[[nodiscard]] std::size_t resident_bytes_now();

/// Nothing that is logged here is news.
void be_quiet();

/// Looks until `holds`, for as long as `patience`; whether it held.
[[nodiscard]] bool eventually(const std::function<bool()>& holds);

} // namespace troupe::embedding
