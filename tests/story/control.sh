#!/bin/bash
# What programs talk to: append at the root, and the files of .ctl that take
# lines, answer, try, follow and sync.
#
#	control.sh BATFS
# Runs under the thread sanitizer too.
# shellcheck disable=SC2016,SC2317 # $0 is for bash -c; `check` calls functions
set -u
BATFS=$(realpath "$1")
# shellcheck source=tests/support/mount.sh
. "$(dirname "$0")/../support/mount.sh"
export LC_ALL=C

member() { # FILE MEMBER: its value in the last line
	tail -n 1 "$1" | jq -r ".$2"
}

# ---- append, at the root ---------------------------------------------------

several_entities() {
	env printf '%s\n' '@entity=give:r @scope=root {"gave":5}' \
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
		'env printf "%s\n" "@entity=a:r @scope=root 1" "@entity=b:r 2" \
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

# The number in a listing is not always read from the same place as stat's.
listed_numbers() {
	# With attributes in the listing, and (chains, tables) without.
	python3 -c '
import os, sys
for path in sys.argv[1:]:
    listed = list(os.scandir(path))
    if len(listed) < 2 or any(
            it.inode() != os.lstat(it.path).st_ino for it in listed):
        sys.exit("in " + path)
' "$mnt/entities" "$mnt/by" "$mnt"
}

# ---- .ctl/append -------------------------------------------------------------

# On one descriptor: a line in, its receipt out.
receipts() {
	local one two all
	exec 3<>"$mnt/.ctl/append/talk:r,scope=root" &&
		echo '{"n":1}' >&3 && read -r one <&3 &&
		printf '%s\n' '@cause=prev {"n":2}' '{"n":3}' >&3 &&
		read -r two <&3 && all=$(cat <&3) && exec 3>&- || return
	# its event says the same
	[ "$one" = "$(head -n 1 "$mnt/entities/talk:r" | jq -c \
		'{seq,id,hash,clock,time}')" ] &&
		[ "$(jq -r .clock <<<"$two $all" | tr '\n' ' ')" = '1 2 ' ] &&
		[ "$one" = "$(cat "$mnt/events/$(jq -r .seq <<<"$one")/receipt")" ] &&
		[ "$(sed -n 2p "$mnt/entities/talk:r" | jq -r .cause)" = \
			"$(jq -r .id <<<"$one")" ]
}

# A receipt is for who wrote its line, and for nobody twice.
receipts_are_of_the_handle() {
	exec 3<>"$mnt/.ctl/append/talk:r" 4<>"$mnt/.ctl/append/talk:r" &&
		echo 1 >&3 && [ -z "$(cat <&4)" ] &&
		[ "$(cat <&3 | wc -l)" = 1 ] && [ -z "$(cat <&3)" ] &&
		exec 3>&- 4>&-
}

no_receipt_for_a_bad_line() {
	exec 3<>"$mnt/.ctl/append/talk:r" &&
		fails 'Invalid argument' bash -c 'echo nonsense >&3' &&
		[ -z "$(cat <&3)" ] && exec 3>&-
}

# ---- .ctl/try ----------------------------------------------------------------

try_stores_nothing() {
	local before after
	before=$(jq -c . "$mnt/log.jsonl" | wc -l)
	echo '{"n":1}' >"$mnt/.ctl/try/talk:r" &&
		echo '@scope=root @cause=last 1' >>"$mnt/.ctl/try/talk:r" &&
		echo '{"n":1}' >"$mnt/.ctl/try/new:r,scope=root,kind=f.001" &&
		env printf '%s\n' '@scope=x @expect=none 1' \
			'@scope=x @expect=0 @cause=prev 1' \
			>"$mnt/.ctl/try/new:r" || return
	after=$(wc -l <"$mnt/log.jsonl")
	[ "$before" = "$after" ] && [ ! -e "$mnt/entities/new:r" ]
}

# Each line fails in both, in the same way, or in none.
try_is_as_the_append() {
	local line first second
	while IFS= read -r line; do
		first=$(bash -c 'echo "$1" >"$0"' "$mnt/.ctl/try/talk:r" \
			"$line" 2>&1)
		second=$(bash -c 'echo "$1" >>"$0"' "$mnt/entities/talk:r" \
			"$line" 2>&1)
		[ "${first##*: }" = "${second##*: }" ] || {
			echo "$line: ${first##*: }, ${second##*: }"
			return 1
		}
	done <<-END
		1
		hello
		@kind=0.001 1
		@kind=f.001 1
		@cause=seq:0 1
		@cause=seq:99999 1
		@cause=00000000000000000000000000000001 1
		@cause=last 1
		@cause=prev 1
		@expect=none 1
		@expect=exists 1
		@expect=77 1
		@key=00000000000000000000000000000007 @expect=exists 1
		@key=00000000000000000000000000000007 @expect=none 1
		@nonsense=1 1
		@flags=4 1
		@ext.batpak.x=y 1
	END
}

try_tells_why() {
	fails 'Stale file handle' bash -c 'echo "@expect=none 1" >"$0"' \
		"$mnt/.ctl/try/talk:r" &&
		grep -q '"path":".ctl/try/talk:r","errno":"ESTALE"' \
			"$mnt/.ctl/rejects.jsonl"
}

# ---- commands and counts -----------------------------------------------------

sync_command() {
	echo now >"$mnt/.ctl/sync" && [ "$(cat "$mnt/.ctl/sync")" = 'last ok' ] &&
		fails 'Invalid argument' bash -c 'echo later >"$0"' \
			"$mnt/.ctl/sync"
}

count_of() {
	sed -n "s/^$1 //p" "$mnt/.ctl/stats"
}

counts() {
	local lines rejected reads
	lines=$(count_of lines_appended) rejected=$(count_of lines_rejected)
	reads=$(count_of request_readlink)
	printf '1\n2\n3\n' >>"$mnt/entities/talk:r" &&
		fails Invalid bash -c 'echo x >>"$0"' "$mnt/entities/talk:r" &&
		readlink "$mnt/events/first" >/dev/null || return
	[ "$(($(count_of lines_appended) - lines))" = 3 ] &&
		[ "$(($(count_of lines_rejected) - rejected))" = 1 ] &&
		[ "$(($(count_of request_readlink) - reads))" = 1 ] &&
		! grep -vE '^[a-z_]+ [0-9]+$' "$mnt/.ctl/stats"
}

mount_it "$work/data" || exit 1
check "one write at the root is one batch over entities" several_entities
check "a bad line at the root ends its batch" bad_line_of_many
check "lines at the root say their entity and scope" root_needs_words
check "append at the root is appended to and nothing else" root_is_an_append
check "a name is listed with the number that it has" listed_numbers
check "a line in, its receipt out" receipts
check "receipts are of the handle that wrote" receipts_are_of_the_handle
check "a bad line has no receipt" no_receipt_for_a_bad_line
check "what is tried is not stored" try_stores_nothing
check "what is tried fails as the append does" try_is_as_the_append
check "what was wrong with a try is told" try_tells_why
check "sync returns when it is done" sync_command
check "stats count requests and lines" counts
check "an orderly end" end_it

[ "$failed" -eq 0 ]
