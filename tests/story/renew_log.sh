#!/bin/bash
# A transparency log that cannot go on: the mount, .ctl/status and the doctor
# say why and what to do, and that works: another log is begun, and the old one
# is kept, as good as it was.
#
#	renew_log.sh BATFS
# Limit: 120 s
# shellcheck disable=SC2317 # `check` calls functions
# shellcheck disable=SC2154 # of mount.sh
set -u
BATFS=$(realpath "$1")
BATCTL=$(dirname "$BATFS")/batctl
FORGE=$(dirname "$BATFS")/../tests/story/forge
# shellcheck source=tests/support/mount.sh
. "$(dirname "$0")/../support/mount.sh"
data=$work/data

# Sequences 0 to 13: OPEN, 12 events, CLOSE.
a_store() { # options
	local i
	mount_it "$work/whole" "$1" && mkdir -p "$mnt/scopes/s" || return
	for i in $(seq 12); do
		echo "{\"n\":$i}" >>"$mnt/scopes/s/p:$((i % 3))" || return
	done
	end_it
}

fresh() {
	rm -rf "$data"
	cp -a "$work/whole" "$data"
}

# The frames behind the first few go, as by a repair or a crash that lied.
loses_its_end() {
	truncate -s 4000 "$data/000001.fbat" && rm -f "$data"/index.*
}

is_told() { # reason
	mount_it "$data" && grep -qx 'tlog halted' "$mnt/.ctl/status" &&
		grep "^tlog_reason .*$1" "$mnt/.ctl/status" | grep -q renew-log &&
		echo '{"still":"taken"}' >>"$mnt/scopes/s/p:1" && end_it &&
		grep -q "transparency log is halted: .*$1" "$work/said" &&
		! "$BATCTL" doctor "$data" >"$work/doctor" && grep "^hindrance .*log is halted: .*$1" "$work/doctor" |
		grep -q 'renew-log'
}

# What was signed is what it was, byte for byte, in its new place.
is_renewed() { # more arguments
	local next
	cp -a "$data/.batfs/tlog" "$work/old" &&
		"$BATCTL" renew-log "$data" "$@" >"$work/out" &&
		diff -r "$work/old" "$data/.batfs/tlog-1" &&
		grep -qx 'the old log is kept in .batfs/tlog-1' "$work/out" &&
		next=$(sed -n 's/^a new log begins with sequence //p' \
			"$work/out") &&
		[ "$next" = "$(cat "$data/.batfs/tlog/from")" ] &&
		! cmp -s "$work/old/vkey" "$data/.batfs/tlog/vkey" &&
		"$here/support/tlog_reader.py" "$data/.batfs/tlog-1" \
			"$data/.batfs/tlog-1/vkey" && rm -r "$work/old" || return
	mount_it "$data" "${reopen:-index=ckpt}" &&
		grep -qx 'tlog kept' "$mnt/.ctl/status" &&
		echo '{"n":"new"}' >>"$mnt/scopes/s/p:1" && end_it &&
		"$BATCTL" verify "$data" --against "$data/.batfs/tlog/checkpoint" \
			>"$work/out" && grep -qx "attested_from=$next" "$work/out" &&
		"$BATCTL" doctor "$data" | grep -q '^ok .*log can go on'
}

ended() { # surgery reason
	fresh && "$1" && is_told "$2" && is_renewed
}

forged() { # surgery at reason
	fresh && "$FORGE" "$data" "$1" "$2" && is_told "$3" && is_renewed
}

# The old key would sign two trees of one size.
a_key_elsewhere() {
	local reopen=tlog=$work/key2
	rm -rf "$work/whole" && a_store "tlog=$work/key" && fresh &&
		loses_its_end || return
	"$BATCTL" renew-log "$data" --key "$work/key" 2>"$work/err"
	[ $? -eq 2 ] && grep -q 'signed the old log' "$work/err" &&
		[ -e "$data/.batfs/tlog/checkpoint" ] &&
		is_renewed --key "$work/key2" && [ -s "$work/key2" ] &&
		[ ! -e "$data/.batfs/tlog/key" ]
}

# What a renewal that was cut off leaves: no log. It is begun, once more.
without_a_log() {
	fresh && rm -r "$data/.batfs/tlog" &&
		"$BATCTL" renew-log "$data" >"$work/out" &&
		! grep -q kept "$work/out" && [ -e "$data/.batfs/tlog/checkpoint" ]
}

while_it_is_mounted() {
	fresh && mount_it "$data" || return
	"$BATCTL" renew-log "$data" 2>"$work/err"
	[ $? -eq 2 ] && [ ! -e "$data/.batfs/tlog-1" ] && end_it
}

# A case that failed leaves its mount to nobody.
tidy() {
	"$@"
	local status=$?
	[ -z "$daemon" ] || end_it
	return $status
}

check "a store with a log" a_store tlog
check "the end is gone: said, and begun anew" tidy ended loses_its_end "lost its end"
check "an event is gone before: said, and begun anew" \
	tidy forged drop 5 "numbered anew"
check "rolled back: said, and begun anew" forged rollback 9 "rolled back"
check "where there is none it begins one" tidy without_a_log
check "not while it is mounted" tidy while_it_is_mounted
check "the old key signs no second log" tidy a_key_elsewhere
[ "$failed" -eq 0 ]
