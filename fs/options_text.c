/* What options look like when they are written down: .ctl/config, the words
 * for libfuse, and the usage. A part of options. */
#include "options.h"

static const char usage[] =
    "usage: batfs [options] DATADIR MOUNTPOINT\n"
    "\n"
    "Shows the event store in DATADIR as a tree of files at MOUNTPOINT.\n"
    "An absent or empty DATADIR becomes a new store.\n"
    "Unmount with: fusermount3 -u MOUNTPOINT\n"
    "\n"
    "    -f                   stay in the foreground\n"
    "    -d                   the same, and show every request\n"
    "    -s                   answer one request at a time\n"
    "    -h, --help           this text\n"
    "    -V, --version        versions\n"
    "    -o WORD[,WORD...]    (a comma in a value is written \\,)\n"
    "\n"
    "        ro               show only; takes no lock and writes nothing\n"
    "        nocreate         an absent or empty DATADIR is an error\n"
    "        at=SEQ|TIME      the tree as it was after that sequence, or at "
    "that\n"
    "                         time (2026-01-31T12:00:00Z, -15m); read-only\n"
    "        only=PATH        only this directory of the tree; or this file, "
    "on a\n"
    "                         mountpoint that is a file\n"
    "        scope=NAME       the scope of new entities below entities/\n"
    "        kind=C.TTT       the kind of lines that name none (1.000)\n"
    "        kinds=FILE       names of kinds: lines like `f.001 moved`\n"
    "        new=scope        an append may start scopes and entities\n"
    "        new=entity       ... entities in scopes that are there\n"
    "        new=none         ... neither\n"
    "        gates=DIR        each program in DIR is asked before a line is "
    "stored\n"
    "        gate_limit=N     ... and has N seconds for its answer (5)\n"
    "        durable=each     a write returns when it is on disk\n"
    "        durable=fsync    a write returns when it is visible, fsync\n"
    "                         when it is on disk\n"
    "        text             a line is a text, not JSON\n"
    "        stamp            each event says who wrote it (batfs.writer)\n"
    "        index=auto       write the kind of index that DATADIR has\n"
    "        index=ckpt|fbati|none\n"
    "        checkpoint=N     look every N seconds if the index file is far\n"
    "                         behind (300; 0: only at unmount)\n"
    "        tlog             begin a transparency log; one that is there is\n"
    "                         kept in any case. tlog=FILE: its secret key is\n"
    "                         in FILE, not in DATADIR\n"
    "        segment=BYTES    from this size on the next segment begins\n"
    "                         (268435456)\n"
    "        ahead=SIZE       write space ahead of the segment that grows, in\n"
    "                         steps of SIZE (4M; from 64K to 1G): appends are\n"
    "                         on disk sooner. README says what a crash leaves\n"
    "                         to batpak\n"
    "\n"
    "        sandbox=on       after the start only DATADIR can be reached\n"
    "        sandbox=strict   ... and a forbidden call ends the program\n"
    "        sandbox=off      ... it runs like any program\n"
    "\n"
    "        allow_other      other users may look, as far as modes allow\n"
    "        allow_root       root may\n"
    "        max_threads=N clone_fd max_read=N fsname=NAME subtype=NAME\n"
    "        noatime nodiratime sync\n";

const char *
batfs_options_usage(void)
{
	return usage;
}

static const char *
new_text(const struct batfs_options *options)
{
	if (options->new_names == BATFS_NEW_SCOPE)
		return "scope";
	return options->new_names == BATFS_NEW_ENTITY ? "entity" : "none";
}

static const char *
index_text(const struct batfs_options *options)
{
	switch (options->index) {
	case BAT_INDEX_AUTO:
		return "auto";
	case BAT_INDEX_CKPT:
		return "ckpt";
	case BAT_INDEX_FBATI:
		return "fbati";
	case BAT_INDEX_NONE:
		break;
	}
	return "none";
}

static const char *
sandbox_text(const struct batfs_options *options)
{
	if (options->sandbox == BATFS_SANDBOX_ON)
		return "on";
	return options->sandbox == BATFS_SANDBOX_STRICT ? "strict" : "off";
}

/* A value in a list: commas and backslashes get a backslash. */
static int
append_escaped(struct bat_buf *list, const char *value)
{
	int result = 0;

	for (; result == 0 && *value != '\0'; value++) {
		if (*value == ',' || *value == '\\')
			result = bat_bytes_append_byte(list, '\\');
		if (result == 0)
			result = bat_bytes_append_byte(list, (uint8_t)*value);
	}
	return result;
}

/* ",name=value", or nothing when there is no value. */
static int
append_value(struct bat_buf *list, const char *name, const char *value)
{
	int result;

	if (value == NULL)
		return 0;
	result = bat_bytes_append_format(list, ",%s=", name);
	return result != 0 ? result : append_escaped(list, value);
}

static int
append_if(struct bat_buf *list, bool set, const char *word)
{
	return set ? bat_bytes_append_format(list, ",%s", word) : 0;
}

