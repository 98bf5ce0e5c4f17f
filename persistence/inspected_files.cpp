#include "persistence/inspected_files.hpp"

#include "persistence/segment.hpp"
#include "persistence/snapshot_store.hpp"
#include "troupe/assert.hpp"

#include <cerrno>
#include <utility>

namespace troupe {

namespace {

void refuse() {
  TROUPE_ASSERT(false, "an inspection changes nothing");
}

judged_snapshot judge(file_system& files, const std::string& directory, const snapshot_name& name,
                      const std::optional<disk_identity>& owner) {
  const auto path = directory + "/" + to_file_name(name);
  judged_snapshot judged{{path, name.group, name.at, files.open(path, open_mode::read)->size(), {}}};
  try {
    const auto its_own = owner ? owner : owner_in(files, path);
    static_cast<void>(read_snapshot(files, directory, name, its_own.value_or(disk_identity{})));
  } catch (const damaged_snapshot& error) {
    judged.what.problem = log_problem{path, error.offset(), std::nullopt, error.why()};
    judged.may_be_passed_over = true;
  } catch (const storage_error& error) {
    judged.what.problem = log_problem{path, error.offset(), std::nullopt, error.why()};
  } catch (const io_error& error) {
    if (error.number() == ENOENT || is_forbidden(error))
      throw;
    judged.what.problem = log_problem{path, std::nullopt, std::nullopt, error.what()};
    judged.may_be_passed_over = error.number() == EIO;
  }
  return judged;
}

} // namespace

std::unique_ptr<file> only_reading::open(const std::string& path, open_mode mode) {
  TROUPE_ASSERT(mode != open_mode::create, "an inspection makes no files");
  return files_.open(path, open_mode::read);
}

void only_reading::rename(const std::string&, const std::string&) {
  refuse();
}

void only_reading::remove(const std::string&) {
  refuse();
}

void only_reading::make_directories(const std::string&) {
  refuse();
}

void only_reading::sync_directory(const std::string&) {
  refuse();
}

std::unique_ptr<file_lock> only_reading::lock(const std::string&) {
  refuse();
  return nullptr;
}

std::optional<disk_identity> owner_in(file_system& files, const std::string& path) {
  std::string bytes(owner_at + disk_identity_bytes, '\0');
  if (!files.exists(path) || files.open(path, open_mode::read)->read_at(0, bytes) != bytes.size())
    return std::nullopt;
  return get_identity(bytes.data() + owner_at);
}

std::vector<std::string> segments_in(file_system& files, const std::string& log) {
  std::vector<std::string> names;
  if (files.exists(log))
    for (const auto& name : files.list(log))
      if (segment_number(name))
        names.push_back(name);
  return names;
}

std::vector<judged_snapshot> snapshots_in(file_system& files, const std::string& log,
                                          const std::optional<disk_identity>& owner) {
  const auto directory = log + "/snapshots";
  std::vector<judged_snapshot> all;
  if (!files.exists(directory))
    return all;
  for (const auto& each : files.list(directory)) { // Sorted, and so are the names: by group, index, term.
    const auto name = to_snapshot_name(each);
    if (!name)
      continue;
    try {
      all.push_back(judge(files, directory, *name, owner));
    } catch (const io_error& error) {
      if (error.number() != ENOENT)
        throw;
    }
  }
  return all;
}

bool is_forbidden(const io_error& error) {
  return error.number() == EACCES || error.number() == EPERM;
}

} // namespace troupe
