#!/usr/bin/env bash
# usage: build_with_pkg_config.sh COMPILER PREFIX MODULE PROGRAM FLAGS SOURCE...
# Compiles and links sources with what pkg-config says of MODULE as it is installed in PREFIX, and asks the program for help.
set -euo pipefail
compiler=$1 prefix=$2 module=$3 program=$4 flags=$5
shift 5

pc=$(find "$prefix" -name troupe.pc)
export PKG_CONFIG_PATH
PKG_CONFIG_PATH=$(dirname "$pc")
read -ra given <<<"$flags"
read -ra compile <<<"$(pkg-config --cflags "$module")"
read -ra link <<<"$(pkg-config --libs "$module")"
"$compiler" "${given[@]}" "${compile[@]}" "$@" -o "$program" "${link[@]}"

status=0
said=$("$program" --help 2>&1) || status=$?
[ "$status" = 2 ] && [[ $said == usage:* ]] || {
  echo "the program was built but says, with code $status: $said" >&2
  exit 1
}
