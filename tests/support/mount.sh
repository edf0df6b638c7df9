# shellcheck shell=bash
# Shell tests source this: start and end mounts, `ok`/`not ok`, clean up.
# They set BATFS (the program) first. Only what was started here is ended.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/batfs-story-XXXXXX")
mnt=$work/mnt
daemon=
failed=0
mkdir "$mnt"

# mount_it DATADIR [OPTIONS]: waits until the mount answers.
mount_it() {
	local i
	"$BATFS" -f ${2:+-o "$2"} "$1" "$mnt" >"$work/said" 2>&1 &
	daemon=$!
	for ((i = 0; i < 1500; i++)); do
		mountpoint -q "$mnt" && return 0
		kill -0 "$daemon" 2>/dev/null || break
		sleep 0.01
	done
	echo "# batfs did not start: $(tail -n 3 "$work/said")"
	return 1
}

take_down() {
	local i
	for ((i = 0; i < 300; i++)); do
		fusermount3 -u "$mnt" 2>/dev/null && return 0
		grep -q " $mnt " /proc/self/mounts || return 0
		sleep 0.05
	done
	fusermount3 -uz "$mnt"
}

# An orderly end; the daemon's exit status.
end_it() {
	local status=0
	[ -n "$daemon" ] || return 0
	take_down
	wait "$daemon" || status=$?
	daemon=
	[ "$status" -eq 0 ] || echo "batfs ended with $status: $(tail -n 3 "$work/said")"
	return $status
}

# SIGKILL, and the dead mount taken away.
kill_it() {
	kill -9 "$daemon"
	wait "$daemon" 2>/dev/null
	daemon=
	take_down
}

# check NAME COMMAND...: one case; its output says why not.
check() {
	local name=$1
	shift
	# not in a subshell: a mount that it starts has to be known here
	if "$@" >"$work/why" 2>&1; then
		echo "ok - $name"
	else
		failed=$((failed + 1))
		echo "not ok - $name: $(tail -n 3 "$work/why" | tr '\n' ' ')"
	fi
}

# fails TEXT COMMAND...: it does, and its message says so.
fails() {
	local text=$1
	shift
	if "$@" 2>"$work/err"; then
		echo "it did not fail"
		return 1
	fi
	grep -q "$text" "$work/err" || {
		echo "it said: $(tail -n 1 "$work/err")"
		return 1
	}
}

# batpak's program, built when it is not; nothing where cargo is absent.
interop_program() {
	local target=${CARGO_TARGET_DIR:-$here/interop/target}
	if [ -n "${INTEROP:-}" ]; then
		echo "$INTEROP"
	elif command -v cargo >/dev/null; then
		(cd "$here/interop" && CARGO_TARGET_DIR=$target \
			cargo build --quiet --locked >&2) || return
		echo "$target/debug/interop"
	fi
}

clean_up() {
	[ -n "$daemon" ] && end_it
	grep -q " $mnt " /proc/self/mounts && take_down
	[ -n "${disk:-}" ] && umount "$disk"
	rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT TERM
