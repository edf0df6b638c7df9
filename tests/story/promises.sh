#!/bin/bash
# Promises that no other story tries: every size of what is left on a disk; two
# writers by any path; a read-only mount that asks the kernel for no change; a
# local user who wants the mount to suffer. tests/PROMISES.md has the whole map.
#
#	promises.sh BATFS
# Limit: 200 s
# shellcheck disable=SC2015,SC2016,SC2317 # python has its own $; `check` calls them
set -u
BATFS=$(realpath "$1")
batfs=$BATFS
# shellcheck source=tests/support/mount.sh
. "$(dirname "$0")/../support/mount.sh"
storm=$here/support/storm.py
store=$work/store
acked=$work/acked
second=$work/second
mkdir "$second"
: >"$acked"

# ---- R8: whatever is left on the disk -----------------------------------

# So many bytes are left when the mount starts; then there is room again.
with_so_much_left() { # bytes
	local status=0 data=$disk/store
	rm -rf "$data" "$disk"/ballast*
	: >"$acked"
	mount_it "$data" "$options" && mkdir "$mnt/scopes/storm" || return
	# the ballast leaves nothing, and then what is to be left
	python3 "$storm" write "$mnt/scopes/storm/before" before "$acked" 3 ||
		return
	head -c 3000000 /dev/zero >"$disk/ballast" 2>/dev/null
	truncate -s -"$1" "$disk/ballast"
	python3 "$storm" write "$mnt/scopes/storm/full" full "$acked" 2000 700 ||
		status=$?
	[ "$status" -eq 75 ] || {
		echo "$1 bytes: the writer ended with $status"
		return 1
	}
	python3 "$storm" verify "$mnt/log.jsonl" "$acked" || return
	echo now >"$mnt/.ctl/checkpoint" 2>/dev/null # may fail, may not harm
	rm "$disk/ballast"
	python3 "$storm" write "$mnt/scopes/storm/after" after "$acked" 5 &&
		python3 "$storm" verify "$mnt/log.jsonl" "$acked" &&
		end_it || return
	mount_it "$data" ro && python3 "$storm" verify "$mnt/log.jsonl" \
		"$acked" && end_it
}

# Segments are so small that rotation and footers meet the end of the disk.
every_size() { # options
	local bytes
	options=$1
	for bytes in 0 4096 8192 12288 20480 32768 49152 65536; do
		with_so_much_left "$bytes" || {
			echo "with $bytes bytes left"
			return 1
		}
	done
}

# ---- R14: two writers ---------------------------------------------------

# Refused, by name, and the first one goes on.
is_refused() { # COMMAND...
	local status=0
	timeout 20 "$@" >"$work/out" 2>&1 || status=$?
	[ "$status" -eq 1 ] && grep -q 'holds .batpak.lock' "$work/out" || {
		echo "status $status: $(tail -n 1 "$work/out")"
		return 1
	}
	echo 1 >>"$mnt/entities/e"
}

by_any_path() {
	mount_it "$store" && mkdir "$mnt/scopes/s" &&
		echo 1 >"$work/one" && cat "$work/one" >>"$mnt/scopes/s/e" ||
		return
	ln -s "$store" "$work/link" && mkdir "$work/bound" || return
	is_refused "$batfs" "$store" "$second" &&
		is_refused "$batfs" "$work/link" "$second" || return
	mount --bind "$store" "$work/bound" || return
	is_refused "$batfs" "$work/bound" "$second"
	local status=$?
	umount "$work/bound"
	[ "$status" -eq 0 ] &&
		is_refused unshare -m "$batfs" "$store" "$second"
}

