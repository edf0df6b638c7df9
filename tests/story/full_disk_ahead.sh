#!/bin/bash
# full_disk.sh where space is laid ahead of the frames: what of it does not fit
# stops nobody.
#
#	full_disk_ahead.sh BATFS
set -u
exec "$(dirname "$0")/full_disk.sh" "$1" ahead=256K
