#include "persistence/data_directory.hpp"
#include "support.hpp"

#include <doctest/doctest.h>

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

namespace troupe::test {

namespace {

/// A directory of its own, gone at the end.
class scratch {
public:
  scratch() {
    auto pattern = (std::filesystem::temp_directory_path() / "troupe-test-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
  }
  ~scratch() { std::filesystem::remove_all(path_); }

  [[nodiscard]] const std::string& path() const { return path_; }

private:
  std::string path_;
};

unsigned mode_of(const std::string& path) {
  struct stat facts {};
  REQUIRE(::stat(path.c_str(), &facts) == 0);
  return facts.st_mode & 0777u;
}

} // namespace

TEST_CASE("a file reads back what several parts wrote, more parts than one call takes") {
  const scratch place;
  const auto files = real_file_system();
  const auto target = files->open(place.path() + "/f", open_mode::create);
  std::vector<std::string> texts;
  std::string whole;
  for (int i = 0; i < 3000; ++i)
    whole += texts.emplace_back(std::to_string(i) + std::string(static_cast<std::size_t>(i % 3), '.'));
  const std::vector<std::string_view> parts{texts.begin(), texts.end()};
  target->write_at(10, parts);
  target->sync_data();
  CHECK(target->size() == 10 + whole.size());
  CHECK(read_whole(*files, place.path() + "/f").substr(10) == whole);
  std::string end(100, '?');
  CHECK(target->read_at(target->size() - 5, end) == 5);
}

TEST_CASE(
    "P8: a draft that half a rename has left as a second name of a file is made anew, and the file is as it was") {
  const scratch place;
  const auto files = real_file_system();
  const auto path = place.path() + "/f";
  replace_durably(*files, path, "first");
  std::filesystem::create_hard_link(path, path + ".tmp");
  const auto held = files->open(path, open_mode::read);
  replace_durably(*files, path, "second");
  CHECK(read_whole(*files, path) == "second");
  CHECK_FALSE(files->exists(path + ".tmp"));
  std::string kept(5, ' ');
  CHECK(held->read_at(0, kept) == 5);
  CHECK(kept == "first");
}

TEST_CASE("errors of the operating system name the call, the path and the reason") {
  const auto files = real_file_system();
  CHECK_THROWS_WITH_AS(static_cast<void>(files->open("/nowhere/f", open_mode::create)),
                       "cannot create /nowhere/f: No such file or directory", io_error);
  CHECK_THROWS_WITH_AS(files->remove("/nowhere/f"), "cannot remove /nowhere/f: No such file or directory", io_error);
  const auto full = files->open("/dev/full", open_mode::update);
  CHECK_THROWS_WITH_AS(full->write_at(0, std::string_view{"x"}),
                       "cannot write 1 bytes at offset 0 of /dev/full: No space left on device", io_error);
}

TEST_CASE("X7: on a real disk the second opener is told which process holds the directory") {
  const scratch place;
  const auto files = real_file_system();
  const auto path = place.path() + "/a/b";
  const data_directory first{*files, path, "troupe", peer_id{1}, {peer_id{1}}, uuid_of_name("u")};
  CHECK_THROWS_WITH_AS((data_directory{*files, path, "troupe", peer_id{1}, {peer_id{1}}, uuid_of_name("u")}),
                       doctest::Contains(("in use by process " + std::to_string(::getpid())).c_str()), storage_error);
  CHECK(mode_of(path) == 0700);
  CHECK(mode_of(path + "/identity") == 0600);
  CHECK(mode_of(path + "/LOCK") == 0600);
}

TEST_CASE("on a real disk a log comes back as it was written") {
  const scratch place;
  const auto files = real_file_system();
  for (const bool prewrite : {true, false}) {
    const auto directory = place.path() + (prewrite ? "/prewritten" : "/sparse");
    history writes{7, 4, 5000};
    auto options = small_segments(16384);
    options.prewrite = prewrite;
    for (int round = 0; round < 5; ++round) {
      log_storage log{*files, directory, options};
      for (const auto& [group, expected] : writes.planned())
        REQUIRE(contents(log, group) == expected);
      for (int step = 0; step < 30; ++step) {
        submit(log, writes.next());
        if (const auto work = log.next_chore()) {
          (*work)();
          log.chore_done();
        }
      }
    }
    CHECK(mode_of(directory + "/votes") == 0600);
    CHECK(mode_of(directory + "/hint") == 0600);
  }
}

} // namespace troupe::test
