#include "stage/simulated_disk.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace troupe {

namespace {

constexpr std::size_t sector_bytes = 512;

using block = std::array<char, sector_bytes>;
/// A sector's content, never changed once made, so that versions and clones share it. None: zeros.
using sector = std::shared_ptr<const block>;

bool is_zero(std::string_view bytes) {
  return bytes.empty() || (bytes[0] == 0 && std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0);
}

bool same(const sector& a, const sector& b) {
  return a == b || (a && b && *a == *b);
}

} // namespace

/// A file's content, apart from its names.
struct simulated_disk::inode {
  std::unordered_map<std::uint64_t, sector> synced;
  /// Versions since the last sync, oldest first; the last is what a reader sees.
  std::map<std::uint64_t, std::vector<sector>> unsynced;
  std::uint64_t synced_size = 0;
  std::uint64_t size = 0;

  [[nodiscard]] sector at(std::uint64_t number) const {
    if (const auto found = unsynced.find(number); found != unsynced.end())
      return found->second.back();
    const auto found = synced.find(number);
    return found == synced.end() ? nullptr : found->second;
  }

  void put_sector(std::uint64_t number, sector content) {
    if (!same(at(number), content))
      unsynced[number].push_back(std::move(content));
  }

  void write(std::uint64_t offset, std::string_view bytes) {
    size = std::max(size, offset + bytes.size());
    while (!bytes.empty()) {
      const auto number = offset / sector_bytes;
      const auto within = static_cast<std::size_t>(offset % sector_bytes);
      const auto part = bytes.substr(0, sector_bytes - within);
      const auto before = at(number);
      if (before || !is_zero(part)) {
        auto content = before ? *before : block{};
        std::copy(part.begin(), part.end(), content.begin() + static_cast<std::ptrdiff_t>(within));
        put_sector(number, std::make_shared<const block>(content));
      }
      offset += part.size();
      bytes.remove_prefix(part.size());
    }
  }

  std::size_t read(std::uint64_t offset, std::span<char> into) const {
    const auto count = offset >= size ? 0 : std::min<std::uint64_t>(into.size(), size - offset);
    for (std::uint64_t done = 0; done < count;) {
      const auto within = (offset + done) % sector_bytes;
      const auto step = std::min<std::uint64_t>(sector_bytes - within, count - done);
      const auto content = at((offset + done) / sector_bytes);
      if (content)
        std::memcpy(into.data() + done, content->data() + within, step);
      else
        std::memset(into.data() + done, 0, step);
      done += step;
    }
    return static_cast<std::size_t>(count);
  }

  void sync() {
    for (auto& [number, versions] : unsynced)
      synced[number] = std::move(versions.back());
    unsynced.clear();
    synced_size = size;
  }

  /// `pick(sector, versions)` chooses what survives of each; `keep_size` whether an unsynced length does.
  template <class Pick>
  void lose_power(Pick pick, bool keep_size) {
    for (auto& [number, versions] : unsynced)
      if (const auto kept = pick(number, versions.size()); kept > 0)
        synced[number] = versions[kept - 1];
    unsynced.clear();
    if (!keep_size)
      size = synced_size;
    synced_size = size;
    std::erase_if(synced, [this](const auto& each) { return each.first * sector_bytes >= size; });
  }
};

class simulated_disk::simulated_file final : public file {
public:
  simulated_file(simulated_disk& disk, std::string path, std::shared_ptr<inode> content, bool writable)
      : disk_{disk}, path_{std::move(path)}, content_{std::move(content)}, era_{disk.era_}, writable_{writable} {}

  std::size_t read_at(std::uint64_t offset, std::span<char> into) override {
    require_alive("read");
    disk_.about_to(operation::read, path_);
    const auto count = content_->read(offset, into);
    ++disk_.counters_.reads;
    disk_.counters_.read_bytes += count;
    return count;
  }

  void write_at(std::uint64_t offset, std::span<const std::string_view> parts) override {
    require_alive("write");
    if (!writable_)
      throw io_error{"write", path_, EBADF};
    disk_.about_to(operation::write, path_);
    std::uint64_t bytes_of_all = 0;
    for (const auto part : parts)
      bytes_of_all += part.size();
    disk_.require_room(*content_, offset + bytes_of_all, path_);
    ++disk_.counters_.writes;
    while (!parts.empty()) {
      // What one call of an operating system takes, no sector is ever seen between two parts of it.
      std::string bytes;
      for (const auto part : parts.first(std::min(parts.size(), most_parts)))
        bytes += part;
      content_->write(offset, bytes);
      disk_.counters_.written_bytes += bytes.size();
      offset += bytes.size();
      parts = parts.subspan(std::min(parts.size(), most_parts));
    }
  }

