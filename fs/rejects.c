#include "rejects.h"

#include "json.h"
#include "json_number.h"
#include "render.h"

#include <pthread.h>
#include <stdlib.h>

#define KEPT 1000

/* A ring: the oldest line makes room for the newest. */
struct batfs_rejects {
	pthread_mutex_t lock;
	struct bat_buf lines[KEPT];
	size_t next, count;
};

int
batfs_rejects_new(struct batfs_rejects **out)
{
	struct batfs_rejects *rejects = calloc(1, sizeof(*rejects));

	if (rejects == NULL)
		return BAT_WORLD_NO_MEMORY;
	pthread_mutex_init(&rejects->lock, NULL);
	*out = rejects;
	return 0;
}

void
batfs_rejects_free(struct batfs_rejects *rejects)
{
	if (rejects == NULL)
		return;
	for (size_t i = 0; i < KEPT; i++)
		bat_bytes_free(&rejects->lines[i]);
	pthread_mutex_destroy(&rejects->lock);
	free(rejects);
}

static int
put_number(struct bat_buf *buf, const char *before, uint64_t value)
{
	int code = bat_bytes_append_text(buf, before);

	return code == 0 ? batfs_json_number_write_uint(buf, value) : code;
}

/* Text, or what is not UTF-8 in the tag that lines use for it. */
static int
put_text(struct bat_buf *buf, const char *before, struct bat_slice text)
{
	int code = bat_bytes_append_text(buf, before);

	if (code != 0)
		return code;
	if (bat_bytes_is_utf8(text))
		return batfs_json_write_string(buf, text);
	code = bat_bytes_append_text(buf, "{\"$bin\":\"");
	if (code == 0)
		code = bat_bytes_append_base64(buf, text.data, text.length);
	return code == 0 ? bat_bytes_append_text(buf, "\"}") : code;
}

/* The first bytes of a longer line may end within a character: that one is
 * left out. */
static struct bat_slice
whole_characters(const struct batfs_intake_reject *reject)
{
	struct bat_slice text = { reject->start, reject->start_length };

	if (text.length < sizeof(reject->start))
		return text;
	for (size_t cut = 0; cut < 4; cut++) {
		struct bat_slice shorter = { text.data, text.length - cut };

		if (bat_bytes_is_utf8(shorter))
			return shorter;
	}
	return text;
}

static int
render(struct bat_buf *buf, int64_t wall_us, int32_t pid, uint32_t uid,
    const char *path, int error_number,
    const struct batfs_intake_reject *reject)
{
	const char *name = strerrorname_np(error_number);
	int code = bat_bytes_append_text(buf, "{\"time\":\"");

	if (code == 0)
		code = batfs_render_time(wall_us, buf);
	if (code == 0)
		code = bat_bytes_append_text(buf, "\",\"pid\":");
	if (code == 0)
		code = batfs_json_number_write_int(buf, pid);
	if (code == 0)
		code = put_number(buf, ",\"uid\":", uid);
	if (code == 0)
		code = put_text(buf, ",\"path\":", bat_bytes_text(path));
	if (code == 0)
		code = put_text(buf,
		    ",\"errno\":", bat_bytes_text(name != NULL ? name : "EIO"));
	if (code == 0)
		code = put_text(buf, ",\"reason\":",
		    bat_bytes_text(reject->error.text[0] != '\0' ?
			    reject->error.text :
			    bat_error_name(reject->code)));
	if (code == 0)
		code = put_number(buf, ",\"offset\":", reject->offset);
	if (code == 0)
		code = put_text(buf, ",\"start\":", whole_characters(reject));
	return code == 0 ? bat_bytes_append_text(buf, "}\n") : code;
}

void
batfs_rejects_add(struct batfs_rejects *rejects, int64_t wall_us, int32_t pid,
    uint32_t uid, const char *path, int error_number,
    const struct batfs_intake_reject *reject)
{
	struct bat_buf buf = BAT_BUF_EMPTY;

	if (render(&buf, wall_us, pid, uid, path, error_number, reject) != 0) {
		bat_bytes_free(&buf);
		return;
	}
	pthread_mutex_lock(&rejects->lock);
	bat_bytes_free(&rejects->lines[rejects->next]);
	rejects->lines[rejects->next] = buf;
	rejects->next = (rejects->next + 1) % KEPT;
	if (rejects->count < KEPT)
		rejects->count++;
	pthread_mutex_unlock(&rejects->lock);
}

int
batfs_rejects_render(struct batfs_rejects *rejects, struct bat_buf *buf)
{
	size_t start = buf->length;
	int code = 0;

	pthread_mutex_lock(&rejects->lock);
	for (size_t i = 0; i < rejects->count && code == 0; i++) {
		size_t at = (rejects->next + KEPT - rejects->count + i) % KEPT;

		code = bat_bytes_append_slice(buf,
		    bat_bytes_of_buf(&rejects->lines[at]));
	}
	pthread_mutex_unlock(&rejects->lock);
	if (code != 0)
		buf->length = start;
	return code;
}