# A copy is a store of its own: both are written, and neither hears of it.
a_copy_goes_its_own_way() {
	local copy=$work/copy status=0 pid
	cp -a "$store" "$copy" || return
	"$batfs" -f "$copy" "$second" >"$work/out" 2>&1 &
	pid=$!
	for _ in {1..500}; do
		mountpoint -q "$second" && break
		sleep 0.02
	done
	echo '"copy"' >>"$second/entities/e" &&
		echo '"original"' >>"$mnt/entities/e" || status=1
	! grep -q '"copy"' "$mnt/log.jsonl" || status=1
	! grep -q '"original"' "$second/log.jsonl" || status=1
	cat "$mnt/.ctl/verify" "$second/.ctl/verify" >"$work/out" || status=1
	fusermount3 -u "$second" && wait "$pid" || status=1
	end_it || status=1
	return "$status"
}

# ---- R15: a read-only mount changes nothing ------------------------------

traced() {
	cat >"$work/traced" <<-END
		#!/bin/bash
		# leaks cannot be looked for under strace
		export ASAN_OPTIONS=\${ASAN_OPTIONS-}:detect_leaks=0
		exec strace -f -y -o "$work/trace" -e trace=%file,%desc \
			"$batfs" -o sandbox=off "\$@"
	END
	chmod +x "$work/traced"
}

# Calls on the store that would change something.
changes() {
	local calls='p?writev?[0-9]*|f?truncate|fallocate|rename[a-z0-9]*'
	calls+="|unlink(at)?|link(at)?|symlink(at)?|mkdir(at)?|rmdir|mknod(at)?"
	calls+="|f(data)?sync|f?chmod(at)?|[fl]?chown(at)?|utime[a-z]*|flock"
	calls+="|[fl]?(set|remove)xattr"
	grep -aE "[<\"]${store}[/>\"]" "$work/trace" |
		grep -aE "^[0-9]+ +($calls)\(|O_(WRONLY|RDWR|CREAT|TRUNC)"
}

picture() {
	find "$store" -printf '%P %y %s %m %n %T@ %C@ %i\n' | sort
	find "$store" -type f -print0 | sort -z | xargs -0 cat | sha256sum
}

looked_at() {
	find "$mnt" -type f -print0 | xargs -0 cat >"$work/read" || return
	cat "$mnt/log.jsonl" "$mnt/.ctl/status" "$mnt/.ctl/verify" \
		>"$work/read" || return
	! echo 1 2>/dev/null >>"$mnt/entities/e"
}

no_change_is_asked_for() {
	picture >"$work/before" && traced && BATFS=$work/traced || return
	mount_it "$store" ro && looked_at && end_it || return
	picture | diff "$work/before" - && ! changes
}

# The same eye sees what a writable mount does.
a_change_would_be_seen() {
	BATFS=$work/traced
	mount_it "$store" && echo 2 >>"$mnt/entities/e" && end_it || return
	[ "$(changes | wc -l)" -gt 5 ]
}

# A medium that nobody can write to: here the same directory, by another path.
a_medium_that_is_read_only() {
	local medium=$work/medium said status=0
	mkdir "$medium" && mount --bind "$store" "$medium" || return
	mount -o remount,bind,ro "$medium" && mount_it "$medium" ro &&
		looked_at && end_it || status=1
	said=$("$batfs" "$medium" "$second" 2>&1) && {
		said=$( (echo 1 >>"$second/entities/e") 2>&1)
		fusermount3 -u "$second"
	}
	umount "$medium"
	[[ $said == *'Read-only file system'* ]] || {
		echo "it said: $said"
		return 1
	}
	return "$status"
}

# ---- R20: somebody else on the machine ----------------------------------

nobody() { # COMMAND...; below $work, that is where he stands
	(cd "$work" && setpriv --reuid=65534 --regid=65534 --clear-groups "$@")
}

he_sees_nothing() {
	chmod 755 "$work" "$store" && mount_it "$store" || return
	! nobody ls mnt 2>/dev/null && ! nobody cat mnt/log.jsonl 2>/dev/null &&
		end_it
}

# allow_other: what the modes of the directory let him.
he_sees_what_modes_say() {
	chmod 700 "$store" && mount_it "$store" allow_other &&
		! nobody ls mnt 2>/dev/null && end_it || return
	chmod 755 "$store" && mount_it "$store" allow_other || return
	nobody cat mnt/log.jsonl | cmp - "$mnt/log.jsonl" || return
	! nobody sh -c 'echo 1 >>mnt/entities/e' 2>/dev/null &&
		! nobody sh -c 'echo now >mnt/.ctl/checkpoint' 2>/dev/null &&
		! nobody mkdir mnt/scopes/his 2>/dev/null
}

