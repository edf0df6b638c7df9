#!/bin/bash
# Bits of the golden stores, flipped one at a time: what tests/story/flips.c
# says, as it is built beside batfs, for some seconds.
#
#	flips.sh BATFS [SECONDS [SEED]]
set -u
flips=$(dirname "$(realpath "$1")")/../tests/story/flips
golden=$(cd "$(dirname "$0")/../data/golden" && pwd)
seconds=${2:-20}
"$flips" --seconds "$((seconds / 2))" --seed "${3:-1}" "$golden"/*/store
readonly=$?
"$flips" --seconds "$((seconds / 2))" --seed "${3:-1}" --writable \
	"$golden"/*/store || exit 1
exit $readonly
