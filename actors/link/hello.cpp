#include "actors/link/hello.hpp"

#include "messages/mutant.hpp"
#include "messages/wire.hpp"
#include "troupe/assert.hpp"

#include <algorithm>

namespace troupe {

namespace {

std::string node(peer_id id) {
  return "node " + std::to_string(id.value());
}

/// What came from elsewhere goes into logs and terminals only without its control characters.
std::string printable(std::string_view text) {
  auto clean = std::string{text};
  std::replace_if(
      clean.begin(), clean.end(), [](unsigned char c) { return c < 0x20 || c >= 0x7f; }, '?');
  return clean;
}

std::string in_quotes(std::string_view text) {
  return '"' + printable(text) + '"';
}

refusal_notice changed_disk(const link_identity& me, const hello& theirs, const uuid& remembered) {
  return {
      link_refusal::changed_disk,
      node(theirs.from) + " has disk uuid " + to_string(theirs.disk) + ", but " + node(me.self) + " knows it by "
          + to_string(remembered)
          + ": its data directory was wiped or replaced, so it has forgotten its votes and its log and could vote"
            " twice in one term; restore the old data directory. If that is lost, this member cannot come back (members"
            " cannot be replaced yet): the others go on without it"};
}

refusal_notice old_disk(const link_identity& me, const hello& theirs, std::uint64_t seen) {
  return {link_refusal::old_disk,
          node(theirs.from) + " starts its disk for the " + std::to_string(theirs.boot) + ". time, but " + node(me.self)
              + " has seen it in its " + std::to_string(seen)
              + ". already: its data directory is an older copy, so it has forgotten votes and entries it has promised"
                " and could vote twice in one term; put back the newest one. If that is lost, this member cannot come"
                " back (members cannot be replaced yet): the others go on without it. (If it said this before its last"
                " start, and is heard late, nothing is wrong.)"};
}

/// Nobody here can say which of the two was made of which.
refusal_notice another_copy(const link_identity& me, const hello& theirs) {
  return {link_refusal::old_disk,
          node(theirs.from) + " was started on another copy of its data directory, which " + node(me.self)
              + " has met: this one lacks what the other has promised since they were one, and could vote twice in one"
                " term. Only the one that its peers know may go on: put it back, and do not start any other. If it is"
                " lost, this member cannot come back (members cannot be replaced yet): the others go on without it"};
}

refusal_notice copied_disk(const hello& theirs, peer_id owner) {
  return {link_refusal::copied_disk,
          node(theirs.from) + " has disk uuid " + to_string(theirs.disk) + ", which is that of " + node(owner)
              + ": its data directory is a copy; start it on an empty one of its own"};
}

/// What the disk says of the node, once all else fits.
std::optional<refusal_notice> judge_disk(const link_identity& me, const acquaintances& known, const hello& theirs) {
  if (TROUPE_MUTANT(O2))
    return std::nullopt;
  const auto& remembered = known.at(theirs.from);
  if (remembered && remembered->disk != theirs.disk)
    return changed_disk(me, theirs, remembered->disk);
  if (theirs.disk == me.disk)
    return copied_disk(theirs, me.self);
  for (const auto& [id, other] : known)
    if (id != theirs.from && other && other->disk == theirs.disk)
      return copied_disk(theirs, id);
  if (!remembered)
    return std::nullopt;
  if (theirs.boot < remembered->boot)
    return old_disk(me, theirs, remembered->boot);
  // Boots alone would not do: an older copy is started as often one day. Nor would the last lives, if it is refused
  // again and again, and has forgotten at last which life it should know: it is known by the one it was refused in.
  const auto life = TROUPE_MUTANT(O3) ? 0 : remembered->life;
  const auto& lives = theirs.lives;
  const auto was_refused =
      remembered->refused != 0 && std::find(lives.begin(), lives.end(), remembered->refused) != lives.end();
  if (!may_have_lived(theirs.boot, lives, remembered->boot, life) || (was_refused && !TROUPE_MUTANT(O3)))
    return another_copy(me, theirs);
  return std::nullopt;
}

} // namespace

std::string encode(const hello& words) {
  TROUPE_ASSERT(words.cluster.size() <= longest_cluster_name, "a cluster's name is short");
  TROUPE_ASSERT(are_sound(words.boot, words.lives), "who speaks lives");
  std::string head;
  wire_writer out{head};
  out.put(words.magic).put(words.version).put(static_cast<std::uint8_t>(words.role));
  out.put(words.from.value()).put(words.to.value());
  for (const auto byte : words.disk.bytes)
    out.put(byte);
  out.put(words.boot);
  out.put(static_cast<std::uint8_t>(words.lives.size()));
  for (const auto life : words.lives)
    out.put(life);
  out.text(words.cluster);
  return head;
}

std::optional<hello> decode_hello(std::string_view head) {
  wire_reader in{head};
  hello words;
  words.magic = in.take<std::uint32_t>();
  words.version = in.take<std::uint16_t>();
  if (!in.sound())
    return std::nullopt;
  if (words.magic != hello_magic || words.version != protocol_version)
    return words;
  words.role = static_cast<link_role>(in.take<std::uint8_t>());
  words.from = peer_id{in.take<std::uint64_t>()};
  words.to = peer_id{in.take<std::uint64_t>()};
  for (auto& byte : words.disk.bytes)
    byte = in.take<std::uint8_t>();
  words.boot = in.take<std::uint64_t>();
  const auto lives = in.take<std::uint8_t>();
  for (unsigned i = 0; i < lives; ++i)
    words.lives.push_back(in.take<std::uint64_t>());
  words.cluster = in.text();
  if (!in.complete() || words.cluster.size() > longest_cluster_name || !are_sound(words.boot, words.lives))
    return std::nullopt;
  return words;
}

link_refusal to_link_refusal(std::uint16_t code) {
  const bool known = (code >= static_cast<std::uint16_t>(link_refusal::not_a_peer)
                      && code <= static_cast<std::uint16_t>(link_refusal::old_disk))
      || (code >= static_cast<std::uint16_t>(link_refusal::replaced)
          && code <= static_cast<std::uint16_t>(link_refusal::stopping));
  return known ? static_cast<link_refusal>(code) : link_refusal::other;
}

bool is_about_identity(link_refusal reason) {
  return reason != link_refusal::other && reason < link_refusal::replaced;
}

bool condemns(link_refusal reason) {
  return reason == link_refusal::changed_disk || reason == link_refusal::old_disk;
}

std::string encode_closing(const refusal_notice& notice) {
  std::string head;
  wire_writer{head}
      .put(static_cast<std::uint16_t>(notice.reason))
      .text(std::string_view{notice.words}.substr(0, longest_closing_words));
  return head;
}

std::optional<refusal_notice> decode_closing(std::string_view head) {
  wire_reader in{head};
  const auto reason = to_link_refusal(in.take<std::uint16_t>());
  const auto words = in.text();
  if (!in.complete() || words.size() > longest_closing_words)
    return std::nullopt;
  return refusal_notice{reason, printable(words)};
}

hello introduce(const link_identity& me, peer_id to) {
  hello words;
  words.from = me.self;
  words.to = to;
  words.disk = me.disk;
  words.boot = me.boot;
  words.lives = me.lives;
  words.cluster = me.cluster;
  return words;
}

acquaintance met(const std::optional<acquaintance>& before, const hello& theirs) {
  return {theirs.disk, theirs.boot, theirs.lives.front(), before ? before->refused : 0};
}

std::optional<acquaintance> refused(const std::optional<acquaintance>& before, const hello& theirs, link_refusal why) {
  auto after = before;
  // Of an earlier boot: an older copy, or what the very node said before it was started anew, and is heard late (a host
  // stood still, and both lives called it). The latter must not be held against it; the former is told from the disk
  // when it has been started as often, and by then it lacks the life that was met.
  if (after && why == link_refusal::old_disk && (theirs.boot >= after->boot || TROUPE_MUTANT(O3_late)))
    after->refused = theirs.lives.front();
  return after;
}

std::optional<refusal_notice> judge(const link_identity& me, const acquaintances& known, const hello& theirs) {
  if (theirs.magic != hello_magic)
    return refusal_notice{link_refusal::not_a_peer, "this is not a node of troupe"};
  if (theirs.version != protocol_version)
    return refusal_notice{link_refusal::wrong_version,
                          node(me.self) + " speaks protocol version " + std::to_string(protocol_version)
                              + ", the other end version " + std::to_string(theirs.version)};
  if (theirs.cluster != me.cluster)
    return refusal_notice{link_refusal::wrong_cluster,
                          node(me.self) + " belongs to cluster " + in_quotes(me.cluster) + ", the other end to cluster "
                              + in_quotes(theirs.cluster)
                              + ": one of them was started with another cluster's name, or with an address of another"
                                " cluster among its peers; until that is mended they do not hear each other"};
  if (theirs.role != link_role::peer)
    return refusal_notice{link_refusal::role_not_served, node(me.self) + " serves peers only"};
  if (theirs.to != me.self)
    return refusal_notice{link_refusal::not_for_us,
                          "this is " + node(me.self) + ", but " + node(theirs.from) + " wanted " + node(theirs.to)
                              + ": the address belongs to another node"};
  if (theirs.from == me.self)
    return refusal_notice{link_refusal::own_id, "two nodes claim to be " + node(me.self)};
  if (!known.contains(theirs.from))
    return refusal_notice{link_refusal::unknown_node,
                          node(theirs.from) + " is not a member of the cluster that " + node(me.self) + " knows"};
  return judge_disk(me, known, theirs);
}

} // namespace troupe
