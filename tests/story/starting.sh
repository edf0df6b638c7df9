#!/bin/bash
# Starting and ending: exit status and message of everything that can be wrong
# before a mount works, going into the background, signals, a killed daemon.
#
#	starting.sh BATFS
# shellcheck disable=SC2317 # functions are called by `check`
set -u
BATFS=$(realpath "$1")
# shellcheck source=tests/support/mount.sh
. "$(dirname "$0")/../support/mount.sh"
store=$work/store
second=$work/second
mkdir "$second"

# refuses STATUS TEXT ARGUMENTS...: batfs ends so, and says this on stderr.
refuses() {
	local wanted=$1 text=$2 status=0
	shift 2
	timeout 60 "$BATFS" "$@" >"$work/out" 2>"$work/err" || status=$?
	[ $status -eq "$wanted" ] || {
		echo "status $status, not $wanted: $(tail -n 2 "$work/err")"
		return 1
	}
	grep -q -- "$text" "$work/err" || {
		echo "it said: $(tail -n 2 "$work/err")"
		return 1
	}
	! mountpoint -q "$mnt"
}

usage_errors() {
	refuses 2 'two directories' &&
		refuses 2 'two directories' "$store" &&
		refuses 2 'more than two' a b c &&
		refuses 2 '-x' -x "$store" "$mnt" &&
		refuses 2 'frobnicate' -o ro,frobnicate=1 "$store" "$mnt" &&
		refuses 2 'kind=0.001' -o kind=0.001 "$store" "$mnt"
}

help_and_version() {
	"$BATFS" -h | grep -q 'usage: batfs' &&
		"$BATFS" --version | grep -q '^batfs [0-9]'
}

overlap() {
	mkdir -p "$store/inside" && ln -s store "$work/alias" &&
		refuses 1 'would hide its own data' "$store" "$store" &&
		refuses 1 'would hide its own data' "$store" "$work/alias" &&
		refuses 1 'would hide its own data' "$store" "$work" &&
		refuses 1 'inside the data directory' "$store" "$store/inside" &&
		rmdir "$store/inside"
}

bad_places() {
	: >"$work/file"
	refuses 1 'No such file' "$work/no/store" "$mnt" &&
		refuses 1 'mkdir' "$store" "$work/nowhere" &&
		refuses 1 'is a file' "$store" "$work/file" &&
		refuses 1 "$work/file" "$work/file" "$mnt" &&
		refuses 1 "$work/absent" -o nocreate "$work/absent" "$mnt" &&
		[ ! -e "$work/absent" ]
}

# The parent leaves only when the mount answers, and holds no descriptor of
# ours: $(...) returns.
background() {
	local said
	said=$("$BATFS" "$store" "$mnt" 2>"$work/err") || return
	mountpoint -q "$mnt" || {
		echo "the parent left before the mount"
		return 1
	}
	[[ $said == "batfs: $store (0 events, "*"unmount with: fusermount3 -u $mnt" ]] || {
		echo "it said: $said"
		return 1
	}
	grep -q 'a new store begins' "$work/err" &&
		mkdir "$mnt/scopes/s" && echo 1 >>"$mnt/scopes/s/e" &&
		ls "$mnt/entities/e" >/dev/null
}

# Refused, and not for ever: who holds it and what is possible are named, and
# only what is.
refused_for() { # TEXT DATADIR [OPTIONS]
	local text=$1 status=0
	shift
	"$BATFS" "$@" "$second" >"$work/out" 2>"$work/err" || status=$?
	if [ $status -ne 1 ] || ! grep -q -- "$text" "$work/err"; then
		echo "status $status: $(tail -n 1 "$work/err")"
		return 1
	fi
	! mountpoint -q "$second"
}

locked() {
	refused_for "$store: another process holds .*: process [0-9]* (batfs), \
mounted on $mnt; -o ro needs no lock" "$store"
}

