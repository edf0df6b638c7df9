"""What is measured, in the order of the table.  A figure is a function that
yields races, in the file for its kind of work; `--only` takes its name."""
from appending import appends
from ending import unmount
from library import library, paging, verify
from listing import listings
from opening import mount
from reading import event_files, streams

ALL = [mount, listings, streams, event_files, library, paging, verify, appends,
       unmount]
