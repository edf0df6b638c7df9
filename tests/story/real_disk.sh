#!/bin/bash
# The store on ext4, on a disk that loses its power, stops or fails: the short
# form of tests/rigs/real_disk.py, about a minute.
#
#	real_disk.sh BATFS [options of real_disk.py]
# Limit: 200 s
set -u
build=$(dirname "$(dirname "$(realpath "$1")")")
shift
rigs=$(cd "$(dirname "$0")/../rigs" && pwd)
if [ "$(id -u)" != 0 ]; then
	echo "skip - real disk: may not mount (not root)"
elif ! [ -x "$build/tests/rigs/block_disk" ]; then
	echo "not ok - real disk: there is no $build/tests/rigs/block_disk"
	exit 1
else
	exec python3 "$rigs/real_disk.py" "$build" --fs ext4 --rounds 3 \
	    --states 20 --second 0.1 --minutes 0.7 "$@"
fi
