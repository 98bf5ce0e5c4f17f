#include "app/kv/trie.hpp"

#include "app/kv/hash.hpp"
#include "troupe/assert.hpp"

#include <algorithm>
#include <array>
#include <limits>

namespace troupe::kv {

namespace {

// Chosen by measurement, docs/decisions/0008: more ways make paths shorter and leaves emptier after they have split.
constexpr unsigned bits_per_level = 3;
constexpr std::size_t ways = std::size_t{1} << bits_per_level;
// At the lowest level bits have run out: a leaf there takes any number of entries. This bounds all recursion, too.
constexpr unsigned max_depth = 64 / bits_per_level;
constexpr std::size_t leaf_entries = 32;

struct leaf_slot {
  std::uint64_t hash;
  record entry;

  [[nodiscard]] bool is_before(std::uint64_t other_hash, std::string_view key) const {
    return hash != other_hash ? hash < other_hash : entry.key() < key;
  }
  [[nodiscard]] bool is(std::uint64_t other_hash, std::string_view key) const {
    return hash == other_hash && entry.key() == key;
  }
};

std::size_t way(std::uint64_t hash, std::size_t depth) {
  return hash >> (64 - bits_per_level * (depth + 1)) & (ways - 1);
}

} // namespace

/// What it is follows from what it holds: up to `leaf_entries`, or any number at `max_depth`, make a leaf.
struct trie_node {
  generation made;
  bool is_leaf;
};

namespace {

struct leaf_node : trie_node {
  explicit leaf_node(generation now) : trie_node{now, true} {}
  std::vector<leaf_slot> slots; // In order.

