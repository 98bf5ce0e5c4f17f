#include "persistence/log_inspection.hpp"

#include "persistence/data_directory.hpp"
#include "persistence/hint_file.hpp"
#include "persistence/record.hpp"
#include "persistence/recovery.hpp"
#include "persistence/segment.hpp"
#include "persistence/snapshot_store.hpp"
#include "persistence/vote_file.hpp"
#include "troupe/assert.hpp"

#include <algorithm>
#include <map>
#include <ostream>
#include <utility>

namespace troupe {

namespace {

/// Every header has its owner here.
constexpr std::uint64_t owner_at = 24;
/// A running node changes files while they are read: so often they are read again before what is seen is believed.
constexpr int attempts = 5;

/// Lets nothing through that could change anything.
class only_reading final : public file_system {
public:
  explicit only_reading(file_system& files) : files_{files} {}

  std::unique_ptr<file> open(const std::string& path, open_mode mode) override {
    TROUPE_ASSERT(mode != open_mode::create, "an inspection makes no files");
    return files_.open(path, open_mode::read);
  }
  void rename(const std::string&, const std::string&) override { refuse(); }
  void remove(const std::string&) override { refuse(); }
  std::vector<std::string> list(const std::string& directory) override { return files_.list(directory); }
  bool exists(const std::string& path) override { return files_.exists(path); }
  void make_directories(const std::string&) override { refuse(); }
  void sync_directory(const std::string&) override { refuse(); }
  std::unique_ptr<file_lock> lock(const std::string&) override {
    refuse();
    return nullptr;
  }

private:
  static void refuse() { TROUPE_ASSERT(false, "an inspection changes nothing"); }

  file_system& files_;
};

/// Whose a file says it is; nothing if it is too short, or not there.
std::optional<disk_identity> owner_in(file_system& files, const std::string& path) {
  std::string bytes(owner_at + disk_identity_bytes, '\0');
  if (!files.exists(path) || files.open(path, open_mode::read)->read_at(0, bytes) != bytes.size())
    return std::nullopt;
  return get_identity(bytes.data() + owner_at);
}

std::vector<std::string> segments_in(file_system& files, const std::string& directory) {
  std::vector<std::string> names;
  if (files.exists(directory))
    for (const auto& name : files.list(directory))
      if (segment_number(name))
        names.push_back(name);
  return names;
}

/// One look at a data directory.
class inspector {
public:
  inspector(file_system& files, std::string path) : files_{files}, path_{std::move(path)}, log_{path_ + "/log"} {}

  log_inspection look() {
    attempt([&] { look_at_identity(); });
    attempt([&] { look_at_log(); });
    attempt([&] { look_at_votes(); });
    attempt([&] { look_at_snapshots(); });
    return std::move(found_);
  }

private:
  template <class Part>
  void attempt(Part part) {
    try {
      part();
    } catch (const storage_error& error) {
      const auto lsn = error.records() ? std::optional{error.records()->first} : std::nullopt;
      complain(error.kind() == damage::suspect ? log_verdict::suspect : log_verdict::corrupt,
               {error.file(), error.offset(), lsn, error.why()});
    } catch (const io_error& error) {
      complain(log_verdict::corrupt, {error.path(), std::nullopt, std::nullopt, error.what()});
    }
  }

  void complain(log_verdict verdict, log_problem problem) {
    found_.verdict = std::max(found_.verdict, verdict);
    found_.problems.push_back(std::move(problem));
  }

  void look_at_identity() {
    // Without it the rest is compared with what its own files say.
    for (const auto& name : segments_in(files_, log_))
      owner_ = owner_in(files_, log_ + "/" + name).value_or(owner_);
    const auto content = data_directory::read_identity(files_, path_);
    if (!content)
      throw storage_error{path_ + "/identity", "missing: this is not a node's data directory, or it was one"};
    owner_ = {uuid_of_name(content->cluster), content->disk, content->node};
    has_log_ = content->has_log;
  }

