// What a store does that keeps no snapshots.
#include "troupe/storage.hpp"

namespace troupe {

snapshot_write_plan storage::plan_snapshot(group_id, const snapshot_mark&) {
  throw std::logic_error{"this store keeps no snapshots"};
}

snapshot_read_plan storage::plan_snapshot_read(group_id, log_index) {
  throw std::logic_error{"this store keeps no snapshots"};
}

} // namespace troupe
