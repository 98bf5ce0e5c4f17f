#include "persistence/data_directory.hpp"

#include "messages/mutant.hpp"
#include "persistence/segment.hpp"
#include "troupe/assert.hpp"
#include "troupe/entry.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cinttypes>
#include <cstdio>
#include <optional>
#include <string_view>
#include <utility>

namespace troupe {

namespace {

constexpr std::string_view first_line = "troupe data directory, format ";
constexpr std::string_view format = "1";
constexpr std::size_t longest_cluster_name = 128;

std::string list_of(const std::vector<peer_id>& members) {
  std::string text;
  for (const auto id : members)
    text += (text.empty() ? "" : ",") + std::to_string(id.value());
  return text;
}

std::string in_digits(life_number life) {
  char digits[17];
  std::snprintf(digits, sizeof digits, "%016" PRIx64, life);
  return digits;
}

std::string list_of(const last_lives& lives) {
  std::string text;
  for (const auto life : lives)
    text += (text.empty() ? "" : ",") + in_digits(life);
  return text;
}

std::string in_words(const data_directory::known_disk& disk) {
  const auto parts = disk.refused != 0 ? 3 : disk.life != 0 ? 2 : disk.boot != 0 ? 1 : 0;
  return to_string(disk.uuid) + (parts < 1 ? "" : ":" + std::to_string(disk.boot))
      + (parts < 2 ? "" : ":" + in_digits(disk.life)) + (parts < 3 ? "" : ":" + in_digits(disk.refused));
}

std::string encode(const data_directory::content& content) {
  std::string text{first_line};
  text += format;
  text += "\ncluster=" + content.cluster + "\nnode=" + std::to_string(content.node.value()) + "\nuuid="
      + to_string(content.disk) + "\nmembers=" + list_of(content.members) + "\nboot=" + std::to_string(content.boot)
      + "\n" + (content.lives.empty() ? "" : "lives=" + list_of(content.lives) + "\n")
      + (content.is_refused ? "refused=yes\n" : "") + (content.has_log ? "log=made\n" : "");
  for (const auto& [peer, disk] : content.peers)
    text += "peer=" + std::to_string(peer.value()) + ":" + in_words(disk) + "\n";
  char checksum[9];
  std::snprintf(checksum, sizeof checksum, "%08x", crc32c(text));
  return text + "checksum=" + checksum + "\n";
}

std::optional<std::uint64_t> parse_number(std::string_view text, int base = 10) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc{} || end != text.data() + text.size())
    return std::nullopt;
  return value;
}

/// The part before the first `separator`, which goes with it; the whole if there is none.
std::string_view take_part(std::string_view& text, char separator) {
  const auto end = std::min(text.find(separator), text.size());
  const auto part = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return part;
}

/// ID:UUID, and of BOOT, LIFE and REFUSED what was noted.
bool take_peer(data_directory::content& content, std::string_view text) {
  const auto peer = parse_number(take_part(text, ':'));
  const auto disk = parse_uuid(take_part(text, ':'));
  const auto boot = text.empty() ? 0 : parse_number(take_part(text, ':'));
  const auto life = text.empty() ? 0 : parse_number(take_part(text, ':'), 16);
  const auto refused = text.empty() ? 0 : parse_number(text, 16);
  if (!peer || !disk || !boot || !life || !refused)
    return false;
  content.peers.emplace(peer_id{*peer}, data_directory::known_disk{*disk, *boot, *life, *refused});
  return true;
}

/// Takes one `key=value` line into the content; false if it is no such line. What is doubled, missing or out of order
/// comes out when the content is encoded again.
bool take_line(data_directory::content& content, std::string_view key, std::string_view value) {
  if (key == "cluster") {
    content.cluster = value;
    return true;
  }
  if (key == "node" || key == "boot") {
    const auto number = parse_number(value);
    if (key == "node")
      content.node = peer_id{number.value_or(0)};
    else
      content.boot = number.value_or(0);
    return number.has_value();
  }
  if (key == "log") {
    content.has_log = value == "made";
    return content.has_log;
  }
  if (key == "refused") {
    content.is_refused = value == "yes";
    return content.is_refused;
  }
  if (key == "members") {
    while (!value.empty())
      content.members.emplace_back(parse_number(take_part(value, ',')).value_or(0));
    return true;
  }
  if (key == "lives") {
    while (!value.empty())
      content.lives.push_back(parse_number(take_part(value, ','), 16).value_or(0));
    return content.lives.size() <= lives_kept;
  }
  if (key == "uuid") {
    const auto disk = parse_uuid(value);
    content.disk = disk.value_or(uuid{});
    return disk.has_value();
  }
  return key == "peer" && take_peer(content, value);
}

