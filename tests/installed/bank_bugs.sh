#!/usr/bin/env bash
# usage: bank_bugs.sh BANK-ON-STAGE BUG WORDS MOST-FAULTS
# The stage finds BUG, says WORDS of it and leaves at most MOST-FAULTS faults; the plan it wrote breaks the promise again.
set -euo pipefail
bank=$1 bug=$2 words=$3 most_faults=$4
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

fail() {
  echo "bank_bugs: $*" >&2
  exit 1
}

# play FLAGS...: the violation, without its seed and time. The rest lies in $scratch/out.
play() {
  local code=0
  "$bank" --bug "$bug" "$@" >"$scratch/out" || code=$?
  [ "$code" = 1 ] || fail "ended with code $code, not 1"
  sed -n 's/^violation: seed=[0-9]* at [0-9.]* s: //p' "$scratch/out"
}

found=$(play --seeds 30 --out "$scratch")
[[ $found == *"$words"* ]] || fail "found something else: $found"
seed=$(sed -n 's/^violation: seed=\([0-9]*\) .*/\1/p' "$scratch/out")
for ending in plan txt html; do
  [ -f "$scratch/troupe-sim-$seed.$ending" ] || fail "no $ending was written"
done
grep -qF -- "$words" "$scratch/troupe-sim-$seed.txt" || fail "the story does not end with what was broken"
faults=$(wc -l <"$scratch/troupe-sim-$seed.plan")
[ "$faults" -le "$most_faults" ] || fail "$faults faults are left, more than $most_faults"

mkdir "$scratch/again"
again=$(play --seed "$seed" --seeds 1 --plan "$scratch/troupe-sim-$seed.plan" --out "$scratch/again")
[[ $again == *"$words"* ]] || fail "the plan breaks something else: $again"
echo "found in seed $seed, $faults faults left"
