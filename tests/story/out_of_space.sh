#!/bin/bash
# Where space ends in the kernel's own ways: ext4 and XFS with anything from 0
# to 64 KiB left, recovery on a full disk, a disk that says so at the sync only
# (thin), a quota, and a limit on the length of a file (ulimit -f).
#
#	out_of_space.sh BATFS
# Limit: 250 s
# shellcheck disable=SC2015,SC2317 # `check` calls them
set -u
BATFS=$(realpath "$1")
batfs=$BATFS
batctl=$(dirname "$BATFS")/batctl
# shellcheck source=tests/support/mount.sh
. "$(dirname "$0")/../support/mount.sh"
storm=$here/support/storm.py
acked=$work/acked
below=$work/below
disk='' loop='' is_thin=''
mkdir "$below"

# ---- disks ---------------------------------------------------------------

# An image of so many MiB in $below, mounted at $work/disk. Everything written
# there by then is given up: a test begins with an empty one.
make_disk() { # MiB COMMAND...
	local size=$1
	shift
	leave_disk
	truncate -s "${size}M" "$below/image" && "$@" "$below/image" \
		>/dev/null 2>&1 && mkdir -p "$work/disk" || return
	mount_disk
}

# A request that a loop device could write only in part counts as done: on a
# thin disk each has to be a page.
small_requests() {
	[ -z "$is_thin" ] ||
		echo 4 >"/sys/block/${loop##*/}/queue/max_sectors_kb"
}

mount_disk() {
	loop=$(losetup --find --show "$below/image") && small_requests &&
		mount "$loop" "$work/disk" && disk=$work/disk || return
	store=$disk/store
}

# The daemon has to be gone.
unmount_disk() {
	[ -z "$disk" ] || umount "$disk" || return
	disk=
	[ -z "$loop" ] || losetup -d "$loop" || return
	loop=
}

leave_disk() {
	[ -z "$daemon" ] || end_it
	unmount_disk
	rm -f "$below/image"
	: >"$acked"
}

# As mount.sh's, and what is its own.
end_everything() {
	[ -z "$daemon" ] || end_it
	grep -q " $mnt " /proc/self/mounts && take_down
	unmount_disk
	grep -q " $below " /proc/self/mounts && umount "$below"
	clean_up
}
trap end_everything EXIT

left() { echo $(($(stat -f -c '%a * %S' "$disk"))); }

# Takes all but so many bytes. What the file system needs to know of the
# ballast itself counts, so it is done in steps.
leave_only() { # bytes
	local take i=0
	sync -f "$disk"
	while take=$(($(left) - $1)) && [ "$take" -gt 0 ]; do
		fallocate -l "$take" "$disk/ballast.$i" 2>/dev/null ||
			fallocate -l $((take / 2)) "$disk/ballast.$i" \
			2>/dev/null || break
		i=$((i + 1))
		[ "$i" -lt 60 ] || break
	done
}

# ---- what is done on them --------------------------------------------------

# storm NAME MAX SIZE STATUS...: writes, and must end with one of these.
storm() {
	local name=$1 most=$2 size=$3 status=0
	shift 3
	python3 "$storm" write "$mnt/scopes/storm/$name" "$name" "$acked" \
		"$most" "$size" || status=$?
	[[ " $* " == *" $status "* ]] || {
		echo "the writer $name ended with $status, not $*"
		return 1
	}
}

verify() {
	python3 "$storm" verify "$mnt/log.jsonl" "$acked"
}

starts() { # [OPTIONS]
	mount_it "$store" "${1:-$options}" && mkdir -p "$mnt/scopes/storm"
}

leftovers() {
	local found
	found=$(find "$store" -name '.tmp*')
	[ -z "$found" ] || {
		echo "left behind: $found"
		return 1
	}
}

