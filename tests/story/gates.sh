#!/bin/bash
# Gates over a live mount: what they permit and deny, what is recorded of it,
# what a defect does, and who ends with whom. batpak opens the store at the end.
#
#	gates.sh BATFS
# Limit: 120 s
# shellcheck disable=SC2016,SC2317 # text for other shells; `check` calls them
set -u
BATFS=$(realpath "$1")
# shellcheck source=tests/support/mount.sh
. "$(dirname "$0")/../support/mount.sh"
export LC_ALL=C
store=$work/store
gates=$work/gates
interop=$(interop_program) || {
	echo "not ok - gates: cargo build"
	exit 1
}
mkdir "$gates" && chmod 755 "$gates"
export HANGS=$work/hangs

gate() { # NAME: a program of sh, its text on stdin
	{
		echo '#!/bin/sh'
		echo "echo \$\$ >'$work/pid-$1'"
		cat
	} >"$gates/$1"
	chmod 755 "$gates/$1"
}

# What contains "no" is denied; "once" hangs for ever.
gate 10-no <<'END'
while IFS= read -r line; do
	case $line in
	*'"once"'*) touch "$HANGS"; sleep 1000 ;;
	*'"no"'*) echo '{"deny":{"code":"NO","message":"it says no","context":{"a":"b"}}}' ;;
	*) echo '{"permit":true}' ;;
	esac
done
END
gate 20-log <<END
while IFS= read -r line; do
	printf '%s\n' "\$line" >>'$work/asked'
	echo '{"permit":true}'
done
END

