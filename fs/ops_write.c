/*
 * Writing. A part of ops. The offset of a write is not looked at: the kernel
 * makes it from the size that it knows, and the line that comes of the write
 * is longer than what was written.
 */
#include "ops.h"

#include <errno.h>
#include <stdlib.h>

#include "reply.h"

/* One request on its way through an append; answered from wherever it ends. */
struct write_request {
	struct batfs_append_op op;
	fuse_req_t req;
	char bytes[]; /* the kernel's buffer is libfuse's after the handler */
};

static struct batfs_handle *
handle_of(const struct fuse_file_info *fi)
{
	return (struct batfs_handle *)(uintptr_t)fi->fh;
}

static void
request_done(struct batfs_append_op *op, ssize_t result)
{
	struct write_request *request = op->context;

	if (result < 0)
		fuse_reply_err(request->req, (int)-result);
	else if (op->kind == BATFS_APPEND_WRITE)
		fuse_reply_write(request->req, (size_t)result);
	else
		fuse_reply_err(request->req, 0);
	free(request);
}

/* Queue a request on its append; bytes are copied. false: it could not be, and
 * was answered. */
static bool
submit(fuse_req_t req, struct batfs_append *append, enum batfs_append_kind kind,
    struct bat_slice bytes, bool durable)
{
	const struct fuse_ctx *context = fuse_req_ctx(req);
	struct write_request *request = malloc(sizeof *request + bytes.length);

	if (request == NULL) {
		fuse_reply_err(req, ENOMEM);
		return false;
	}
	if (bytes.length > 0)
		memcpy(request->bytes, bytes.data, bytes.length);
	request->req = req;
	request->op = (struct batfs_append_op){
		.kind = kind,
		.bytes = bat_bytes_slice(request->bytes, bytes.length),
		.durable = durable,
		.pid = context->pid,
		.uid = context->uid,
		.gid = context->gid,
		.done = request_done,
		.context = request,
	};
	batfs_append_submit(append, &request->op);
	return true;
}

/* ---- work that the chores' thread does ------------------------------- */

struct chore_request {
	struct batfs_chore chore;
	fuse_req_t req;
	struct batfs_node node; /* of a command; else a sync is asked for */
	bool command;
	size_t size;
	char words[];
};

static void
run_request(void *context)
{
	struct chore_request *request = context;
	struct batfs_mount *mount = batfs_reply_mount(request->req);
	struct bat_error error = { .code = 0 };
	int result = request->command ?
	    batfs_tree_command(mount->tree, &request->node,
		bat_bytes_slice(request->words, request->size), &error) :
	    bat_sync(mount->store, &error);

	if (result != 0)
		batfs_reply_code(request->req, result, &error);
	else if (request->command)
		fuse_reply_write(request->req, request->size);
	else
		fuse_reply_err(request->req, 0);
	free(request);
}

/* node NULL: a sync; else the words are what is written to a command. */
static void
submit_chore(fuse_req_t req, const struct batfs_node *node,
    struct bat_slice words)
{
	struct batfs_mount *mount = batfs_reply_mount(req);
	struct chore_request *request = malloc(sizeof *request + words.length);

	if (request == NULL) {
		fuse_reply_err(req, ENOMEM);
		return;
	}
	*request = (struct chore_request){
		.chore = { .run = run_request, .context = request },
		.req = req,
		.command = node != NULL,
		.size = words.length,
	};
	if (node != NULL)
		request->node = *node;
	if (words.length > 0)
		memcpy(request->words, words.data, words.length);
	/* A sync that somebody waits for does not wait for it. */
	batfs_chores_add(node != NULL && node->number == BATFS_CTL_COMPACT ?
		mount->long_chores :
		mount->chores,
	    &request->chore);
}

/* ---- the requests ---------------------------------------------------- */

void
batfs_ops_write(fuse_req_t req, fuse_ino_t ino, const char *bytes, size_t size,
    off_t offset, struct fuse_file_info *fi)
{
	struct batfs_handle *handle = handle_of(fi);

	batfs_reply_count(req, BATFS_STAT_WRITE);
	(void)ino;
	(void)offset;
	if (handle->use == BATFS_HANDLE_COMMAND)
		submit_chore(req, &handle->node, bat_bytes_slice(bytes, size));
	else if (handle->use == BATFS_HANDLE_READ)
		fuse_reply_err(req, EBADF);
	else if (!handle->plain && (fi->flags & O_APPEND) == 0)
		/* fcntl(2) can take it away from an open file. */
		fuse_reply_err(req, EPERM);
	else
		submit(req, handle->append, BATFS_APPEND_WRITE,
		    bat_bytes_slice(bytes, size), (fi->flags & O_DSYNC) != 0);
}

void
batfs_ops_flush(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct batfs_handle *handle = handle_of(fi);

	batfs_reply_count(req, BATFS_STAT_FLUSH);
	(void)ino;
	if (handle == NULL)
		/* Nobody opens (-o at=): nor need anybody say this again. */
		fuse_reply_err(req, ENOSYS);
	else if (handle->use == BATFS_HANDLE_APPEND)
		submit(req, handle->append, BATFS_APPEND_FLUSH, BAT_SLICE_EMPTY,
		    false);
	else
		fuse_reply_err(req, 0);
}

/* Also of a directory. */
void
batfs_ops_fsync(fuse_req_t req, fuse_ino_t ino, int data_only,
    struct fuse_file_info *fi)
{
	struct batfs_mount *mount = batfs_reply_mount(req);
	struct batfs_handle *handle = handle_of(fi);

	batfs_reply_count(req, BATFS_STAT_FSYNC);
	(void)ino;
	(void)data_only;
	if (handle != NULL && handle->use == BATFS_HANDLE_APPEND)
		submit(req, handle->append, BATFS_APPEND_SYNC, BAT_SLICE_EMPTY,
		    false);
	else if (mount->appends.sync_apart)
		submit_chore(req, NULL, BAT_SLICE_EMPTY);
	else
		fuse_reply_err(req, 0);
}

void
batfs_ops_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct batfs_mount *mount = batfs_reply_mount(req);
	struct batfs_handle *handle = handle_of(fi);

	batfs_reply_count(req, BATFS_STAT_RELEASE);
	(void)ino;
	/* If the release of an append cannot even be queued, it stays in the
	 * list: its unfinished line is spoken of when the mount ends. */
	if (handle->append == NULL)
		fuse_reply_err(req, 0);
	else if (!submit(req, handle->append, BATFS_APPEND_RELEASE,
		     BAT_SLICE_EMPTY, false))
		return;
	batfs_handle_close(&mount->handles, handle);
}