# Filled with so much left, ended and begun full; then there is room again.
goes_on_with() { # bytes
	leave_only "$1"
	storm "full$1" 5000 700 75 && verify || return
	echo now >"$mnt/.ctl/checkpoint" 2>/dev/null # may fail, may not harm
	leftovers && verify && ends_full && leftovers || return
	starts && verify || return
	# more than any gap that the end has left
	storm "late$1" 1 100000 75 || return
	verify && rm "$disk"/ballast.* && storm "after$1" 3 700 0 && verify
}

every_size() { # OPTIONS SIZE...
	local size
	options=$1
	shift
	starts && storm before 20 700 0 || return
	for size; do
		goes_on_with "$size" || {
			echo "with $size bytes left"
			return 1
		}
	done
	cat "$mnt/.ctl/verify" && end_it && batpak_opens
}

# On a full disk: it may say that it could not write an index file.
ends_full() {
	end_it >"$work/ended" && return
	grep -q 'No space left on device' "$work/ended" || {
		cat "$work/ended"
		return 1
	}
}

batpak_opens() {
	[ -n "$interop" ] || return 0
	rm -rf "$work/copy"
	cp -r "$store" "$work/copy" && "$interop" check "$work/copy"
}

segments() { (cd "$store" && sha256sum ./*.fbat ./index.* 2>/dev/null); }

# A torn tail, and no room to keep it aside: it stays until there is some.
recovers_later() {
	local last
	options=
	starts && storm before 20 700 0 && kill_it || return
	last=$(find "$store" -name '*.fbat' | sort | tail -n 1)
	head -c 3000 /dev/urandom >"$work/torn"
	printf '\0\0\20\0' | cat - "$work/torn" >>"$last"
	leave_only 0
	segments >"$work/before"
	mount_it "$store" && verify && storm never 1 700 75 && verify || return
	segments | diff "$work/before" - || {
		echo "the segments were changed"
		return 1
	}
	ends_full || return
	segments | diff "$work/before" - && leftovers || return
	mount_it "$store" && verify && rm "$disk"/ballast.* &&
		storm after 3 700 0 && verify || return
	cat "$mnt/.ctl/verify" && end_it && batpak_opens || return
	[ -n "$(find "$store/.batfs/cut" -type f)" ] || {
		echo "what was cut off is gone"
		return 1
	}
}

# The file system has room, the disk below it has not: a write succeeds, and
# the sync says that it did not.
told_by_the_sync() {
	options=
	starts && storm before 20 700 0 || return
	storm thin 4000 4000 75 76 || return
	storm later 1 700 75 76 && verify || return
	[ -e "/proc/$daemon/status" ] || {
		echo "batfs has ended"
		return 1
	}
	end_it # may say that it could not close well
	unmount_disk && mount -o remount,size=100m "$below" || return
	mount_disk && starts && verify && storm after 20 700 0 && verify &&
		cat "$mnt/.ctl/verify" && end_it && batpak_opens
}

# Only what the file system has not given away yet is thin: where its own
# tables or its journal are, a write that fails is more than it can bear.
thin() {
	local free first last size
	mount -t tmpfs -o size=100m batfs-test "$below" &&
		fallocate -l 64M "$below/image" &&
		mkfs.ext4 -q -F -b 4096 -m 0 -J size=4 -E \
			nodiscard,lazy_itable_init=0 "$below/image" &&
		fallocate -l 64M "$below/image" || return
	free=$(dumpe2fs "$below/image" 2>/dev/null |
		sed -n 's/^  Free blocks: //p' | tr -d ' ' | tr , '\n')
	[ -n "$free" ] || return
	while IFS=- read -r first last; do
		fallocate -p -o $((first * 4096)) \
			-l $(((${last:-$first} - first + 1) * 4096)) \
			"$below/image" || return
	done <<<"$free"
	size=$(($(stat -c '%b * %B' "$below/image") / 1024 + 3000))
	: >"$acked"
	is_thin=1
	mkdir -p "$work/disk" && mount -o "remount,size=${size}k" "$below" &&
		mount_disk
}

# Btrfs answers EDQUOT, whoever asks.
over_the_quota() {
	options=
	btrfs quota enable "$disk" && btrfs subvolume create "$store" &&
		btrfs qgroup limit 2M "$store" && starts || return
	storm before 20 700 0 && storm full 5000 3000 75 && verify || return
	btrfs qgroup limit none "$store" && storm after 3 700 0 && verify &&
		end_it && batpak_opens
}

# ---- the longest file ------------------------------------------------------

limited() { # COMMAND...; files of 64 KiB at most
	(ulimit -S -f 64 && exec "$@")
}

is_limited() { # COMMAND...; answers its failure, and does not die
	local status=0
	limited "$@" >"$work/out" 2>"$work/err" || status=$?
	[ "$status" -ge 1 ] && [ "$status" -le 2 ] &&
		grep -qE 'File too large|No space left' "$work/err" || {
		echo "$* ended with $status: $(tail -n 2 "$work/err")"
		return 1
	}
}

below_a_file_limit() {
	store=$work/limited
	: >"$acked"
	options=
	cat >"$work/limited-batfs" <<-END
		#!/bin/bash
		ulimit -S -f 64
		exec "$batfs" "\$@"
	END
	chmod +x "$work/limited-batfs" && BATFS=$work/limited-batfs || return
	starts && storm full 500 700 75 && verify &&
		storm again 1 3000 75 || return
	prlimit --pid "$daemon" --fsize=unlimited: &&
		storm after 100 700 0 && verify && end_it
}

# What is there is longer than what may be written: it is read, and not cut.
below_what_is_there() {
	options=
	segments >"$work/before"
	starts ro && verify && end_it || return
	starts && verify && end_it && segments | diff "$work/before" - &&
		batpak_opens
}

batctl_below_a_file_limit() {
	BATFS=$batfs
	head -c 100000 /dev/zero | tr '\0' y | sed 's/.*/"&"/' >"$work/line"
	is_limited "$batctl" append "$store" /scopes/storm/batctl \
		<"$work/line" &&
		is_limited "$batctl" backup "$store" "$work/copied" &&
		is_limited "$batctl" salvage "$store" "$work/salvaged" &&
		(limited "$batctl" tar "$store" >"$work/tar" 2>"$work/err"
		[ $? -eq 2 ]) || return
	starts && verify && end_it
}

# ---- all of it -----------------------------------------------------------

interop=$(interop_program) || {
	echo "not ok - out of space: cargo build"
	exit 1
}
check "file limit: appends say so, and go on without it" below_a_file_limit
check "file limit: what is longer already stays as it is" below_what_is_there
check "file limit: batctl says so and does not die" batctl_below_a_file_limit
if [ "$(id -u)" != 0 ] || ! losetup --find >/dev/null 2>&1; then
	echo "skip - disks of the kernel: no loop device for us"
	exit $((failed > 0))
fi
make_disk 8 mkfs.ext4 -q -F -b 1024 -m 0 -J size=1 -E nodiscard &&
	check "ext4: 0 to 64 KiB left" every_size segment=65536 \
	0 4096 12288 20480 36864 65536 ||
	failed=1
make_disk 8 mkfs.ext4 -q -F -b 4096 -m 0 -E nodiscard &&
	check "a torn tail on a full disk waits for room" recovers_later ||
	failed=1
if make_disk 300 mkfs.xfs -q -f -K; then
	check "XFS: 0 to 64 KiB left" every_size segment=65536 \
		0 12288 65536
else
	echo "skip - XFS: cannot be mounted"
fi
if make_disk 128 mkfs.btrfs -q -f -K; then
	check "btrfs: over the quota" over_the_quota
else
	echo "skip - btrfs: cannot be mounted"
fi
leave_disk
if thin; then
	check "a disk that says so at the sync only" told_by_the_sync
else
	echo "skip - thin disk: cannot be mounted"
fi
exit $((failed > 0))
