#!/bin/bash
# Proofs for others: batctl prints them, a verifier of another make believes
# them with nothing but the key, and so does batctl without the store. What was
# changed in a proof, or in the store behind it, is not believed.
#
#	prove.sh BATFS
# Limit: 120 s
# shellcheck disable=SC2317 # `check` calls functions
set -u
BATFS=$(realpath "$1")
BATCTL=$(dirname "$BATFS")/batctl
FORGE=$(dirname "$BATFS")/../tests/story/forge
# shellcheck source=tests/support/mount.sh
. "$(dirname "$0")/../support/mount.sh"
READER=$here/support/proof_reader.py
data=$work/data
kept=$work/kept
mkdir "$kept"

keep() { # name [key]
	echo now >"$mnt/.ctl/checkpoint" && cp "$mnt/tlog/checkpoint" "$kept/$1" &&
		cp "$mnt/tlog/vkey" "$kept/${2:-vkey}"
}

# Sequences 0 to 9 are from before the log; then 300 in one batch, and some
# that stand alone.
a_store() {
	local i
	mount_it "$data" && mkdir "$mnt/scopes/s" || return
	for i in $(seq 8); do
		echo "{\"n\":$i}" >>"$mnt/scopes/s/p:1" || return
	done
	end_it && mount_it "$data" tlog &&
		seq 300 | sed 's/.*/{"n":&}/' >>"$mnt/scopes/s/p:2" &&
		keep first || return
	for i in $(seq 5); do
		echo "{\"n\":$i}" >>"$mnt/scopes/s/p:$i" || return
	done
	keep last && end_it && cp "$data/.batfs/tlog/checkpoint" "$kept/end"
}

status_is() { # status command...
	local wanted=$1
	shift
	"$@"
	[ $? -eq "$wanted" ]
}

key=$kept/vkey
proved() { # file more...
	"$BATCTL" prove --check "$@" --key "$key"
}

inclusion() { # seq more...
	local seq=$1 entry here=(--store "$data")
	shift
	# OPEN is longer than the reader's own BLAKE3 can do.
	[ "$seq" -ne 10 ] || here=()
	"$BATCTL" prove "$data" "$seq" "$@" >"$work/$seq.tlog-proof" &&
		entry=$("$READER" "$work/$seq.tlog-proof" "$kept/vkey" \
			"${here[@]}") &&
		[ "${entry:0:16}" = "$(printf %016x "$seq")" ] &&
		proved "$work/$seq.tlog-proof" >"$work/said" &&
		grep -qx "sequence=$seq" "$work/said" &&
		grep -qx "id=${entry:16:32}" "$work/said" &&
		grep -q '^proved: ' "$work/said" &&
		proved "$work/$seq.tlog-proof" "$data" | grep -q 'here it is$'
}

all_inclusions() {
	local seq
	for seq in 10 11 137 265 266 267 300 316; do
		inclusion "$seq" || {
			echo "sequence $seq"
			return 1
		}
	done
	for seq in 10 200; do
		inclusion "$seq" --against "$kept/first" &&
			tail -n 5 "$work/$seq.tlog-proof" |
			cmp - <(tail -n 5 "$kept/first") || return
	done
}

consistency() {
	local old
	for old in first last end; do
		"$BATCTL" prove "$data" --against "$kept/$old" >"$work/c.$old" &&
			"$READER" "$work/c.$old" "$kept/vkey" --old "$kept/$old" &&
			proved "$work/c.$old" --against "$kept/$old" || return
	done
	[ "$(head -n 1 "$work/c.first")" = \
		"old $(sed -n 2p "$kept/first")" ]
}

