#include "tests/embedding/world.hpp"

#include "tests/support/free_ports.hpp"
#include "troupe/logging.hpp"

#include <spdlog/spdlog.h>

#include <poll.h>
#include <unistd.h>

#include <fstream>

namespace troupe::embedding {

std::size_t counter::apply(std::span<const command> commands, answer_list& answers) {
  for (const auto& each : commands) {
    value_ += std::stoll(std::string{each.content});
    answers.add(std::to_string(value_));
  }
  return commands.size();
}

void counter::query(std::string_view, answer_list& answers) {
  answers.add(std::to_string(value_));
}

scratch_directory::scratch_directory() {
  auto name = (std::filesystem::temp_directory_path() / "troupe-embedding-XXXXXX").string();
  REQUIRE(::mkdtemp(name.data()) != nullptr);
  path_ = name;
}

scratch_directory::~scratch_directory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::vector<std::string> free_addresses(std::size_t count) {
  std::vector<std::string> addresses;
  for (const auto port : testing::free_ports(count))
    addresses.push_back("127.0.0.1:" + std::to_string(port));
  return addresses;
}

namespace {

std::size_t entries_of(const char* path) {
  const std::filesystem::directory_iterator all{path};
  return static_cast<std::size_t>(std::distance(std::filesystem::begin(all), std::filesystem::end(all)));
}

} // namespace

std::size_t threads_now() {
  return entries_of("/proc/self/task");
}

std::size_t open_files_now() {
  return entries_of("/proc/self/fd");
}

std::string open_files_in_words() {
  std::string words;
  std::error_code gone;
  for (const auto& each : std::filesystem::directory_iterator{"/proc/self/fd"})
    words +=
        each.path().filename().string() + " is " + std::filesystem::read_symlink(each.path(), gone).string() + "\n";
  return words;
}

std::size_t resident_bytes_now() {
  std::size_t size = 0;
  std::size_t resident = 0;
  std::ifstream{"/proc/self/statm"} >> size >> resident;
  return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

void be_quiet() {
  log_to(std::make_shared<spdlog::logger>("nowhere"));
}

bool eventually(const std::function<bool()>& holds) {
  const auto until = std::chrono::steady_clock::now() + patience;
  while (!holds()) {
    if (std::chrono::steady_clock::now() > until)
      return false;
    ::poll(nullptr, 0, 10);
  }
  return true;
}

} // namespace troupe::embedding