# On a disk that cannot be written a store can be read, and nothing made.
read_only_disk() {
	[ "$(id -u)" -eq 0 ] || return 0
	disk=$work/disk # unmounted at the end, whatever happens
	mkdir "$disk" && mount --bind "$work" "$disk" &&
		mount -o remount,bind,ro "$disk" || return
	mkdir "$work/bare"
	refused_for 'Read-only file system; -o ro writes nothing' \
		"$disk/store" || return
	refused_for 'Read-only file system$' "$disk/bare" || return
	mount_it "$disk/store" ro && [ "$(wc -l <"$mnt/entities/e")" = 3 ] &&
		end_it && umount "$disk" && disk=
}

# The daemon goes on after the unmount, until the store is closed.
gone() {
	local i
	for ((i = 0; i < 500; i++)); do
		pgrep -f -- "$BATFS.* $store $mnt" >/dev/null || return 0
		sleep 0.02
	done
	echo "the daemon is still there"
	return 1
}

unmount_ends_it() {
	fusermount3 -u "$mnt" && gone
}

term_unmounts() {
	mount_it "$store" || return
	exec 8>>"$mnt/scopes/s/e" || return
	echo 2 >&8
	printf '{"half' >&8
	kill -TERM "$daemon"
	wait "$daemon" || {
		echo "status $?: $(cat "$work/said")"
		return 1
	}
	daemon=
	exec 8>&-
	grep -q '6 bytes of lines without an end' "$work/said" || {
		cat "$work/said"
		return 1
	}
	! mountpoint -q "$mnt" && mount_it "$store" &&
		[ "$(wc -l <"$mnt/entities/e")" = 2 ] && end_it
}

# Everything that was acknowledged is there, and at most the one write that
# never heard its answer besides.
term_in_a_storm() {
	local writer got acked
	mount_it "$store" || return
	(
		i=0
		while echo $((++i)) >>"$mnt/scopes/s/storm"; do
			echo $i >>"$work/acked"
		done
	) 2>/dev/null &
	writer=$!
	sleep 1
	kill -TERM "$daemon"
	wait "$daemon" || return
	daemon=
	wait $writer
	mount_it "$store" || return
	got=$(wc -l <"$mnt/scopes/s/storm")
	acked=$(wc -l <"$work/acked")
	end_it
	echo "$acked acknowledged, $got there"
	[ "$acked" -gt 0 ] && [ "$got" -ge "$acked" ] &&
		[ "$got" -le $((acked + 1)) ]
}

synced_apart() {
	mount_it "$store" durable=fsync || return
	python3 - "$mnt/scopes/s/apart" <<-'END' || return
	import os, sys
	for flags in (0, os.O_SYNC, os.O_DSYNC):
	    fd = os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND | os.O_CREAT | flags)
	    assert os.write(fd, b'1\n2\n') == 4
	    os.fsync(fd)
	    os.close(fd)
	END
	[ "$(wc -l <"$mnt/scopes/s/apart")" = 6 ] && end_it
}

# How far the log has come, before and after an fsync; and what a reader knows.
frontier() {
	mount_it "$store" durable=fsync || return
	python3 - "$mnt" <<-'END' || return
	import os, sys
	def point(name):
	    with open(f'{sys.argv[1]}/.ctl/frontier/{name}') as file:
	        return dict(line.rstrip('\n').split(' ', 1) for line in file)
	fd = os.open(sys.argv[1] + '/scopes/s/apart', os.O_WRONLY | os.O_APPEND | os.O_CREAT)
	before = int(point('durable')['seq'])
	os.write(fd, b'1\n2\n')
	durable, visible = point('durable'), point('visible')
	assert int(durable['seq']) == before, durable
	assert int(visible['seq']) == before + 3, visible  # OPEN too
	assert durable['visible_minus_durable'] == '3', durable
	with open(f'{sys.argv[1]}/events/{visible["seq"]}.json') as file:
	    assert visible['id'] in file.read()
	for name in ('accepted', 'written', 'emitted'):
	    assert point(name) == visible, name
	os.fsync(fd)
	durable = point('durable')
	assert durable['seq'] == visible['seq'], durable
	assert durable['visible_minus_durable'] == '0', durable
	assert durable['undurable_ms'] == '0', durable
	os.close(fd)
	END
	end_it && mount_it "$store" ro || return
	[ "$(ls -m "$mnt/.ctl/frontier")" = 'visible, written' ] &&
		grep -q '^seq ' "$mnt/.ctl/frontier/visible" && end_it
}

