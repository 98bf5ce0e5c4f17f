#include "effort.hpp"
#include "snapshots.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <optional>
#include <set>

namespace troupe::test {

namespace {

const std::string directory = "d/log/snapshots";
constexpr std::size_t ends_bytes = snapshot_footer_bytes + snapshot_header_bytes;
constexpr std::size_t whole_chunk_bytes = snapshot_chunk_header_bytes + snapshot_chunk_bytes;

/// Overwrites part of a file, as if it had always been so.
void overwrite(simulated_disk& disk, const std::string& path, std::size_t at, std::string_view with) {
  const auto target = disk.open(path, open_mode::update);
  target->write_at(at, with);
  target->sync_data();
}

/// A snapshot that gets hurt, and an older, whole one beside it.
class patient {
public:
  explicit patient(std::size_t size, std::uint64_t seed = 1) : content_{noise(seed, size)} {
    snapshot_store store{disk_, directory, owner};
    store.open();
    save(store.plan_write(group_id{0}, mark_at(4)), "older");
    save(store.plan_write(group_id{0}, mark_at(9)), content_);
    bytes_ = disk_.contents(path_);
  }

  [[nodiscard]] const std::string& bytes() const { return bytes_; }
  [[nodiscard]] std::size_t footer_at() const { return bytes_.size() - ends_bytes; }
  [[nodiscard]] static std::size_t chunk_at(std::size_t number) {
    return snapshot_header_bytes + number * whole_chunk_bytes;
  }

  /// Where the part of the file begins that this byte belongs to: an end, or a chunk.
  [[nodiscard]] std::size_t part_of(std::size_t at) const {
    if (at < snapshot_header_bytes)
      return 0;
    if (at >= footer_at())
      return at - (at - footer_at()) % snapshot_footer_bytes;
    return chunk_at((at - snapshot_header_bytes) / whole_chunk_bytes);
  }

  /// Has other bytes at one place for the time of one look. Returns the offset it was refused with.
  std::optional<std::uint64_t> with(std::size_t at, std::string_view other) {
    const auto before = bytes_.substr(at, other.size());
    overwrite(disk_, path_, at, other);
    const auto offset = look(disk_, before != other);
    overwrite(disk_, path_, at, before);
    return offset;
  }

  /// Has quite another file for the time of one look.
  std::optional<std::uint64_t> with_file(std::string_view other) {
    const auto copy = disk_.clone();
    copy->resize(path_, other.size());
    overwrite(*copy, path_, 0, other);
    return look(*copy, other != bytes_);
  }

  /// Has only so many bytes.
  std::optional<std::uint64_t> cut_to(std::size_t size) {
    const auto copy = disk_.clone();
    copy->resize(path_, size);
    return look(*copy, size != bytes_.size());
  }

  [[nodiscard]] std::string counts() const {
    return std::to_string(refused_ + unchanged_) + " cases: " + std::to_string(refused_)
        + " refused with file and offset, " + std::to_string(unchanged_) + " read back equal, 0 accepted changed";
  }

private:
  std::optional<std::uint64_t> look(simulated_disk& disk, bool is_changed) {
    const auto changes = disk.changes();
    snapshot_store store{disk, directory, owner};
    found_snapshots found;
    try {
      found = store.find(group_id{0});
    } catch (const storage_error& refused) {
      // Both ends are another snapshot's: whose file this is, is in doubt, and nothing of it is used.
      REQUIRE(is_changed);
      REQUIRE(refused.file() == path_);
      REQUIRE(disk.changes() == changes);
      ++refused_;
      return refused.offset();
    }
    REQUIRE(found.whole.size() + found.damaged.size() == 2);
    REQUIRE(found.whole.front() == mark_at(4, 1, 5));
    REQUIRE((found.whole.size() == 1) == is_changed);
    read_what_can_be(disk);
    REQUIRE(disk.changes() == changes); // A refusal changes nothing.
    if (!is_changed) {
      REQUIRE(found.whole.back() == mark_at(9, 1, content_.size()));
      ++unchanged_;
      return std::nullopt;
    }
    ++refused_;
    REQUIRE(found.damaged.front().file == path_);
    REQUIRE(found.damaged.front().why.starts_with("damaged: "));
    return found.damaged.front().offset;
  }

