#!/bin/bash
# What the daemon can still do when it serves, and who ends with whom.
#
#	sandbox.sh BATFS
#
# Needs a build without instruments.
# Limit: 200 s
# shellcheck disable=SC2317 # functions are called by `check`
set -u
BATFS=$(realpath "$1")
confined=$(dirname "$BATFS")/../tests/story/confined
# shellcheck source=tests/support/mount.sh
. "$(dirname "$0")/../support/mount.sh"
store=$work/store

# The process beside the daemon.
supervisor_of() { # pid
	pgrep -P "$1" -x batfs-unmount
}

# until COMMAND...: it succeeds within ten seconds.
until_true() {
	local i
	for ((i = 0; i < 500; i++)); do
		"$@" && return 0
		sleep 0.02
	done
	echo "never: $*"
	return 1
}

gone() { ! kill -0 "$1" 2>/dev/null; }

from_inside() {
	mkdir -p "$work/data" && echo secret >"$work/outside" &&
		ln -s ../outside "$work/data/link" || return
	"$confined" "$work/data" >"$work/confined" || {
		grep '^not ok' "$work/confined"
		return 1
	}
	[ "$(grep -c '^ok' "$work/confined")" -ge 40 ]
	grep '^#' "$work/confined" >&3
}

reading_from_inside() {
	"$confined" "$work/data" ro >"$work/confined" || {
		grep '^not ok' "$work/confined"
		return 1
	}
	grep '^#.*calls' "$work/confined" | sed 's/$/, reading/' >&3
}

# /proc can be read, for who it is that writes, and only with -o stamp.
stamps_from_inside() {
	local said
	mount_it "$work/stamps" sandbox=strict,stamp || return
	mkdir "$mnt/scopes/s" && echo 1 | tee -a "$mnt/scopes/s/e" >"$work/tee"
	said=$(jq -r '.ext["batfs.writer"] | fromjson.best_known.comm' \
		"$mnt/entities/e")
	end_it
	[ "$said" = tee ] || {
		echo "it was written by '$said'"
		return 1
	}
}

