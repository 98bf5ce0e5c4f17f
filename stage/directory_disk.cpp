#include "stage/directory_disk.hpp"

#include "stage/two_step_log.hpp"

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <map>
#include <utility>

namespace troupe {

namespace {

const std::string place = "data";
const std::string cluster = "stage";

uuid random_uuid(dice& chance) {
  uuid id;
  for (auto& byte : id.bytes)
    byte = static_cast<std::uint8_t>(chance.roll());
  return id;
}

} // namespace

directory_disk::directory_disk(dice chance, peer_id node, std::vector<peer_id> members, std::size_t segment_bytes)
    : chance_{chance}, node_{node}, members_{std::move(members)},
      segment_bytes_{segment_bytes}, files_{std::make_unique<simulated_disk>(chance_.roll())} {}

log_options directory_disk::options_of(const data_directory& directory) const {
  log_options options;
  options.segment_bytes = segment_bytes_;
  options.identity = directory.identity();
  options.must_exist = directory.has_log();
  options.may_lose = directory.can_be_repaired();
  return options;
}

std::unique_ptr<two_step_storage> directory_disk::open() {
  directory_.reset();
  directory_ = std::make_unique<data_directory>(*files_, place, cluster, node_, members_, random_uuid(chance_));
  disk_ = directory_->uuid();
  boot_ = directory_->boot();
  lives_ = directory_->lives();
  auto log = std::make_unique<two_step_log>(*files_, directory_->log_path(), options_of(*directory_));
  directory_->remember_log();
  was_torn_ = log->report().cut.has_value();
  return log;
}

void directory_disk::lose_power(dice& chance) {
  directory_.reset();
  // A cache that lies is written back here and there, or is lost as a whole.
  if (files_->lies() && chance.chance(50))
    files_->crash_losing_all();
  else
    files_->crash();
}

std::size_t directory_disk::snapshots() const {
  const auto paths = files_->paths();
  return static_cast<std::size_t>(
      std::count_if(paths.begin(), paths.end(), [](const std::string& path) { return path.ends_with(".snap"); }));
}

void directory_disk::wipe() {
  directory_.reset();
  files_ = std::make_unique<simulated_disk>(chance_.roll());
}

void directory_disk::back_up() {
  backup_ = files_->clone();
  backup_->end_processes();
}

void directory_disk::put_back() {
  directory_.reset();
  files_ = backup_->clone();
  files_->reseed(chance_.roll());
}

void directory_disk::limit_to(std::optional<std::uint64_t> more_bytes) {
  files_->limit_to(more_bytes ? files_->used_bytes() + *more_bytes : ~std::uint64_t{0});
}

void directory_disk::fail_sync(bool fails) {
  if (fails)
    files_->fail(simulated_disk::operation::sync, 1, EIO);
  else
    files_->on_call(nullptr);
}

std::optional<std::string> directory_disk::rot(dice& chance) {
  // Each kind of file as often as any other: most are segments. Nobody reads the block set aside for the identity.
  std::map<std::string, std::vector<std::string>> kinds;
  for (const auto& path : files_->paths())
    if (!path.ends_with(".room"))
      kinds[path.substr(path.find_last_of("./"))].push_back(path);
  if (kinds.empty())
    return std::nullopt;
  const auto& [kind, paths] = *std::next(kinds.begin(), static_cast<std::ptrdiff_t>(chance.below(kinds.size())));
  const auto& path = paths[chance.below(paths.size())];
  const auto bytes = files_->contents(path);
  if (bytes.empty())
    return std::nullopt;
  // Mostly where something is: a segment is zeros for the most part.
  const auto used = bytes.find_last_not_of('\0') + 1;
  const auto at = chance.below(used > 0 && chance.chance(75) ? used : bytes.size());
  const auto bit = chance.below(8);
  files_->corrupt(path, at, std::string(1, static_cast<char>(bytes[at] ^ (1 << bit))));
  return path + " byte " + std::to_string(at) + " bit " + std::to_string(bit);
}

directory_disk::introduction directory_disk::after_refusals(std::size_t starts) const {
  const auto copy = files_->clone();
  copy->limit_to(~std::uint64_t{0});
  introduction last;
  for (std::size_t start = 1; start <= starts; ++start) {
    data_directory directory{*copy, place, cluster, node_, members_, uuid_of_name("start " + std::to_string(start))};
    last = {directory.boot(), directory.lives()};
    directory.remember_refusal();
  }
  return last;
}

recovered_group directory_disk::recover_copy(group_id group, std::uint64_t seed) const {
  const auto copy = files_->clone();
  copy->reseed(seed);
  copy->crash();
  const data_directory directory{*copy, place, cluster, node_, members_, uuid{}};
  auto options = options_of(directory);
  options.may_lose = false; // A crash loses nothing.
  two_step_log log{*copy, directory.log_path(), options};
  return log.recover(group, 1 << 20);
}

} // namespace troupe