descriptors() { find "/proc/$daemon/fd" -mindepth 1 | wc -l; }

# He opens what he can, reads a little of it and waits: he comes as far as his
# share, and others are served.
he_hoards() {
	local before i pid status=0
	before=$(descriptors)
	cat >"$work/hoard.py" <<-'END'
		import errno, os, resource, sys
		most = min(10000, resource.getrlimit(resource.RLIMIT_NOFILE)[1] - 100)
		resource.setrlimit(resource.RLIMIT_NOFILE, (most + 50, most + 50))
		os.setgroups([])
		os.setgid(65534)
		os.setuid(65534)
		names = ('mnt/log.jsonl', 'mnt/entities/e', 'mnt/README',
		         'mnt/.ctl/follow,from=0', 'mnt/by/kinds.tsv')
		held, why = [], 0
		while len(held) < most and not why:
		    try:
		        held.append(os.open(names[len(held) % 5], os.O_RDONLY))
		    except OSError as error:
		        why = error.errno
		for fd in held[::3]:
		    os.read(fd, 1)
		print(len(held), errno.errorcode.get(why, why), flush=True)
		sys.stdin.read()
	END
	mkfifo "$work/end" || return
	(cd "$work" && exec python3 hoard.py <end >hoarded 2>hoarder) &
	pid=$!
	exec 7>"$work/end"
	for ((i = 0; i < 3000; i++)); do
		[ -s "$work/hoarded" ] && break
		kill -0 "$pid" 2>/dev/null || break
		sleep 0.02
	done
	[ "$(cat "$work/hoarded")" = '4096 EMFILE' ] || {
		echo "he came to: $(cat "$work/hoarded" "$work/hoarder")"
		status=1
	}
	for i in {1..20}; do
		echo "\"beside $i\"" >>"$mnt/entities/e" || status=1
	done
	[ "$(grep -c '"beside' "$mnt/log.jsonl")" = 20 ] || status=1
	exec 7>&-
	wait "$pid" || status=1
	# the kernel tells the last closes later than he ended
	for ((i = 0; i < 500; i++)); do
		[ "$(descriptors)" -le "$((before + 2))" ] && break
		sleep 0.02
	done
	[ "$(descriptors)" -le "$((before + 2))" ] || {
		echo "$(descriptors) descriptors, $before before"
		status=1
	}
	return "$status"
}

# ---- all of it -----------------------------------------------------------

check "two writers: by any path the second is refused" by_any_path
check "two writers: a copied directory goes its own way" a_copy_goes_its_own_way
if strace -o /dev/null true 2>/dev/null; then
	check "read-only: no change is asked for" no_change_is_asked_for
	check "read-only: a change would be seen" a_change_would_be_seen
else
	echo "skip - read-only: no change is asked for: strace cannot trace"
fi
BATFS=$batfs
if [ "$(id -u)" = 0 ]; then
	check "read-only: a medium that is" a_medium_that_is_read_only
else
	echo "skip - read-only: a medium that is: needs root"
fi
disk=$work/disk
mkdir "$disk"
if mount -t tmpfs -o size=3m batfs-test "$disk" 2>/dev/null; then
	check "every size of what is left on a disk" every_size segment=65536
	check "the same with space laid ahead" every_size \
		segment=65536,ahead=64K
else
	disk=
	echo "skip - every size of what is left: may not mount a tmpfs"
fi
if [ "$(id -u)" = 0 ]; then
	check "another user: sees nothing" he_sees_nothing
	check "another user: with allow_other what modes say" \
		he_sees_what_modes_say
	check "another user: hoards handles, and others are served" he_hoards
	check "an orderly end" end_it
else
	echo "skip - another user: needs root"
fi
exit $((failed > 0))
