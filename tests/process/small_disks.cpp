#include "tests/process/small_disks.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>

#include <cerrno>
#include <cstring>
#include <exception>

namespace troupe {

namespace {

constexpr std::size_t block_bytes = 4096;
constexpr std::size_t large_block_bytes = 16 * block_bytes;

std::string words_of(int number) {
  return std::strerror(number);
}

// Mounts of this process are nobody else's from here on.
std::optional<std::string> keep_mounts_to_ourselves() {
  if (::unshare(CLONE_NEWNS) != 0)
    return words_of(errno);
  if (::mount("none", "/", nullptr, MS_REC | MS_SLAVE, nullptr) != 0)
    return words_of(errno);
  return std::nullopt;
}

} // namespace

std::optional<std::string> small_disks::none_because() {
  static const auto why = keep_mounts_to_ourselves();
  return why;
}

small_disks::small_disks(real_cluster& cluster, unsigned mebibytes) : cluster_{cluster} {
  const auto size = "size=" + std::to_string(mebibytes) + "m";
  for (const auto& each : cluster.cluster.members()) {
    std::filesystem::create_directories(each.data_directory);
    REQUIRE_MESSAGE(::mount("tmpfs", each.data_directory.c_str(), "tmpfs", 0, size.c_str()) == 0, words_of(errno));
  }
}

small_disks::~small_disks() {
  for (const auto& each : cluster_.cluster.members()) {
    std::error_code ignored;
    std::filesystem::remove(balloon(each.id), ignored);
    if (std::uncaught_exceptions() > 0)
      std::filesystem::copy(each.data_directory, each.data_directory + ".kept",
                            std::filesystem::copy_options::recursive, ignored);
    // Its node may still run: the disk goes with it.
    ::umount2(each.data_directory.c_str(), MNT_DETACH);
  }
}

std::string small_disks::balloon(peer_id node) const {
  return cluster_.cluster.at(node).data_directory + "/balloon";
}

void small_disks::fill(peer_id node) {
  const auto file = ::open(balloon(node).c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  REQUIRE_MESSAGE(file >= 0, words_of(errno));
  const std::string air(large_block_bytes, '\0');
  for (auto size : {large_block_bytes, block_bytes})
    while (::write(file, air.data(), size) > 0) {
    }
  const auto why = errno;
  ::close(file);
  REQUIRE_MESSAGE(why == ENOSPC, words_of(why));
}

void small_disks::empty(peer_id node) {
  std::filesystem::remove(balloon(node));
}

} // namespace troupe