# Looks at what there is before it says anything.
gate 30-reads <<END
while IFS= read -r line; do
	cat '$mnt/log.jsonl' '$mnt'/entities/* >'$work/read' 2>&1
	ls -lR '$mnt/events' '$mnt/chains' >/dev/null 2>&1
	echo '{"permit":true}'
done
END

write_line() { # LINE FILE
	echo "$1" >>"$2"
}

reason() {
	tail -n 1 "$mnt/.ctl/rejects.jsonl" | jq -r .reason
}

until_true() {
	local i
	for ((i = 0; i < 1000; i++)); do
		"$@" && return 0
		sleep 0.02
	done
	echo "never: $*"
	return 1
}

gone() { # gates by name: no process has their number
	local name pid
	for name in "$@"; do
		pid=$(cat "$work/pid-$name") && ! kill -0 "$pid" 2>/dev/null ||
			return 1
	done
}

permits_and_denies() {
	mount_it "$store" "gates=$gates,gate_limit=60,scope=s,sandbox=strict" ||
		return
	write_line '"yes"' "$mnt/entities/e" &&
		fails 'Permission denied' write_line '"no"' "$mnt/entities/e" &&
		[ "$(reason)" = 'gate 10-no: NO: it says no' ] &&
		[ "$(jq -c .data "$mnt/entities/e" | head -n 1)" = '"yes"' ] &&
		[ "$(wc -l <"$mnt/entities/e")" = 2 ]
}

who_is_asked_is_shown() {
	[ "$(grep '^gate' "$mnt/.ctl/status")" = \
		"$(printf 'gates 3\ngate 10-no\ngate 20-log\ngate 30-reads')" ] ||
		{
			grep '^gate' "$mnt/.ctl/status"
			return 1
		}
}

denial_is_recorded() {
	cmp "$mnt/by/denials.jsonl" <(tail -n 1 "$mnt/entities/e") || return
	[ "$(jq -c '[.kind, .clock, .data.evaluations[0].gate_id,
		.data.evaluations[0].verdict.Deny, .data.evaluations[1].verdict,
		.data.proposed_kind]' "$mnt/by/denials.jsonl")" = \
		'["0.00f",1,"10-no",{"code":"NO","message":"it says no","context":[["a","b"]]},"Skipped",4096]' ]
}

question() {
	write_line '@kind=f.001 @cause=last {"x":[1]}' "$mnt/entities/e" || return
	tail -n 1 "$work/asked" | jq -e --arg cause \
		"$(jq -r .id "$mnt/by/denials.jsonl")" --argjson uid "$(id -u)" \
		'.entity == "e" and .scope == "s" and .kind == "f.001" and
		.data == {"x":[1]} and .cause == $cause and
		.corr == $cause and .uid == $uid and .pid > 0 and
		has("try") == false' >/dev/null
}

may_read() {
	write_line '"seen"' "$mnt/entities/e" &&
		! grep -q '"seen"' "$work/read" &&
		write_line 1 "$mnt/entities/e" && grep -q '"seen"' "$work/read"
}

one_batch() {
	fails 'Permission denied' dd if=<(printf '1\n2\n"no"\n4\n') \
		of="$mnt/entities/b" bs=4096 oflag=append conv=notrunc \
		status=none || return
	[ "$(jq -c .kind "$mnt/entities/b" | tr '\n' ' ')" = \
		'"1.000" "1.000" "0.00f" ' ]
}

root_batch() {
	fails 'Permission denied' dd if=<(printf '@entity=%s @scope=s %s\n' r1 1 \
		r2 '"no"' r3 3) of="$mnt/append" bs=4096 oflag=append \
		conv=notrunc status=none || return
	[ -e "$mnt/entities/r1" ] && [ ! -e "$mnt/entities/r3" ] &&
		[ "$(jq -r .kind "$mnt/entities/r2")" = 0.00f ]
}

tries() {
	local events asked
	events=$(wc -l <"$mnt/log.jsonl")
	asked=$(wc -l <"$work/asked")
	write_line 1 "$mnt/.ctl/try/e" &&
		fails 'Permission denied' write_line '"no"' \
			"$mnt/.ctl/try/e" &&
		[ "$(reason)" = 'gate 10-no: NO: it says no' ] &&
		[ "$(wc -l <"$mnt/log.jsonl")" = "$events" ] &&
		[ "$(wc -l <"$work/asked")" = "$((asked + 1))" ] &&
		tail -n 1 "$work/asked" | jq -e .try >/dev/null
}

# No lock, no store, no device: 0, 1, 2 and its own script.
nothing_is_open() {
	local fd
	for fd in "/proc/$(cat "$work/pid-20-log")/fd/"*; do
		case $(readlink "$fd") in
		pipe:* | /dev/null | "$gates"/* | "$work/said") ;;
		*)
			echo "$fd is $(readlink "$fd")"
			return 1
			;;
		esac
	done
}

ends_with_unmount() {
	end_it && gone 10-no 20-log 30-reads
}

# The store can be mounted at once: nobody has its lock.
ends_with_kill() {
	mount_it "$store" "gates=$gates,gate_limit=60" &&
		write_line 1 "$mnt/entities/e" || return
	kill_it
	mount_it "$store" ro || return
	until_true gone 10-no 20-log 30-reads && end_it
}

# The one that hangs costs its writer and the next one the limit, together, and
# readers nothing.
hang() {
	local hung
	mount_it "$store" "gates=$gates,gate_limit=2,sandbox=strict" || return
	write_line '"once"' "$mnt/entities/e" 2>"$work/hung" &
	hung=$!
	until_true test -e "$HANGS" && [ "$(jq -c .data "$mnt/entities/e" | head -n 1)" = '"yes"' ] &&
		fails 'Permission denied' write_line 1 "$mnt/entities/b" ||
		return
	wait "$hung" && return 1
	grep -q 'Permission denied' "$work/hung" &&
		grep -q 'gate 10-no is defective' "$work/said" &&
		until_true gone 10-no && ! gone 20-log
}

defect_is_for_good() {
	fails 'Permission denied' write_line 1 "$mnt/entities/e" &&
		[[ $(reason) == 'gate 10-no: GATE_DEFECT: it did not answer in time; '* ]] &&
		[ "$(tail -n 1 "$mnt/entities/e" | jq -r \
			'.data.evaluations[0].verdict.Deny.code')" = \
			GATE_DEFECT ] &&
		fails 'Permission denied' write_line 1 "$mnt/.ctl/try/e" &&
		end_it &&
		mount_it "$store" "gates=$gates,gate_limit=60" &&
		write_line 2 "$mnt/entities/e" && end_it
}

in_the_background() {
	rm "$work"/pid-*
	"$BATFS" -o "gates=$gates,gate_limit=60" "$store" "$mnt" >/dev/null ||
		return
	write_line 3 "$mnt/entities/e" &&
		fails 'Permission denied' write_line '"no"' "$mnt/entities/e" ||
		return
	take_down
	until_true gone 10-no 20-log 30-reads
}

read_only_starts_none() {
	rm "$work"/pid-*
	mount_it "$store" "gates=$gates,ro" && ls "$mnt/entities" >/dev/null &&
		end_it && ! compgen -G "$work/pid-*"
}

cannot_mount() { # TEXT DIR
	fails "$1" "$BATFS" -f -o "gates=$2" "$store" "$mnt" &&
		! mountpoint -q "$mnt"
}

bad_directories() {
	mkdir -p "$work/empty" "$work/open" &&
		chmod 755 "$work/empty" && chmod 777 "$work/open" &&
		cp "$gates/10-no" "$work/open" &&
		cannot_mount 'No such file' "$work/nowhere" &&
		cannot_mount 'chmod +x' "$work/empty" &&
		cannot_mount "chmod go-w $work/open" "$work/open"
}

batpak_opens_it() {
	local denials
	denials=$(grep -c . <("$(dirname "$BATFS")/batctl" cat "$store" \
		by/denials.jsonl)) || return
	"$interop" check --writable "$store" >"$work/check" &&
		"$interop" dump "$store" >"$work/dump" || return
	[ "$denials" -ge 6 ] && [ "$(jq -c 'select(.kind == "0.00f")' \
		"$work/dump" | wc -l)" = "$denials" ]
}

check "a line is stored when all gates permit it" permits_and_denies
check "who is asked is shown" who_is_asked_is_shown
check "a denial is recorded" denial_is_recorded
check "a gate learns what is proposed and by whom" question
check "a gate may read the mount" may_read
check "what stands before a denied line is stored" one_batch
check "so it is at the root" root_batch
check "a try asks and records nothing" tries
check "a gate has nothing of ours open" nothing_is_open
check "gates end with the mount" ends_with_unmount
check "gates end with a daemon that is killed" ends_with_kill
check "a gate that hangs denies" hang
check "a defect lasts until the next mount" defect_is_for_good
check "gates of a daemon in the background" in_the_background
check "a read-only mount starts none" read_only_starts_none
check "a directory that is not fit is an error" bad_directories
if [ -n "$interop" ]; then
	check "batpak opens it and has the denials" batpak_opens_it
else
	echo "skip - gates, batpak opens it: no cargo"
fi
[ "$failed" -eq 0 ]
