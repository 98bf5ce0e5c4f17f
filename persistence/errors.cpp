#include "persistence/errors.hpp"

#include <cerrno>
#include <system_error>
#include <utility>

namespace troupe {

namespace {

std::string advised(const std::string& reason, const std::string& remedy) {
  return remedy.empty() ? reason : reason + ". " + remedy;
}

} // namespace

io_error::io_error(std::string operation, std::string path, int number)
    : std::runtime_error{"cannot " + operation + " " + path + ": " + std::generic_category().message(number)},
      operation_{std::move(operation)}, path_{std::move(path)}, number_{number} {}

bool io_error::is_lack_of_room() const {
  return number_ == ENOSPC || number_ == EDQUOT;
}

storage_error::storage_error(std::string file, std::optional<std::uint64_t> offset, std::string reason, damage kind,
                             std::optional<lsn_range> records, const std::string& remedy)
    : std::runtime_error{file + (offset ? " at offset " + std::to_string(*offset) : "") + ": "
                         + advised(reason, remedy)},
      file_{std::move(file)}, offset_{offset}, reason_{std::move(reason)}, why_{advised(reason_, remedy)}, kind_{kind},
      records_{records} {}

storage_error::storage_error(std::string file, std::uint64_t offset, std::string reason, damage kind,
                             std::optional<lsn_range> records, const std::string& remedy)
    : storage_error{std::move(file), std::optional{offset}, std::move(reason), kind, records, remedy} {}

storage_error::storage_error(std::string file, std::string reason, damage kind, std::optional<lsn_range> records,
                             const std::string& remedy)
    : storage_error{std::move(file), std::nullopt, std::move(reason), kind, records, remedy} {}

} // namespace troupe