/// A block. An identity is shorter unless a cluster is larger than any that is sensible.
constexpr std::size_t room_bytes = 4096;

/// Nothing unless the text is, byte by byte, what `encode` makes of some content; behind it zeros up to the end of the
/// block that was set aside, if it was written there.
std::optional<data_directory::content> decode(std::string_view text) {
  if (text.size() == room_bytes)
    text = text.substr(0, text.find_last_not_of('\0') + 1);
  const auto whole = text;
  data_directory::content content;
  auto header = std::string{first_line} + std::string{format} + "\n";
  if (!text.starts_with(header))
    return std::nullopt;
  text.remove_prefix(header.size());
  for (auto end = text.find('\n'); end != text.npos; end = text.find('\n')) {
    const auto line = text.substr(0, end);
    text.remove_prefix(end + 1);
    const auto equals = line.find('=');
    if (equals == line.npos)
      return std::nullopt;
    const auto key = line.substr(0, equals);
    if (key != "checksum" && !take_line(content, key, line.substr(equals + 1)))
      return std::nullopt;
  }
  return encode(content) == whole ? std::optional{content} : std::nullopt;
}

bool is_good_name(std::string_view name) {
  return !name.empty() && name.size() <= longest_cluster_name
      && std::all_of(name.begin(), name.end(), [](unsigned char c) { return std::isprint(c) != 0; });
}

/// What a crash during the first use can leave behind.
bool is_unused(const std::vector<std::string>& names) {
  return std::all_of(names.begin(), names.end(), [](const std::string& name) {
    return name == "LOCK" || name == "identity.tmp" || name == "lost+found"; // Of a fresh file system.
  });
}

std::string holder_of(file_system& files, const std::string& lock_path) {
  auto text = read_whole(files, lock_path);
  text.erase(std::remove(text.begin(), text.end(), '\n'), text.end());
  return text.empty() ? "another process" : "process " + text;
}

} // namespace

data_directory::data_directory(file_system& files, std::string path, std::string cluster, peer_id node,
                               std::vector<peer_id> members, const troupe::uuid& fresh_uuid)
    : files_{files}, path_{std::move(path)} {
  if (!is_good_name(cluster))
    throw storage_error{path_,
                        "a cluster's name has 1 to " + std::to_string(longest_cluster_name)
                            + " printable characters; asked for was \"" + cluster + "\"",
                        damage::none};
  files_.make_directories(path_);
  lock_ = files_.lock(path_ + "/LOCK");
  if (!lock_)
    throw storage_error{path_,
                        "in use by " + holder_of(files_, path_ + "/LOCK")
                            + ". Two nodes cannot share a data directory: stop that one, or use another directory",
                        damage::none};
  if (const auto read = read_identity(files_, path_)) {
    content_ = *read;
    require_ours(cluster, node, members);
  } else {
    if (!is_unused(files_.list(path_)))
      throw storage_error{path_,
                          "holds files, but no identity of a node. Use an empty directory; or, if this was a "
                          "node's, restore its file `identity`"};
    content_ = {std::move(cluster), node, fresh_uuid, std::move(members), 0, {}, false, false, {}};
  }
  if (!std::exchange(content_.is_refused, false)) {
    ++content_.boot;
    content_.lives.insert(content_.lives.begin(), life_of(fresh_uuid));
    content_.lives.resize(std::min(content_.lives.size(), lives_kept));
  }
  save();
}

