#!/bin/bash
# What programs talk to: append at the root, and the files of .ctl that take
# lines, answer, try, follow and sync.
#
#	control.sh BATFS
# Runs under the thread sanitizer too.
# shellcheck disable=SC2317 # `check` calls functions
set -u
BATFS=$(realpath "$1")
# shellcheck source=tests/support/mount.sh
. "$(dirname "$0")/../support/mount.sh"
export LC_ALL=C

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

member() { # FILE MEMBER: its value in the last line
	tail -n 1 "$1" | jq -r ".$2"
}

# ---- append, at the root ---------------------------------------------------

several_entities() {
	printf '%s\n' '@entity=give:r @scope=root {"gave":5}' \
		'@entity=take:r @scope=root @cause=prev {"got":5}' \
		>>"$mnt/append" &&
		[ "$(member "$mnt/entities/take:r" cause)" = \
			"$(member "$mnt/entities/give:r" id)" ] &&
		[ "$(member "$mnt/entities/take:r" corr)" = \
			"$(member "$mnt/entities/give:r" corr)" ]
}

bad_line_of_many() {
	local before after
	before=$(wc -l <"$mnt/log.jsonl")
	# what stands before the bad line is stored, the rest is told of
	fails 'Invalid argument' bash -c \
		'printf "%s\n" "@entity=a:r @scope=root 1" "@entity=b:r 2" \
			"@entity=c:r @scope=root 3" >>"$0"' "$mnt/append" ||
		return
	after=$(wc -l <"$mnt/log.jsonl")
	[ "$((after - before))" = 1 ] && [ ! -e "$mnt/entities/c:r" ] &&
		grep -q '"path":"append".*scope is missing' \
			"$mnt/.ctl/rejects.jsonl"
}

root_needs_words() {
	fails 'Invalid argument' bash -c 'echo 1 >>"$0"' "$mnt/append" &&
		fails 'Invalid argument' bash -c \
			'echo "@scope=root 1" >>"$0"' "$mnt/append"
}

root_is_an_append() {
	fails 'not permitted' bash -c 'echo 1 >"$0"' "$mnt/append" &&
		fails 'not permitted' rm "$mnt/append" &&
		[ "$(stat -c %s "$mnt/append")" = 0 ] &&
		[ -z "$(cat "$mnt/append")" ]
}

mount_it "$work/data" || exit 1
check "one write at the root is one batch over entities" several_entities
check "a bad line at the root ends its batch" bad_line_of_many
check "lines at the root say their entity and scope" root_needs_words
check "append at the root is appended to and nothing else" root_is_an_append
check "an orderly end" end_it

[ "$failed" -eq 0 ]
