/* What stands in a question and in an answer (GATES.md). */
#include "gates_internal.h"

#include <inttypes.h>

#include "json.h"
#include "stamp.h"

/* ---- the question ---------------------------------------------------------- */

static int
put_text(struct bat_buf *buf, const char *before, struct bat_slice text)
{
	int code = bat_bytes_append_text(buf, before);

	return code == 0 ? batfs_json_write_string(buf, text) : code;
}

static int
put_id(struct bat_buf *buf, const char *before, const struct bat_id *id)
{
	char hex[33];

	bat_id_to_hex(id, hex);
	return bat_id_is_zero(id) ?
	    bat_bytes_append_format(buf, "%snull", before) :
	    bat_bytes_append_format(buf, "%s\"%s\"", before, hex);
}

static int
put_number(struct bat_buf *buf, const char *name, uint64_t value)
{
	return value == 0 ?
	    0 :
	    bat_bytes_append_format(buf, ",\"%s\":%" PRIu64, name, value);
}

static int
put_data(struct bat_buf *buf, struct bat_slice payload)
{
	size_t before = buf->length;
	bool exact;
	int code = bat_bytes_append_text(buf, ",\"data\":");

	if (code == 0)
		code = batfs_json_of_pack(payload, buf, &exact);
	if (code != BAT_DATA_CORRUPT)
		return code;
	buf->length = before;
	return batfs_json_write_base64(buf, ",\"data_b64\":\"", payload, "\"");
}

static int
put_extensions(struct bat_buf *buf, const struct bat_draft *draft)
{
	const char *before = ",\"ext\":{";
	int code = 0;

	for (size_t i = 0; code == 0 && i < draft->extension_count; i++) {
		const struct bat_extension *one = &draft->extensions[i];

		code = put_text(buf, before, one->key);
		if (code == 0)
			code = bat_bytes_is_utf8(one->value) ?
			    put_text(buf, ":", one->value) :
			    batfs_json_write_base64(buf, ":{\"$bin\":\"",
				one->value, "\"}");
		before = ",";
	}
	return code == 0 && draft->extension_count > 0 ?
	    bat_bytes_append_byte(buf, '}') :
	    code;
}

static int
put_asker(struct bat_buf *buf, const struct batfs_stamp_writer *writer)
{
	if (writer == NULL)
		return 0;
	return bat_bytes_append_format(buf,
	    ",\"uid\":%" PRIu32 ",\"gid\":%" PRIu32 ",\"pid\":%" PRId32,
	    writer->uid, writer->gid, writer->pid);
}

int
batfs_gates_question(const struct bat_proposal *proposal, struct bat_buf *buf)
{
	const struct bat_draft *draft = proposal->draft;
	char kind[6];
	int code = put_text(buf, "{\"entity\":", draft->entity);

	bat_kind_to_text(draft->kind, kind);
	if (code == 0)
		code = put_text(buf, ",\"scope\":", draft->scope);
	if (code == 0)
		code = bat_bytes_append_format(buf, ",\"kind\":\"%s\"", kind);
	if (code == 0)
		code = put_data(buf, draft->payload);
	if (code == 0)
		code = put_id(buf, ",\"cause\":", &proposal->cause);
	if (code == 0)
		code = put_id(buf, ",\"corr\":", &proposal->corr);
	if (code == 0 && !bat_id_is_zero(&draft->key))
		code = put_id(buf, ",\"key\":", &draft->key);
	if (code == 0)
		code = put_number(buf, "lane", draft->lane);
	if (code == 0)
		code = put_number(buf, "depth", draft->depth);
	if (code == 0)
		code = put_number(buf, "flags", draft->flags);
	if (code == 0)
		code = put_extensions(buf, draft);
	if (code == 0)
		code = put_asker(buf, proposal->about);
	if (code == 0 && proposal->rehearsed)
		code = bat_bytes_append_text(buf, ",\"try\":true");
	return code == 0 ? bat_bytes_append_text(buf, "}\n") : code;
}

/* ---- the answer ------------------------------------------------------------ */

