#include "persistence/errors.hpp"

#include <system_error>
#include <utility>

namespace troupe {

io_error::io_error(std::string operation, std::string path, int number)
    : std::runtime_error{"cannot " + operation + " " + path + ": " + std::generic_category().message(number)},
      operation_{std::move(operation)}, path_{std::move(path)}, number_{number} {}

storage_error::storage_error(std::string file, std::uint64_t offset, std::string why)
    : std::runtime_error{file + " at offset " + std::to_string(offset) + ": " + why}, file_{std::move(file)},
      offset_{offset}, why_{std::move(why)} {}

storage_error::storage_error(std::string file, std::string why)
    : std::runtime_error{file + ": " + why}, file_{std::move(file)}, why_{std::move(why)} {}

} // namespace troupe
