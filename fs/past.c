#include "past.h"

#include <stdlib.h>

#include <pthread.h>

#define CLASS (UINT64_C(255) << 56)
#define PLACE_BITS 32
#define SERIAL_MASK ((UINT32_C(1) << 24) - 1)
#define SLOTS_MAX (UINT32_C(1) << 30)
#define NOBODY UINT32_MAX

_Static_assert(BATFS_CLASS_COUNT <= 255, "class 255 is for the past");

struct slot {
	struct batfs_node node;
	uint64_t count; /* 0: free */
	uint32_t serial;
	uint32_t next; /* in its bucket, or of the free ones */
};

struct batfs_past {
	pthread_mutex_t mutex;
	struct slot *slots;
	uint32_t *buckets;	 /* as many as slots, a power of two */
	uint32_t used, capacity; /* used: free ones included */
	uint32_t free, held;
};

int
batfs_past_new(struct batfs_past **out)
{
	struct batfs_past *past = calloc(1, sizeof(*past));

	if (past == NULL)
		return BAT_WORLD_NO_MEMORY;
	if (pthread_mutex_init(&past->mutex, NULL) != 0) {
		free(past);
		return BAT_WORLD_NO_MEMORY;
	}
	past->free = NOBODY;
	*out = past;
	return BAT_OK;
}

void
batfs_past_free(struct batfs_past *past)
{
	if (past == NULL)
		return;
	free(past->slots);
	free(past->buckets);
	pthread_mutex_destroy(&past->mutex);
	free(past);
}

/* ---- with the mutex ------------------------------------------------------- */

static bool
same(const struct batfs_node *a, const struct batfs_node *b)
{
	return a->class == b->class && a->entity == b->entity &&
	    a->scope == b->scope && a->number == b->number && a->at == b->at;
}

static uint32_t *
bucket_of(struct batfs_past *past, const struct batfs_node *node)
{
	/* Field by field: padding has no value. */
	const uint64_t words[] = { (uint64_t)node->class,
		(uint64_t)node->entity << 32 | node->scope, node->number,
		node->at };
	uint64_t hash = bat_map_hash(bat_bytes_slice(words, sizeof(words)));

	return &past->buckets[hash & (past->capacity - 1)];
}

/* Twice the room, and all hung up anew; none is free, or it would not grow. */
static bool
grow(struct batfs_past *past)
{
	uint32_t wanted = past->capacity == 0 ? 64 : past->capacity * 2;
	struct slot *slots;
	uint32_t *buckets;

	if (wanted > SLOTS_MAX)
		return false;
	slots = reallocarray(past->slots, wanted, sizeof(*slots));
	if (slots == NULL)
		return false;
	past->slots = slots;
	buckets = reallocarray(NULL, wanted, sizeof(*buckets));
	if (buckets == NULL)
		return false;
	free(past->buckets);
	past->buckets = buckets;
	past->capacity = wanted;
	memset(buckets, 0xff, wanted * sizeof(*buckets));
	for (uint32_t i = 0; i < past->used; i++) {
		uint32_t *bucket = bucket_of(past, &slots[i].node);

		slots[i].next = *bucket;
		*bucket = i;
	}
	return true;
}

/* Its place; NOBODY: it is not held. */
static uint32_t
place_of(struct batfs_past *past, const struct batfs_node *node)
{
	uint32_t place = past->capacity == 0 ? NOBODY : *bucket_of(past, node);

	while (place != NOBODY && !same(&past->slots[place].node, node))
		place = past->slots[place].next;
	return place;
}

static uint32_t
add(struct batfs_past *past, const struct batfs_node *node)
{
	uint32_t place = past->free, serial = 0, *bucket;

	if (place == NOBODY && past->used == past->capacity && !grow(past))
		return NOBODY;
	if (place == NOBODY) {
		place = past->used++;
	} else {
		past->free = past->slots[place].next;
		serial = (past->slots[place].serial + 1) & SERIAL_MASK;
	}
	bucket = bucket_of(past, node);
	past->slots[place] = (struct slot){
		.node = *node,
		.serial = serial,
		.next = *bucket,
	};
	*bucket = place;
	past->held++;
	return place;
}

static void
drop(struct batfs_past *past, uint32_t place)
{
	uint32_t *link = bucket_of(past, &past->slots[place].node);

	while (*link != place)
		link = &past->slots[*link].next;
	*link = past->slots[place].next;
	past->slots[place].next = past->free;
	past->free = place;
	past->held--;
}

static uint64_t
number_of(const struct batfs_past *past, uint32_t place)
{
	return CLASS | (uint64_t)past->slots[place].serial << PLACE_BITS |
	    place;
}

/* The slot of a number that is held. */
static struct slot *
slot_of(struct batfs_past *past, uint64_t nodeid)
{
	uint32_t place = (uint32_t)nodeid;

	if (place >= past->used || past->slots[place].count == 0 ||
	    number_of(past, place) != nodeid)
		return NULL;
	return &past->slots[place];
}

/* ---- what the others call --------------------------------------------------- */

uint64_t
batfs_past_hold(struct batfs_past *past, const struct batfs_node *node)
{
	uint64_t nodeid = 0;
	uint32_t place;

	pthread_mutex_lock(&past->mutex);
	place = place_of(past, node);
	if (place == NOBODY)
		place = add(past, node);
	if (place != NOBODY) {
		past->slots[place].count++;
		nodeid = number_of(past, place);
	}
	pthread_mutex_unlock(&past->mutex);
	return nodeid;
}

static bool
is_ours(uint64_t nodeid)
{
	return (nodeid & CLASS) == CLASS;
}

bool
batfs_past_find(struct batfs_past *past, uint64_t nodeid,
    struct batfs_node *out)
{
	struct slot *slot;

	if (!is_ours(nodeid))
		return false;
	pthread_mutex_lock(&past->mutex);
	slot = slot_of(past, nodeid);
	if (slot != NULL)
		*out = slot->node;
	pthread_mutex_unlock(&past->mutex);
	return slot != NULL;
}

void
batfs_past_let_go(struct batfs_past *past, uint64_t nodeid, uint64_t count)
{
	struct slot *slot;

	if (!is_ours(nodeid))
		return;
	pthread_mutex_lock(&past->mutex);
	slot = slot_of(past, nodeid);
	if (slot != NULL) {
		slot->count -= count < slot->count ? count : slot->count;
		if (slot->count == 0 || BAT_PLANT(174))
			drop(past, (uint32_t)nodeid);
	}
	pthread_mutex_unlock(&past->mutex);
}

size_t
batfs_past_count(struct batfs_past *past)
{
	size_t count;

	pthread_mutex_lock(&past->mutex);
	count = past->held;
	pthread_mutex_unlock(&past->mutex);
	return count;
}
