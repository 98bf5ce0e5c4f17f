/// \file
/// How two ends of a link introduce themselves, and whether they believe each other. A mind.
#pragma once

#include "messages/lives.hpp"
#include "troupe/types.hpp"
#include "troupe/uuid.hpp"

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace troupe {

/// What the dialing end wants to be served as.
enum class link_role : std::uint8_t {
  peer = 1,
  client = 2, ///< Reserved for CAF programs elsewhere; not served yet.
};

inline constexpr std::uint32_t hello_magic = 0x4c505254; // "TRPL" on the wire
inline constexpr std::uint16_t protocol_version = 1;

/// Longest name of a cluster, in bytes.
inline constexpr std::size_t longest_cluster_name = 255;

/// First words of either end: the dialing end's `hello`, the other's `hello_ack`. In order, little-endian: magic u32,
/// version u16, role u8, from u64, to u64, the 16 bytes of the uuid, boot u64, lives (u8 how many, and u64 each),
/// cluster (u16 length and text).
struct hello {
  std::uint32_t magic = hello_magic;
  std::uint16_t version = protocol_version;
  link_role role = link_role::peer;
  peer_id from;
  peer_id to; ///< Catches a wrong address: who is meant must be who answers.
  uuid disk;
  std::uint64_t boot = 0; ///< Counts the starts on this disk.
  last_lives lives;       ///< One or more, as many as boots or `lives_kept`; the present one, the first, is not 0.
  std::string cluster;
};

[[nodiscard]] std::string encode(const hello& words);

/// Nothing for garbage. Of a hello with another magic or version only these two are read: the rest is not ours to know.
[[nodiscard]] std::optional<hello> decode_hello(std::string_view head);

/// Why an end closes, in `closing` frames and in reports. Never renumbered.
enum class link_refusal : std::uint16_t {
  other = 0,         ///< A code of a later version.
  not_a_peer = 1,    ///< Does not speak this protocol.
  wrong_version = 2, ///< Speaks another version of it.
  wrong_cluster = 3,
  not_for_us = 4,   ///< Meant for another node: a wrong address.
  unknown_node = 5, ///< Not a member.
  own_id = 6,       ///< Claims the id of the node it talks to.
  changed_disk = 7, ///< A known id with a new uuid: it has forgotten its votes and would vote twice in a term.
  copied_disk = 8,  ///< The uuid of another node's disk.
  role_not_served = 9,
  /// A known disk in a boot before the last one seen, or one that has not lived the life it was seen in: an older copy,
  /// which lacks what was promised since.
  old_disk = 10,
  replaced = 32,  ///< A newer link of the same node has come.
  silent = 33,    ///< Not a word for too long.
  malformed = 34, ///< Sent what no end of this version sends.
  crowded = 35,   ///< Too many connections that have not introduced themselves.
  stopping = 36,  ///< The node stops.
};

/// The code of a `closing` frame; `other` for one this version does not know.
[[nodiscard]] link_refusal to_link_refusal(std::uint16_t code);

/// The refused node itself is wrong, and will be as long as nobody changes it; the other reasons pass.
[[nodiscard]] bool is_about_identity(link_refusal reason);

/// The refused node has forgotten what it promised, and must end. Said behind the introduction of who says it: one who
/// is not believed himself, say a node of another cluster at a member's address, has no say in that.
[[nodiscard]] bool condemns(link_refusal reason);

/// A refusal as it is told and logged.
struct refusal_notice {
  link_refusal reason = link_refusal::other;
  std::string words; ///< For the operator of the refused node: what is wrong, both sides of it, and the remedy.
};

/// Longest words of a `closing` frame; more are cut off.
inline constexpr std::size_t longest_closing_words = 1024;

[[nodiscard]] std::string encode_closing(const refusal_notice& notice);
[[nodiscard]] std::optional<refusal_notice> decode_closing(std::string_view head);

/// Who this node is.
struct link_identity {
  std::string cluster;
  peer_id self;
  uuid disk;
  std::uint64_t boot = 0;
  last_lives lives{};
};

/// What is known of a member that has been met.
struct acquaintance {
  uuid disk;
  std::uint64_t boot = 0; ///< The latest it was seen in; 0 if that was not noted.
  life_number life = 0;   ///< Which life that was.
  /// The life in which a copy of this disk was refused last that had been started at least as often: the copy is known
  /// by it, however often it is started again. 0 if none was.
  life_number refused = 0;
  friend bool operator==(const acquaintance&, const acquaintance&) = default;
};

/// Every other member, and what it is known by, if it has been met.
using acquaintances = std::map<peer_id, std::optional<acquaintance>>;

/// The words `me` begins with when it talks to `to`.
[[nodiscard]] hello introduce(const link_identity& me, peer_id to);

/// What is to be remembered of a node that said this of itself, of whom `before` was known, and was believed.
[[nodiscard]] acquaintance met(const std::optional<acquaintance>& before, const hello& theirs);

/// The same if it was refused for `why`. Nothing changes for whoever is in an earlier boot than was seen: that may be
/// the node itself, heard late.
[[nodiscard]] std::optional<acquaintance> refused(const std::optional<acquaintance>& before, const hello& theirs,
                                                  link_refusal why);

/// Judges what another node says of itself. Nothing means: believed. The caller remembers, durably, whom it has
/// `met` before it listens to him, and whom it has `refused`.
[[nodiscard]] std::optional<refusal_notice> judge(const link_identity& me, const acquaintances& known,
                                                  const hello& theirs);

} // namespace troupe
