#include "frames.hpp"

#include "bytes.hpp"

std::string encoded(const frame& f) {
  byte_writer fields;
  fields.put(static_cast<std::uint8_t>(f.kind))
      .put(f.number)
      .put(f.server)
      .put(f.index)
      .put(f.term)
      .put(static_cast<std::uint8_t>(f.yes))
      .put_bytes(f.bytes)
      .append(f.snapshot);
  byte_writer whole;
  whole.put_bytes(fields.so_far());
  return whole.take();
}

std::optional<frame> frame_splitter::next() {
  byte_reader reader{buffer_};
  const auto size = reader.take<std::uint32_t>();
  byte_reader fields{reader.take_bytes(size)};
  if (!reader.is_whole())
    return std::nullopt;
  frame f;
  f.kind = static_cast<frame_kind>(fields.take<std::uint8_t>());
  f.number = fields.take<std::uint64_t>();
  f.server = fields.take<std::int32_t>();
  f.index = fields.take<std::uint64_t>();
  f.term = fields.take<std::uint64_t>();
  f.yes = fields.take<std::uint8_t>() != 0;
  f.bytes = fields.take_sized();
  f.snapshot = fields.rest();
  buffer_.erase(0, buffer_.size() - reader.rest().size());
  return f;
}
