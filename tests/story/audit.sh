#!/bin/bash
# Nothing goes around the door: of all that batfs does to files of a data
# directory, every system call comes from store/file_posix.c (strace names the
# callers), is one of those that belong there, and follows no symbolic link.
# And of store/ only file_posix.c and file_place.c know how to ask for it, and
# only clock.c for the time.
#
#	audit.sh BATFS
# shellcheck disable=SC2317 # functions are called by `check`
set -u
batfs=$(realpath "$1")
BATFS=$batfs
# shellcheck source=tests/support/mount.sh
. "$(dirname "$0")/../support/mount.sh"
library=$(dirname "$batfs")/../store/libbatstore.a
store=$work/store

# ---- by name -----------------------------------------------------------

# Objects of the library that refer to one of these, but for one.
others_with() { # object name...
	local object=$1
	shift
	nm -A -u "$library" 2>/dev/null |
		awk -v object=":$object:" -v names="$*" '
		BEGIN {
			split(names, list, " ")
			for (i in list)
				wanted[list[i]]
		}
		index($0, object) == 0 &&
		    (object != ":file_posix.c.o:" ||
			index($0, ":file_place.c.o:") == 0) && $NF in wanted { print; found = 1 }
		END { exit !found }'
}

only_the_door_knows() {
	local calls=(open open64 openat openat64 creat read pread pread64
		write pwrite pwrite64 close fsync fdatasync ftruncate
		ftruncate64 rename renameat renameat2 unlink unlinkat link
		linkat mkdir mkdirat opendir fdopendir readdir readdir64 stat
		stat64 fstat fstat64 fstatat fstatat64 flock fopen fopen64 mmap
		mmap64 posix_fadvise posix_fadvise64 statfs statfs64 statx
		fstatfs fstatfs64 socket bind)
	nm "$library" 2>/dev/null | grep -q ' posix_write_at$' || {
		echo "the library has no symbols"
		return 1
	}
	! others_with file_posix.c.o "${calls[@]}"
}

# map.c has a key for its hash tables, which decides nothing that is seen.
only_the_door_rolls_dice() {
	! others_with file_posix.c.o getrandom rand random arc4random |
		grep -v ':map\.c\.o:'
}

only_the_clock_knows() {
	! others_with clock.c.o time gettimeofday clock_gettime localtime
}

# ---- by what is done ---------------------------------------------------

traced() {
	cat >"$work/traced" <<-END
		#!/bin/bash
		# leaks cannot be looked for under strace
		export ASAN_OPTIONS=\${ASAN_OPTIONS-}:detect_leaks=0
		exec strace -f -k -y -o "$work/trace.$1" \
			-e trace=%file,%desc "$batfs" "\$@"
	END
	chmod +x "$work/traced"
	BATFS=$work/traced
}

append_some() {
	local i
	mkdir -p "$mnt/scopes/audit" || return 1
	for i in 1 2 3; do
		echo "{\"n\":$i}" >>"$mnt/scopes/audit/player" || return 1
	done
	cat "$mnt/log.jsonl" "$mnt/scopes/audit/player" >"$work/read"
}

# A new store, in a directory that is not there either.
first_session() {
	traced first
	mount_it "$store" && append_some && end_it
}

# What a crash leaves: a torn tail in the newest segment.
tear() {
	local newest
	BATFS=$batfs
	mount_it "$store" && append_some && kill_it || return 1
	newest=$(find "$store" -name '*.fbat' | sort | tail -n 1)
	printf '\0\0\1\0torn' >>"$newest"
}

# Recovery, cutting, an index file.
second_session() {
	traced second
	mount_it "$store" 'checkpoint=1' && append_some && sleep 2 &&
		append_some && end_it
}

