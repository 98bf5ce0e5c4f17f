#include "persistence/log_dump.hpp"

#include "persistence/hint_file.hpp"
#include "persistence/inspected_files.hpp"
#include "persistence/readable_part.hpp"
#include "persistence/record.hpp"
#include "persistence/segment.hpp"
#include "persistence/vote_file.hpp"

#include <algorithm>
#include <ostream>
#include <utility>

namespace troupe {

namespace {

/// Prints what lies in a log.
class printer {
public:
  printer(file_system& files, std::string log, std::ostream& out) : files_{files}, log_{std::move(log)}, out_{out} {}

  bool print() {
    for (const auto& name : segments_in(files_, log_))
      attempt(name, [&] { print_segment(name); });
    attempt("votes", [&] { print_votes(); });
    attempt("hint", [&] { print_hint(); });
    attempt("snapshots", [&] { print_snapshots(); });
    return is_whole_;
  }

private:
  template <class Part>
  void attempt(const std::string& name, Part part) {
    try {
      part();
    } catch (const storage_error& error) {
      bad(name, error.offset().value_or(0), error.why());
    } catch (const io_error& error) {
      if (is_forbidden(error))
        throw;
      bad(name, 0, error.what());
    }
  }

  void bad(const std::string& name, std::uint64_t offset, const std::string& why) {
    is_whole_ = false;
    out_ << "file=" << name << " offset=" << offset << " damaged=\"" << why << "\"\n";
  }

  void print_segment(const std::string& name) {
    const auto path = log_ + "/" + name;
    const auto part = read_readable(files_, path);
    print_records(name, part);
    if (part.unreadable_at)
      bad(name, *part.unreadable_at, "the device cannot read it from here on");
  }

  void print_records(const std::string& name, const readable_part& part) {
    const std::string_view all{part.bytes};
    if (all.size() < segment_header_bytes && part.unreadable_at)
      return;
    const auto header = decode_segment_header(log_ + "/" + name, all, owner_of(all));
    out_ << "file=" << name << " segment=" << header.number << " bytes=" << part.size_bytes
         << " declared=" << header.size_bytes << " first_lsn=" << header.first_lsn << '\n';
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

  /// Whoever that is.
  static disk_identity owner_of(std::string_view segment) {
    return segment.size() < segment_header_bytes ? disk_identity{} : get_identity(segment.data() + owner_at);
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
           << " voted_for=" << votes.of(group).voted_for.value() << " lost=" << votes.of(group).lost << '\n';
    if (votes.stale() == 0)
      return;
    out_ << "file=votes bad_copies=" << votes.stale() << '\n';
    is_whole_ = false;
  }

  void print_hint() {
    const auto hint = find_hint(files_, log_, owner_in(files_, hint_path(log_)).value_or(disk_identity{}));
    if (!hint)
      return bad("hint", 0, "missing");
    out_ << "file=hint generation=" << hint->generation << " durable=" << hint->says.durable
         << " first_segment=" << hint->says.first_segment << " last_segment=" << hint->says.last_segment
         << " cut_for=" << hint->says.cut_for << " leaving=" << hint->says.leaving << " bad_copies=" << hint->bad_copies
         << '\n';
    is_whole_ = is_whole_ && hint->bad_copies == 0;
  }

  void print_snapshots() {
    for (const auto& [each, may_be_passed_over] : snapshots_in(files_, log_, std::nullopt)) {
      out_ << "file=" << each.file.substr(log_.size() + 1) << " group=" << each.group.value()
           << " index=" << each.at.index.value() << " term=" << each.at.term.value() << " bytes=" << each.bytes
           << " good=" << (each.problem ? "no" : "yes");
      if (each.problem)
        out_ << " offset=" << each.problem->offset.value_or(0) << " damaged=\"" << each.problem->reason << '"';
      out_ << '\n';
      is_whole_ = is_whole_ && !each.problem;
    }
  }

  file_system& files_;
  std::string log_;
  std::ostream& out_;
  bool is_whole_ = true;
};

} // namespace

bool dump_log(file_system& files, const std::string& data_directory, std::ostream& out) {
  only_reading guarded{files};
  return printer{guarded, data_directory + "/log", out}.print();
}

} // namespace troupe
