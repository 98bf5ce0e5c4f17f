/// \file
/// A node's data directory: whose it is, who uses it now, and whom it has met.
///
///     DIR/LOCK       locked while a process uses the directory; holds its process id
///     DIR/identity   text, replaced as a whole (format below)
///     DIR/log/       the log (log_storage.hpp)
///
/// `identity`, every line ended by a newline, peers in order of their ids:
///
///     troupe data directory, format 1
///     cluster=NAME
///     node=ID
///     uuid=8-4-4-4-12 hexadecimal digits, minted when the directory was first used
///     members=ID,ID,...           (of the cluster, in order)
///     boot=N                      (how often it was opened)
///     lives=LIFE,LIFE,...         (16 hexadecimal digits each: the last 64 boots, the present one first)
///     refused=yes                 (in the present life: the next start is not another one)
///     log=made                    (once there is a log: from then on it must be there)
///     peer=ID:UUID:BOOT:LIFE:REFUSED   (none or more; without those at the end that were never noted)
///     checksum=HHHHHHHH           (CRC-32C of all lines above, hexadecimal)
///
/// Beside it `identity.room`: a block in which the next one is written where there is room for nothing else; behind such
/// an identity there are zeros up to the end of the block.
#pragma once

#include "messages/lives.hpp"
#include "persistence/disk_identity.hpp"
#include "persistence/file_system.hpp"
#include "troupe/types.hpp"
#include "troupe/uuid.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace troupe {

/// A data directory in use. Locked until destroyed.
class data_directory {
public:
  /// Opens the directory for one node of one cluster, and notes the boot durably, with the life that `fresh_uuid`
  /// stands for; on first use makes it, with `fresh_uuid` as its identity. That is random, and drawn anew for each
  /// opening. A life in which the node was refused is gone on with: a copy that is started again and again by whatever
  /// looks after it would else have forgotten at last what those who were away would ask it. Throws `storage_error`,
  /// with what is there, what was asked for and what to do, if another process uses it, if it is another cluster's or
  /// node's or was used with other members (a quorum of a smaller list need not have what a quorum of the larger one
  /// was promised), or if its identity is missing or damaged. `members` is sorted and names the node.
  data_directory(file_system& files, std::string path, std::string cluster, peer_id node, std::vector<peer_id> members,
                 const troupe::uuid& fresh_uuid);

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] const std::string& cluster() const { return content_.cluster; }
  [[nodiscard]] peer_id node() const { return content_.node; }
  /// The identity of this disk: a directory that was lost and made anew has another.
  [[nodiscard]] const troupe::uuid& uuid() const { return content_.disk; }
  /// 1 on first use, then one more each time.
  [[nodiscard]] std::uint64_t boot() const { return content_.boot; }
  /// The numbers of its last lives, the present one first.
  [[nodiscard]] const last_lives& lives() const { return content_.lives; }
  /// Was it made just now?
  [[nodiscard]] bool is_new() const { return content_.boot == 1; }

  /// What a peer's disk is known by.
  struct known_disk {
    troupe::uuid uuid;
    std::uint64_t boot = 0;  ///< The latest the peer was seen in; 0 if that was never noted.
    life_number life = 0;    ///< Which life that was.
    life_number refused = 0; ///< That of an older copy, when it was refused last; 0 if none was.
    friend bool operator==(const known_disk&, const known_disk&) = default;
  };

  /// Whether the others are a quorum without this node: then they can elect a leader that repairs what it has lost.
  [[nodiscard]] bool can_be_repaired() const { return content_.members.size() >= 3; }

  /// The disks of the peers met so far.
  [[nodiscard]] const std::map<peer_id, known_disk>& known_peers() const { return content_.peers; }

  /// Whether the log was ever made. One that is missing later is damage, not a first use: a node without it has
  /// forgotten its votes and what it has acknowledged, under a uuid that its peers believe.
  [[nodiscard]] bool has_log() const { return content_.has_log; }
  /// Remembers, durably when this returns, that the log is made.
  void remember_log();

  /// Remembers a peer's disk, the latest of its lives, and that of a copy that was refused, durably when this returns.
  /// A peer that is known with another disk is the caller's to refuse; asserted here.
  void remember_peer(peer_id peer, const known_disk& disk);

  /// Remembers, durably when this returns, that the node was told to end: it is no other life when it comes back.
  void remember_refusal();

  /// What to write into the files below.
  [[nodiscard]] disk_identity identity() const {
    return {uuid_of_name(content_.cluster), content_.disk, content_.node};
  }
  [[nodiscard]] std::string log_path() const { return path_ + "/log"; }

  /// What the file `identity` says.
  struct content {
    std::string cluster;
    peer_id node;
    troupe::uuid disk;
    std::vector<peer_id> members;
    std::uint64_t boot = 0;
    last_lives lives;
    bool is_refused = false;
    bool has_log = false;
    std::map<peer_id, known_disk> peers;
  };

  /// Reads the identity of the directory at `path`, and nothing else; no lock, no change. Nothing if there is none.
  /// Throws `storage_error` if it is damaged or of a newer program.
  [[nodiscard]] static std::optional<content> read_identity(file_system& files, const std::string& path);

private:
  void require_ours(const std::string& cluster, peer_id node, const std::vector<peer_id>& members) const;
  void save();
  [[nodiscard]] bool use_room_set_aside(std::string text);
  [[nodiscard]] bool use_reserve(const std::string& text);
  void set_room_aside();

  file_system& files_;
  std::string path_;
  std::unique_ptr<file_lock> lock_;
  content content_;
};

} // namespace troupe