  [[nodiscard]] std::size_t place(std::uint64_t hash, std::string_view key) const {
    const auto at = std::partition_point(slots.begin(), slots.end(),
                                         [&](const leaf_slot& each) { return each.is_before(hash, key); });
    return static_cast<std::size_t>(at - slots.begin());
  }
  /// Leaves are many: room is made for a few entries at a time, not for twice as many. But twice where a leaf may be of
  /// any size.
  void make_room() {
    if (slots.size() == slots.capacity())
      slots.reserve(slots.size() + std::max<std::size_t>(4, slots.size() > leaf_entries ? slots.size() : 0));
  }
};

struct inner_node : trie_node {
  explicit inner_node(generation now) : trie_node{now, false} {}
  std::size_t count = 0;                                 // Entries beneath.
  std::array<std::shared_ptr<trie_node>, ways> children; // Nothing where there is no entry.
};

leaf_node& as_leaf(trie_node& node) {
  return static_cast<leaf_node&>(node);
}
inner_node& as_inner(trie_node& node) {
  return static_cast<inner_node&>(node);
}
const leaf_node& as_leaf(const trie_node& node) {
  return static_cast<const leaf_node&>(node);
}
const inner_node& as_inner(const trie_node& node) {
  return static_cast<const inner_node&>(node);
}

/// The node, to be written to in generation `now`: itself or, if a picture shows it, a copy in its place.
trie_node& writable(std::shared_ptr<trie_node>& link, generation now) {
  if (link->made != now) {
    if (link->is_leaf)
      link = std::make_shared<leaf_node>(as_leaf(*link));
    else
      link = std::make_shared<inner_node>(as_inner(*link));
    link->made = now;
  }
  return *link;
}

/// A leaf that has grown too large becomes an inner node over smaller ones; over one, if all its hashes go one way.
std::shared_ptr<trie_node> split(leaf_node& leaf, std::size_t depth, generation now) {
  auto inner = std::make_shared<inner_node>(now);
  inner->count = leaf.slots.size();
  for (auto& slot : leaf.slots) {
    auto& child = inner->children[way(slot.hash, depth)];
    if (!child)
      child = std::make_shared<leaf_node>(now);
    as_leaf(*child).make_room();
    as_leaf(*child).slots.push_back(std::move(slot));
  }
  for (auto& child : inner->children)
    if (child && as_leaf(*child).slots.size() > leaf_entries && depth + 1 < max_depth)
      child = split(as_leaf(*child), depth + 1, now);
  return inner;
}

void gather(const trie_node& node, std::vector<leaf_slot>& into) {
  if (node.is_leaf)
    into.insert(into.end(), as_leaf(node).slots.begin(), as_leaf(node).slots.end());
  else
    for (const auto& child : as_inner(node).children)
      if (child)
        gather(*child, into);
}

const leaf_slot* find_slot(const trie_node* node, std::uint64_t hash, std::string_view key) {
  for (std::size_t depth = 0; node && !node->is_leaf; ++depth)
    node = as_inner(*node).children[way(hash, depth)].get();
  if (!node)
    return nullptr;
  const auto& slots = as_leaf(*node).slots;
  const auto at = as_leaf(*node).place(hash, key);
  return at < slots.size() && slots[at].is(hash, key) ? &slots[at] : nullptr;
}

std::uint64_t hash_of(std::uint64_t hash, const record& entry) {
  return entry_hash(hash, entry.sum(), entry.value().size());
}

} // namespace

trie::trie() : root_{std::make_shared<leaf_node>(now_)} {}

std::size_t trie::size() const {
  return root_->is_leaf ? as_leaf(*root_).slots.size() : as_inner(*root_).count;
}

std::optional<std::string_view> trie::find(std::string_view key) const {
  const auto* slot = find_slot(root_.get(), key_hash(key), key);
  return slot ? std::optional{slot->entry.value()} : std::nullopt;
}

void trie::put(std::string_view key, std::string_view value) {
  change(key, value, [&](record& entry) { entry.assign(now_, value); });
}

void trie::append(std::string_view key, std::string_view suffix) {
  change(key, suffix, [&](record& entry) { entry.append(now_, suffix); });
}

template <class How>
void trie::change(std::string_view key, std::string_view if_absent, const How& how) {
  const auto hash = key_hash(key);
  std::array<inner_node*, max_depth> path;
  std::size_t depth = 0;
  auto* link = &root_;
  for (;; ++depth) {
    if (!*link)
      *link = std::make_shared<leaf_node>(now_);
    auto& node = writable(*link, now_);
    if (node.is_leaf)
      break;
    path[depth] = &as_inner(node);
    link = &path[depth]->children[way(hash, depth)];
  }
  auto& leaf = as_leaf(**link);
  const auto at = leaf.place(hash, key);
  if (at < leaf.slots.size() && leaf.slots[at].is(hash, key)) {
    auto& entry = leaf.slots[at].entry;
    state_hash_ -= hash_of(hash, entry);
    how(entry);
    state_hash_ += hash_of(hash, entry);
    return;
  }
  leaf.make_room();
  const auto& added = *leaf.slots.insert(leaf.slots.begin() + static_cast<std::ptrdiff_t>(at),
                                         leaf_slot{hash, record{now_, key, if_absent}});
  state_hash_ += hash_of(hash, added.entry);
  for (std::size_t i = 0; i < depth; ++i)
    ++path[i]->count;
  if (leaf.slots.size() > leaf_entries && depth < max_depth)
    *link = split(leaf, depth, now_);
}

bool trie::erase(std::string_view key) {
  const auto hash = key_hash(key);
  const auto* found = find_slot(root_.get(), hash, key);
  if (!found) // Known before a path is copied for nothing.
    return false;
  state_hash_ -= hash_of(hash, found->entry);
  auto* link = &root_;
  for (std::size_t depth = 0;; ++depth) {
    auto& node = writable(*link, now_);
    if (node.is_leaf)
      break;
    auto& inner = as_inner(node);
    if (--inner.count <= leaf_entries) {
      // As few as a leaf would hold: a leaf it becomes, whatever is beneath.
      auto leaf = std::make_shared<leaf_node>(now_);
      leaf->slots.reserve(inner.count + 1);
      gather(inner, leaf->slots);
      *link = std::move(leaf);
      break;
    }
    link = &inner.children[way(hash, depth)];
  }
  auto& leaf = as_leaf(**link);
  leaf.slots.erase(leaf.slots.begin() + static_cast<std::ptrdiff_t>(leaf.place(hash, key)));
  if (leaf.slots.empty() && link != &root_)
    link->reset();
  else if (leaf.slots.capacity() > 2 * leaf.slots.size() + leaf_entries / 2)
    leaf.slots.shrink_to_fit();
  return true;
}

trie_picture trie::picture() {
  TROUPE_ASSERT(now_ < std::numeric_limits<generation>::max(), "generations last longer than nodes");
  ++now_;
  return {root_, size(), state_hash_};
}

std::size_t count_nodes(const trie_node& root) {
  std::size_t count = 1;
  if (!root.is_leaf)
    for (const auto& child : as_inner(root).children)
      count += child ? count_nodes(*child) : 0;
  return count;
}

trie_walk::trie_walk(const trie_node& root) : path_{{&root, 0}} {}

const record* trie_walk::next() {
  while (!path_.empty()) {
    const auto [node, at] = path_.back();
    if (at == (node->is_leaf ? as_leaf(*node).slots.size() : ways)) {
      path_.pop_back();
      continue;
    }
    ++path_.back().second;
    if (node->is_leaf)
      return &as_leaf(*node).slots[at].entry;
    if (const auto& child = as_inner(*node).children[at])
      path_.emplace_back(child.get(), 0);
  }
  return nullptr;
}

} // namespace troupe::kv
