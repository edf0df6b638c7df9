"""What is measured, in the order of the table.  A figure is a function that
yields races, in the file for its kind of work; `--only` takes its name."""
from appending import appends
from ending import unmount
from follow import follow
from library import library, verify
from listing import listings
from opening import mount, sidecar
from reading import event_files, streams

ALL = [mount, sidecar, listings, streams, event_files, library, verify,
       appends, follow, unmount]