std::optional<data_directory::content> data_directory::read_identity(file_system& files, const std::string& path) {
  const auto identity_path = path + "/identity";
  if (!files.exists(identity_path))
    return std::nullopt;
  const auto text = read_whole(files, identity_path);
  const auto newer =
      text.starts_with(first_line) && !text.starts_with(std::string{first_line} + std::string{format} + "\n");
  const auto read = decode(text);
  if (!read)
    throw storage_error{identity_path,
                        newer ? "written by a newer program, or damaged: its first line is \""
                                + text.substr(0, text.find('\n')) + "\""
                              : "damaged: it does not match its checksum. " + keep_the_directory,
                        newer ? damage::none : damage::corrupt};
  return read;
}

void data_directory::require_ours(const std::string& cluster, peer_id node, const std::vector<peer_id>& members) const {
  if (content_.cluster != cluster)
    throw storage_error{path_,
                        "belongs to cluster \"" + content_.cluster + "\"; asked for was cluster \"" + cluster
                            + "\". Use --cluster " + content_.cluster + ", or another directory",
                        damage::none};
  if (content_.node != node)
    throw storage_error{path_,
                        "belongs to node " + std::to_string(content_.node.value()) + "; asked for was node "
                            + std::to_string(node.value()) + ". Use --id " + std::to_string(content_.node.value())
                            + ", or another directory",
                        damage::none};
  if (content_.members != members)
    throw storage_error{path_,
                        "belongs to a cluster of nodes " + list_of(content_.members) + "; asked for were nodes "
                            + list_of(members)
                            + ". Members cannot be changed yet, and another list would elect leaders that lack what "
                              "was acknowledged: name the same nodes in --peers, or use another directory",
                        damage::none};
}

void data_directory::remember_log() {
  if (!std::exchange(content_.has_log, true))
    save();
}

void data_directory::remember_refusal() {
  if (TROUPE_MUTANT(O3_again))
    return;
  if (!std::exchange(content_.is_refused, true))
    save();
}

void data_directory::remember_peer(peer_id peer, const known_disk& disk) {
  const auto known = content_.peers.find(peer);
  const auto is_new = known == content_.peers.end();
  TROUPE_ASSERT(is_new || known->second.uuid == disk.uuid,
                "a peer that comes with another disk is refused, not remembered");
  if (!is_new && (known->second.boot > disk.boot || known->second == disk))
    return;
  auto before = content_.peers;
  content_.peers.insert_or_assign(peer, disk);
  try {
    save();
  } catch (...) {
    content_.peers = std::move(before); // Whoever tries again shall not find it known.
    throw;
  }
}

void data_directory::save() {
  const auto text = encode(content_);
  TROUPE_ASSERT(decode(text).has_value(), "what is written can be read");
  try {
    replace_durably(files_, path_ + "/identity", text);
  } catch (const io_error& failure) {
    // A node shall start on a full disk, and say so, and note whom it meets.
    if (!failure.is_lack_of_room() || !(use_room_set_aside(text) || use_reserve(text)))
      throw;
  }
  set_room_aside();
}

/// Overwrites the block in place, which needs no other, and gives it the name. False if there is none.
bool data_directory::use_room_set_aside(std::string text) {
  const auto path = path_ + "/identity.room";
  if (text.size() > room_bytes || !files_.exists(path))
    return false;
  text.resize(room_bytes);
  {
    const auto room = files_.open(path, open_mode::update);
    if (room->size() != room_bytes)
      return false;
    room->write_at(0, text);
    room->sync_data();
  }
  files_.rename(path, path_ + "/identity");
  files_.sync_directory(path_);
  return true;
}

/// Takes the room of the log's reserve; the log finds out that it is gone. False if there is none.
bool data_directory::use_reserve(const std::string& text) {
  const auto reserve = reserve_path(log_path());
  if (!files_.exists(reserve))
    return false;
  try {
    files_.remove(reserve);
  } catch (const io_error&) {
    if (files_.exists(reserve))
      throw; // If not, it has become a segment just now, on another thread.
  }
  files_.sync_directory(log_path());
  replace_durably(files_, path_ + "/identity", text);
  return true;
}

/// For the next time; from what the last identity has taken, if nothing else is free.
void data_directory::set_room_aside() {
  const auto path = path_ + "/identity.room";
  if (files_.exists(path))
    return;
  try {
    replace_durably(files_, path, std::string(room_bytes, '\0'));
  } catch (const io_error& failure) {
    if (!failure.is_lack_of_room())
      throw;
  }
}

} // namespace troupe
