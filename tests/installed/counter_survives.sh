#!/usr/bin/env bash
# usage: counter_survives.sh COUNTER
# Three counters; one is killed by kill -9 and two go on; all are killed and started again, and count on from there.
set -euo pipefail
counter=$1
scratch=$(mktemp -d)
declare -A process input
trap 'kill -9 "${process[@]}" 2>/dev/null || true; rm -rf "$scratch"' EXIT

fail() {
  echo "counter_survives: $*" >&2
  tail -n 20 "$scratch"/*.err >&2 || true
  exit 1
}

# Another program may take one of the ports in between: then the nodes do not start, and others are tried.
start() {
  local id=$1 pipe
  pipe=$scratch/$1.in
  [ -p "$pipe" ] || mkfifo "$pipe"
  "$counter" "$id" "$scratch/nodes" "$first_port" <"$pipe" >>"$scratch/$id.out" 2>>"$scratch/$id.err" &
  process[$id]=$!
  exec {fd}>"$pipe"
  input[$id]=$fd
}

stop_hard() {
  local id=$1 fd=${input[$1]}
  kill -9 "${process[$id]}" 2>/dev/null || true
  wait "${process[$id]}" 2>/dev/null || true
  exec {fd}>&-
}

# Standard output is the program's: each line of it is an answer.
answers() { grep -c '' "$scratch/$1.out" || true; }

# say ID LINE: gives LINE to node ID and prints its answer.
say() {
  local before
  before=$(answers "$1")
  echo "$2" >&"${input[$1]}"
  for _ in $(seq 600); do
    if [ "$(answers "$1")" -gt "$before" ]; then
      tail -n 1 "$scratch/$1.out"
      return
    fi
    kill -0 "${process[$1]}" 2>/dev/null || fail "node $1 has ended"
    sleep 0.1
  done
  fail "node $1 does not answer"
}

# Reads until the value is WANTED: right after a start or a kill there may be no leader. A wrong number fails at once.
expect_value() {
  local id=$1 wanted=$2 answer=nothing
  for _ in $(seq 60); do
    answer=$(say "$id" "")
    [ "$answer" = "$wanted" ] && return
    [[ $answer =~ ^-?[0-9]+$ ]] && fail "node $id says $answer, not $wanted"
    sleep 0.5
  done
  fail "node $id does not come to say $wanted, but: $answer"
}

# Has NUMBER counted through node ID, which must then say WANTED. Given again only if it was certainly not counted.
count() {
  local id=$1 number=$2 wanted=$3 answer=nothing
  for _ in $(seq 60); do
    answer=$(say "$id" "$number")
    [ "$answer" = "$wanted" ] && return
    [[ $answer == *unknown* || $answer =~ ^-?[0-9]+$ ]] && fail "node $id counts $number and says $answer, not $wanted"
    sleep 0.5
  done
  fail "node $id does not count $number, but says: $answer"
}

start_all() {
  for id in 1 2 3; do start "$id"; done
}

all_live() {
  for id in 1 2 3; do kill -0 "${process[$id]}" 2>/dev/null || return 1; done
}

for attempt in 1 2 3 4 5; do
  first_port=$((20000 + (RANDOM % 10000)))
  start_all
  sleep 1
  all_live && break
  [ "$attempt" -lt 5 ] || fail "no three free ports"
  for id in 1 2 3; do stop_hard "$id"; done
done

expect_value 1 0
count 1 5 5
count 2 7 12
expect_value 3 12

stop_hard 3
expect_value 1 12
expect_value 2 12
count 2 30 42

stop_hard 1
stop_hard 2
start_all
for id in 1 2 3; do expect_value "$id" 42; done
count 3 -2 40
echo "counted on to 40"
