#include "app/kv/hash.hpp"

#include <bit>
#include <cstring>

namespace troupe::kv {

namespace {

// 2^64 divided by the golden ratio, made odd: multiples of it are spread evenly.
constexpr std::uint64_t golden = 0x9e3779b97f4a7c15;

/// A bijection in which each bit depends on all (Stafford's thirteenth variant of MurmurHash3's finalizer).
std::uint64_t mix(std::uint64_t x) {
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
  x = (x ^ x >> 27) * 0x94d049bb133111eb;
  return x ^ x >> 31;
}

/// Up to eight bytes, little-endian, zeros behind them.
std::uint64_t word_at(const char* bytes, std::size_t size) {
  std::uint64_t word = 0;
  if constexpr (std::endian::native == std::endian::little)
    std::memcpy(&word, bytes, size);
  else
    for (std::size_t i = 0; i < size; ++i)
      word |= static_cast<std::uint64_t>(static_cast<unsigned char>(bytes[i])) << 8 * i;
  return word;
}

struct sip_state {
  std::uint64_t v0, v1, v2, v3;

  void rounds(int n) {
    for (; n > 0; --n) {
      v0 += v1;
      v2 += v3;
      v1 = std::rotl(v1, 13) ^ v0;
      v3 = std::rotl(v3, 16) ^ v2;
      v0 = std::rotl(v0, 32);
      v2 += v1;
      v0 += v3;
      v1 = std::rotl(v1, 17) ^ v2;
      v3 = std::rotl(v3, 21) ^ v0;
      v2 = std::rotl(v2, 32);
    }
  }

  void take(std::uint64_t word, int n) {
    v3 ^= word;
    rounds(n);
    v0 ^= word;
  }
};

} // namespace

template <int compress, int finish>
std::uint64_t sip_hash(std::string_view bytes, std::uint64_t key_low, std::uint64_t key_high) {
  auto state = sip_state{key_low ^ 0x736f6d6570736575, key_high ^ 0x646f72616e646f6d, key_low ^ 0x6c7967656e657261,
                         key_high ^ 0x7465646279746573};
  std::size_t at = 0;
  for (; at + 8 <= bytes.size(); at += 8)
    state.take(word_at(bytes.data() + at, 8), compress);
  state.take(word_at(bytes.data() + at, bytes.size() - at) | static_cast<std::uint64_t>(bytes.size()) << 56, compress);
  state.v2 ^= 0xff;
  state.rounds(finish);
  return state.v0 ^ state.v1 ^ state.v2 ^ state.v3;
}

template std::uint64_t sip_hash<1, 3>(std::string_view, std::uint64_t, std::uint64_t);
template std::uint64_t sip_hash<2, 4>(std::string_view, std::uint64_t,
                                      std::uint64_t); // The one with published examples.

std::uint64_t key_hash(std::string_view key) {
  return sip_hash<1, 3>(key, 0x7472756f70652d6b, 0x762d736e61702d32);
}

std::uint64_t words_sum(std::string_view bytes, std::uint64_t first_word) {
  std::uint64_t sum = 0;
  auto place = (first_word + 1) * golden;
  std::size_t at = 0;
  for (; at + 8 <= bytes.size(); at += 8, place += golden)
    sum += mix(word_at(bytes.data() + at, 8) + place);
  if (at < bytes.size())
    sum += mix(word_at(bytes.data() + at, bytes.size() - at) + place);
  return sum;
}

std::uint64_t entry_hash(std::uint64_t key_hash, std::uint64_t sum, std::uint64_t value_bytes) {
  return mix(sum + mix(key_hash + (value_bytes + 1) * golden));
}

} // namespace troupe::kv