# One line per call on a file of the store: `NAME|who called|the call`. A call
# that another thread interrupts stands in two pieces.
calls() { # session
	awk -v store="$store" '
	function say() {
		if (call == "")
			return
		if (index(call, "<" store "/") == 0 &&
		    index(call, "\"" store "/") == 0 &&
		    index(call, "<" store ">, \"") == 0)
			call = ""
		else
			print name "|" caller "|" call
		call = ""
	}
	/^ > / {
		if (match($0, /\((bat_file_)?posix_[a-z_]+\+/))
			caller = substr($0, RSTART + 1, RLENGTH - 2)
		next
	}
	/^[0-9]+ / {
		say()
		pid = $1
		line = $0
		sub(/^[0-9]+ +/, "", line)
		if (line ~ /<unfinished \.\.\.>$/) {
			sub(/ *<unfinished \.\.\.>$/, "", line)
			pending[pid] = line
			next
		}
		if (line ~ /^<\.\.\. [a-z0-9_]+ resumed>/) {
			sub(/^<\.\.\. [a-z0-9_]+ resumed>/, "", line)
			line = pending[pid] line
		}
		if (line !~ /^[a-z0-9_]+\(/)
			next
		name = line
		sub(/\(.*/, "", name)
		call = line
		caller = ""
	}
	END { say() }' "$work/trace.$1"
}

# Of the directory itself main may ask what it is, and mount it.
all_come_through_the_door() { # session
	calls "$1" >"$work/calls.$1"
	[ "$(wc -l <"$work/calls.$1")" -gt 20 ] || {
		echo "only $(wc -l <"$work/calls.$1") calls were seen"
		return 1
	}
	! awk -F '|' '$2 == "" { print; found = 1 } END { exit !found }' \
		"$work/calls.$1"
}

# close, fcntl and lseek are also those of a listing; fstat and newfstatat are
# one.
none_is_foreign() {
	! cut -d '|' -f 1 "$work"/calls.* | sort -u |
		grep -vxE 'openat|close|pread64|pwrite64|fsync|fdatasync' |
		grep -vxE 'ftruncate|renameat2?|unlinkat|mkdirat|getdents64' |
		grep -vxE 'newfstatat|fstat|statx|fstatfs|flock|fadvise64|fcntl|lseek'
}

no_link_is_followed() {
	! grep -h '^openat|' "$work"/calls.* | grep -v O_NOFOLLOW &&
		! grep -hE '^(newfstatat|statx)\|' "$work"/calls.* |
		grep -vE 'AT_SYMLINK_NOFOLLOW|AT_EMPTY_PATH'
}

# What is appended to a new directory is safe only with the directory's name.
# Another thread may interrupt the call.
new_directory_is_synced() {
	grep -E "fsync\([0-9]+<$work>(\)| <unfinished)" "$work/trace.first" \
		>/dev/null && return 0
	echo "of $work only:"
	grep -F "<$work>" "$work/trace.first"
	return 1
}

# The session did what it was there for.
was_cut() {
	grep -q '^ftruncate|' "$work/calls.second" &&
		[ -d "$store/.batfs/cut" ]
}

if nm -A "$library" >/dev/null 2>&1; then
	check "audit: of store/ only file_posix.c knows the disk" \
		only_the_door_knows
	check "audit: of store/ only file_posix.c rolls dice" \
		only_the_door_rolls_dice
	check "audit: of store/ only clock.c knows the time" \
		only_the_clock_knows
else
	echo "skip - audit: of store/ only file_posix.c knows the disk: no nm"
fi
if ! strace -k -o /dev/null true 2>/dev/null; then
	echo "skip - audit: calls of a session: strace cannot name callers"
	exit $((failed > 0))
fi
check "audit: a session over a new directory" first_session
check "audit: its calls come through the door" all_come_through_the_door first
check "audit: its directory's name is on disk" new_directory_is_synced
check "audit: a crash" tear
check "audit: a session that recovers" second_session
check "audit: its calls come through the door too" \
	all_come_through_the_door second
check "audit: it cut a torn tail" was_cut
check "audit: they are the calls that belong there" none_is_foreign
check "audit: no symbolic link is followed" no_link_is_followed
exit $((failed > 0))
