// How an entry of kind `state_hash` looks: u64 index | u64 hash, little-endian.
#include "messages/application.hpp"

#include "messages/wire.hpp"

namespace troupe {

std::string encode(const hashed_place& place) {
  std::string bytes;
  wire_writer{bytes}.put(place.index.value()).put(place.hash);
  return bytes;
}

std::optional<hashed_place> decode_hashed_place(std::string_view content) {
  wire_reader in{content};
  hashed_place place;
  place.index = log_index{in.take<std::uint64_t>()};
  place.hash = in.take<std::uint64_t>();
  return in.complete() ? std::optional{place} : std::nullopt;
}

} // namespace troupe
