#!/bin/bash
# The crash-state explorer, as it is built beside batfs (here: sanitized), for
# some seconds: what tests/story/explore.c says.
#
#	explore.sh BATFS [SECONDS [SEED]]
set -u
explore=$(dirname "$(realpath "$1")")/../tests/story/explore
[ -x "$explore" ] || {
	echo "skip - crash states: the explorer is not built"
	exit 0
}
exec "$explore" --seconds "${2:-20}" --seed "${3:-1}"
