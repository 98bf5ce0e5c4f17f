#include "persistence/data_directory.hpp"
#include "persistence/log_storage.hpp"
#include "stage/simulated_disk.hpp"

#include <doctest/doctest.h>

namespace troupe::test {

namespace {

const auto mine = uuid_of_name("mine");
const auto other = uuid_of_name("other");

const std::vector three{peer_id{1}, peer_id{2}, peer_id{3}};

data_directory open(file_system& files, const std::string& cluster = "troupe", std::uint64_t node = 1) {
  return {files, "data/n1", cluster, peer_id{node}, three, mine};
}

data_directory open_in(file_system& files, const uuid& life) {
  return {files, "data/n1", "troupe", peer_id{1}, three, life};
}

} // namespace

TEST_CASE("a data directory keeps the uuid of its first use and counts boots") {
  simulated_disk disk{1};
  for (std::uint64_t boot = 1; boot <= 3; ++boot) {
    const data_directory directory{disk, "data/n1", "troupe", peer_id{1}, three, boot == 1 ? mine : other};
    CHECK(directory.uuid() == mine);
    CHECK(directory.boot() == boot);
    CHECK(directory.is_new() == (boot == 1));
    disk.crash_losing_all();
  }
}

TEST_CASE("O3: a data directory knows its last lives, so that an older copy of it that lives on is another one") {
  simulated_disk disk{1};
  const auto life = [](const std::string& name) { return uuid_of_name(name); };
  { const auto first = open_in(disk, life("a")); }
  const auto copy = disk.clone();
  { const auto second = open_in(disk, life("b")); }
  const auto original = open_in(disk, life("c"));
  { const auto second = open_in(*copy, life("x")); }
  const auto of_copy = open_in(*copy, life("y"));
  CHECK(original.lives() == last_lives{life_of(life("c")), life_of(life("b")), life_of(life("a"))});
  CHECK(of_copy.lives() == last_lives{life_of(life("y")), life_of(life("x")), life_of(life("a"))});
  CHECK(of_copy.boot() == original.boot());
  CHECK(of_copy.uuid() == original.uuid());
}

TEST_CASE("O3: a copy that is refused and started again and again grows no older") {
  simulated_disk disk{1};
  last_lives lives;
  for (std::uint64_t start = 1; start <= 2 * lives_kept; ++start) {
    auto directory = open_in(disk, uuid_of_name(std::to_string(start)));
    if (start == 1)
      lives = directory.lives();
    CHECK(directory.boot() == 1);
    CHECK(directory.lives() == lives);
    directory.remember_refusal();
    disk.crash_losing_all();
  }
  { const auto believed = open_in(disk, uuid_of_name("believed")); }
  CHECK(open_in(disk, uuid_of_name("next")).boot() == 2);
}

TEST_CASE("a data directory forgets the oldest life when there are too many") {
  simulated_disk disk{1};
  last_lives all;
  for (std::uint64_t boot = 1; boot <= lives_kept + 3; ++boot) {
    const auto fresh = uuid_of_name(std::to_string(boot));
    all.insert(all.begin(), life_of(fresh));
    const auto directory = open_in(disk, fresh);
    CHECK(directory.boot() == boot);
    CHECK(directory.lives() == last_lives(all.begin(), all.begin() + std::min(all.size(), lives_kept)));
  }
}

TEST_CASE("an identity of format 1 reads as it is documented, with lives and without") {
  const auto with_checksum = [](std::string text) {
    char line[32];
    std::snprintf(line, sizeof line, "checksum=%08x\n", crc32c(text));
    return text + line;
  };
  const auto read = [&](const std::string& text) {
    simulated_disk disk{1};
    disk.make_directories("d");
    replace_durably(disk, "d/identity", with_checksum(text));
    return data_directory::read_identity(disk, "d").value();
  };
  const std::string head =
      "troupe data directory, format 1\ncluster=blue\nnode=1\nuuid=" + to_string(mine) + "\nmembers=1,2,3\nboot=2\n";
  const auto peer = "peer=2:" + to_string(other);
  const auto now = read(head + "lives=00000000000000ff,8000000000000001\nlog=made\n" + peer + ":7:0000000000000abc\n");
  CHECK(now.lives == last_lives{0xff, 0x8000000000000001});
  CHECK(now.has_log);
  CHECK(now.peers.at(peer_id{2}) == data_directory::known_disk{other, 7, 0xabc});
  CHECK(read(head + peer + ":7:0000000000000000:0000000000000abc\n").peers.at(peer_id{2})
        == data_directory::known_disk{other, 7, 0, 0xabc});
  CHECK_FALSE(now.is_refused);
  CHECK(read(head + "lives=00000000000000ff\nrefused=yes\nlog=made\n").is_refused);
  const auto before = read(head + peer + ":7\n");
  CHECK(before.lives.empty());
  CHECK(before.peers.at(peer_id{2}) == data_directory::known_disk{other, 7, 0});
  CHECK(read(head + peer + "\n").peers.at(peer_id{2}) == data_directory::known_disk{other, 0, 0});
  for (const auto* wrong : {"lives=\n", "lives=ff\n", "lives=00000000000000FF\n", "lives=00000000000000ff,\n",
                            "refused=no\n", "refused=\n"})
    CHECK_THROWS_AS(read(head + wrong), storage_error);
  for (const auto* wrong : {":0\n", ":7:0000000000000000\n", ":7:0000000000000abc:0000000000000000\n", ":\n"})
    CHECK_THROWS_AS(read(head + peer + wrong), storage_error);
}

TEST_CASE("a data directory remembers the disks and lives of its peers over a power loss") {
  simulated_disk disk{1};
  {
    auto directory = open(disk);
    directory.remember_peer(peer_id{2}, {uuid_of_name("two"), 1, 10});
    directory.remember_peer(peer_id{3}, {uuid_of_name("three"), 7, 70});
    directory.remember_peer(peer_id{2}, {uuid_of_name("two"), 4, 40});
    directory.remember_peer(peer_id{3}, {uuid_of_name("three"), 7, 70, 66}); // A copy was refused.
    directory.remember_peer(peer_id{2}, {uuid_of_name("two"), 3, 30});       // Seen late: it changes nothing.
  }
  disk.crash_losing_all();
  CHECK(open(disk).known_peers()
        == std::map<peer_id, data_directory::known_disk>{{peer_id{2}, {uuid_of_name("two"), 4, 40}},
                                                         {peer_id{3}, {uuid_of_name("three"), 7, 70, 66}}});
}

TEST_CASE("a peer that could not be noted for lack of room is noted when it is tried again") {
  simulated_disk disk{1};
  {
    auto directory = open(disk);
    directory.remember_peer(peer_id{2}, {uuid_of_name("two"), 1, 10});
    disk.limit_to(0);
    directory.remember_peer(peer_id{2}, {uuid_of_name("two"), 2, 20}); // There is a block set aside for one.
    for (int attempt = 0; attempt < 2; ++attempt) {
      CHECK_THROWS_AS(directory.remember_peer(peer_id{2}, {uuid_of_name("two"), 3, 33}), io_error);
      CHECK_THROWS_AS(directory.remember_peer(peer_id{3}, {uuid_of_name("three"), 3, 30}), io_error);
    }
    disk.limit_to(1 << 20);
    directory.remember_peer(peer_id{2}, {uuid_of_name("two"), 3, 33});
    directory.remember_peer(peer_id{3}, {uuid_of_name("three"), 3, 30});
  }
  disk.crash_losing_all();
  CHECK(open(disk).known_peers()
        == std::map<peer_id, data_directory::known_disk>{{peer_id{2}, {uuid_of_name("two"), 3, 33}},
                                                         {peer_id{3}, {uuid_of_name("three"), 3, 30}}});
}

TEST_CASE("Z2 a data directory opens on a disk that is full to the last byte: a block is set aside for that") {
  simulated_disk disk{1};
  { const auto directory = open(disk); }
  for (std::uint64_t boot = 2; boot <= 6; boot += 2) {
    disk.limit_to(disk.used_bytes());
    disk.crash_losing_all();
    CHECK(open(disk).boot() == boot);
    disk.limit_to(1 << 20); // This disk counts bytes. Where blocks count, the one before can be set aside at once.
    disk.crash_losing_all();
    CHECK(open(disk).boot() == boot + 1);
  }
}

TEST_CASE("P12 a crash at any instant of writing an identity into the block set aside leaves the old or the new one") {
  simulated_disk disk{1};
  { const auto directory = open(disk); }
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    const auto copy = disk.clone();
    copy->reseed(seed);
    copy->limit_to(copy->used_bytes());
    std::uint64_t calls = seed % 12;
    copy->on_call([&](const simulated_disk::call&) { return calls-- == 0 ? std::optional{EIO} : std::nullopt; });
    try {
      (void)open(*copy);
    } catch (const io_error&) {
    }
    copy->on_call(nullptr);
    copy->crash();
    copy->limit_to(1 << 20);
    const auto boot = open(*copy).boot();
    CHECK((boot == 2 || boot == 3));
  }
}

