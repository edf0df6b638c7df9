#include "handle.h"

#include <stdlib.h>

bool
batfs_handle_is_content(const struct batfs_node *node)
{
	return batfs_tree_is_whole(node);
}

/* From the head on, unless the name says where. */
static int
open_follow(struct batfs_append_world *world, const struct batfs_node *node,
    struct batfs_follow **out)
{
	struct batfs_tree_words words;
	struct bat_head head;
	int result = batfs_tree_words(world->tree, node, &words);

	if (result != 0)
		return result;
	bat_head(world->store, &head);
	return batfs_follow_new(world->store,
	    words.has_from ? words.from : head.next_seq, words.entity, out);
}

int
batfs_handle_open(struct batfs_handles *handles,
    struct batfs_append_world *world, const struct batfs_node *node,
    enum batfs_handle_use use, uint32_t uid, struct batfs_handle **out)
{
	struct batfs_handle *handle = calloc(1, sizeof *handle);
	int result = 0;

	if (handle == NULL)
		return BAT_WORLD_NO_MEMORY;
	handle->node = *node;
	handle->use = use;
	handle->shares = world->shares;
	handle->uid = uid;
	if (use == BATFS_HANDLE_READ)
		batfs_tree_freeze(world->tree, &handle->node);
	if (use == BATFS_HANDLE_APPEND)
		result = batfs_append_open(world, node, uid, &handle->append);
	else if (node->class == BATFS_CTL_FOLLOW)
		result = open_follow(world, node, &handle->follow);
	else
		result = batfs_tree_keep_pin(world->tree, node, &handle->pin,
		    NULL);
	if (result != 0) {
		free(handle);
		return result;
	}
	atomic_init(&handle->released, false);
	atomic_init(&handle->holders, 1);
	pthread_mutex_init(&handle->lock, NULL);
	pthread_mutex_lock(&handles->lock);
	handle->next = handles->first;
	if (handle->next != NULL)
		handle->next->previous = handle;
	handles->first = handle;
	pthread_mutex_unlock(&handles->lock);
	*out = handle;
	return 0;
}

void
batfs_handle_hold(struct batfs_handle *handle)
{
	atomic_fetch_add(&handle->holders, 1);
}

void
batfs_handle_let_go(struct batfs_handle *handle)
{
	if (atomic_fetch_sub(&handle->holders, 1) > 1)
		return;
	bat_pin_release(handle->pin);
	batfs_follow_free(handle->follow);
	batfs_proof_free(handle->job);
	(void)batfs_shares_keep(handle->shares, handle->uid,
	    handle->content.length, 0);
	bat_bytes_free(&handle->content);
	pthread_mutex_destroy(&handle->lock);
	free(handle);
}

void
batfs_handle_close(struct batfs_handles *handles, struct batfs_handle *handle)
{
	pthread_mutex_lock(&handles->lock);
	if (handle->next != NULL)
		handle->next->previous = handle->previous;
	if (handle->previous != NULL)
		handle->previous->next = handle->next;
	else
		handles->first = handle->next;
	pthread_mutex_unlock(&handles->lock);
	atomic_store(&handle->released, true);
	batfs_shares_close(handle->shares, handle->uid);
	batfs_handle_let_go(handle);
}

/* Read the whole content, once. It does not change afterwards, so that slices
 * of it may leave the lock. */
static int
load(struct batfs_handle *handle, struct batfs_tree *tree,
    struct bat_error *error)
{
	int result = 0;

	pthread_mutex_lock(&handle->lock);
	if (!handle->loaded) {
		result = batfs_tree_read(tree, &handle->node, 0, SIZE_MAX,
		    &handle->content, error);
		if (result == 0 &&
		    !batfs_shares_keep(handle->shares, handle->uid, 0,
			handle->content.length))
			result = bat_error_set(error, BAT_WORLD_NO_MEMORY,
			    "this user has too much open");
		handle->loaded = result == 0;
		if (result != 0)
			bat_bytes_clear(&handle->content);
	}
	pthread_mutex_unlock(&handle->lock);
	return result;
}

int
batfs_handle_read(struct batfs_handle *handle, struct batfs_tree *tree,
    uint64_t offset, size_t size, struct bat_buf *scratch,
    struct bat_slice *out, struct bat_error *error)
{
	int result;
	size_t left;

