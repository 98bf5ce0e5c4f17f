/// \file
/// The hashes that the store's order and its checksum rest on. Snapshots and replicas agree by them: they are the same
/// on every machine and in every version, so no std::hash.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace troupe::kv {

/// SipHash (Aumasson, Bernstein: "SipHash: a fast short-input PRF", 2012), `compress` rounds per word and `finish` at
/// the end, with a key of two words.
template <int compress, int finish>
[[nodiscard]] std::uint64_t sip_hash(std::string_view bytes, std::uint64_t key_low, std::uint64_t key_high);

/// Where a key stands in the store: SipHash-1-3 with a key of our own, which anyone can read here. Chosen for its
/// mixing; that colliding keys are hard to make is welcome, but nothing leans on it (a leaf of the trie takes any
/// number).
[[nodiscard]] std::uint64_t key_hash(std::string_view key);

/// A sum, modulo 2^64, over the 8-byte words of a value (the last padded with zeros), each mixed with its place. Being
/// a sum it can be brought up to date when bytes are added behind: only the last word and the new ones are read.
///
/// `first_word` is the place of `bytes` within the value, counted in words.
[[nodiscard]] std::uint64_t words_sum(std::string_view bytes, std::uint64_t first_word = 0);

/// What one entry adds to the hash of the whole state; see `trie::state_hash`. For given key and size a bijection of
/// `sum`, which is the value's `words_sum`: two values that differ in one word alone never agree.
[[nodiscard]] std::uint64_t entry_hash(std::uint64_t key_hash, std::uint64_t sum, std::uint64_t value_bytes);

} // namespace troupe::kv
