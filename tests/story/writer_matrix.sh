#!/bin/bash
# Every way in which tools write lines: number, order and bytes of the events,
# exit status and message. Each case writes to an entity of its own.
#
#	writer_matrix.sh BATFS
# Runs under the thread sanitizer too.
# shellcheck disable=SC2016,SC2317 # $0 is for bash -c; `check` calls functions
set -u
BATFS=$(realpath "$1")
# shellcheck source=tests/support/mount.sh
. "$(dirname "$0")/../support/mount.sh"
export LC_ALL=C
scope=$mnt/scopes/room:matrix
lines=$here/support/lines.py
good=$work/good	  # lines to write
bad=$work/bad	  # the same with a bad one in the middle

# holds ENTITY [SECONDS] <LINES: the entity has exactly these, in this order,
# byte for byte; waited for where a close commits.
holds() {
	python3 "$lines" holds "$scope/$1" "${2:-0}"
}

# rejected ENTITY TEXT: the last refused line of the entity says why.
rejected() {
	python3 "$lines" rejected "$mnt/.ctl/rejects.jsonl" "$1" "$2"
}

make_lines() {
	python3 "$lines" make 300 >"$good"
	{ head -n 150 "$good"; echo 'hello'; tail -n 150 "$good"; } >"$bad"
}

# ---- plain writers ----------------------------------------------------

bash_echo() {
	echo '{"n":1}' >>"$scope/bash-echo" &&
		echo '{"n":2}' >>"$scope/bash-echo" &&
		printf '{"n":1}\n{"n":2}\n' | holds bash-echo
}

dash_echo() {
	dash -c 'for i in 1 2 3; do echo "{\"n\":$i}" >>"$0"; done' \
		"$scope/dash-echo" &&
		printf '{"n":1}\n{"n":2}\n{"n":3}\n' | holds dash-echo
}

every_json_value() {
	printf '%s\n' '"text"' 42 -1 1.5 true null '[1,[2]]' '{}' \
		>>"$scope/values" &&
		printf '%s\n' '"text"' 42 -1 1.5 true null '[1,[2]]' '{}' |
		holds values
}

no_newline() {
	printf '{"a":1}' >>"$scope/no-newline" &&
		dash -c 'printf "{\"a\":2}" >>"$0"' "$scope/no-newline" &&
		printf '{"a":1}\n{"a":2}\n' | holds no-newline
}

blank_lines() {
	printf '\n  \n1\n\t\r\n\n2\n\n' >>"$scope/blank" &&
		printf '1\n2\n' | holds blank
}

long_line() { # entity shell bytes
	head -c "$3" /dev/zero | tr '\0' x | sed 's/.*/"&"/' >"$work/long"
	"$2" -c 'printf "%s\n" "$(cat "$1")" >>"$2"' - "$work/long" \
		"$scope/$1" && holds "$1" <"$work/long"
}

cat_file() {
	cat "$1" >>"$scope/$2" && holds "$2" <"$1"
}

three_megabytes() {
	head -c 3000000 /dev/zero | tr '\0' y | sed 's/.*/"&"/' >"$work/huge"
	cat_file "$work/huge" huge-cat &&
		dd if="$work/huge" of="$scope/huge-dd" bs=1M oflag=append \
			conv=notrunc status=none && holds huge-dd <"$work/huge"
}

tee_append() {
	tee -a "$scope/tee" <"$good" >/dev/null && holds tee <"$good"
}

dd_sizes() {
	local size
	for size in 1 7 100 4093 65537; do
		head -n 40 "$good" | dd of="$scope/dd-$size" bs=$size \
			oflag=append conv=notrunc status=none || return
		head -n 40 "$good" | holds "dd-$size" || return
	done
}

filters() {
	sed -n p "$good" >>"$scope/sed" && holds sed <"$good" &&
		grep . "$good" >>"$scope/grep" && holds grep <"$good" &&
		sort "$good" >>"$scope/sort" &&
		sort "$good" | holds sort &&
		awk '{ print }' "$good" >>"$scope/awk" && holds awk <"$good"
}

awk_own_append() {
	awk -v to="$scope/awk-own" '{ print >> to }' "$good" &&
		holds awk-own <"$good"
}

jq_compact() {
	command -v jq >/dev/null || return 0
	# (it spells numbers its own way)
	jq -c . "$good" >>"$scope/jq" && jq -c . "$good" | holds jq
}

python_mode() { # name
	python3 "$lines" "$1" "$scope/python-$1" <"$good" &&
		holds "python-$1" <"$good"
}

# ---- handles ----------------------------------------------------------