  void allocate(std::uint64_t size_bytes) override {
    require_alive("allocate room for");
    if (size_bytes > content_->size)
      file::write_at(size_bytes - 1, std::string_view{"\0", 1});
  }

  void sync_data() override {
    require_alive("sync");
    disk_.about_to(operation::sync, path_);
    ++disk_.counters_.syncs;
    if (!disk_.lies_)
      content_->sync();
  }

  std::uint64_t size() const override {
    require_alive("find the size of");
    return content_->size;
  }

  const std::string& path() const override { return path_; }

private:
  void require_alive(const char* purpose) const {
    if (era_ != disk_.era_)
      throw io_error{purpose, path_, EBADF};
  }

  simulated_disk& disk_;
  std::string path_;
  std::shared_ptr<inode> content_;
  std::uint64_t era_;
  bool writable_;
};

class simulated_disk::simulated_lock final : public file_lock {
public:
  simulated_lock(std::shared_ptr<std::set<std::string>> all, std::string path)
      : all_{std::move(all)}, path_{std::move(path)} {}
  ~simulated_lock() override { all_->erase(path_); }

private:
  std::shared_ptr<std::set<std::string>> all_;
  std::string path_;
};

simulated_disk::simulated_disk(std::uint64_t seed) : random_{seed} {}
simulated_disk::~simulated_disk() = default;

void simulated_disk::about_to(operation what, const std::string& path) {
  const auto is_change = what == operation::write || what == operation::sync || what == operation::rename
      || what == operation::remove || what == operation::sync_directory;
  ++calls_;
  changes_ += is_change ? 1 : 0;
  if (!hook_)
    return;
  if (const auto error = hook_({what, path, calls_, changes_, is_change}))
    throw io_error{"carry out a call on", path, *error};
}

std::uint64_t simulated_disk::used_bytes() const {
  std::set<const inode*> seen;
  std::uint64_t sum = 0;
  for (const auto& [name, content] : live_)
    if (seen.insert(content.get()).second)
      sum += content->size;
  return sum;
}

void simulated_disk::require_room(const inode& content, std::uint64_t size_bytes, const std::string& path) const {
  if (size_bytes > content.size && capacity_bytes_ != ~std::uint64_t{0}
      && used_bytes() + size_bytes - content.size > capacity_bytes_)
    throw io_error{"write to", path, ENOSPC};
}

void simulated_disk::fail(operation what, std::uint64_t nth, int error) {
  hook_ = [what, nth, error](const call& each) mutable -> std::optional<int> {
    if (each.what == what && nth > 0 && --nth == 0)
      return error;
    return std::nullopt;
  };
}

const std::shared_ptr<simulated_disk::inode>& simulated_disk::find(const char* purpose, const std::string& path) const {
  const auto found = live_.find(path);
  if (found == live_.end())
    throw io_error{purpose, path, ENOENT};
  return found->second;
}

std::unique_ptr<file> simulated_disk::open(const std::string& path, open_mode mode) {
  about_to(operation::open, path);
  if (mode == open_mode::create) {
    if (!directories_.contains(directory_of(path)))
      throw io_error{"create", path, ENOENT};
    // Emptying is a new content under the old name: until the directory is synced the old one may come back.
    live_[path] = std::make_shared<inode>();
  }
  return std::make_unique<simulated_file>(*this, path, find("open", path), mode != open_mode::read);
}

void simulated_disk::rename(const std::string& from, const std::string& to) {
  about_to(operation::rename, from);
  auto content = find("rename", from);
  live_.erase(from);
  live_[to] = std::move(content);
}

void simulated_disk::remove(const std::string& path) {
  about_to(operation::remove, path);
  static_cast<void>(find("remove", path));
  live_.erase(path);
}

std::vector<std::string> simulated_disk::list(const std::string& directory) {
  about_to(operation::list, directory);
  if (!directories_.contains(directory))
    throw io_error{"list", directory, ENOENT};
  std::set<std::string> found;
  for (const auto& [path, content] : live_)
    if (directory_of(path) == directory)
      found.insert(path.substr(path.rfind('/') + 1));
  for (const auto& path : directories_)
    if (path != directory && path.find('/') != path.npos && path != "/" && directory_of(path) == directory)
      found.insert(path.substr(path.rfind('/') + 1));
  return {found.begin(), found.end()};
}

bool simulated_disk::exists(const std::string& path) {
  return live_.contains(path) || directories_.contains(path);
}

void simulated_disk::make_directories(const std::string& path) {
  about_to(operation::make_directories, path);
  for (auto at = path; !directories_.contains(at); at = directory_of(at))
    directories_.insert(at);
}