TEST_CASE("X7 O1: a second user of a data directory is refused by name until the first is gone") {
  simulated_disk disk{1};
  {
    const auto first = open(disk);
    CHECK_THROWS_WITH_AS(open(disk), doctest::Contains("data/n1: in use by"), storage_error);
  }
  CHECK(open(disk).boot() == 2);
}

TEST_CASE("O1: another cluster's or node's data directory is refused with both names and the remedy") {
  simulated_disk disk{1};
  { const auto first = open(disk, "blue", 2); }
  CHECK_THROWS_WITH_AS(open(disk, "red", 2),
                       doctest::Contains("belongs to cluster \"blue\"; asked for was cluster \"red\""), storage_error);
  CHECK_THROWS_WITH_AS(open(disk, "blue", 7), doctest::Contains("belongs to node 2; asked for was node 7. Use --id 2"),
                       storage_error);
  CHECK(open(disk, "blue", 2).boot() == 2); // A refusal is no boot.
}

TEST_CASE("O2: a directory with files but without an identity is refused") {
  simulated_disk disk{1};
  { const auto first = open(disk); }
  disk.make_directories("data/n1/log");
  disk.remove("data/n1/identity");
  CHECK_THROWS_WITH_AS(open(disk), doctest::Contains("no identity"), storage_error);
}