	bat_bytes_clear(scratch);
	if (handle->node.class == BATFS_CTL_APPEND && handle->append != NULL) {
		result = batfs_append_receipts(handle->append, size, scratch,
		    error);
		*out = bat_bytes_of_buf(scratch);
		return result;
	}
	if (handle->pin != NULL) {
		result = batfs_tree_kept_read(tree, &handle->node, handle->pin,
		    offset, size, scratch, error);
		*out = bat_bytes_of_buf(scratch);
		return result;
	}
	if (!batfs_handle_is_content(&handle->node)) {
		result = batfs_tree_read(tree, &handle->node, offset, size,
		    scratch, error);
		*out = bat_bytes_of_buf(scratch);
		return result;
	}
	result = load(handle, tree, error);
	*out = BAT_SLICE_EMPTY;
	if (result != 0 || offset >= handle->content.length)
		return result;
	left = handle->content.length - (size_t)offset;
	*out = bat_bytes_slice(handle->content.data + offset,
	    left < size ? left : size);
	return 0;
}

int
batfs_handle_content_size(struct batfs_handle *handle, struct batfs_tree *tree,
    uint64_t *out_size, struct bat_error *error)
{
	int result = load(handle, tree, error);

	if (result == 0)
		*out_size = handle->content.length;
	return result;
}

/* ---- those that wait -------------------------------------------------- */

bool
batfs_handle_waits(const struct batfs_handle *handle)
{
	return handle->use == BATFS_HANDLE_READ &&
	    (handle->node.class == BATFS_CTL_FOLLOW ||
		handle->node.class == BATFS_CTL_VERIFY);
}

/* Begins at the first read; stat(2) is not to read a store. */
static int
start_job(struct batfs_handles *handles, struct batfs_handle *handle,
    struct batfs_append_world *world)
{
	struct batfs_tree_words words;
	int result = batfs_tree_words(world->tree, &handle->node, &words);

	if (result == 0)
		result = batfs_proof_start(world->store, handles->data_path,
		    words.entity, handles->progress, handles->context,
		    &handle->job);
	return result;
}

/* The report, and at its end what came of it. */
static int
take_report(struct batfs_handles *handles, struct batfs_handle *handle,
    struct batfs_append_world *world, uint64_t offset, size_t size,
    struct bat_slice *out, struct bat_error *error)
{
	struct bat_slice report;
	int result = 0;

	pthread_mutex_lock(&handle->lock);
	if (handle->job == NULL)
		result = start_job(handles, handle, world);
	pthread_mutex_unlock(&handle->lock);
	if (result == 0)
		result = batfs_proof_answer(handle->job, &report, error);
	if (result != 0 && result != BAT_DATA_CORRUPT)
		return result;
	if (offset >= report.length)
		return result;
	report = bat_bytes_slice(report.data + offset,
	    report.length - (size_t)offset);
	*out = bat_bytes_slice(report.data,
	    report.length < size ? report.length : size);
	return 0;
}

int
batfs_handle_take(struct batfs_handles *handles, struct batfs_handle *handle,
    struct batfs_append_world *world, uint64_t offset, size_t size,
    struct bat_buf *scratch, struct bat_slice *out, struct bat_error *error)
{
	int result;

	*out = BAT_SLICE_EMPTY;
	if (handle->follow == NULL)
		return take_report(handles, handle, world, offset, size, out,
		    error);
	bat_bytes_clear(scratch);
	result = batfs_follow_take(handle->follow, size, scratch, error);
	*out = bat_bytes_of_buf(scratch);
	return result;
}

bool
batfs_handle_is_ready(struct batfs_handle *handle)
{
	struct bat_slice report;
	bool ready;

	if (handle->follow != NULL)
		return batfs_follow_is_ready(handle->follow);
	pthread_mutex_lock(&handle->lock);
	ready = handle->job == NULL ||
	    batfs_proof_answer(handle->job, &report, NULL) != BAT_END;
	pthread_mutex_unlock(&handle->lock);
	return ready;
}

size_t
batfs_handle_close_all(struct batfs_handles *handles)
{
	size_t lost = 0;

	while (handles->first != NULL) {
		struct batfs_handle *handle = handles->first;
		if (handle->append != NULL)
			lost += batfs_append_abandon(handle->append);
		batfs_handle_close(handles, handle);
	}
	return lost;
}
