#!/bin/bash
# batctl shows what the mount shows: the same names, types, modes, sizes,
# times, inode numbers and bytes, also of what is not listed.
#
#	batctl.sh BATFS
# shellcheck disable=SC2317 # `check` calls functions
set -u
BATFS=$(realpath "$1")
BATCTL=$(dirname "$BATFS")/batctl
# shellcheck source=tests/support/mount.sh
. "$(dirname "$0")/../support/mount.sh"
export LC_ALL=C
golden=$here/data/golden
data=

fresh() {
	data=$work/$1
	rm -rf "$data"
	cp -r "$golden/$1/store" "$data"
}

same_names() {
	(cd "$mnt" && find . | sort) >"$work/a"
	"$BATCTL" find "$data" . | sort >"$work/b"
	cmp "$work/a" "$work/b"
}

# Mode, size, time, number and name of everything that is listed.
same_attributes() {
	(cd "$mnt" && find . -print0) >"$work/names"
	xargs -0 -a "$work/names" "$BATCTL" stat "$data" >"$work/b" &&
		(cd "$mnt" && python3 -c '
import os, sys
for name in open(sys.argv[1], "rb").read().split(b"\0")[:-1]:
	at = os.lstat(name)
	ms = at.st_mtime_ns // 10 ** 6
	sys.stdout.buffer.write(b"%06o %d %d.%03d %d %s\n" % (at.st_mode,
		at.st_size, ms // 1000, ms % 1000, at.st_ino, name))
' "$work/names") >"$work/a" && diff "$work/a" "$work/b"
}

same_bytes() {
	local name
	(cd "$mnt" && find . -type f -print0) |
		while IFS= read -r -d '' name; do
			cmp "$mnt/$name" <("$BATCTL" cat "$data" "$name") ||
				exit 1
		done
}

# The archive unpacked is the mount copied: bytes, links, modes and times.
same_archive() {
	mkdir -p "$work/by-us" "$work/by-tar" &&
		"$BATCTL" tar "$data" >"$work/tar" &&
		tar -xpf "$work/tar" -C "$work/by-us" &&
		tar --format=pax -cf - -C "$mnt" . | tar -xpf - -C "$work/by-tar" &&
		diff -r --no-dereference "$work/by-us" "$work/by-tar" &&
		cmp <(cd "$work/by-us" && find . -printf '%p %y %m %s %T@ %l\n' |
			sort) <(cd "$work/by-tar" && find . \
				-printf '%p %y %m %s %T@ %l\n' | sort) || return
	chmod -R u+w "$work/by-us" "$work/by-tar"
	rm -rf "$work/by-us" "$work/by-tar"
}

# Names of kinds are in the tree here too.
named_kinds() {
	echo 'f.001 moved' >"$work/kinds"
	cmp <("$BATCTL" cat --kinds="$work/kinds" "$data" by/kind/moved.jsonl) \
		<("$BATCTL" cat "$data" by/kind/f.001.jsonl) &&
		exits 1 "$BATCTL" cat "$data" by/kind/moved.jsonl || return
	echo 'nonsense' >"$work/kinds"
	exits 2 "$BATCTL" ls --kinds="$work/kinds" "$data"
}

# What is not listed, and links that are followed.
same_typed() {
	local name
	for name in log.jsonl events/1 events/1.json events/1/event.json \
		events/1/payload events/00000000/000000000001/event.json; do
		[ -d "$mnt/$name" ] && continue
		cmp "$mnt/$name" <("$BATCTL" cat "$data" "$name") || return
	done
	cmp <(ls "$mnt/events/1") <("$BATCTL" ls "$data" events/1/) &&
		cmp <(ls "$mnt/events/1/..") <("$BATCTL" ls "$data" events/1/..)
}

nothing_is_written() {
	diff -r "$golden/$1/store" "$data"
}

errors() {
	! "$BATCTL" cat "$data" entities/nobody 2>/dev/null &&
		! "$BATCTL" ls "$data" README/x 2>/dev/null &&
		! "$BATCTL" cat "$data" log 2>/dev/null &&
		! "$BATCTL" cat "$work/nowhere" README 2>/dev/null
}

# exits WITH COMMAND...
exits() {
	local wanted=$1 status=0
	shift
	"$@" >"$work/out" 2>"$work/err" || status=$?
	[ "$status" -eq "$wanted" ] && return
	echo "status $status: $(tail -n 1 "$work/err")"
	return 1
}

verifies_nothing() {
	local place
	mkdir "$work/bare" && : >"$work/plain" || return
	for place in bare plain nowhere; do
		exits 2 "$BATCTL" verify "$work/$place" || return
		if [ -s "$work/out" ] || [ "$(wc -l <"$work/err")" != 1 ] ||
			[ "$(grep -o "$work/$place" "$work/err" | wc -l)" != 1 ]; then
			cat "$work/out" "$work/err"
			return 1
		fi
	done
	exits 2 "$BATCTL" verify "$work/bare" && grep -q 'no \*\.fbat' "$work/err"
}

# Asked for it is an answer; a wrong word is named.
says_how() {
	local command
	for command in $("$BATCTL" --help | sed -n 's/^  \([a-z-]*\)  .*/\1/p'); do
		exits 0 "$BATCTL" "$command" --help &&
			grep -q "^usage: batctl $command " "$work/out" || return
	done
	[ -n "$command" ] && exits 2 "$BATCTL" frobnicate &&
		grep -q '`frobnicate`' "$work/err"
}

inspects() {
	fresh quickstart
	exits 0 "$BATCTL" inspect "$data" && grep -qx 'damage 0' "$work/out" &&
		nothing_is_written quickstart || return
	printf X | dd of="$data/000001.fbat" bs=1 seek=600 conv=notrunc \
		status=none
	exits 1 "$BATCTL" inspect "$data" &&
		grep -q '^segment.000001.hole' "$work/out" &&
		exits 2 "$BATCTL" inspect "$work/nowhere" &&
		exits 2 "$BATCTL" inspect
}

repairs() {
	fresh many-segments
	printf X | dd of="$data/000002.fbat" bs=1 conv=notrunc status=none
	! mount_it "$data" && grep -q 'batctl repair' "$work/said" || return
	exits 1 "$BATCTL" repair "$data" &&
		grep -q '^write the header of segment 2' "$work/out" &&
		exits 0 "$BATCTL" repair "$data" --yes &&
		exits 0 "$BATCTL" repair "$data" &&
		exits 0 "$BATCTL" inspect "$data" &&
		ls "$data"/.batfs/cut/000002-* || return
	mount_it "$data" || return
	exits 2 "$BATCTL" repair "$data" --yes && mkdir "$mnt/scopes/room:x" &&
		echo '{"after":"repair"}' >>"$mnt/scopes/room:x/player:y"
	end_it && "$BATCTL" cat "$data" scopes/room:x/player:y |
		grep -q '"after":"repair"'
}

salvages() {
	fresh many-segments
	rm -rf "$work/saved"
	dd if=/dev/zero of="$data/000003.fbat" bs=1 seek=1200 count=900 \
		conv=notrunc status=none
	(cd "$data" && sha256sum ./*) >"$work/a"
	exits 1 "$BATCTL" salvage "$data" "$work/saved" &&
		grep -qP '^3\t\d+\t\d+\t0\t' "$work/out" &&
		(cd "$data" && sha256sum ./*) | cmp - "$work/a" &&
		exits 0 "$BATCTL" inspect "$work/saved" &&
		exits 2 "$BATCTL" salvage "$data" "$work/saved" &&
		[ ! -s "$work/out" ] &&
		exits 2 "$BATCTL" salvage "$data" "$data/inner" &&
		[ ! -e "$data/inner" ]
}

appends() {
	fresh quickstart
	printf '{"x":1}\n@kind=f.001 @cause=last {"x":2}\n"tail"' |
		exits 0 "$BATCTL" append "$data" scopes/room:new/player:new &&
		[ "$(jq -s 'map(.clock) == [0, 1, 2]' "$work/out")" = true ] &&
		"$BATCTL" cat "$data" scopes/room:new/player:new |
		jq -s 'map(.data)' -c | grep -qx '\[{"x":1},{"x":2},"tail"\]' || return
	# What stands before a bad line is there, what stands behind is not.
	printf '"good"\nbad\n"never"\n' |
		exits 1 "$BATCTL" append "$data" entities/player:new &&
		grep -q '^batctl: byte 7: .*bad' "$work/err" &&
		[ "$("$BATCTL" cat "$data" entities/player:new | wc -l)" = 4 ] &&
		exits 1 "$BATCTL" append "$data" README </dev/null &&
		exits 2 "$BATCTL" append "$work/nowhere" append </dev/null &&
		mount_it "$data" || return
	echo '"x"' | exits 2 "$BATCTL" append "$data" entities/player:new
	end_it
}

checkpoints() {
	fresh quickstart
	rm "$data"/index.*
	exits 0 "$BATCTL" checkpoint "$data" && [ -e "$data/index.ckpt" ] &&
		exits 0 "$BATCTL" checkpoint "$data" --index=fbati &&
		[ -e "$data/index.fbati" ] && [ ! -e "$data/index.ckpt" ] &&
		exits 0 "$BATCTL" checkpoint "$data" --index=ckpt &&
		[ -e "$data/index.ckpt" ] && [ ! -e "$data/index.fbati" ] &&
		exits 0 "$BATCTL" inspect "$data" &&
		grep -qx 'index.ckpt.believed yes' "$work/out"
}

# Of a store at rest, and beside a mount that writes.
backs_up() {
	fresh mixed
	rm -rf "$work/copy"
	exits 0 "$BATCTL" backup "$data" "$work/copy" &&
		nothing_is_written mixed &&
		(cd "$work/copy" && sha256sum --quiet -c SHA256SUMS) &&
		exits 0 "$BATCTL" restore-check "$work/copy" &&
		exits 2 "$BATCTL" backup "$data" "$work/copy" &&
		exits 2 "$BATCTL" backup "$data" "$data/copy" &&
		cmp <("$BATCTL" cat "$data" log.jsonl) \
			<("$BATCTL" cat "$work/copy/store" log.jsonl) || return
	printf X | dd of="$work/copy/store/000002.fbat" bs=1 seek=900 \
		conv=notrunc status=none
	exits 1 "$BATCTL" restore-check "$work/copy" &&
		grep -q '^store/000002.fbat: has other bytes' "$work/out" &&
		rm "$work/copy/store/000002.fbat" &&
		exits 1 "$BATCTL" restore-check "$work/copy" &&
		rm "$work/copy/SHA256SUMS" &&
		exits 2 "$BATCTL" restore-check "$work/copy" || return
	rm -rf "$work/copy"
	mount_it "$data" && mkdir "$mnt/scopes/live" &&
		echo '"one"' >>"$mnt/scopes/live/e" &&
		exits 0 "$BATCTL" backup "$data" "$work/copy" &&
		echo '"two"' >>"$mnt/scopes/live/e" &&
		exits 0 "$BATCTL" restore-check "$work/copy" &&
		[ "$("$BATCTL" cat "$work/copy/store" scopes/live/e | wc -l)" = 1 ]
	local status=$?
	end_it && return $status
}

# -o ro helps only where there is a store.
read_only_advice() {
	local disk=$work/disk status
	mkdir "$disk" && mount -t tmpfs -o ro none "$disk" || return
	exits 1 "$BATCTL" doctor "$disk" &&
		grep -q '^hindrance the file system is read-only; .*writable' \
			"$work/out" &&
		! grep -q -e '-o ro' "$work/out" &&
		mount -o remount,rw "$disk" && cp "$data"/* "$disk" &&
		mount -o remount,ro "$disk" &&
		exits 1 "$BATCTL" doctor "$disk" &&
		grep -q '^hindrance the file system is read-only; .*-o ro' \
			"$work/out"
	status=$?
	umount "$disk" && rmdir "$disk" && return $status
}

doctors() {
	fresh quickstart
	exits 0 "$BATCTL" doctor "$data" "$mnt" &&
		grep -qx 'ok        nobody holds the lock' "$work/out" &&
		grep -qx 'ok        it can be mounted there' "$work/out" &&
		mkdir "$data/inner" && exits 1 "$BATCTL" doctor "$data" "$data/inner" &&
		grep -q '^hindrance ' "$work/out" && rmdir "$data/inner" &&
		mount_it "$data" || return
	exits 1 "$BATCTL" doctor "$data" &&
		grep -q "^hindrance process $daemon (.*), mounted on $mnt holds \
the lock; \`fusermount3 -u $mnt\`, or" "$work/out"
	local status=$? i
	kill -9 "$daemon"
	wait "$daemon" 2>/dev/null
	daemon=
	# Who serves dies with it, a little later.
	for ((i = 0; i < 300; i++)); do
		stat "$mnt" >/dev/null 2>&1 || break
		sleep 0.01
	done
	exits 1 "$BATCTL" doctor "$data" "$mnt" &&
		grep -q "^hindrance a mount died there.*fusermount3 -u $mnt" \
			"$work/out" || status=1
	take_down
	# The two paths changed places.
	exits 1 "$BATCTL" doctor "$work/none" "$data" &&
		grep -q "^hindrance $data holds a store's files .*000001.fbat" \
			"$work/out" || status=1
	read_only_advice || status=1
	printf X | dd of="$data/000001.fbat" bs=1 conv=notrunc status=none
	exits 1 "$BATCTL" doctor "$data" && grep -q 'batctl repair' "$work/out" &&
		return $status
}

for shape in quickstart mixed coordinates bad-crc payloads; do
	fresh $shape
	mount_it "$data" ro || exit 1
	check "$shape: names" same_names
	check "$shape: attributes" same_attributes
	check "$shape: bytes" same_bytes
	check "$shape: tar" same_archive
	check "$shape: typed names" same_typed
	end_it
	check "$shape: nothing is written" nothing_is_written $shape
done
check "what is not there is an error" errors
check "of nothing it is not said that it is in order" verifies_nothing
check "each command says how it is used" says_how
check "names of kinds" named_kinds
check "inspect says what is there and what is wrong" inspects
check "repair makes a store of it again" repairs
check "salvage saves what is provable and leaves the rest alone" salvages
check "append takes lines and gives receipts" appends
check "checkpoint writes the index that is asked for" checkpoints
check "backup copies one moment and restore-check knows it again" backs_up
check "doctor names what hinders a mount and what helps" doctors
[ "$failed" -eq 0 ]
