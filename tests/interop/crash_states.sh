#!/bin/bash
# The crash-state explorer, optimised, for some seconds; batpak opens a sample
# of the directories that were recovered, appended to and closed; and the whole
# fault loop.
#
#	crash_states.sh BATFS [SECONDS [SEED [DIRECTORIES]]]
# Limit: 600 s
# shellcheck disable=SC2317 # functions are called by `check`
set -u
BATFS=$(realpath "$1")
seconds=${2:-40} seed=${3:-1} directories=${4:-24}
# shellcheck source=tests/support/mount.sh
. "$(dirname "$0")/../support/mount.sh"
programs=$(dirname "$BATFS")/../tests/story
interop=$(interop_program) || {
	echo "not ok - crash states: cargo build"
	exit 1
}
mkdir "$work/recovered"
"$programs/faults" || failed=1
"$programs/explore" --seconds "$seconds" --seed "$seed" \
	--export "$work/recovered" "$directories" || exit 1

batpak_opens() {
	local store count=0
	for store in "$work/recovered"/*; do
		"$interop" check "$store" --strict-ext || {
			echo "$(basename "$store"), seed $seed"
			return 1
		}
		count=$((count + 1))
	done
	[ "$count" -gt 0 ]
}

# As two readers that share no code with it, and are written in another
# language, see the same directory: one reads the frames, one the lines.
second_readers_agree() {
	local store count=0 batctl
	batctl=$(dirname "$BATFS")/batctl
	for store in "$work/recovered"/*; do
		"$batctl" cat "$store" log.jsonl >"$work/log" || return
		python3 "$here/support/fbat.py" "$store" 2>/dev/null |
			jq -c '[.seq, .id, .entity, .scope, .kind, .clock,
				.hash, .prev]' >"$work/frames" || return
		jq -c '[.seq, .id, .entity, .scope, .kind, .clock, .hash,
			.prev]' "$work/log" | cmp - "$work/frames" || {
			echo "$(basename "$store"), seed $seed: events"
			return 1
		}
		python3 "$here/support/fbat.py" "$store" 2>/dev/null |
			jq -c '[.seq, .payload_b64]' >"$work/frames" || return
		python3 "$here/support/line_check.py" <"$work/log" |
			jq -c '[.seq, .payload_b64]' | cmp - "$work/frames" || {
			echo "$(basename "$store"), seed $seed: payloads"
			return 1
		}
		count=$((count + $(wc -l <"$work/log")))
	done
	[ "$count" -gt 0 ]
}

check "crash states: second readers see the same in $directories directories" \
	second_readers_agree
if [ -n "$interop" ]; then
	check "crash states: batpak opens $directories recovered directories" \
		batpak_opens
else
	echo "skip - crash states: batpak opens them: no cargo"
fi
exit $((failed > 0))
