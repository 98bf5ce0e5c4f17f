#include "persistence/errors.hpp"

#include <cerrno>
#include <system_error>
#include <utility>

namespace troupe {

io_error::io_error(std::string operation, std::string path, int number)
    : std::runtime_error{"cannot " + operation + " " + path + ": " + std::generic_category().message(number)},
      operation_{std::move(operation)}, path_{std::move(path)}, number_{number} {}

bool io_error::is_lack_of_room() const {
  return number_ == ENOSPC || number_ == EDQUOT;
}

storage_error::storage_error(std::string file, std::uint64_t offset, std::string why, damage kind,
                             std::optional<lsn_range> records)
    : std::runtime_error{file + " at offset " + std::to_string(offset) + ": " + why}, file_{std::move(file)},
      offset_{offset}, why_{std::move(why)}, kind_{kind}, records_{records} {}

storage_error::storage_error(std::string file, std::string why, damage kind, std::optional<lsn_range> records)
    : std::runtime_error{file + ": " + why}, file_{std::move(file)}, why_{std::move(why)}, kind_{kind}, records_{
                                                                                                            records} {}

} // namespace troupe