one_handle_many_writers() {
	{
		echo 1
		(echo 2)
		/bin/echo 3
		true | cat
		dash -c 'echo 4'
		echo 5
	} >>"$scope/group" && printf '%s\n' 1 2 3 4 5 | holds group
}

held_descriptor() {
	exec 9>>"$scope/held" || return
	for i in 1 2 3; do
		echo "$i" >&9 || return
		seq "$i" | holds held || return
	done
	exec 9>&-
}

others_flush_in_the_middle_of_a_line() {
	exec 9>>"$scope/middle" || return
	printf '{"a":' >&9
	/bin/true
	(exec 9>&-)
	dash -c 'exit 0'
	printf '[1,' >&9
	/bin/true
	printf '2]}\n' >&9 || return
	exec 9>&-
	echo '{"a":[1,2]}' | holds middle
}

complete_so_far_is_not_an_end() {
	python3 "$lines" inherited "$scope/so-far" && echo 12 | holds so-far
}

two_writers() {
	python3 "$lines" pair "$scope/pair"
}

pieces_of_threads() {
	python3 "$lines" threads "$scope/threads"
}

killed_writer() {
	local pid
	{
		printf '1\n2\n{"half":'
		exec sleep 60
	} >>"$scope/killed" &
	pid=$!
	printf '1\n2\n' | holds killed 10 || return
	kill -9 $pid
	wait $pid 2>/dev/null
	# its tail is rejected when the kernel lets go of the file
	for _ in $(seq 100); do
		rejected killed . && break
		sleep 0.05
	done
	rejected killed . && echo 3 >>"$scope/killed" &&
		printf '1\n2\n3\n' | holds killed
}

killed_after_a_whole_value() {
	local pid
	{
		printf '{"whole":1}'
		exec sleep 60
	} >>"$scope/whole" &
	pid=$!
	sleep 0.3
	kill -9 $pid
	wait $pid 2>/dev/null
	echo '{"whole":1}' | holds whole 10
}

synced() {
	python3 "$lines" synced "$scope/synced" <"$good" &&
		holds synced <"$good"
}

append_taken_away() {
	python3 "$lines" unappend "$scope/unappend" &&
		echo 1 | holds unappend
}

# ---- bad lines --------------------------------------------------------

# (dash has one text for every error of a write)
bad_echo() {
	fails 'Invalid argument' bash -c 'echo hello >>"$0"' "$scope/bad" &&
		rejected bad . &&
		fails 'I/O error' dash -c 'echo "{" >>"$0"' "$scope/bad" || return
	echo 1 >>"$scope/bad" && echo 1 | holds bad
}

bad_tail() {
	# a shell does not look at close(2); the line is rejected all the same
	printf '1\n{"half":' >>"$scope/bad-tail"
	echo 2 >>"$scope/bad-tail" || return
	printf '1\n2\n' | holds bad-tail
}

nul_byte() {
	printf '1\n2\0\n3\n' >"$work/nul"
	fails 'Invalid argument' bash -c 'cat "$0" >>"$1"' "$work/nul" \
		"$scope/nul" && echo 1 | holds nul
}

# bash writes each line of a printf by itself and goes on after an error.
bad_printf() {
	fails 'Invalid argument' bash -c 'printf "1\nhello\n2\n" >>"$0"' \
		"$scope/bad-printf" && printf '1\n2\n' | holds bad-printf
}

# The writer stops at the bad line: what stands before it is there, once.
bad_middle() { # entity command...
	local entity=$1
	shift
	fails 'Invalid argument' "$@" && head -n 150 "$good" | holds "$entity"
}

bad_cat() {
	bad_middle bad-cat bash -c 'cat "$0" >>"$1"' "$bad" "$scope/bad-cat"
}

bad_dd() {
	local size
	for size in 4093 65536 4194304; do
		bad_middle "bad-dd-$size" dd if="$bad" of="$scope/bad-dd-$size" \
			bs="$size" oflag=append conv=notrunc status=none || return
	done
}

bad_python() {
	bad_middle bad-python python3 "$lines" plain "$scope/bad-python" <"$bad" &&
		bad_middle bad-python-line python3 "$lines" line \
			"$scope/bad-python-line" <"$bad" &&
		bad_middle bad-python-raw python3 "$lines" raw \
			"$scope/bad-python-raw" <"$bad"
}

bad_tee() {
	# tee goes on with the next block after an error, so only the lines up
	# to the bad one are certain, and each of the others at most once
	fails 'Invalid argument' bash -c 'tee -a "$1" <"$0" >/dev/null' "$bad" \
		"$scope/bad-tee" &&
		python3 "$lines" starts "$scope/bad-tee" 150 <"$good"
}