void simulated_disk::sync_directory(const std::string& path) {
  about_to(operation::sync_directory, path);
  if (!directories_.contains(path))
    throw io_error{"sync directory", path, ENOENT};
  ++counters_.directory_syncs;
  if (lies_)
    return;
  std::erase_if(durable_, [&](const auto& each) { return directory_of(each.first) == path; });
  for (const auto& [name, content] : live_)
    if (directory_of(name) == path)
      durable_[name] = content;
}

std::unique_ptr<file_lock> simulated_disk::lock(const std::string& path) {
  about_to(operation::lock, path);
  if (!locks_->insert(path).second)
    return nullptr;
  if (!live_.contains(path))
    live_[path] = std::make_shared<inode>();
  return std::make_unique<simulated_lock>(locks_, path);
}

void simulated_disk::lose_names(bool all) {
  names survivors = durable_;
  if (!all) {
    std::set<std::string> changed;
    for (const auto& [name, content] : live_)
      if (const auto found = durable_.find(name); found == durable_.end() || found->second != content)
        changed.insert(name);
    for (const auto& [name, content] : durable_)
      if (!live_.contains(name))
        changed.insert(name);
    for (const auto& name : changed) {
      if (coin())
        continue;
      survivors.erase(name);
      if (const auto found = live_.find(name); found != live_.end())
        survivors.insert(*found);
    }
  }
  live_ = durable_ = std::move(survivors);
}

void simulated_disk::crash() {
  lose_names(false);
  std::set<inode*> done; // A file may have two names. Visited by name, in an order that is always the same.
  for (const auto& [name, content] : live_)
    if (done.insert(content.get()).second)
      content->lose_power(
          [this](std::uint64_t, std::size_t n) { return static_cast<std::size_t>(random_() >> 11) % (n + 1); }, coin());
  forget_processes();
}

void simulated_disk::crash_keeping(const survival& pick) {
  durable_ = live_;
  for (const auto& each : live_)
    each.second->lose_power([&](std::uint64_t sector, std::size_t n) { return pick(each.first, sector, n); }, true);
  forget_processes();
}

void simulated_disk::crash_losing_all() {
  lose_names(true);
  for (const auto& [name, content] : live_)
    content->lose_power([](std::uint64_t, std::size_t) { return std::size_t{0}; }, false);
  forget_processes();
}

void simulated_disk::end_processes() {
  forget_processes();
}

void simulated_disk::forget_processes() {
  ++era_;
  locks_ = std::make_shared<std::set<std::string>>();
  hook_ = nullptr;
}

std::unique_ptr<simulated_disk> simulated_disk::clone() const {
  auto copy = std::make_unique<simulated_disk>(0);
  std::unordered_map<const inode*, std::shared_ptr<inode>> copied;
  const auto copy_names = [&](const names& from, names& to) {
    for (const auto& [name, content] : from) {
      auto& twin = copied[content.get()];
      if (!twin)
        twin = std::make_shared<inode>(*content);
      to[name] = twin;
    }
  };
  copy_names(live_, copy->live_);
  copy_names(durable_, copy->durable_);
  copy->random_ = random_;
  copy->directories_ = directories_;
  copy->capacity_bytes_ = capacity_bytes_;
  return copy;
}

void simulated_disk::corrupt(const std::string& path, std::uint64_t offset, std::string_view bytes) {
  auto& content = *find("corrupt", path);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const auto number = (offset + i) / sector_bytes;
    const auto overwritten = [&](const sector& before) {
      auto changed = before ? *before : block{};
      changed[(offset + i) % sector_bytes] = bytes[i];
      return std::make_shared<const block>(changed);
    };
    content.synced[number] = overwritten(content.synced[number]);
    if (const auto found = content.unsynced.find(number); found != content.unsynced.end())
      for (auto& version : found->second)
        version = overwritten(version);
  }
}

void simulated_disk::resize(const std::string& path, std::uint64_t size_bytes) {
  auto& content = *find("resize", path);
  content.sync();
  content.size = content.synced_size = size_bytes;
  std::erase_if(content.synced, [&](const auto& each) { return each.first * sector_bytes >= size_bytes; });
}

std::string simulated_disk::contents(const std::string& path) const {
  const auto& content = *find("read", path);
  std::string bytes(content.size, '\0');
  content.read(0, bytes);
  return bytes;
}

std::vector<std::string> simulated_disk::paths() const {
  std::vector<std::string> all;
  for (const auto& [path, content] : live_)
    all.push_back(path);
  return all;
}

} // namespace troupe
