#!/bin/bash
# The system's clock jumps under a live mount (libfaketime, the clock of the
# daemon alone): backwards, to the year 1971, far ahead and back again. Lines
# are stored in their order, no time of an entity falls, whoever waits is woken,
# the mount ends in order, and batpak opens the result (R13).
#
#	clock.sh BATFS
# shellcheck disable=SC2317 # functions are called by `check`
set -u
BATFS=$(realpath "$1")
# shellcheck source=tests/support/mount.sh
. "$(dirname "$0")/../support/mount.sh"
INTEROP=$(interop_program) || exit 1
store=$work/store
jumps=('2030-01-01 00:00:00' '2029-12-31 23:59:59' '1971-01-01 00:00:00'
	'2100-06-01 12:00:00' '2026-11-24 00:00:00' '2026-11-24 00:00:00')

preload=$(find /usr/lib -name libfaketimeMT.so.1 2>/dev/null | head -n 1)
if [ -z "$preload" ] || [ ! -w /dev/fuse ]; then
	echo "skip - clock: no libfaketime, or no FUSE"
	exit 0
fi

# The file of the time lies outside the store, where a sandbox lets nobody read.
mount_with_clock() {
	(
		export LD_PRELOAD=$preload FAKETIME_NO_CACHE=1
		export FAKETIME_TIMESTAMP_FILE=$work/now
		export FAKETIME_DONT_FAKE_MONOTONIC=1 DONT_FAKE_MONOTONIC=1
		# The sanitizer's own library wants to be the first.
		export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}verify_asan_link_order=0
		exec "$BATFS" -f -o "sandbox=off${1:+,$1}" "$store" "$mnt"
	) >"$work/said" 2>&1 &
	daemon=$!
	local i
	for ((i = 0; i < 1500; i++)); do
		mountpoint -q "$mnt" && return 0
		kill -0 "$daemon" 2>/dev/null || break
		sleep 0.01
	done
	echo "# batfs did not start: $(tail -n 3 "$work/said")"
	return 1
}

line() { # ENTITY NUMBER; no line takes ten seconds
	timeout 10 bash -c "echo '{\"n\":$2}' >>'$mnt/scopes/s/$1'"
}

# One writer for each jump, and eight at once.
lines_go_on() {
	local n=0 jump i
	echo "${jumps[0]}" >"$work/now"
	mount_with_clock "${1:-}" && mkdir -p "$mnt/scopes/s" || return
	timeout 60 cat "$mnt/.ctl/follow,from=0" >"$work/followed" &
	follower=$!
	for jump in "${jumps[@]}"; do
		echo "$jump" >"$work/now"
		line e $((n++)) && line e $((n++)) || return
		pids=()
		for i in {1..8}; do
			line "w$i" "$n" &
			pids+=($!)
		done
		for i in "${pids[@]}"; do
			wait "$i" || return
		done
	done
}

all_in_order() {
	jq -c .data.n "$mnt/scopes/s/e" | diff - <(seq 0 11) &&
		jq -s 'map(.seq) == (map(.seq) | sort | unique)' \
			"$mnt/log.jsonl" | grep -qx true &&
		[ "$(grep -c '"scope":"s"' "$mnt/log.jsonl")" -eq 60 ]
}

# Of an event it is the time that its entity has come to.
no_time_falls() {
	local seq times=()
	for seq in $(jq .seq "$mnt/scopes/s/e"); do
		times+=("$(stat -c %Y "$(find "$mnt/events" \
			-name "$(printf '%012d' "$seq").json")")")
	done
	echo "times: ${times[*]}"
	[ "${#times[@]}" -eq 12 ] &&
		printf '%s\n' "${times[@]}" | sort -n -C || return
	# it did jump ahead, and nothing was read from the clock of the machine
	[ "${times[0]}" -eq "$(date -u -d "${jumps[0]}" +%s)" ] &&
		[ "${times[11]}" -eq "$(date -u -d "${jumps[3]}" +%s)" ]
}

who_follows_is_woken() {
	local i
	for ((i = 0; i < 500; i++)); do
		[ "$(grep -c '"scope":"s"' "$work/followed")" -eq 60 ] && break
		sleep 0.01
	done
	kill "$follower"
	wait "$follower" 2>/dev/null
	[ "$(grep -c '"scope":"s"' "$work/followed")" -eq 60 ]
}

# Also while the threads are waited for.
ends_in_order() {
	(
		sleep 0.2
		echo '1971-01-01 00:00:00' >"$work/now"
	) &
	grep -q '^ok ' "$mnt/.ctl/verify" && end_it || return
	wait
	! grep 'hangs\|given up\|error' "$work/said"
}

shown_by_another() {
	cp -a "$store" "$work/check" || return
	if [ -n "$INTEROP" ]; then
		"$INTEROP" check "$work/check" --writable || return
	fi
	mount_it "$store" && [ "$(grep -c '"scope":"s"' "$mnt/log.jsonl")" -eq 60 ] &&
		line e 12 && no_time_falls_now && end_it
}

# Behind the year 2100 the machine's own clock is one that went back.
no_time_falls_now() {
	local last
	last=$(find "$mnt/events" -name '*.json' | sort | tail -n 1)
	[ "$(stat -c %Y "$last")" -ge "$(date -u -d "${jumps[3]}" +%s)" ]
}

for durable in '' durable=fsync; do
	rm -rf "$store" "$work/check"
	check "clock${durable:+, $durable}: lines go on" lines_go_on "$durable"
	check "clock${durable:+, $durable}: all in order" all_in_order
	check "clock${durable:+, $durable}: no time falls" no_time_falls
	check "clock${durable:+, $durable}: who follows is woken" \
		who_follows_is_woken
	check "clock${durable:+, $durable}: ends in order" ends_in_order
	check "clock${durable:+, $durable}: shown by another" shown_by_another
done
exit $((failed > 0))