bad_awk() {
	awk '{ print }' "$bad" >>"$scope/bad-awk" 2>/dev/null && {
		echo "awk did not fail"
		return 1
	}
	python3 "$lines" starts "$scope/bad-awk" 150 <"$good"
}

too_long() {
	fails 'File too large' bash -c '{ printf \"; head -c 17825792 /dev/zero |
		tr "\0" z; } | cat >>"$0"' "$scope/too-long" || return
	echo 1 >>"$scope/too-long" && echo 1 | holds too-long
}

copied_line() {
	echo 1 >>"$scope/copied" || return
	fails 'Invalid argument' bash -c 'cat "$0" | cat >>"$0"' \
		"$scope/copied" && echo 1 | holds copied
}

# ---- what is no append ------------------------------------------------

no_append() {
	local file=$scope/plus-a denied='Operation not permitted'
	echo 1 >>"$file" || return
	fails "$denied" bash -c 'echo 2 >"$0"' "$file" &&
		fails "$denied" bash -c 'echo 2 1<>"$0" >&1' "$file" &&
		fails "$denied" truncate -s 0 "$file" &&
		fails "$denied" touch "$file" &&
		fails "$denied" touch "$scope/never" &&
		fails "$denied" rm -f "$file" &&
		fails "$denied" mv "$file" "$scope/other" &&
		fails "$denied" ln "$file" "$scope/other" &&
		fails "$denied" ln -s x "$scope/other" &&
		fails "$denied" cp "$good" "$file" &&
		fails "$denied" dd if="$good" of="$file" status=none &&
		fails "$denied" chmod 777 "$file" &&
		fails 'No such file' rm "$scope/absent" &&
		fails 'No such file' mv "$scope/absent" "$scope/other" &&
		fails 'Read-only file system' bash -c 'echo 1 >>"$0"' \
			"$mnt/README" &&
		fails 'Read-only file system' rm -f "$mnt/README" &&
		echo 1 | holds plus-a
}

read_back_through_one_descriptor() {
	python3 "$lines" readback "$scope/readback"
}

all_again() {
	# (the session's end is an event of its own)
	cp "$mnt/log.jsonl" "$work/before" && end_it && mount_it "$work/store" &&
		head -c "$(stat -c %s "$work/before")" "$mnt/log.jsonl" |
		cmp - "$work/before"
}

ends_well() {
	end_it
}

make_lines
check "an empty directory becomes a store" mount_it "$work/store"
mountpoint -q "$mnt" || exit 1
check "a scope is made" mkdir "$scope"
check "echo in bash" bash_echo
check "echo in dash" dash_echo
check "every JSON value is a line" every_json_value
check "printf without a newline" no_newline
check "blank lines are nothing" blank_lines
check "10 KB from bash in two writes" long_line bash-10k bash 10000
check "10 KB from dash" long_line dash-10k dash 10000
check "100 KB from bash" long_line bash-100k bash 100000
check "cat" cat_file "$good" cat
check "3 MB in one line" three_megabytes
check "tee -a" tee_append
check "dd in odd sizes" dd_sizes
check "sed, grep, sort and awk through a redirection" filters
check "awk opens the file itself" awk_own_append
check "jq -c" jq_compact
check "python: mode a" python_mode plain
check "python: line by line" python_mode line
check "python: unbuffered" python_mode raw
check "python: pieces that end anywhere" python_mode pieces
check "python: two buffers of one file" python_mode writev
check "one handle, many writers" one_handle_many_writers
check "a held descriptor" held_descriptor
check "others flush in the middle of a line" others_flush_in_the_middle_of_a_line
check "complete so far is not an end" complete_so_far_is_not_an_end
check "two writers interleave line by line" two_writers
check "threads share a handle" pieces_of_threads
check "a killed writer leaves whole lines" killed_writer
check "a killed writer's whole value counts" killed_after_a_whole_value
check "fsync" synced
check "O_APPEND taken away" append_taken_away
check "a bad line says so and is gone" bad_echo
check "a half line at the end is gone" bad_tail
check "NUL" nul_byte
check "bad line in the middle: printf" bad_printf
check "bad line in the middle: cat" bad_cat
check "bad line in the middle: dd" bad_dd
check "bad line in the middle: python" bad_python
check "bad line in the middle: tee" bad_tee
check "bad line in the middle: awk" bad_awk
check "a line above the cap" too_long
check "a line copied from a view is refused" copied_line
check "nothing but appends" no_append
check "reading back through the same descriptor" read_back_through_one_descriptor
check "the same after a remount" all_again
check "an orderly end" ends_well
[ "$failed" -eq 0 ]
