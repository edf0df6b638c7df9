#include "stamp.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "json.h"

/* So much of a file of /proc is looked at. */
#define CONTENT_MAX 4096

#define VALUE_MAX 1024

/* Up to size bytes of /proc/PID/name; 0: it cannot be read. */
static size_t
read_proc(int32_t pid, const char *name, uint8_t *bytes, size_t size)
{
	char path[64];
	ssize_t count;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	count = read(fd, bytes, size);
	close(fd);
	return count > 0 ? (size_t)count : 0;
}

/* Up to its first newline. */
static struct bat_slice
first_line(struct bat_slice text)
{
	const uint8_t *end = text.length == 0 ?
	    NULL :
	    memchr(text.data, '\n', text.length);

	return end == NULL ?
	    text :
	    bat_bytes_slice(text.data, (size_t)(end - text.data));
}

/* What stands behind "number:names:". */
static struct bat_slice
path_of(struct bat_slice line)
{
	size_t at = 0;

	for (unsigned colons = 0; at < line.length && colons < 2; at++)
		colons += line.data[at] == ':';
	return bat_bytes_slice(line.data + at, line.length - at);
}

struct bat_slice
batfs_stamp_cgroup(struct bat_slice content)
{
	struct bat_slice rest = content;

	while (rest.length > 0) {
		struct bat_slice line = first_line(rest);
		size_t used = line.length + (line.length < rest.length);

		if (line.length >= 3 && memcmp(line.data, "0::", 3) == 0)
			return path_of(line);
		rest = bat_bytes_slice(rest.data + used, rest.length - used);
	}
	return path_of(first_line(content));
}

/* Names of processes are any bytes: what is not UTF-8 becomes '?'. */
static int
put_value(const char *before, struct bat_slice value, struct bat_buf *buf)
{
	uint8_t text[VALUE_MAX];
	size_t length = value.length < VALUE_MAX ? value.length : VALUE_MAX;
	int code = bat_bytes_append_text(buf, before);

	if (length > 0)
		memcpy(text, value.data, length);
	if (!bat_bytes_is_utf8(bat_bytes_slice(text, length)))
		for (size_t i = 0; i < length; i++)
			if (text[i] >= 0x80)
				text[i] = '?';
	return code == 0 ?
	    batfs_json_write_string(buf, bat_bytes_slice(text, length)) :
	    code;
}

/* Nothing at all when nothing is known. */
static int
put_best_known(int32_t pid, struct bat_buf *buf)
{
	uint8_t bytes[CONTENT_MAX];
	struct bat_slice comm, cgroup;
	int code = 0;

	comm = first_line(bat_bytes_slice(bytes,
	    read_proc(pid, "comm", bytes, sizeof(bytes))));
	if (comm.length > 0)
		code = put_value(",\"best_known\":{\"comm\":", comm, buf);
	cgroup = batfs_stamp_cgroup(bat_bytes_slice(bytes,
	    read_proc(pid, "cgroup", bytes, sizeof(bytes))));
	if (code == 0 && cgroup.length > 0)
		code = put_value(comm.length > 0 ?
			",\"cgroup\":" :
			",\"best_known\":{\"cgroup\":",
		    cgroup, buf);
	if (code == 0 && comm.length + cgroup.length > 0)
		code = bat_bytes_append_byte(buf, '}');
	return code;
}

int
batfs_stamp_put(const struct batfs_stamp_writer *writer, struct bat_buf *buf)
{
	size_t before = buf->length;
	int code = bat_bytes_append_format(buf,
	    "{\"uid\":%u,\"gid\":%u,\"pid\":%d", (unsigned)writer->uid,
	    (unsigned)writer->gid, (int)writer->pid);

	if (code == 0 && writer->pid > 0)
		code = put_best_known(writer->pid, buf);
	if (code == 0)
		code = bat_bytes_append_byte(buf, '}');
	if (code != 0)
		buf->length = before;
	return code;
}
