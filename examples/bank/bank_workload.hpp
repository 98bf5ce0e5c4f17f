// What clients of the bank ask, and what must always hold of it.
#pragma once

#include "bank.hpp"

#include <troupe/workload.hpp>

#include <memory>

[[nodiscard]] std::unique_ptr<troupe::workload> make_bank_workload(bug planted);
