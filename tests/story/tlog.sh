#!/bin/bash
# The transparency log, as others see it: a verifier of another make reads it
# from the mount, and who tampers with the store is told of by batctl, with the
# exit status that was promised, though a plain look is content.
#
#	tlog.sh BATFS
# Limit: 240 s
# shellcheck disable=SC2317 # `check` calls functions
set -u
BATFS=$(realpath "$1")
BATCTL=$(dirname "$BATFS")/batctl
FORGE=$(dirname "$BATFS")/../tests/story/forge
# shellcheck source=tests/support/mount.sh
. "$(dirname "$0")/../support/mount.sh"
READER=$here/support/tlog_reader.py
data=$work/data
kept=$work/kept
mkdir "$kept"

append_lines() { # count
	mkdir -p "$mnt/scopes/s" &&
		seq "$1" | sed 's/.*/{"n":&}/' >>"$mnt/scopes/s/player:alice"
}

keep() { # name
	cp "$mnt/tlog/checkpoint" "$kept/$1" &&
		cp "$mnt/tlog/vkey" "$kept/vkey"
}

outsider() { # more arguments
	"$READER" "$mnt/tlog" "$kept/vkey" "$@"
}

# ---- as others see it ----------------------------------------------------

a_first_session() {
	mount_it "$data" tlog && append_lines 300 &&
		echo now >"$mnt/.ctl/checkpoint" && keep first && outsider &&
		grep -qx 'tlog kept' "$mnt/.ctl/status"
}

# Entry 7 of the log is event 7: its sequence and its id.
an_entry_is_an_event() {
	local entry
	entry=$(outsider --index 7 | head -n 1) &&
		[ "${entry:0:16}" = 0000000000000007 ] &&
		[ "${entry:16:32}" = "$(tr -d - <"$mnt/events/7/id")" ]
}

# Others may change it as little as anything.
it_is_read_only() {
	! rm "$mnt/tlog/checkpoint" 2>/dev/null &&
		! echo x 2>/dev/null >"$mnt/tlog/vkey" &&
		[ ! -e "$mnt/tlog/key" ]
}

later_checkpoints_continue() {
	local i
	end_it || return
	for i in 1 2; do
		mount_it "$data" && append_lines 400 &&
			echo now >"$mnt/.ctl/checkpoint" &&
			outsider --old "$kept/first" --index 650 &&
			keep "later$i" && end_it || return
	done
}

a_kill_takes_nothing_back() {
	mount_it "$data" checkpoint=1 && append_lines 50 && sleep 1.5 &&
		keep killed && append_lines 20 && kill_it &&
		mount_it "$data" && echo now >"$mnt/.ctl/checkpoint" &&
		outsider --old "$kept/killed" && keep last && end_it
}

a_look_changes_nothing() {
	(cd "$data" && find . -type f -exec sha256sum {} + | sort) >"$work/a"
	mount_it "$data" ro && outsider && end_it &&
		mount_it "$data" && outsider && end_it &&
		(cd "$data" && find . -type f -exec sha256sum {} + | sort) \
			>"$work/b" && diff "$work/a" "$work/b"
}

check "a log is kept and verified from the mount" a_first_session
check "an entry is an event" an_entry_is_an_event
check "tlog/ can only be read" it_is_read_only
check "later checkpoints continue the first one" later_checkpoints_continue
check "a kill takes no checkpoint back" a_kill_takes_nothing_back
check "who appends nothing changes nothing" a_look_changes_nothing

# ---- tampering -------------------------------------------------------------

# verify on a copy that was operated on: its status, and what it says.
verify_after() { # surgery at
	rm -rf "$work/victim"
	cp -a "$data" "$work/victim"
	if [ "$1" != none ]; then
		"$FORGE" "$work/victim" "$1" "$2" || return 9
		# To itself it is whole.
		"$BATCTL" verify "$work/victim" >"$work/alone" 2>&1
		head -n 1 "$work/alone" | grep -q '^ok ' || return 8
	fi
	"$BATCTL" verify "$work/victim" --against "$kept/last" \
		--key "$kept/vkey" >"$work/report" 2>&1
}

is_intact() { # surgery
	verify_after "$1" 0 && grep -qx attested_from=0 "$work/report" &&
		grep -q '^attested_through=[1-9]' "$work/report" &&
		grep -q '^intact: ' "$work/report"
}

is_broken() { # surgery at
	verify_after "$1" "$2"
	if [ $? -eq 1 ] && grep -q '^broken: ' "$work/report" &&
		[ "$(grep -m 1 -o '^sequence [0-9]*' "$work/report")" = \
			"sequence $2" ]; then
		return 0
	fi
	tail -n 3 "$work/alone" "$work/report"
	return 1
}

# What plain frames there are: forge wants no batches.
plain_store() {
	local i
	data=$work/plain
	mount_it "$data" tlog && mkdir "$mnt/scopes/s" || return
	for i in $(seq 20); do
		echo "{\"n\":$i}" >>"$mnt/scopes/s/p:$((i % 3))" || return
	done
	end_it && mount_it "$data" || return
	for i in $(seq 10); do
		echo "{\"n\":$i}" >>"$mnt/scopes/s/p:$((i % 3))" || return
	done
	echo now >"$mnt/.ctl/checkpoint" && keep last && end_it
}

a_log_cut() { # command status
	rm -rf "$work/victim"
	cp -a "$data" "$work/victim"
	(cd "$work/victim/.batfs" && eval "$1") || return
	"$BATCTL" verify "$work/victim" --against "$kept/last" \
		>"$work/report" 2>&1
	[ $? -eq "$2" ]
}

other_checkpoint() {
	"$BATCTL" verify "$data" --against "$kept/first" >"$work/report" 2>&1
	[ $? -eq 2 ] && grep -q '^cannot tell: ' "$work/report"
}

check "a store without batches" plain_store
check "nothing was done: intact" is_intact none
check "written anew as it was: intact" is_intact nothing
for at in 1 11 20 25; do
	for surgery in edit drop swap insert rollback; do
		check "$surgery at $at: broken, and named" is_broken $surgery $at
	done
done
check "the log is gone: cannot tell" a_log_cut 'rm -r tlog' 2
check "its checkpoint is gone: broken" a_log_cut 'rm tlog/checkpoint' 1
check "its entries are gone: broken" a_log_cut 'rm -r tlog/tile/entries' 1
check "another log's checkpoint: cannot tell" other_checkpoint
# ---- a key elsewhere ---------------------------------------------------------

key_elsewhere() {
	data=$work/other
	mount_it "$data" "tlog=$work/secret" && append_lines 3 && end_it &&
		[ "$(stat -c %a "$work/secret")" = 600 ] &&
		! [ -e "$data/.batfs/tlog/key" ] &&
		mount_it "$data" && append_lines 2 &&
		grep -qx 'tlog shown' "$mnt/.ctl/status" && end_it &&
		mount_it "$data" "tlog=$work/secret" && keep other && end_it &&
		"$BATCTL" verify "$data" --against "$kept/other" &&
		chmod 644 "$work/secret" && ! mount_it "$data" "tlog=$work/secret"
}

check "a key elsewhere is made, kept and asked for" key_elsewhere
daemon=
[ "$failed" -eq 0 ]
