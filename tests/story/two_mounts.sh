#!/bin/bash
# Two mounts of one directory (bindfs), whose locks do not meet: one writer is
# refused while the other lives, with the name of who it is; a killed one keeps
# nobody out, and batpak opens the result.
#
#	two_mounts.sh BATFS
# shellcheck disable=SC2317 # functions are called by `check`
set -u
BATFS=$(realpath "$1")
BATCTL=$(dirname "$BATFS")/batctl
# shellcheck source=tests/support/mount.sh
. "$(dirname "$0")/../support/mount.sh"
INTEROP=$(interop_program) || exit 1
store=$work/store
left=$work/left
right=$work/right
other=$work/other
mkdir "$store" "$left" "$right" "$other"

if ! command -v bindfs >/dev/null || [ ! -w /dev/fuse ]; then
	echo "skip - two mounts: no bindfs, or no FUSE"
	exit 0
fi

bound=()
unbind() {
	local place
	fusermount3 -u "$other" 2>/dev/null
	[ -n "$daemon" ] && end_it
	for place in "${bound[@]}"; do
		fusermount3 -uz "$place"
	done
	clean_up
}
trap unbind EXIT

bind_both() {
	local place
	for place in "$left" "$right"; do
		bindfs "$store" "$place" || return
		bound+=("$place")
	done
}

append() { # how many
	local i
	mkdir -p "$mnt/scopes/s" || return
	for ((i = 0; i < $1; i++)); do
		echo "{\"n\":$i}" >>"$mnt/scopes/s/e" || return
	done
}

lines() { # wanted
	local got
	got=$(grep -c . "$mnt/scopes/s/e")
	[ "$got" -eq "$1" ] || {
		echo "$got lines, not $1"
		return 1
	}
}

# The reason why there is a record at all.
locks_do_not_meet() {
	: >"$left/.batpak.lock"
	flock -n "$left/.batpak.lock" flock -n "$right/.batpak.lock" true
}

first_writes() {
	mount_it "$left" && append 3 && [ -s "$store/.batfs/owner" ]
}

# refused PATH: batfs ends at once, and says who and what else can be done.
refused() {
	local started=$EPOCHREALTIME
	if ! fails 'by another path' timeout 60 "$BATFS" -f "$1" "$other" ||
		! grep -q "process $daemon (batfs)" "$work/err" ||
		! grep -q -- '-o ro' "$work/err"; then
		tail -n 2 "$work/err"
		return 1
	fi
	[ $((${EPOCHREALTIME/[.,]/} - ${started/[.,]/})) -lt 5000000 ]
}

second_is_refused() {
	refused "$right" && refused "$store"
}

others_are_refused_too() {
	fails 'another' "$BATCTL" compact "$right" &&
		"$BATCTL" doctor "$right" 2>&1 |
		grep "process $daemon (batfs).* holds the lock"
}

readers_are_not() {
	"$BATFS" -o ro "$right" "$other" >"$work/out" 2>&1 || {
		tail -n 1 "$work/out"
		return 1
	}
	cmp "$other/scopes/s/e" "$mnt/scopes/s/e" && fusermount3 -u "$other"
}

first_goes_on() {
	append 2 && lines 5
}

killed_one_keeps_nobody_out() {
	kill_it && [ -s "$store/.batfs/owner" ] &&
		mount_it "$right" && lines 5 && append 1 && lines 6
}

# Whoever is first now keeps out by whatever path the other comes.
the_other_way_round() {
	refused "$left" && end_it && [ ! -e "$store/.batfs/owner" ] &&
		mount_it "$store" && lines 6 && append 1 && refused "$left"
}

# A copy of what is written to is a store of its own.
copy_is_free() {
	cp -a "$store" "$work/copy" && [ -s "$work/copy/.batfs/owner" ] &&
		"$BATFS" "$work/copy" "$other" >"$work/out" 2>&1 &&
		mkdir -p "$other/scopes/s" && echo 1 >>"$other/scopes/s/e" &&
		fusermount3 -u "$other" && append 1 && lines 8
}

# What came from another machine is asked about; the remedy that is named helps.
from_elsewhere() {
	kill_it && sed -i -e 's/^boot .*/boot another/' \
		-e 's/^machine .*/machine another/' "$store/.batfs/owner" &&
		fails 'on another machine' timeout 60 "$BATFS" -f "$left" \
			"$other" &&
		grep -q 'remove .batfs/owner' "$work/err" &&
		rm "$store/.batfs/owner" && mount_it "$left" && lines 8 &&
		append 1 && end_it
}

batpak_opens_it() {
	# a record that is left stands in nobody's way
	mount_it "$left" && append 1 && kill_it &&
		[ -s "$store/.batfs/owner" ] &&
		cp -a "$store" "$work/check" &&
		"$INTEROP" check "$work/check" --writable
}

check "two mounts: bindfs" bind_both
check "two mounts: their locks do not meet" locks_do_not_meet
check "two mounts: the first one writes" first_writes
check "two mounts: the second one is refused" second_is_refused
check "two mounts: batctl is too" others_are_refused_too
check "two mounts: who reads is not" readers_are_not
check "two mounts: the first one goes on" first_goes_on
check "two mounts: a killed one keeps nobody out" killed_one_keeps_nobody_out
check "two mounts: the other way round" the_other_way_round
check "two mounts: a copy is free" copy_is_free
check "two mounts: one of another machine" from_elsewhere
if [ -n "$INTEROP" ]; then
	check "two mounts: batpak opens it" batpak_opens_it
else
	echo "skip - two mounts: batpak opens it: no cargo"
fi
exit $((failed > 0))