  /// What a reader gives out of a damaged snapshot, chunk by chunk, is what was written there.
  void read_what_can_be(simulated_disk& disk) {
    std::optional<snapshot_file> snapshot;
    try {
      snapshot.emplace(disk, path_, owner);
    } catch (const damaged_snapshot&) {
      return;
    }
    REQUIRE(snapshot->mark().size_bytes == content_.size());
    for (std::size_t at = 0; at < content_.size(); at += snapshot_chunk_bytes) {
      const auto expected = content_.substr(at, snapshot_chunk_bytes);
      auto part = expected;
      try {
        part = snapshot->read(at, snapshot_chunk_bytes);
      } catch (const damaged_snapshot&) {
        // The second time as well.
      }
      REQUIRE((part == expected));
      try {
        part = snapshot->read(at, snapshot_chunk_bytes);
      } catch (const damaged_snapshot& refused) {
        REQUIRE(refused.file() == path_);
        REQUIRE(refused.offset() == chunk_at(at / snapshot_chunk_bytes));
      }
      REQUIRE((part == expected));
    }
  }

  simulated_disk disk_{1};
  std::string path_ = snapshot_path(0, 9);
  std::string content_;
  std::string bytes_;
  std::size_t refused_ = 0;
  std::size_t unchanged_ = 0;
};

} // namespace

TEST_SUITE("surgery") {

  TEST_CASE("S10: any flipped bit of a snapshot of 64 KiB is found, and the part of the file it is in is named") {
    patient snapshot{snapshot_chunk_bytes};
    const auto& bytes = snapshot.bytes();
    // The ends, and what is before and behind them, bit by bit; of the content some.
    const auto flip = [&](std::size_t bit) {
      CAPTURE(bit);
      const auto at = bit / 8;
      const char flipped = static_cast<char>(bytes[at] ^ (1 << bit % 8));
      REQUIRE(snapshot.with(at, {&flipped, 1}) == snapshot.part_of(at));
    };
    const auto first = std::size_t{600} * 8;
    const auto last = (snapshot.footer_at() - 88) * 8;
    const auto step = stride(1);
    for (std::size_t bit = 0; bit < bytes.size() * 8;
         bit += bit < first || bit >= last ? 1 : std::min(step, last - bit))
      flip(bit);
    MESSAGE(snapshot.counts());
  }

  TEST_CASE("S10 P5: a block of a snapshot that is zeros, or another block, or has changed places, is found") {
    patient snapshot{200'000};
    const auto& bytes = snapshot.bytes();
    std::mt19937_64 random{7};
    for (const std::size_t block : {std::size_t{512}, std::size_t{4096}}) {
      const auto blocks = bytes.size() / block;
      const auto of = [&](std::size_t i) { return bytes.substr(i * block, block); };
      const auto swapped = [&](std::size_t i, std::size_t j) {
        auto other = bytes;
        other.replace(i * block, block, of(j)).replace(j * block, block, of(i));
        snapshot.with_file(other);
      };
      for (std::size_t i = 0; i < blocks; ++i) {
        CAPTURE(block);
        CAPTURE(i);
        snapshot.with(i * block, std::string(block, '\0'));
        snapshot.with((i + 1) % blocks * block, of(i));
        swapped(i, (i + 1) % blocks);
      }
      for (std::size_t pair = 0, all = blocks * blocks, step = stride(block == 512 ? 131 : 3); pair < all;
           pair += step) {
        const auto i = pair / blocks;
        const auto j = pair % blocks;
        CAPTURE(block);
        CAPTURE(pair);
        snapshot.with(i * block, of(j));
        if (i < j)
          swapped(i, j);
      }
    }
    MESSAGE(snapshot.counts());
  }

  TEST_CASE("S1 S10: a snapshot that ends early, or is zeros from somewhere on, is found") {
    patient snapshot{snapshot_chunk_bytes + 1000};
    const auto size = snapshot.bytes().size();
    for (std::size_t end = 0; end < size; end += end + 4096 < size ? 64 : 1) {
      CAPTURE(end);
      snapshot.cut_to(end);
      snapshot.with(end, std::string(size - end, '\0'));
    }
    snapshot.with_file(snapshot.bytes() + '\0');
    snapshot.with_file(snapshot.bytes() + snapshot.bytes());
    MESSAGE(snapshot.counts());
  }

  TEST_CASE("S9 S10: chunks that are doubled, swapped, missing or of another snapshot are found") {
    constexpr std::size_t chunks = 4;
    patient snapshot{(chunks - 1) * snapshot_chunk_bytes + 20'000, 1};
    // As large, of the same group: one of another index, and one of the same that was written before.
    simulated_disk elsewhere{2};
    snapshot_store others{elsewhere, directory, owner};
    others.open();
    save(others.plan_write(group_id{0}, mark_at(8)), noise(2, (chunks - 1) * snapshot_chunk_bytes + 20'000));
    save(others.plan_write(group_id{0}, mark_at(9)), noise(3, (chunks - 1) * snapshot_chunk_bytes + 20'000));
    const auto& mine = snapshot.bytes();
    const auto begin_of = [&](std::size_t part) -> std::size_t {
      if (part == 0)
        return 0;
      return part <= chunks ? snapshot.chunk_at(part - 1)
                            : snapshot.footer_at() + (part - chunks - 1) * snapshot_footer_bytes;
    };
    constexpr std::size_t parts = chunks + 3;
    const auto part_of = [&](const std::string& file, std::size_t part) {
      return file.substr(begin_of(part), part + 1 < parts ? begin_of(part + 1) - begin_of(part) : std::string::npos);
    };

    SUBCASE("every choice of parts of two snapshots of different indices") {
      const auto other = elsewhere.contents(snapshot_path(0, 8));
      for (unsigned choice = 0; choice + 1 < 1u << parts; ++choice) {
        CAPTURE(choice);
        std::string mixed;
        for (std::size_t part = 0; part < parts; ++part)
          mixed += part_of((choice >> part & 1) != 0 ? other : mine, part);
        snapshot.with_file(mixed);
      }
    }
    SUBCASE("every order of the chunks, and every way to have one twice") {
      for (std::size_t order = 0; order < chunks * chunks * chunks * chunks; ++order) {
        CAPTURE(order);
        std::string mixed = part_of(mine, 0);
        for (std::size_t place = 0, rest = order; place < chunks; ++place, rest /= chunks)
          mixed += part_of(mine, 1 + rest % chunks);
        for (auto part = chunks + 1; part < parts; ++part)
          mixed += part_of(mine, part);
        snapshot.with_file(mixed);
      }
    }
    SUBCASE("every chunk missing") {
      for (std::size_t chunk = 0; chunk < chunks; ++chunk) {
        auto shorter = mine;
        snapshot.with_file(shorter.erase(begin_of(chunk + 1), part_of(mine, chunk + 1).size()));
      }
    }
    MESSAGE(snapshot.counts());
  }

  TEST_CASE("S9: chunks of a replaced snapshot of the same index are each whole, and found together") {
    patient snapshot{3 * snapshot_chunk_bytes, 1};
    simulated_disk elsewhere{2};
    snapshot_store others{elsewhere, directory, owner};
    others.open();
    save(others.plan_write(group_id{0}, mark_at(9)), noise(3, 3 * snapshot_chunk_bytes));
    const auto other = elsewhere.contents(snapshot_path(0, 9));
    simulated_disk disk{3};
    snapshot_store store{disk, directory, owner};
    store.open();
    save(store.plan_write(group_id{0}, mark_at(9)), noise(1, 3 * snapshot_chunk_bytes));
    overwrite(disk, snapshot_path(0, 9), patient::chunk_at(1), other.substr(patient::chunk_at(1), whole_chunk_bytes));
    const auto found = store.find(group_id{0});
    REQUIRE(found.damaged.size() == 1);
    CHECK(found.damaged.front().offset == snapshot.footer_at());
    CHECK(found.damaged.front().why.find("not those that the footer speaks for") != std::string::npos);
  }

  TEST_CASE("S10: what a device cannot read back is damage too") {
    simulated_disk disk{1};
    snapshot_store store{disk, directory, owner};
    store.open();
    save(store.plan_write(group_id{0}, mark_at(4)), "older");
    save(store.plan_write(group_id{0}, mark_at(9)), "newer");
    disk.on_call([&](const simulated_disk::call& each) -> std::optional<int> {
      if (each.what == simulated_disk::operation::read && each.path == snapshot_path(0, 9))
        return EIO;
      return std::nullopt;
    });
    const auto found = store.find(group_id{0});
    CHECK(found.whole == std::vector{mark_at(4, 1, 5)});
    REQUIRE(found.damaged.size() == 1);
    CHECK(found.damaged.front().file == snapshot_path(0, 9));
  }

  namespace {

  /// The snapshots of a group, by index, and what each may hold: nothing among the choices means that it may be
  /// missing.
  using choices = std::map<std::uint64_t, std::set<std::optional<std::string>>>;

  struct instant {
    std::unique_ptr<simulated_disk> disk;
    choices allowed;
  };

  /// What is there after a start, each read back whole.
  std::map<std::uint64_t, std::string> found_on(simulated_disk& disk) {
    snapshot_store store{disk, directory, owner};
    store.open();
    const auto found = store.find(group_id{0});
    REQUIRE(found.damaged.empty());
    REQUIRE(disk.list(directory).size() == found.whole.size());
    std::map<std::uint64_t, std::string> all;
    for (const auto& each : found.whole)
      all[each.at.index.value()] = content_of(*store.plan_read(group_id{0}, each.at.index)());
    return all;
  }

  bool is_allowed(const choices& allowed, const std::map<std::uint64_t, std::string>& found) {
    for (const auto& [index, content] : found)
      if (!allowed.contains(index))
        return false;
    return std::all_of(allowed.begin(), allowed.end(), [&](const auto& each) {
      const auto at = found.find(each.first);
      return each.second.contains(at == found.end() ? std::nullopt : std::optional{at->second});
    });
  }

  /// Writes, replaces, leaves unfinished and removes snapshots, and takes the disk's image before each change.
  std::vector<instant> instants_of(std::uint64_t seed) {
    simulated_disk disk{seed};
    std::vector<instant> all;
    choices allowed;
    disk.on_call([&](const simulated_disk::call& each) -> std::optional<int> {
      if (each.is_change || each.what == simulated_disk::operation::open)
        all.push_back({disk.clone(), allowed});
      return std::nullopt;
    });
    snapshot_store store{disk, directory, owner};
    store.open();
    const auto write = [&](std::uint64_t index, std::size_t size) {
      const auto content = noise(seed + index + size, size);
      auto& mine = allowed[index];
      if (mine.empty())
        mine.insert(std::nullopt);
      mine.insert(content);
      save(store.plan_write(group_id{0}, mark_at(index)), content);
      mine = {content};
    };
    const auto remove_below = [&](std::uint64_t index) {
      for (auto& [each, mine] : allowed)
        if (each < index)
          mine.insert(std::nullopt);
      store.remove_below(group_id{0}, log_index{index});
    };
    write(5, 1000);
    write(9, 150'000);
    write(9, 70'000);
    { write_all(*store.plan_write(group_id{0}, mark_at(12))(), noise(seed, 90'000)); }
    write(14, 0);
    remove_below(9);
    write(20, 66'000);
    remove_below(15);
    all.push_back({disk.clone(), allowed});
    return all;
  }

  } // namespace

  TEST_CASE("S1 P8: power lost at any change while snapshots are written and removed: each is whole or not there") {
    std::size_t cases = 0;
    for (std::uint64_t seed = 1; seed <= rounds(4); ++seed) {
      const auto instants = instants_of(seed);
      for (std::size_t i = 0; i < instants.size(); ++i)
        for (std::uint64_t crash = 0; crash < 8; ++crash) {
          CAPTURE(seed);
          CAPTURE(i);
          CAPTURE(crash);
          const auto& [before, allowed] = instants[i];
          const auto disk = before->clone();
          disk->reseed(seed * 1000 + crash);
          if (crash == 0)
            disk->crash_losing_all();
          else if (crash == 1)
            disk->crash_keeping([](const std::string&, std::uint64_t, std::size_t versions) { return versions; });
          else if (crash == 2)
            disk->end_processes();
          else
            disk->crash();
          ++cases;
          const auto found = found_on(*disk);
          REQUIRE(is_allowed(allowed, found));
          // What a start has found, it may have told: it stays.
          disk->crash_losing_all();
          REQUIRE(found_on(*disk) == found);
        }
    }
    MESSAGE(cases << " crashes");
  }

} // TEST_SUITE

} // namespace troupe::test
