#include "guest/rpc_message.hpp"

#include "bytes.hpp"

#include <utility>

namespace guest {

std::string to_bytes(const troupe::encoded_message& message) {
  byte_writer bytes;
  bytes.put(static_cast<std::uint16_t>(message.type)).put(message.group.value());
  bytes.put(troupe::crc32c(message.head)).put_bytes(message.head);
  for (const auto& part : message.tail)
    bytes.append(part.view());
  return bytes.take();
}

std::optional<troupe::peer_message> from_bytes(std::string bytes) {
  // Entries are not copied out of the string: they share it, and keep it alive.
  const troupe::shared_bytes whole{std::move(bytes)};
  byte_reader reader{whole.view()};
  const auto type = static_cast<troupe::message_type>(reader.take<std::uint16_t>());
  const troupe::group_id group{reader.take<std::uint32_t>()};
  const auto checksum = reader.take<std::uint32_t>();
  const auto head = reader.take_sized();
  if (!reader.is_whole() || troupe::crc32c(head) != checksum)
    return std::nullopt;
  const auto tail = whole.part(whole.size() - reader.rest().size(), reader.rest().size());
  return troupe::decode(type, group, head, tail);
}

} // namespace guest
