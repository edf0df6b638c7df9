#include "fields.h"

/* Fields of the shape that this version has. */
static uint32_t
present_fields(const struct bat_fields_shape *shape)
{
	uint32_t all = shape->count == 32 ? UINT32_MAX :
					    (1u << shape->count) - 1;

	return all & ~shape->absent;
}

/* The first field from `field` on that this version has, or count. */
static unsigned
skip_absent(const struct bat_fields_shape *shape, unsigned field)
{
	while (field < shape->count && (shape->absent >> field & 1) != 0)
		field++;
	return field;
}

int
bat_fields_begin(struct bat_fields_walk *walk, struct bat_pack_reader *reader,
    const struct bat_fields_shape *shape)
{
	struct bat_pack_token token;
	int code;

	*walk = (struct bat_fields_walk){
		.reader = reader,
		.shape = shape,
		.next = skip_absent(shape, 0),
		.current = shape->count,
	};
	code = bat_pack_next(reader, &token);
	if (code != 0)
		return code;
	if (token.type != BAT_PACK_MAP && token.type != BAT_PACK_ARRAY)
		return BAT_DATA_CORRUPT;
	walk->left = token.count;
	walk->positional = token.type == BAT_PACK_ARRAY;
	return 0;
}

bool
bat_fields_is_complete(const struct bat_fields_walk *walk)
{
	uint32_t needed = present_fields(walk->shape) & ~walk->shape->optional;

	return (needed & ~walk->seen) == 0;
}

const char *
bat_fields_name(const struct bat_fields_walk *walk)
{
	if (walk->current >= walk->shape->count)
		return "a key";
	return walk->shape->keys[walk->current].packed + 1;
}

/* Does the expected key stand here, spelled as batpak does? Then step over. */
static bool
take_expected(struct bat_fields_walk *walk)
{
	const struct bat_fields_key *key;

	if (walk->next >= walk->shape->count)
		return false;
	key = &walk->shape->keys[walk->next];
	if (bat_pack_left(walk->reader) < key->length ||
	    memcmp(walk->reader->at, key->packed, key->length) != 0)
		return false;
	walk->reader->at += key->length;
	return true;
}

/* The field of this name, or count. */
static unsigned
field_named(const struct bat_fields_shape *shape, struct bat_slice name)
{
	for (unsigned i = 0; i < shape->count; i++) {
		const struct bat_fields_key *key = &shape->keys[i];

		if ((shape->absent >> i & 1) == 0 &&
		    name.length == key->length - 1 &&
		    memcmp(name.data, key->packed + 1, name.length) == 0)
			return i;
	}
	return shape->count;
}

/* Any key, spelled in any way; unknown ones are skipped with their values.
 * 0, BAT_END after a skipped last pair, or BAT_DATA_CORRUPT. */
static int
take_any(struct bat_fields_walk *walk, unsigned *out_field)
{
	for (;;) {
		struct bat_slice name;
		int code = bat_pack_read_str(walk->reader, &name);

		if (code != 0)
			return code;
		walk->left--;
		*out_field = field_named(walk->shape, name);
		if (*out_field < walk->shape->count)
			return 0;
		code = bat_pack_skip(walk->reader, BAT_PACK_DEPTH_MAX);
		if (code != 0)
			return code;
		if (walk->left == 0)
			return BAT_END;
	}
}

int
bat_fields_next(struct bat_fields_walk *walk, unsigned *out_field)
{
	unsigned field = walk->next;
	int code = 0;

	walk->current = walk->shape->count;
	if (walk->left == 0) {
		code = BAT_END;
	} else if (walk->positional) {
		if (field >= walk->shape->count)
			return BAT_DATA_CORRUPT;
		walk->left--;
	} else if (take_expected(walk)) {
		walk->left--;
	} else {
		code = take_any(walk, &field);
	}
	if (code == BAT_END)
		return bat_fields_is_complete(walk) ? BAT_END :
						      BAT_DATA_CORRUPT;
	if (code != 0)
		return code;
	walk->current = field;
	if ((walk->seen >> field & 1) != 0)
		return BAT_DATA_CORRUPT;
	walk->seen |= 1u << field;
	walk->next = skip_absent(walk->shape, field + 1);
	*out_field = field;
	return 0;
}

void
bat_fields_put_map(struct bat_fields_out *out,
    const struct bat_fields_shape *shape)
{
	uint32_t present = present_fields(shape);
	uint32_t count = 0;

	for (; present != 0; present &= present - 1)
		count++;
	if (out->code == 0)
		out->code = bat_pack_write_map(out->buf, count);
}

void
bat_fields_put_key(struct bat_fields_out *out,
    const struct bat_fields_shape *shape, unsigned field)
{
	const struct bat_fields_key *key = &shape->keys[field];

	if (out->code == 0)
		out->code = bat_bytes_append(out->buf, key->packed,
		    key->length);
}

void
bat_fields_put_uint(struct bat_fields_out *out,
    const struct bat_fields_shape *shape, unsigned field, uint64_t value)
{
	bat_fields_put_key(out, shape, field);
	if (out->code == 0)
		out->code = bat_pack_write_uint(out->buf, value);
}

void
bat_fields_put_int(struct bat_fields_out *out,
    const struct bat_fields_shape *shape, unsigned field, int64_t value)
{
	bat_fields_put_key(out, shape, field);
	if (out->code == 0)
		out->code = bat_pack_write_int(out->buf, value);
}

void
bat_fields_put_str(struct bat_fields_out *out,
    const struct bat_fields_shape *shape, unsigned field,
    struct bat_slice value)
{
	bat_fields_put_key(out, shape, field);
	if (out->code == 0)
		out->code = bat_pack_write_str(out->buf, value);
}

void
bat_fields_put_id(struct bat_fields_out *out,
    const struct bat_fields_shape *shape, unsigned field,
    const struct bat_id *value)
{
	bat_fields_put_key(out, shape, field);
	if (out->code == 0)
		out->code = bat_pack_write_id(out->buf, value);
}

void
bat_fields_put_id_or_nil(struct bat_fields_out *out,
    const struct bat_fields_shape *shape, unsigned field,
    const struct bat_id *value)
{
	bat_fields_put_key(out, shape, field);
	if (out->code == 0)
		out->code = bat_pack_write_id_or_nil(out->buf, value);
}

void
bat_fields_put_hash(struct bat_fields_out *out,
    const struct bat_fields_shape *shape, unsigned field,
    const struct bat_hash *value)
{
	bat_fields_put_key(out, shape, field);
	if (out->code == 0)
		out->code = bat_pack_write_hash(out->buf, value);
}

void
bat_fields_put_packed(struct bat_fields_out *out,
    const struct bat_fields_shape *shape, unsigned field,
    struct bat_slice value)
{
	bat_fields_put_key(out, shape, field);
	if (out->code == 0)
		out->code = bat_bytes_append_slice(out->buf, value);
}
