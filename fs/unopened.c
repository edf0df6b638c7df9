#include "unopened.h"

static bool
same(const struct batfs_node *a, const struct batfs_node *b)
{
	return a->class == b->class && a->entity == b->entity &&
	    a->scope == b->scope && a->number == b->number && a->at == b->at;
}

/* ---- with the lock ---------------------------------------------------- */

/* Out of the row. */
static struct batfs_handle *
take_out(struct batfs_unopened *unopened, size_t place)
{
	struct batfs_handle *handle = unopened->kept[place];

	unopened->count--;
	memmove(unopened->kept + place, unopened->kept + place + 1,
	    (unopened->count - place) * sizeof(*unopened->kept));
	return handle;
}

static void
put_first(struct batfs_unopened *unopened, struct batfs_handle *handle)
{
	memmove(unopened->kept + 1, unopened->kept,
	    unopened->count * sizeof(*unopened->kept));
	unopened->kept[0] = handle;
	unopened->count++;
}

static struct batfs_handle *
find(struct batfs_unopened *unopened, const struct batfs_node *node)
{
	for (size_t i = 0; i < unopened->count; i++)
		if (same(&unopened->kept[i]->node, node) || BAT_PLANT(370))
			return take_out(unopened, i);
	return NULL;
}

/* What was computed in another generation may have other bytes now. */
static void
forget_older(struct batfs_unopened *unopened, struct batfs_handles *handles,
    struct bat_store *store)
{
	struct bat_head head;

	bat_head(store, &head);
	while (unopened->count > 0 && unopened->generation != head.generation)
		batfs_handle_close(handles, take_out(unopened, 0));
	unopened->generation = head.generation;
}

/* ---- a content -------------------------------------------------------- */

/* Its handle, made if need be, held for the caller. */
static int
hold(struct batfs_unopened *unopened, struct batfs_handles *handles,
    struct batfs_append_world *world, const struct batfs_node *node,
    struct batfs_handle **out)
{
	struct batfs_handle *handle;
	int result = 0;

	pthread_mutex_lock(&unopened->lock);
	forget_older(unopened, handles, world->store);
	handle = find(unopened, node);
	if (handle == NULL)
		result = batfs_handle_open(handles, world, node,
		    BATFS_HANDLE_READ, 0, &handle);
	if (result == 0) {
		if (unopened->count == BATFS_UNOPENED_COUNT)
			batfs_handle_close(handles,
			    take_out(unopened, unopened->count - 1));
		put_first(unopened, handle);
		batfs_handle_hold(handle);
		*out = handle;
	}
	pthread_mutex_unlock(&unopened->lock);
	return result;
}

/* Nobody will ask for it again. It stays as long as somebody holds it. */
static void
forget(struct batfs_unopened *unopened, struct batfs_handles *handles,
    const struct batfs_handle *handle)
{
	pthread_mutex_lock(&unopened->lock);
	for (size_t i = 0; i < unopened->count; i++)
		if (unopened->kept[i] == handle) {
			batfs_handle_close(handles, take_out(unopened, i));
			break;
		}
	pthread_mutex_unlock(&unopened->lock);
}

int
batfs_unopened_read(struct batfs_unopened *unopened,
    struct batfs_handles *handles, struct batfs_append_world *world,
    const struct batfs_node *node, uint64_t offset, size_t size,
    struct bat_buf *scratch, struct bat_slice *out,
    struct batfs_handle **out_held, struct bat_error *error)
{
	struct batfs_handle *handle;
	int result;

	*out_held = NULL;
	if (!batfs_handle_is_content(node)) {
		bat_bytes_clear(scratch);
		result = batfs_tree_read(world->tree, node, offset, size,
		    scratch, error);
		*out = bat_bytes_of_buf(scratch);
		return result;
	}
	result = hold(unopened, handles, world, node, &handle);
	if (result != 0)
		return result;
	result = batfs_handle_read(handle, world->tree, offset, size, scratch,
	    out, error);
	/* What failed is tried anew the next time. */
	if (result != 0 || offset + out->length >= handle->content.length)
		forget(unopened, handles, handle);
	if (result != 0)
		batfs_handle_let_go(handle);
	else
		*out_held = handle;
	return result;
}
