#!/usr/bin/env bash
# usage: build_with_pkg_config.sh COMPILER PREFIX SOURCE PROGRAM FLAGS
# Compiles and links one source with what pkg-config says of the troupe installed in PREFIX, and runs the program.
set -euo pipefail
compiler=$1 prefix=$2 source=$3 program=$4 flags=$5

pc=$(find "$prefix" -name troupe.pc)
export PKG_CONFIG_PATH
PKG_CONFIG_PATH=$(dirname "$pc")
read -ra given <<<"$flags"
read -ra compile <<<"$(pkg-config --cflags troupe)"
read -ra link <<<"$(pkg-config --libs troupe)"
"$compiler" "${given[@]}" "${compile[@]}" "$source" -o "$program" "${link[@]}"

status=0
said=$("$program" 2>&1) || status=$?
[ "$status" = 2 ] && [[ $said == usage:* ]] || {
  echo "the program was built but says, with code $status: $said" >&2
  exit 1
}
