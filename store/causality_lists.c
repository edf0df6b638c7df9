/*
 * Lists of events. A chain is walked along its links; the others are looked for
 * once, over 4 bytes an event, and kept for a while.
 */
#include "causality.h"

#include <stdlib.h>

/* ---- making a list ------------------------------------------------------ */

static int
push(struct bat_causality_list *list, uint32_t ordinal)
{
	if (list->count == list->capacity) {
		uint32_t wanted = list->capacity == 0 ? 16 : list->capacity * 2;
		uint32_t *larger = realloc(list->ordinals,
		    (size_t)wanted * sizeof(*larger));

		if (larger == NULL)
			return BAT_WORLD_NO_MEMORY;
		list->ordinals = larger;
		list->capacity = wanted;
	}
	list->ordinals[list->count++] = ordinal;
	return BAT_OK;
}

static int
make_causes(const struct bat_causality *causality,
    struct bat_causality_list *list)
{
	uint32_t at = causality->cause[list->event];
	int code = BAT_OK;

	/* Each cause stands before its effect: this ends. */
	for (; at < causality->count && code == BAT_OK;
	     at = causality->cause[at])
		code = push(list, at);
	for (uint32_t i = 0; i < list->count / 2; i++) {
		uint32_t *other = &list->ordinals[list->count - 1 - i];
		uint32_t swapped = list->ordinals[i];

		list->ordinals[i] = *other;
		*other = swapped;
	}
	return code;
}

static int
extend_effects(const struct bat_causality *causality,
    struct bat_causality_list *list)
{
	int code = BAT_OK;

	for (; list->seen < causality->count && code == BAT_OK; list->seen++)
		if (causality->cause[list->seen] == list->event)
			code = push(list, list->seen);
	return code;
}

static bool
has_bit(const uint8_t *bits, uint32_t place)
{
	return (bits[place / 8] >> place % 8 & 1) != 0;
}

static void
set_bit(uint8_t *bits, uint32_t place)
{
	bits[place / 8] |= (uint8_t)(1u << place % 8);
}

/* One pass forward: whose cause is in the list is in the list. */
static int
extend_consequences(const struct bat_causality *causality,
    struct bat_causality_list *list)
{
	uint32_t first = list->event;
	uint8_t *bits = calloc((causality->count - first) / 8 + 1, 1);
	int code = BAT_OK;

	if (bits == NULL)
		return BAT_WORLD_NO_MEMORY;
	set_bit(bits, 0);
	for (uint32_t i = 0; i < list->count; i++)
		set_bit(bits, list->ordinals[i] - first);
	for (; list->seen < causality->count && code == BAT_OK; list->seen++) {
		uint32_t cause = causality->cause[list->seen];

		if (cause >= causality->count || cause < first ||
		    !has_bit(bits, cause - first))
			continue;
		set_bit(bits, list->seen - first);
		code = push(list, list->seen);
	}
	free(bits);
	return code;
}

/* ---- a chain as a tree -------------------------------------------------- */

/* Events of a chain by place; each with its first effect and its next sibling
 * in it. */
struct branch {
	uint32_t ordinal, parent, child, sibling;
};

static uint32_t
place_of(const struct branch *branches, uint32_t count, uint32_t ordinal)
{
	uint32_t low = 0, high = count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (branches[middle].ordinal < ordinal)
			low = middle + 1;
		else
			high = middle;
	}
	return low < count && branches[low].ordinal == ordinal ?
	    low :
	    BAT_CAUSALITY_NONE;
}

/* From the last one back, so that siblings come out in order. Returns the
 * first one without a cause in the chain. */
static uint32_t
link_branches(const struct bat_causality *causality, struct branch *branches,
    uint32_t count)
{
	uint32_t roots = BAT_CAUSALITY_NONE;

	for (uint32_t i = count; i-- > 0;) {
		struct branch *branch = &branches[i];
		uint32_t *list = &roots;

		branch->parent = place_of(branches, i,
		    causality->cause[branch->ordinal]);
		if (branch->parent != BAT_CAUSALITY_NONE)
			list = &branches[branch->parent].child;
		branch->sibling = *list;
		*list = i;
	}
	return roots;
}

/* Down first, then aside, then up. */
static uint32_t
step(const struct branch *branches, uint32_t at)
{
	if (branches[at].child != BAT_CAUSALITY_NONE)
		return branches[at].child;
	while (at != BAT_CAUSALITY_NONE &&
	    branches[at].sibling == BAT_CAUSALITY_NONE)
		at = branches[at].parent;
	return at == BAT_CAUSALITY_NONE ? at : branches[at].sibling;
}

static int
make_tree(const struct bat_causality *causality,
    struct bat_causality_list *list)
{
	uint32_t number,
	    at = bat_causality_first(causality, list->event, &number);
	uint32_t count = number == BAT_CAUSALITY_NONE ?
	    1 :
	    causality->chains[number].count;
	struct branch *branches = calloc(count, sizeof(*branches));
	int code = BAT_OK;

	if (branches == NULL)
		return BAT_WORLD_NO_MEMORY;
	count = 0;
	for (; at < list->before; at = causality->next[at])
		branches[count++] = (struct branch){ at, BAT_CAUSALITY_NONE,
			BAT_CAUSALITY_NONE, BAT_CAUSALITY_NONE };
	at = link_branches(causality, branches, count);
	for (; at != BAT_CAUSALITY_NONE && code == BAT_OK;
	     at = step(branches, at))
		code = push(list, branches[at].ordinal);
	free(branches);
	return code;
}