  void look_at_log() {
    if (!files_.exists(log_) || segments_in(files_, log_).empty()) {
      if (has_log_)
        throw storage_error{log_, "missing, though this node has had a log"};
      if (!files_.exists(log_))
        return;
    }
    auto log = read_log(files_, log_, owner_);
    found_.records = log.report.records;
    if (const auto& cut = log.report.cut)
      complain(log_verdict::torn,
               {cut->file, cut->offset, cut->lsn,
                "a write that a crash cut short, " + std::to_string(cut->bytes)
                    + " bytes, which a start undoes: " + cut->why});
    if (log.report.healed_hints > 0)
      complain(log_verdict::intact,
               {hint_path(log_), std::nullopt, std::nullopt,
                "one of two copies is damaged: a start rewrites it from the other"});
    groups_ = std::move(log.groups);
  }

  void look_at_votes() {
    if (!has_log_ && !files_.exists(log_ + "/votes"))
      return;
    vote_file votes{files_, log_, owner_, false};
    require_remembered_terms(log_, groups_, votes);
    if (votes.stale() > 0)
      complain(log_verdict::intact,
               {log_ + "/votes", std::nullopt, std::nullopt,
                std::to_string(votes.stale()) + " copies are damaged or old: a start rewrites them from their twins"});
  }

  void look_at_snapshots() {
    snapshot_store snapshots{files_, log_ + "/snapshots", owner_};
    const auto& all = snapshots.read_all();
    for (const auto& [group, found] : all)
      for (const auto& each : found.damaged)
        complain(log_verdict::corrupt, {each.file, each.offset, std::nullopt, each.why});
    for (const auto& [group, log] : groups_) {
      const auto at = all.find(group);
      require_no_gap(log_ + "/snapshots", group, log.start(), at == all.end() ? found_snapshots{} : at->second);
    }
  }

  file_system& files_;
  std::string path_;
  std::string log_;
  disk_identity owner_;
  bool has_log_ = false;
  std::unordered_map<group_id, group_log> groups_;
  log_inspection found_;
};

/// What tells one moment of a running node's log from another.
std::optional<std::uint64_t> moment(file_system& files, const std::string& log) {
  try {
    const auto owner = owner_in(files, hint_path(log));
    const auto hint = owner ? find_hint(files, log, *owner) : std::nullopt;
    return hint ? std::optional{hint->generation} : std::nullopt;
  } catch (const std::runtime_error&) {
    return std::nullopt;
  }
}

/// Prints what lies in a log.
class printer {
public:
  printer(file_system& files, std::string log, std::ostream& out) : files_{files}, log_{std::move(log)}, out_{out} {}

  bool print() {
    for (const auto& name : segments_in(files_, log_))
      attempt(name, [&] { print_segment(name); });
    attempt("votes", [&] { print_votes(); });
    attempt("hint", [&] { print_hint(); });
    return is_whole_;
  }

private:
  template <class Part>
  void attempt(const std::string& name, Part part) {
    try {
      part();
    } catch (const std::runtime_error& error) {
      bad(name, 0, error.what());
    }
  }

  void bad(const std::string& name, std::uint64_t offset, const std::string& why) {
    is_whole_ = false;
    out_ << "file=" << name << " offset=" << offset << " damaged=\"" << why << "\"\n";
  }

  void print_segment(const std::string& name) {
    const auto path = log_ + "/" + name;
    const auto bytes = read_whole(files_, path);
    const auto header = decode_segment_header(path, bytes, owner_in(files_, path).value_or(disk_identity{}));
    out_ << "file=" << name << " segment=" << header.number << " bytes=" << bytes.size()
         << " declared=" << header.size_bytes << " first_lsn=" << header.first_lsn << '\n';
    const std::string_view all{bytes};
    for (std::uint64_t at = segment_header_bytes; at < all.size();) {
      if (const auto used = all.find_first_not_of('\0', at); used == all.npos)
        return;
      const auto found = decode_header(all.substr(at), header.salt);
      if (!found) {
        const auto next = next_record(all, at, header.salt);
        bad(name, at, "no record for " + std::to_string(next - at) + " bytes");
        at = next;
        continue;
      }
      print_record(name, at, found->header, all.substr(at));
      // A length in a header that is whole can be believed; where it leads to nothing, the search goes on.
      at += std::min<std::uint64_t>(record_bytes(found->header.payload_bytes), all.size() - at);
    }
  }