static bool
is_key(struct bat_slice key, const char *name)
{
	return bat_bytes_equal(key, bat_bytes_text(name));
}

/* Pairs of texts. */
static int
take_context(struct bat_pack_reader *reader, struct bat_denial *denial)
{
	struct bat_slice key = BAT_SLICE_EMPTY, value = BAT_SLICE_EMPTY;
	uint32_t count;
	int code = bat_pack_read_map(reader, &count);

	for (uint32_t i = 0; code == 0 && i < count; i++) {
		code = bat_pack_read_str(reader, &key);
		if (code == 0)
			code = bat_pack_read_str(reader, &value);
		if (code == 0)
			code = bat_gate_add_context(denial, key, value);
	}
	return code;
}

static int
take_denial(struct bat_pack_reader *reader, struct bat_denial *denial)
{
	struct bat_slice key = BAT_SLICE_EMPTY, text = BAT_SLICE_EMPTY;
	bool has_message = false;
	uint32_t count;
	int code = bat_pack_read_map(reader, &count);

	for (uint32_t i = 0; code == 0 && i < count; i++) {
		struct bat_buf *to = NULL;

		code = bat_pack_read_str(reader, &key);
		if (code == 0 && is_key(key, "context")) {
			code = take_context(reader, denial);
			continue;
		}
		if (code == 0 && is_key(key, "code"))
			to = &denial->code;
		else if (code == 0 && is_key(key, "message"))
			to = &denial->message;
		has_message |= to == &denial->message;
		if (code == 0 && to == NULL)
			code = BAT_DATA_CORRUPT;
		if (code == 0)
			code = bat_pack_read_str(reader, &text);
		if (code == 0)
			code = bat_bytes_append_slice(to, text);
	}
	return code == 0 && !has_message ? BAT_DATA_CORRUPT : code;
}

/* {"permit":true} or {"deny":{..}}, and nothing besides. */
static int
take_verdict(struct bat_slice packed, struct bat_denial *denial)
{
	struct bat_pack_reader reader = BAT_PACK_READER(packed);
	struct bat_slice key = BAT_SLICE_EMPTY;
	bool permit = false;
	uint32_t count;
	int code = bat_pack_read_map(&reader, &count);

	if (code == 0 && count != 1)
		code = BAT_DATA_CORRUPT;
	if (code == 0)
		code = bat_pack_read_str(&reader, &key);
	if (code != 0)
		return code;
	if (is_key(key, "permit")) {
		code = bat_pack_read_bool(&reader, &permit);
		return code == 0 && !permit ? BAT_DATA_CORRUPT : code;
	}
	if (!is_key(key, "deny"))
		return BAT_DATA_CORRUPT;
	code = take_denial(&reader, denial);
	return code == 0 ? BAT_STATE_DENIED : code;
}

int
batfs_gates_answer(struct bat_slice line, struct bat_denial *denial,
    struct bat_error *error)
{
	struct bat_buf packed = BAT_BUF_EMPTY;
	struct bat_error why = { .text = "" };
	size_t used;
	int code = batfs_json_to_pack(line, false, &packed, &used, &why);

	for (; code == 0 && used < line.length; used++)
		if (line.data[used] != ' ' && line.data[used] != '\t' &&
		    line.data[used] != '\r')
			code = bat_error_set(&why, BAT_USE_INVALID,
			    "there is more behind it");
	if (code == BAT_USE_INVALID || code == BAT_USE_TOO_LARGE)
		code = bat_error_set(error, BAT_USE_INVALID,
		    "its answer is not one value of JSON: %s", why.text);
	else if (code == 0)
		code = take_verdict(bat_bytes_of_buf(&packed), denial);
	if (code == BAT_DATA_CORRUPT)
		code = bat_error_set(error, BAT_USE_INVALID,
		    "its answer is neither {\"permit\":true} nor "
		    "{\"deny\":{\"code\":..,\"message\":..,\"context\":{..}}}");
	bat_bytes_free(&packed);
	return code;
}
