#include "persistence/record.hpp"

#include "persistence/little_endian.hpp"
#include "troupe/assert.hpp"

#include <cstring>

namespace troupe {

namespace {

constexpr std::uint32_t magic = 0x4c525254; // "TRRL"
constexpr std::size_t checksum_at = record_header_bytes - 4;
constexpr std::uint8_t voids_flag = 1;

} // namespace

std::uint32_t encode_header(const record_header& header, std::uint32_t salt, char* into) {
  std::memset(into, 0, record_header_bytes);
  put_le(into, magic);
  put_le(into + 4, static_cast<std::uint8_t>(header.type));
  put_le(into + 5, header.voids ? voids_flag : std::uint8_t{0});
  put_le(into + 8, header.payload_bytes);
  put_le(into + 12, header.group.value());
  put_le(into + 16, header.lsn);
  put_le(into + 24, header.synced_upto);
  put_le(into + 32, header.term.value());
  put_le(into + 40, header.first.value());
  put_le(into + 48, header.leader_time);
  put_le(into + 56, header.count);
  put_le(into + 60, header.payload_checksum);
  put_le(into + 64, header.chain);
  const auto checksum = crc32c({into, checksum_at}, salt);
  put_le(into + checksum_at, checksum);
  return checksum;
}

std::optional<decoded_header> decode_header(std::string_view bytes, std::uint32_t salt) {
  if (bytes.size() < record_header_bytes || get_le<std::uint32_t>(bytes.data()) != magic)
    return std::nullopt;
  const auto* at = bytes.data();
  const auto checksum = get_le<std::uint32_t>(at + checksum_at);
  if (crc32c({at, checksum_at}, salt) != checksum)
    return std::nullopt;
  record_header header;
  header.type = static_cast<record_type>(get_le<std::uint8_t>(at + 4));
  header.voids = (get_le<std::uint8_t>(at + 5) & voids_flag) != 0;
  header.payload_bytes = get_le<std::uint32_t>(at + 8);
  header.group = group_id{get_le<std::uint32_t>(at + 12)};
  header.lsn = get_le<std::uint64_t>(at + 16);
  header.synced_upto = get_le<std::uint64_t>(at + 24);
  header.term = term_number{get_le<std::uint64_t>(at + 32)};
  header.first = log_index{get_le<std::uint64_t>(at + 40)};
  header.leader_time = get_le<std::int64_t>(at + 48);
  header.count = get_le<std::uint32_t>(at + 56);
  header.payload_checksum = get_le<std::uint32_t>(at + 60);
  header.chain = get_le<std::uint32_t>(at + 64);
  return decoded_header{header, checksum};
}

std::string_view trailer_of(std::size_t payload_bytes) {
  static constexpr std::string_view longest = "ZZZZZZZZZZZ"; // 0x5a
  const auto size = static_cast<std::size_t>(record_bytes(payload_bytes)) - record_header_bytes - payload_bytes;
  TROUPE_ASSERT(size >= 4 && size <= longest.size(), "a trailer has 4 to 11 bytes");
  return longest.substr(0, size);
}

std::array<char, start_payload_bytes> encode_start(const log_start& start, record_header& header) {
  std::array<char, start_payload_bytes> payload;
  put_le(payload.data(), start.oldest_snapshot.value());
  header.type = record_type::start;
  header.term = start.before.term;
  header.first = start.before.index;
  header.leader_time = start.time;
  header.payload_checksum = crc32c({payload.data(), payload.size()});
  return payload;
}

std::optional<log_start> start_of(const record_header& header, std::string_view payload) {
  if (payload.size() != start_payload_bytes || crc32c(payload) != header.payload_checksum)
    return std::nullopt;
  return log_start{{header.term, header.first}, header.leader_time, log_index{get_le<std::uint64_t>(payload.data())}};
}

std::optional<entry_batch> batch_of(const record_header& header, shared_bytes payload) {
  return entry_batch::verify(header.term, header.first, header.count, header.leader_time, header.payload_checksum,
                             std::move(payload));
}

} // namespace troupe
