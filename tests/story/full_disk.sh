#!/bin/bash
# A disk of 2 MiB that fills: appends say ENOSPC, reading goes on, and with
# space again appending does too, without a remount. Nothing acknowledged is
# lost, and batpak opens the directory.
#
#	full_disk.sh BATFS [OPTIONS]
# shellcheck disable=SC2317 # functions are called by `check`
set -u
BATFS=$(realpath "$1")
options=${2:-}
name="full disk${options:+, $options}"
# shellcheck source=tests/support/mount.sh
. "$(dirname "$0")/../support/mount.sh"
storm=$here/support/storm.py
interop=$(interop_program) || {
	echo "not ok - full disk: cargo build"
	exit 1
}
[ -n "$interop" ] || echo "skip - full disk, batpak opens it: no cargo"
disk=$work/disk
mkdir "$disk"
if ! mount -t tmpfs -o size=2m batfs-test "$disk" 2>/dev/null; then
	disk=
	echo "skip - full disk: may not mount a tmpfs"
	exit 0
fi
store=$disk/store
acked=$work/acked
: >"$acked"
head -c 400000 /dev/zero >"$disk/ballast"
head -c 400000 /dev/zero >"$disk/reserve" # for the index file at the end

starts() {
	mount_it "$store" "$options" && mkdir -p "$mnt/scopes/storm"
}

# storm NAME MAX SIZE STATUS: writes, and must end with that status.
storm() {
	python3 "$storm" write "$mnt/scopes/storm/$1" "$1" "$acked" "$2" "$3"
	[ $? -eq "$4" ] || {
		echo "the writer did not end with $4"
		return 1
	}
}

says_no_space() {
	local said
	said=$( (echo "{\"t\":\"x.0.0/1\",\"x\":\"$(head -c 90000 /dev/zero |
	    tr '\0' y)\"}" >>"$mnt/scopes/storm/shell") 2>&1) && return 1
	[[ $said == *"No space left on device"* ]] || {
		echo "it said: $said"
		return 1
	}
}

verify() {
	python3 "$storm" verify "$mnt/log.jsonl" "$acked"
}

mounts_full() {
	end_it
	head -c 4194304 /dev/zero >"$disk/ballast" 2>/dev/null
	mount_it "$store" "$options"
}

batpak_opens() {
	# from elsewhere: the copies want room
	cp -r "$store" "$work/copy" && "$interop" check "$work/copy"
}

check "$name: mount" starts
check "$name: appends until ENOSPC" storm fill 1000 10000 75
check "$name: the shell is told" says_no_space
check "$name: everything acknowledged reads" verify
rm "$disk/ballast"
check "$name: space again, appended without a remount" storm again 5 10000 0
check "$name: filled a second time" storm refill 1000 3000 75
check "$name: everything acknowledged reads again" verify
check "$name: a mount on a full disk stands" mounts_full
check "$name: it reads" verify
check "$name: its first append says so" storm late 1 50000 75
rm "$disk/ballast" "$disk/reserve"
check "$name: space again, the first append works" storm last 1 2000 0
check "$name: everything acknowledged is there" verify
check "$name: an orderly end" end_it
if [ -n "$interop" ]; then
	check "$name: batpak opens it" batpak_opens
fi
exit $((failed > 0))