# Behind the log's back, before it began, of no log, of another one.
nothing_to_prove() {
	status_is 1 "$BATCTL" prove "$data" 3 2>"$work/err" &&
		grep -q 'before the log was begun' "$work/err" &&
		status_is 1 "$BATCTL" prove "$data" 99999 &&
		status_is 1 "$BATCTL" prove "$data" 316 --against "$kept/first" &&
		status_is 2 "$BATCTL" prove "$data" --against "$kept/vkey" &&
		status_is 2 "$BATCTL" prove "$data" &&
		status_is 2 "$BATCTL" prove --check "$work/137.tlog-proof" &&
		status_is 2 proved "$work/c.first" &&
		status_is 2 proved "$work/c.first" --against "$kept/last" &&
		rm -rf "$work/bare" && cp -a "$data" "$work/bare" &&
		rm -r "$work/bare/.batfs/tlog" &&
		status_is 1 "$BATCTL" prove "$work/bare" 137
}

# Each line of a proof, changed: both verifiers say no.
changed_proofs() {
	python3 - "$work/137.tlog-proof" "$kept/vkey" "$BATCTL" "$READER" \
		"$work/changed" "$kept/other" <<'EOF'
import subprocess, sys
proof, vkey, batctl, reader, changed, other = sys.argv[1:]
lines = open(proof, encoding='utf-8').read().split('\n')
for at, line in enumerate(lines):
    if not line:
        continue
    middle = len(line) // 2
    new = 'B' if line[middle] == 'A' else 'A'
    if line[middle].isdigit() and ' ' in line and not line.startswith('extra'):
        new = str((int(line[middle]) + 1) % 10)
    for what in (line[:middle] + new + line[middle + 1:], None):
        made = lines[:at] + ([] if what is None else [what]) + lines[at + 1:]
        with open(changed, 'w', encoding='utf-8') as file:
            file.write('\n'.join(made))
        ours = subprocess.run([batctl, 'prove', '--check', changed, '--key',
                               vkey], stdout=subprocess.DEVNULL).returncode
        theirs = subprocess.run([sys.executable, reader, changed, vkey],
                                stdout=subprocess.DEVNULL).returncode
        if ours not in (1, 2) or theirs == 0:
            sys.exit('line %d (%r): %d, %d' % (at + 1, what, ours, theirs))
EOF
}

another_key() {
	mount_it "$work/other" tlog && cp "$mnt/tlog/vkey" "$kept/other" &&
		end_it && status_is 2 "$BATCTL" prove --check \
		"$work/137.tlog-proof" --key "$kept/other"
}

# The proof stands for what was logged; the store is no longer that.
a_changed_event() {
	local plain=$work/plain key=$kept/plain.vkey i
	mount_it "$plain" tlog && mkdir "$mnt/scopes/s" || return
	for i in $(seq 12); do
		echo "{\"n\":$i}" >>"$mnt/scopes/s/p:$i" || return
	done
	keep plain plain.vkey && end_it && "$BATCTL" prove "$plain" 5 >"$work/5" &&
		"$FORGE" "$plain" edit 5 &&
		status_is 1 "$BATCTL" prove "$plain" 5 &&
		"$BATCTL" prove "$plain" 4 >"$work/4" &&
		proved "$work/5" && status_is 1 proved "$work/5" "$plain" &&
		proved "$work/4" "$plain"
}

a_log_written_anew() {
	rm -rf "$work/anew" && cp -a "$data" "$work/anew" &&
		rm -r "$work/anew/.batfs/tlog/"{checkpoint,tile} &&
		mount_it "$work/anew" tlog &&
		echo '{}' >>"$mnt/scopes/s/p:1" && end_it &&
		status_is 1 "$BATCTL" prove "$work/anew" --against "$kept/first"
}

check "a store with a log" a_store
check "an event is proved to who has only the key" all_inclusions
check "a later log is proved to continue an older one" consistency
check "what is not so is not proved" nothing_to_prove
check "a changed proof is believed by nobody" changed_proofs
check "another key has not signed it" another_key
check "an event that was changed is not the one that was proved" a_changed_event
check "a log that was written anew continues nothing" a_log_written_anew
[ "$failed" -eq 0 ]
