#include "persistence/file_system.hpp"

namespace troupe {

std::string directory_of(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos)
    return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string read_whole(file_system& files, const std::string& path) {
  const auto source = files.open(path, open_mode::read);
  std::string bytes(source->size(), '\0');
  bytes.resize(source->read_at(0, bytes));
  return bytes;
}

void replace_durably(file_system& files, const std::string& path, std::string_view bytes) {
  const auto draft = path + ".tmp";
  try {
    const auto target = files.open(draft, open_mode::create);
    target->write_at(0, bytes);
    target->sync_data();
  } catch (const io_error& failure) {
    // Half a draft would take what room there is.
    if (failure.is_lack_of_room() && files.exists(draft))
      files.remove(draft);
    throw;
  }
  files.rename(draft, path);
  files.sync_directory(directory_of(path));
}

} // namespace troupe