dead_mount() {
	mount_it "$store" || return
	kill -9 "$daemon"
	wait "$daemon" 2>/dev/null
	daemon=
	ls "$mnt" 2>"$work/err" && return 1
	grep -q 'Transport endpoint' "$work/err" &&
		refuses_dead && take_down && mount_it "$store" && end_it
}

refuses_dead() {
	local status=0
	"$BATFS" "$store" "$mnt" >"$work/out" 2>"$work/err" || status=$?
	[ $status -eq 1 ] && grep -q "fusermount3 -u $mnt" "$work/err"
}

read_only() {
	mount_it "$store" ro || return
	grep -q ' ro,' < <(grep " $mnt " /proc/self/mounts) &&
		{ echo 3 >>"$mnt/entities/e"; } 2>"$work/err"
	grep -q 'Read-only file system' "$work/err" && end_it
}

closed_descriptors() {
	"$BATFS" "$store" "$mnt" <&- >&- 2>&- || return
	mountpoint -q "$mnt" && [ "$(wc -l <"$mnt/entities/e")" = 2 ] &&
		fusermount3 -u "$mnt" && gone
}

config_line() {
	mount_it "$store" 'scope=a b,kind=f.001,checkpoint=7' || return
	grep -q "^$store $mnt fuse.batfs rw,kind=f.001,.*checkpoint=7,.*scope=a.040b" \
		"$mnt/.ctl/config" && end_it
}

one_thread() {
	"$BATFS" -s "$store" "$mnt" >/dev/null || return
	echo 3 >>"$mnt/entities/e" && [ "$(wc -l <"$mnt/entities/e")" = 3 ] &&
		fusermount3 -u "$mnt" && gone
}

# Nothing is acknowledged that has no name to be found under.
removed_beneath() {
	local gone=$work/gone status
	mkdir "$gone" && mount_it "$gone" && mkdir "$mnt/scopes/s" &&
		exec 8>>"$mnt/scopes/s/e" && echo 1 >&8 && rm -rf "$gone" ||
		return
	grep -q '^writer failing' "$mnt/.ctl/status" &&
		grep -q '^reason .*\.batpak\.lock was removed' \
			"$mnt/.ctl/status" || return
	{ echo 2 >&8; } 2>"$work/err" && return 1
	exec 8>&-
	grep -q 'Input/output error' "$work/err" &&
		grep -q 'was removed' "$mnt/.ctl/rejects.jsonl" &&
		! cat "$mnt/.ctl/verify" >"$work/out" 2>&1 || return
	take_down
	wait "$daemon"
	status=$?
	daemon=
	[ $status -ne 0 ] && grep -q 'closing the store: .*was removed' "$work/said"
}

check "usage errors end with 2 and name the word" usage_errors
check "help and version" help_and_version
check "data and mountpoint may not overlap" overlap
check "places that cannot be" bad_places
check "into the background when the mount works" background
check "one directory, one batfs" locked
check "an unmount ends it" unmount_ends_it
check "TERM unmounts and closes" term_unmounts
check "TERM in a storm of writers" term_in_a_storm
check "durable=fsync" synced_apart
check "the frontier: durable follows when it is synced" frontier
check "a dead mount is named with its remedy" dead_mount
check "read-only" read_only
check "closed standard descriptors" closed_descriptors
check "the config line" config_line
check "one thread" one_thread
check "a data directory that is removed takes no line" removed_beneath
check "a disk that cannot be written: -o ro is named, and works" read_only_disk
[ "$failed" -eq 0 ]