/* ---- keeping lists ------------------------------------------------------ */

static void
drop(struct bat_causality_list *list)
{
	free(list->ordinals);
	*list = (struct bat_causality_list){ .used = false };
}

static struct bat_causality_list *
obtain(struct bat_causality *causality, enum bat_causality_kind kind,
    uint32_t event, uint32_t before)
{
	struct bat_causality_list *oldest = &causality->lists[0];

	for (unsigned i = 0; i < BAT_CAUSALITY_LISTS; i++) {
		struct bat_causality_list *list = &causality->lists[i];

		if (list->used && list->kind == kind && list->event == event &&
		    list->before == before)
			return list;
		if (list->stamp < oldest->stamp)
			oldest = list;
	}
	drop(oldest);
	oldest->kind = kind;
	oldest->event = event;
	oldest->before = before;
	oldest->seen = event;
	return oldest;
}

/* A list with all that is in by now. */
static int
find_list(struct bat_causality *causality, enum bat_causality_kind kind,
    uint32_t event, uint32_t before, const struct bat_causality_list **out)
{
	struct bat_causality_list *list;
	int code = BAT_OK;

	/* What is not below `before` is left out when it is handed out. */
	if (before > causality->count)
		before = causality->count;
	list = obtain(causality, kind, event,
	    kind == BAT_CAUSALITY_TREE ? before : 0);
	if (kind == BAT_CAUSALITY_EFFECTS)
		code = extend_effects(causality, list);
	else if (kind == BAT_CAUSALITY_CONSEQUENCES)
		code = extend_consequences(causality, list);
	else if (!list->used)
		code = kind == BAT_CAUSALITY_TREE ?
		    make_tree(causality, list) :
		    make_causes(causality, list);
	if (code != BAT_OK) {
		drop(list);
		return code;
	}
	list->used = true;
	list->stamp = ++causality->clock;
	*out = list;
	return BAT_OK;
}

/* How many of a list stand before an ordinal. */
static uint32_t
count_before(const struct bat_causality_list *list, uint32_t before)
{
	uint32_t low = 0, high = list->count;

	if (list->kind == BAT_CAUSALITY_TREE)
		return list->count;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (list->ordinals[middle] < before)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* ---- the doors ---------------------------------------------------------- */

static size_t
next_of_chain(const struct bat_causality *causality, uint32_t event,
    uint32_t before, uint64_t *cursor, uint32_t *ordinals, size_t max)
{
	uint32_t chain, at;
	size_t count = 0;

	if (*cursor == 0)
		at = bat_causality_first(causality, event, &chain);
	else if (*cursor > causality->count)
		return 0;
	else
		at = causality->next[*cursor - 1];
	/* NONE is above every ordinal. */
	for (; at < before && at < causality->count && count < max;
	     at = causality->next[at]) {
		ordinals[count++] = at;
		*cursor = (uint64_t)at + 1;
	}
	return count;
}

int
bat_causality_next(struct bat_causality *causality,
    enum bat_causality_kind kind, uint32_t event, uint32_t before,
    uint64_t *cursor, uint32_t *ordinals, size_t max, size_t *out_count)
{
	const struct bat_causality_list *list;
	uint32_t end;
	int code;

	*out_count = 0;
	if (kind == BAT_CAUSALITY_CHAIN) {
		*out_count = next_of_chain(causality, event, before, cursor,
		    ordinals, max);
		return BAT_OK;
	}
	code = find_list(causality, kind, event, before, &list);
	if (code != BAT_OK)
		return code;
	end = count_before(list, before);
	for (; *cursor < end && *out_count < max; (*cursor)++)
		ordinals[(*out_count)++] = list->ordinals[*cursor];
	return BAT_OK;
}

static void
chain_ends(const struct bat_causality *causality, uint32_t event,
    uint32_t before, uint32_t *out_count, uint32_t *out_first,
    uint32_t *out_last)
{
	uint32_t number;
	uint32_t at = bat_causality_first(causality, event, &number);

	*out_first = at;
	if (number != BAT_CAUSALITY_NONE &&
	    causality->chains[number].last < before) {
		*out_count = causality->chains[number].count;
		*out_last = causality->chains[number].last;
		return;
	}
	for (; at < before && at < causality->count; at = causality->next[at]) {
		*out_last = at;
		(*out_count)++;
	}
}

int
bat_causality_ends(struct bat_causality *causality,
    enum bat_causality_kind kind, uint32_t event, uint32_t before,
    uint32_t *out_count, uint32_t *out_first, uint32_t *out_last)
{
	const struct bat_causality_list *list;
	int code;

	*out_count = 0;
	if (kind == BAT_CAUSALITY_CHAIN || kind == BAT_CAUSALITY_TREE) {
		chain_ends(causality, event, before, out_count, out_first,
		    out_last);
		return BAT_OK;
	}
	code = find_list(causality, kind, event, before, &list);
	if (code != BAT_OK)
		return code;
	*out_count = count_before(list, before);
	if (*out_count == 0)
		return BAT_OK;
	*out_first = list->ordinals[0];
	*out_last = list->ordinals[*out_count - 1];
	return BAT_OK;
}
