#!/bin/bash
# The fault loop, as it is built beside batfs (here: sanitized, so that a leak
# is found), every N-th case: what tests/story/faults.c says. All of them run
# optimised in tests/interop/crash_states.sh.
#
#	faults.sh BATFS [N [SEED]]
set -u
faults=$(dirname "$(realpath "$1")")/../tests/story/faults
[ -x "$faults" ] || {
	echo "skip - faults: the program is not built"
	exit 0
}
exec "$faults" --every "${2:-30}" --seed "${3:-1}"