TEST_CASE("a damaged identity is refused, whichever bit it is") {
  simulated_disk disk{1};
  {
    auto first = open(disk);
    first.remember_peer(peer_id{2}, {other, 12, 5});
  }
  const auto bytes = disk.contents("data/n1/identity");
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    CAPTURE(at);
    const auto copy = disk.clone();
    copy->corrupt("data/n1/identity", at, std::string(1, static_cast<char>(bytes[at] ^ (1 << at % 8))));
    CHECK_THROWS_AS(open(*copy), storage_error);
  }
}

TEST_CASE("power lost at any instant of opening a data directory leaves the identity before or after") {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    simulated_disk disk{seed};
    std::vector<std::unique_ptr<simulated_disk>> images;
    const auto watch = [&] {
      disk.on_call([&](const simulated_disk::call& each) -> std::optional<int> {
        if (each.is_change)
          images.push_back(disk.clone());
        return std::nullopt;
      });
    };
    watch();
    { const auto first = open(disk); }
    const auto images_of_first_use = images.size();
    { const auto second = open(disk); }
    for (std::size_t i = 0; i < images.size(); ++i) {
      CAPTURE(seed);
      CAPTURE(i);
      images[i]->crash();
      const auto directory = open(*images[i]);
      CHECK(directory.uuid() == mine);
      CHECK(directory.boot() >= (i < images_of_first_use ? 1 : 2));
      CHECK(directory.boot() <= 3);
    }
  }
}

TEST_CASE("a uuid is written and read in the usual form") {
  const auto text = to_string(mine);
  CHECK(text.size() == 36);
  CHECK(parse_uuid(text) == mine);
  CHECK_FALSE(parse_uuid(text.substr(1)));
  CHECK_FALSE(parse_uuid(text + "0"));
  CHECK_FALSE(parse_uuid("zz" + text.substr(2)));
  CHECK(uuid_of_name("a") != uuid_of_name("b"));
}

TEST_CASE("O2: a directory used with other members is refused: their quorums need not meet") {
  simulated_disk disk{1};
  { const auto directory = open(disk); }
  try {
    const data_directory directory{disk, "data/n1", "troupe", peer_id{1}, {peer_id{1}}, mine};
    FAIL("a member alone would elect itself");
  } catch (const storage_error& refused) {
    CHECK(refused.why().find("nodes 1,2,3; asked for were nodes 1.") != std::string::npos);
  }
}

TEST_CASE("P11: once there was a log it must be there: a node without it has forgotten its votes") {
  simulated_disk disk{1};
  log_options log;
  log.segment_bytes = 4096;
  {
    auto directory = open(disk);
    CHECK_FALSE(directory.has_log());
    log.identity = directory.identity();
    const log_storage made{disk, directory.log_path(), log};
    directory.remember_log();
  }
  disk.crash_losing_all();
  const auto directory = open(disk);
  CHECK(directory.has_log());
  log.must_exist = true;
  { const log_storage still_there{disk, directory.log_path(), log}; }
  for (const auto& name : disk.list(directory.log_path()))
    if (name != "snapshots") // A directory, and empty.
      disk.remove(directory.log_path() + "/" + name);
  CHECK_THROWS_AS((log_storage{disk, directory.log_path(), log}), storage_error);
}

} // namespace troupe::test
