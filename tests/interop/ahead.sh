#!/bin/bash
# Space ahead of the frames (-o ahead=SIZE), and what batpak makes of it after
# a crash: it opens the store, and goes on with it. Without its index it
# refuses a segment of its own behind such a tail, as README says; a writable
# mount that appends heals that.
#
#	ahead.sh BATFS
# Limit: 60 s
# shellcheck disable=SC2317 # functions are called by `check`
set -u
BATFS=$(realpath "$1")
# shellcheck source=tests/support/mount.sh
. "$(dirname "$0")/../support/mount.sh"
store=$work/store
interop=$(interop_program) || {
	echo "not ok - space ahead: cargo build"
	exit 1
}
if [ -z "$interop" ]; then
	echo "skip - space ahead: no cargo"
	exit 0
fi
mkdir "$store"

# Appends at least 20 lines, and as many more as it takes until there is space
# behind them: it is laid by a thread that may be slow.
append_lines() { # OPTIONS
	local i
	mount_it "$store" "$1" || return 1
	mkdir -p "$mnt/scopes/ours" || return 1
	for ((i = 0; i < 2000; i++)); do
		echo "{\"i\":$i}" >>"$mnt/scopes/ours/e" || return 1
		lines=$((lines + 1))
		[ "$i" -ge 20 ] && ends_in_0xff "$newest" && return 0
		sleep 0.005
	done
	echo "$newest: $(stat -c %s "$newest") bytes, no space ahead"
	return 1
}

ends_in_0xff() {
	[ "$(tail -c 4 "$1" | od -An -tx1 | tr -d ' \n')" = ffffffff ]
}

# All lines of ours?
batpak_shows() {
	local shown
	shown=$("$interop" dump "$store" "$@" | grep -c '"scope":"ours"')
	[ "$shown" = "$lines" ] || {
		echo "batpak shows $shown lines of $lines"
		return 1
	}
}

lines=0
newest=$store/000001.fbat
an_orderly_end_leaves_nothing() {
	append_lines "ahead=1M" || return 1
	end_it || return 1
	! ends_in_0xff "$newest" && "$interop" check "$store" --strict-ext && batpak_shows
}

batpak_opens_what_a_kill_leaves() {
	newest=$store/000002.fbat
	append_lines "ahead=1M" || return 1
	kill_it
	ends_in_0xff "$newest" &&
		"$interop" check "$store" && batpak_shows &&
		batpak_shows --no-index
}

batpak_goes_on() {
	"$interop" append "$store" 7 5 >"$work/told" || return 1
	ends_in_0xff "$newest" || return 1
	batpak_shows
}

without_its_index_it_refuses() {
	rm -f "$store"/index.*
	if "$interop" dump "$store" --count >"$work/told" 2>&1; then
		echo "batpak opens it: README says that it does not"
		return 1
	fi
}

we_heal_that() {
	mount_it "$store" || return 1
	echo '{"i":-1}' >>"$mnt/scopes/ours/e" || return 1
	lines=$((lines + 1))
	end_it || return 1
	! ends_in_0xff "$newest" && [ ! -e "$store/.batfs/cut" ] &&
		batpak_shows && batpak_shows --no-index
}

check "space ahead: an orderly end leaves nothing of it" \
	an_orderly_end_leaves_nothing
check "space ahead: batpak opens what a kill leaves" \
	batpak_opens_what_a_kill_leaves
check "space ahead: batpak goes on behind it" batpak_goes_on
check "space ahead: without its index batpak refuses that" \
	without_its_index_it_refuses
check "space ahead: one append through batfs heals it" we_heal_that
exit $((failed > 0))
