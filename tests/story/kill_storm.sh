#!/bin/bash
# kill -9 in the middle of a storm of appends, many times over one directory:
# every acknowledged line is there, once; no record is half there; and after
# the next append batpak opens it. Every third mount lays space ahead of the
# frames (-o ahead).
#
#	kill_storm.sh BATFS [KILLS [SEED]]
# Limit: 600 s
# shellcheck disable=SC2317 # functions are called by `check`
set -u
BATFS=$(realpath "$1")
kills=${2:-100}
# shellcheck source=tests/support/mount.sh
. "$(dirname "$0")/../support/mount.sh"
storm=$here/support/storm.py
store=$work/store
acked=$work/acked
interop=$(interop_program) || {
	echo "not ok - kill storm: cargo build"
	exit 1
}
[ -n "$interop" ] || echo "skip - kill storm, batpak opens it: no cargo"
mkdir "$store"
: >"$acked"
RANDOM=${3:-4711}

# One line more, so that what the kill left is cut and healed.
append_one() {
	python3 "$storm" write "$mnt/scopes/storm/after" "after$1" "$acked" 1
}

verify() {
	python3 "$storm" verify "$mnt/log.jsonl" "$acked"
}

# Does batpak open a copy of the living directory, and show as many events?
opens() {
	local events lines
	events=$("$interop" dump "$store" --count |
	    sed -n 's/.*"events":\([0-9]*\).*/\1/p')
	lines=$(wc -l <"$mnt/log.jsonl")
	[ "$events" = "$lines" ] || {
		echo "batpak shows ${events:-nothing}, batfs $lines"
		return 1
	}
}

# Waits until so many records more are acknowledged (or the crowd is done).
wait_for() {
	local records=$(($1 + $(wc -l <"$acked")))
	while kill -0 "$2" 2>/dev/null && [ "$(wc -l <"$acked")" -lt "$records" ]
	do
		sleep 0.002
	done
}

round() {
	local crowd status=0 options=
	(($1 % 3 == 2)) && options=ahead=64K
	mount_it "$store" "$options" || return 1
	mkdir -p "$mnt/scopes/storm" || return 1
	verify >"$work/verified" || return 1
	append_one "$1" || return 1
	if [ -n "$interop" ]; then
		opens || return 1
		if (($1 % 20 == 19)); then
			"$interop" check "$store" || return 1
		fi
	fi
	python3 "$storm" crowd 3 "$mnt/scopes/storm" "r$1" "$acked" 1000 &
	crowd=$!
	wait_for $((1 + RANDOM % 40)) "$crowd"
	kill_it
	wait "$crowd" || status=$?
	[ "$status" -eq 76 ]
}

# The last word: what is there, and an orderly end.
aftermath() {
	mount_it "$store" || return 1
	verify || return 1
	append_one last || return 1
	end_it || return 1
	[ -z "$interop" ] || "$interop" check "$store" --strict-ext
}

for ((n = 0; n < kills; n++)); do
	if ! round "$n" >"$work/round" 2>&1; then
		echo "# round $n: $(tail -n 5 "$work/round" "$work/said")"
		failed=1
		break
	fi
done
check "kill storm: an orderly end, and batpak opens it" aftermath
if mount_it "$store" ro; then
	told=$(verify 2>&1) || failed=1
	end_it
	echo "# $n kills, $told"
else
	failed=1
fi
if ((failed)); then
	echo "not ok - kill storm: $n kills: every acknowledged line is there once"
	exit 1
fi
echo "ok - kill storm: $n kills: every acknowledged line is there once"