/* What libfuse's own code reads: the same for fstab and for the session. */
static int
append_mount_words(const struct batfs_options *options, struct bat_buf *list)
{
	int result = append_if(list, options->allow_other, "allow_other");

	if (result == 0)
		result = append_if(list, options->allow_root, "allow_root");
	if (result == 0)
		result = append_if(list, options->noatime, "noatime");
	if (result == 0)
		result = append_if(list, options->nodiratime, "nodiratime");
	if (result == 0)
		result = append_if(list, options->synchronous, "sync");
	if (result == 0 && options->max_read != 0)
		result = bat_bytes_append_format(list, ",max_read=%u",
		    options->max_read);
	return result;
}

int
batfs_options_fuse_words(const struct batfs_options *options,
    const char *data_dir, struct bat_buf *buf)
{
	/* Modes are checked by the kernel, always: without this any user whom
	 * allow_other lets in could append. */
	int result = bat_bytes_append_format(buf,
	    "%s,default_permissions,nosuid,nodev,noexec",
	    options->read_only ? "ro" : "rw");

	if (result == 0)
		result = append_value(buf, "fsname",
		    options->fsname != NULL ? options->fsname : data_dir);
	if (result == 0)
		result = append_value(buf, "subtype",
		    options->subtype != NULL ? options->subtype : "batfs");
	if (result == 0)
		result = append_mount_words(options, buf);
	return result != 0 ? result : bat_bytes_append_byte(buf, '\0');
}

static int
append_config_words(const struct batfs_options *options, struct bat_buf *list)
{
	char kind[6];
	int result;

	bat_kind_to_text(options->default_kind, kind);
	result = bat_bytes_append_format(list,
	    "%s,kind=%s,new=%s,durable=%s,index=%s,checkpoint=%llu,"
	    "segment=%llu,ahead=%llu",
	    options->read_only ? "ro" : "rw", kind, new_text(options),
	    options->durability == BAT_DURABLE_EACH ? "each" : "fsync",
	    index_text(options),
	    (unsigned long long)options->checkpoint_seconds,
	    (unsigned long long)options->segment_bytes,
	    (unsigned long long)options->ahead_bytes);
	if (result == 0)
		result = append_value(list, "at", options->at);
	if (result == 0)
		result = append_value(list, "only", options->only);
	if (result == 0)
		result = append_value(list, "scope", options->default_scope);
	if (result == 0)
		result = append_value(list, "kinds", options->kinds);
	if (result == 0)
		result = append_value(list, "gates", options->gates);
	if (result == 0 && options->gates != NULL)
		result = bat_bytes_append_format(list, ",gate_limit=%u",
		    options->gate_limit);
	if (result == 0)
		result = append_if(list,
		    options->tlog && options->tlog_key == NULL, "tlog");
	if (result == 0)
		result = append_value(list, "tlog", options->tlog_key);
	if (result == 0)
		result = append_if(list, options->no_create, "nocreate");
	if (result == 0)
		result = append_if(list, options->text, "text");
	if (result == 0)
		result = append_if(list, options->stamp, "stamp");
	if (result == 0)
		result = append_value(list, "sandbox", sandbox_text(options));
	if (result == 0)
		result = append_mount_words(options, list);
	if (result == 0)
		result = append_if(list, options->clone_fd, "clone_fd");
	if (result == 0)
		result = bat_bytes_append_format(list, ",max_threads=%u",
		    options->max_threads);
	if (result == 0)
		result = append_value(list, "fsname", options->fsname);
	if (result == 0)
		result = append_value(list, "subtype", options->subtype);
	return result;
}

/* A field of fstab: what would end or bend it in octal. */
static int
append_field(struct bat_buf *line, struct bat_slice text)
{
	int result = 0;

	for (size_t i = 0; result == 0 && i < text.length; i++) {
		uint8_t byte = text.data[i];

		if (byte == ' ' || byte == '\t' || byte == '\n' ||
		    byte == '\\' || byte == '#')
			result = bat_bytes_append_format(line, "\\%03o", byte);
		else
			result = bat_bytes_append_byte(line, byte);
	}
	return result;
}

int
batfs_options_config_line(const struct batfs_options *options,
    const char *data_dir, const char *mountpoint, struct bat_buf *buf)
{
	struct bat_buf list = BAT_BUF_EMPTY;
	int result = append_config_words(options, &list);

	if (result == 0)
		result = append_field(buf, bat_bytes_text(data_dir));
	if (result == 0)
		result = bat_bytes_append_byte(buf, ' ');
	if (result == 0)
		result = append_field(buf, bat_bytes_text(mountpoint));
	if (result == 0)
		result = bat_bytes_append_text(buf, " fuse.batfs ");
	if (result == 0)
		result = append_field(buf, bat_bytes_of_buf(&list));
	if (result == 0)
		result = bat_bytes_append_text(buf, " 0 0\n");
	bat_bytes_free(&list);
	return result;
}