every_thread_is_inside() {
	local task seen=0
	mount_it "$store" sandbox=strict || return
	mkdir "$mnt/scopes/s" && echo 1 >>"$mnt/scopes/s/e" || return
	for task in /proc/"$daemon"/task/*; do
		if ! grep -q '^NoNewPrivs:	1' "$task/status" ||
			! grep -q '^Seccomp:	2' "$task/status" ||
			! grep -q '^CapEff:	000000000000000e' "$task/status"; then
			grep -E 'Name|Priv|Secc|CapEff' "$task/status"
			return 1
		fi
		seen=$((seen + 1))
	done
	[ "$seen" -ge 5 ] || {
		echo "only $seen threads"
		return 1
	}
}

supervisor_holds_nothing() {
	local pid fd target
	pid=$(supervisor_of "$daemon") || return
	for fd in /proc/"$pid"/fd/*; do
		target=$(readlink "$fd")
		case $target in
		/dev/null | socket:*) ;;
		*)
			echo "$fd is $target"
			return 1
			;;
		esac
	done
	grep -q '^Seccomp:	0' "/proc/$pid/status"
}

switched_off() {
	end_it || return
	mount_it "$store" sandbox=off || return
	grep -q '^Seccomp:	0' "/proc/$daemon/status" || return
	grep -q 'sandbox=off' "$mnt/.ctl/config" && end_it
}

killed_daemon_leaves_enotconn() {
	local pid
	mount_it "$store" || return
	pid=$(supervisor_of "$daemon") || return
	kill -9 "$daemon"
	wait "$daemon" 2>/dev/null
	daemon=
	until_true gone "$pid" || return
	stat "$mnt" 2>&1 | grep -q 'not connected' || {
		echo "the mountpoint is bare"
		return 1
	}
	take_down
}

killed_supervisor_ends_the_daemon() {
	local status=0
	mount_it "$store" || return
	echo 2 >>"$mnt/entities/e" || return
	kill -9 "$(supervisor_of "$daemon")"
	wait "$daemon" || status=$?
	daemon=
	grep -q 'is still mounted (unmount with: fusermount3 -u' "$work/said" || {
		cat "$work/said"
		return 1
	}
	take_down
	[ "$status" -eq 0 ] || {
		echo "status $status"
		return 1
	}
	mount_it "$store" ro || return
	[ "$(wc -l <"$mnt/entities/e")" = 2 ] && end_it
}

# As a service manager ends a service.
term_to_all_of_them() {
	local pid
	mount_it "$store" || return
	pid=$(supervisor_of "$daemon") || return
	kill -TERM "$pid" "$daemon"
	wait "$daemon" || return
	daemon=
	until_true gone "$pid" && ! mountpoint -q "$mnt" && [ -w "$mnt" ]
}

# Somebody took the mount away while a file was open, and put another there.
what_is_not_ours_stays() {
	mount_it "$store" || return
	exec 7<"$mnt/entities/e" || return
	fusermount3 -uz "$mnt" && mount -t tmpfs none "$mnt" &&
		echo here >"$mnt/file" || return
	kill -TERM "$daemon"
	wait "$daemon"
	daemon=
	exec 7<&-
	[ "$(cat "$mnt/file")" = here ] && umount "$mnt"
}

# Everything at once that a mount can be told to do.
use_all_of_it() {
	local i line
	line=$(printf '{"text":"%01000d"}' 7)
	for ((i = 0; i < 8; i++)); do
		yes "$line" | head -n 20 >>"$mnt/scopes/s/e$i" || return
	done
	echo '"refused"' >>"$mnt/scopes/s/e1" && return 1
	echo 1 >"$mnt/.ctl/try/e0" && echo hold >"$mnt/.ctl/pin" || return
	(cd "$mnt/backup" && sha256sum --quiet -c SHA256SUMS) || return
	echo release >"$mnt/.ctl/pin" && echo now >"$mnt/.ctl/checkpoint" &&
		echo now >"$mnt/.ctl/compact" && echo now >"$mnt/.ctl/sync" &&
		echo '"after"' >>"$mnt/entities/e3" || return
	cat "$mnt/.ctl/verify" "$mnt/tlog/checkpoint" "$mnt/log.jsonl" \
		"$mnt"/entities/* "$mnt/by/kinds.tsv" >"$work/read" || return
	ls -R "$mnt/at/10/entities" "$mnt/chains" >"$work/read" &&
		df "$mnt" >"$work/read" && stat -f "$mnt" >"$work/read"
}

all_options() {
	local gates=$work/gates second=$work/second status=0 reader i
	local all=sandbox=strict,clone_fd,stamp,tlog,ahead=64K,segment=65536
	mkdir -m 755 "$gates" && mkdir "$second" || return
	cat >"$gates/one" <<-'END'
		#!/bin/sh
		while read -r line; do
			case $line in
			*refused*) echo '{"deny":{"message":"no"}}' ;;
			*) echo '{"permit":true}' ;;
			esac
		done
	END
	chmod 755 "$gates/one"
	mount_it "$work/all" "$all,checkpoint=1,gates=$gates" || return
	# a store is there with its first event
	mkdir "$mnt/scopes/s" && echo 0 >>"$mnt/scopes/s/e0" || return
	"$BATFS" -f -o ro,sandbox=strict "$work/all" "$second" \
		>"$work/reader" 2>&1 &
	reader=$!
	until_true mountpoint -q "$second" && use_all_of_it || status=1
	cat "$work/reader"
	cmp "$mnt/log.jsonl" "$second/log.jsonl" || status=1
	until_true fusermount3 -u "$second" && wait "$reader" || status=1
	end_it || status=1
	# From its sidecar, and with the events of one thread.
	for i in "$all" "sandbox=strict,durable=fsync,index=fbati"; do
		mount_it "$work/all" "$i" && echo 1 >>"$mnt/entities/e1" &&
			sync "$mnt/entities/e1" && end_it || return
	done
	return $status
}

# A whole life in the strict mode: every call that is not on the list kills.
other_stories() {
	local story bad=0
	mkdir -p "$work/strict"
	printf '#!/bin/sh\nexec "%s" -o sandbox=strict "$@"\n' "$BATFS" \
		>"$work/strict/batfs"
	chmod +x "$work/strict/batfs"
	for story in control.sh follow.py full_disk.sh starting.sh; do
		"$here/story/$story" "$work/strict/batfs" >"$work/other" 2>&1 || {
			echo "$story: $(grep '^not ok' "$work/other")"
			bad=1
		}
	done
	return $bad
}

exec 3>&1 # for what the cases count
check "what it forbids and what it leaves" from_inside
check "what it forbids a mount that only reads" reading_from_inside
check "who it is that writes is looked up from inside" stamps_from_inside
check "every thread is inside" every_thread_is_inside
check "the supervisor holds nothing of the store" supervisor_holds_nothing
check "sandbox=off" switched_off
check "a killed daemon leaves ENOTCONN" killed_daemon_leaves_enotconn
check "a killed supervisor ends the daemon in order" killed_supervisor_ends_the_daemon
check "TERM to both of them" term_to_all_of_them
check "what is not ours stays" what_is_not_ours_stays
check "all options at once, strict" all_options
check "other stories, strict" other_stories
[ "$failed" -eq 0 ]
