#include "messages/snapshot_content.hpp"

#include "messages/mutant.hpp"
#include "messages/wire.hpp"

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <utility>

namespace troupe {

namespace {

constexpr std::string_view magic = "TROUPSTA";
constexpr std::uint32_t content_version = 1;
constexpr std::size_t before_sections = 8 + 4 + 4;
constexpr std::size_t checksum_bytes = 4;
/// More than any head will ever need; damaged lengths end here.
constexpr std::size_t most_section_bytes = std::size_t{64} << 20;
constexpr std::size_t chunk_bytes = std::size_t{256} << 10;

enum class section : std::uint8_t { configuration = 1, sessions = 2, removed = 3, cluster_version = 4 };

void put_section(std::string& out, section type, std::string_view content) {
  wire_writer{out}.put(static_cast<std::uint8_t>(type)).put(static_cast<std::uint32_t>(content.size()));
  out += content;
}

void put_peers(std::string& out, const std::vector<peer_id>& peers) {
  wire_writer to{out};
  to.put(static_cast<std::uint32_t>(peers.size()));
  for (const auto id : peers)
    to.put(id.value());
}

std::vector<peer_id> take_peers(wire_reader& in) {
  const auto count = in.take<std::uint32_t>();
  std::vector<peer_id> peers;
  for (std::uint32_t i = 0; i < count && in.sound(); ++i)
    peers.emplace_back(in.take<std::uint64_t>());
  return peers;
}

/// The content of the section that comes next; nothing if another comes.
std::optional<wire_reader> take_section(wire_reader& in, section type) {
  if (in.take<std::uint8_t>() != static_cast<std::uint8_t>(type))
    return std::nullopt;
  const auto content = in.take_bytes(in.take<std::uint32_t>());
  return in.sound() ? std::optional{wire_reader{content}} : std::nullopt;
}

std::optional<snapshot_head> decode_sections(std::string_view bytes) {
  wire_reader in{bytes};
  snapshot_head head;
  auto members = take_section(in, section::configuration);
  if (!members)
    return std::nullopt;
  head.members = {take_peers(*members), take_peers(*members), take_peers(*members)};
  auto sessions = take_section(in, section::sessions);
  if (!sessions || sessions->take<std::uint32_t>() != 0)
    return std::nullopt;
  auto removed = take_section(in, section::removed);
  if (!removed)
    return std::nullopt;
  head.removed = take_peers(*removed);
  auto version = take_section(in, section::cluster_version);
  if (!version)
    return std::nullopt;
  head.cluster_version = version->take<std::uint32_t>();
  const bool is_whole = members->complete() && sessions->complete() && removed->complete() && version->complete();
  return is_whole && in.complete() ? std::optional{std::move(head)} : std::nullopt;
}

[[noreturn]] void refuse(const snapshot_mark& what, const std::string& why) {
  throw std::runtime_error{"the snapshot at index " + std::to_string(what.at.index.value()) + " " + why};
}

} // namespace

std::string encode(const snapshot_head& head) {
  std::string members;
  put_peers(members, head.members.incoming);
  put_peers(members, head.members.outgoing);
  put_peers(members, head.members.learners);
  std::string nothing;
  wire_writer{nothing}.put(std::uint32_t{0});
  std::string removed;
  put_peers(removed, head.removed);
  std::string version;
  wire_writer{version}.put(head.cluster_version);
  std::string sections;
  put_section(sections, section::configuration, members);
  put_section(sections, section::sessions, nothing);
  if (!TROUPE_MUTANT(S8))
    put_section(sections, section::removed, removed);
  put_section(sections, section::cluster_version, version);
  std::string bytes{magic};
  wire_writer{bytes}.put(content_version).put(static_cast<std::uint32_t>(sections.size()));
  return bytes + sections;
}

snapshot_content::snapshot_content(std::string head, std::shared_ptr<chunk_source> state)
    : head_{std::move(head)}, state_{std::move(state)} {}

std::string snapshot_content::next_chunk() {
  std::string chunk;
  switch (next_) {
  case part::head:
    chunk = std::move(head_);
    next_ = part::state;
    break;
  case part::state:
    chunk = state_->next_chunk();
    if (!chunk.empty())
      break;
    wire_writer{chunk}.put(checksum_);
    next_ = part::end;
    return chunk;
  case part::end: return chunk;
  }
  checksum_ = crc32c(chunk, checksum_);
  return chunk;
}

snapshot_state::snapshot_state(std::shared_ptr<snapshot_reader> reader) : reader_{std::move(reader)} {
  const auto& what = reader_->mark();
  if (what.size_bytes < before_sections + checksum_bytes)
    refuse(what, "is too short to be one");
  const auto begin = reader_->read(0, before_sections);
  wire_reader in{begin};
  const auto name = in.take_bytes(magic.size());
  const auto version = in.take<std::uint32_t>();
  const auto size = in.take<std::uint32_t>();
  if (name != magic)
    refuse(what, "does not begin as one");
  if (version != content_version)
    refuse(what,
           "has content of version " + std::to_string(version) + "; this program reads version "
               + std::to_string(content_version));
  if (size > most_section_bytes || size > what.size_bytes - before_sections - checksum_bytes)
    refuse(what, "claims more sections than it has bytes");
  const auto sections = size == 0 ? std::string{} : reader_->read(before_sections, size);
  auto head = decode_sections(sections);
  if (!head)
    refuse(what, "lacks a mandatory section: members, sessions, removed members or cluster version");
  head_ = std::move(*head);
  checksum_ = crc32c(sections, crc32c(begin));
  at_ = before_sections + size;
}

std::string snapshot_state::next_chunk() {
  const auto& what = reader_->mark();
  const auto end = what.size_bytes - checksum_bytes;
  if (at_ < end) {
    auto chunk = reader_->read(at_, static_cast<std::size_t>(std::min<std::uint64_t>(end - at_, chunk_bytes)));
    checksum_ = crc32c(chunk, checksum_);
    at_ += chunk.size();
    return chunk;
  }
  const auto claimed = reader_->read(end, checksum_bytes);
  if (wire_reader{claimed}.take<std::uint32_t>() != checksum_)
    refuse(what, "does not match its checksum");
  return {};
}

void content_check::take(std::string_view bytes) {
  const auto counted = size_bytes_ < checksum_bytes ? 0 : size_bytes_ - checksum_bytes;
  const auto before = seen_bytes_ < counted ? std::min<std::uint64_t>(counted - seen_bytes_, bytes.size()) : 0;
  checksum_ = crc32c(bytes.substr(0, static_cast<std::size_t>(before)), checksum_);
  claimed_ += bytes.substr(static_cast<std::size_t>(before)).substr(0, checksum_bytes);
  seen_bytes_ += bytes.size();
}

bool content_check::is_whole() const {
  return seen_bytes_ == size_bytes_ && claimed_.size() == checksum_bytes
      && wire_reader{claimed_}.take<std::uint32_t>() == checksum_;
}

} // namespace troupe
