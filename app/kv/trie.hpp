/// \file
/// The map under the store: pictures of it cost nothing to take and stay as they were.
#pragma once

#include "app/kv/record.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe::kv {

struct trie_node;

/// A trie as it was at one moment. Any thread may hold, read and drop it, while the trie goes on on its own; parts that
/// have changed since are freed with the last picture that shows them, by whoever drops that.
struct trie_picture {
  std::shared_ptr<const trie_node> root;
  std::size_t count;
  std::uint64_t state_hash;
};

/// Strings by keys, in a trie over the bits of their `key_hash`, from the highest down. Its order, by hash and then by
/// key, and its shape follow from what it holds, not from how that came about.
///
/// Written by one thread. What a picture shows is never written again: a node or record that is older than the last
/// picture is copied, and the copy written to (path copying). Which are older, their generation says, so no reference
/// count is looked at, and nothing is copied twice between two pictures.
class trie {
public:
  trie();

  /// The value of `key`, valid until the next change.
  [[nodiscard]] std::optional<std::string_view> find(std::string_view key) const;
  void put(std::string_view key, std::string_view value);
  /// Adds to the value of `key`, which is empty if it was not there. Takes as long as the suffix warrants, on average.
  void append(std::string_view key, std::string_view suffix);
  /// Says whether it was there.
  bool erase(std::string_view key);

  [[nodiscard]] std::size_t size() const;

  /// A checksum of keys and values: the sum, modulo 2^64, of each entry's `entry_hash`. So it is at hand at any time,
  /// whatever the order in which entries came.
  ///
  /// Two states that differ in one entry's value only, within 8 bytes at multiples of 8, never have the same; any other
  /// two with a chance of 2^-64, for what bugs and broken memory do. It is no guard against somebody who seeks two
  /// states with the same sum.
  [[nodiscard]] std::uint64_t state_hash() const { return state_hash_; }

  /// In constant time. The next write to each part of the trie copies that part, once.
  [[nodiscard]] trie_picture picture();

private:
  template <class How>
  void change(std::string_view key, std::string_view if_absent, const How& how);

  generation now_ = 0; // Before the root, which is made in it.
  std::shared_ptr<trie_node> root_;
  std::uint64_t state_hash_ = 0;
};

/// Walks a picture in the trie's order.
class trie_walk {
public:
  /// `root` must outlive the walk.
  explicit trie_walk(const trie_node& root);
  /// Nothing at the end.
  [[nodiscard]] const record* next();

private:
  std::vector<std::pair<const trie_node*, std::size_t>> path_; // Each node with what comes next in it.
};

/// How many nodes a trie is made of; walks all of them.
[[nodiscard]] std::size_t count_nodes(const trie_node& root);

} // namespace troupe::kv