  static std::uint64_t next_record(std::string_view all, std::uint64_t at, std::uint32_t salt) {
    for (at += record_alignment; at + record_header_bytes <= all.size(); at += record_alignment)
      if (decode_header(all.substr(at), salt))
        return at;
    return all.size();
  }

  void print_record(const std::string& name, std::uint64_t at, const record_header& header, std::string_view bytes) {
    out_ << "file=" << name << " offset=" << at << " lsn=" << header.lsn << " group=" << header.group.value()
         << " kind=";
    const auto payload = bytes.substr(record_header_bytes, header.payload_bytes);
    bool is_good = bytes.size() >= record_bytes(header.payload_bytes)
        && bytes.substr(record_header_bytes + header.payload_bytes).starts_with(trailer_of(header.payload_bytes));
    switch (header.type) {
    case record_type::entries:
      out_ << "entries term=" << header.term.value() << " first=" << header.first.value()
           << " last=" << header.first.value() + header.count - 1;
      is_good = is_good && batch_of(header, shared_bytes{nullptr, payload});
      break;
    case record_type::truncation: out_ << "truncation first=" << header.first.value(); break;
    case record_type::start: {
      const auto start = start_of(header, payload);
      out_ << "start term=" << header.term.value() << " behind=" << header.first.value()
           << " voids=" << (header.voids ? "yes" : "no");
      if (start)
        out_ << " oldest_snapshot=" << start->oldest_snapshot.value();
      is_good = is_good && start;
      break;
    }
    default: out_ << static_cast<int>(header.type);
    }
    out_ << " bytes=" << record_bytes(header.payload_bytes) << " time=" << header.leader_time
         << " synced_upto=" << header.synced_upto << (is_good ? "" : " damaged=yes") << '\n';
    is_whole_ = is_whole_ && is_good;
  }

  void print_votes() {
    const auto owner = owner_in(files_, log_ + "/votes");
    const vote_file votes{files_, log_, owner.value_or(disk_identity{}), false};
    auto groups = votes.groups();
    std::sort(groups.begin(), groups.end());
    for (const auto group : groups)
      out_ << "file=votes group=" << group.value() << " term=" << votes.of(group).current_term.value()
           << " voted_for=" << votes.of(group).voted_for.value() << '\n';
  }

  void print_hint() {
    const auto hint = find_hint(files_, log_, owner_in(files_, hint_path(log_)).value_or(disk_identity{}));
    if (!hint)
      return bad("hint", 0, "missing");
    out_ << "file=hint generation=" << hint->generation << " durable=" << hint->says.durable
         << " first_segment=" << hint->says.first_segment << " last_segment=" << hint->says.last_segment
         << " bad_copies=" << hint->bad_copies << '\n';
    is_whole_ = is_whole_ && hint->bad_copies == 0;
  }

  file_system& files_;
  std::string log_;
  std::ostream& out_;
  bool is_whole_ = true;
};

} // namespace

std::string to_string(log_verdict verdict) {
  switch (verdict) {
  case log_verdict::intact: return "intact";
  case log_verdict::torn: return "torn";
  case log_verdict::suspect: return "suspect";
  case log_verdict::corrupt: return "corrupt";
  }
  return "";
}

log_inspection verify_log(file_system& files, const std::string& data_directory) {
  only_reading guarded{files};
  const auto log = data_directory + "/log";
  log_inspection found;
  for (int i = 0; i < attempts; ++i) {
    const auto before = moment(guarded, log);
    found = inspector{guarded, data_directory}.look();
    if (found.verdict == log_verdict::intact || moment(guarded, log) == before)
      break;
  }
  return found;
}

bool dump_log(file_system& files, const std::string& data_directory, std::ostream& out) {
  only_reading guarded{files};
  return printer{guarded, data_directory + "/log", out}.print();
}

} // namespace troupe
