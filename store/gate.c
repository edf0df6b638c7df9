#include "gate.h"

#include "pack.h"
#include "plant.h"

/* ---- a denial ------------------------------------------------------------ */

int
bat_gate_add_context(struct bat_denial *denial, struct bat_slice key,
    struct bat_slice value)
{
	size_t before = denial->context.length;
	int code = bat_pack_write_array(&denial->context, 2);

	if (code == BAT_OK)
		code = bat_pack_write_str(&denial->context, key);
	if (code == BAT_OK)
		code = bat_pack_write_str(&denial->context, value);
	if (code != BAT_OK) {
		denial->context.length = before;
		return code;
	}
	denial->context_count++;
	return BAT_OK;
}

static void
clear_denial(struct bat_denial *denial)
{
	bat_bytes_clear(&denial->code);
	bat_bytes_clear(&denial->message);
	bat_bytes_clear(&denial->context);
	denial->context_count = 0;
}

void
bat_gate_denial_free(struct bat_denial *denial)
{
	bat_bytes_free(&denial->code);
	bat_bytes_free(&denial->message);
	bat_bytes_free(&denial->context);
	denial->context_count = 0;
}

/* ---- asking -------------------------------------------------------------- */

int
bat_gate_check(const struct bat_gates *gates, struct bat_error *error)
{
	for (size_t i = 0; i < gates->count; i++) {
		const struct bat_gate *gate = &gates->gates[i];

		if (gate->ask == NULL || gate->id == NULL ||
		    gate->id[0] == '\0' ||
		    !bat_bytes_is_utf8(bat_bytes_text(gate->id)))
			return bat_error_set(error, BAT_USE_INVALID,
			    "gate %zu has no name that is a text, or nothing "
			    "to ask",
			    i);
	}
	return BAT_OK;
}

/* Texts of somebody else become parts of an event: all of them are texts. */
static bool
is_text(const struct bat_denial *denial)
{
	struct bat_pack_reader reader = BAT_PACK_READER(
	    bat_bytes_of_buf(&denial->context));
	struct bat_slice text;

	for (uint32_t i = 0; i < denial->context_count; i++) {
		uint32_t count;

		if (bat_pack_read_array(&reader, &count) != BAT_OK ||
		    count != 2 || bat_pack_read_str(&reader, &text) != BAT_OK ||
		    bat_pack_read_str(&reader, &text) != BAT_OK)
			return false;
	}
	return bat_bytes_is_utf8(bat_bytes_of_buf(&denial->code)) &&
	    bat_bytes_is_utf8(bat_bytes_of_buf(&denial->message));
}

static int
deny_as_defect(struct bat_denial *denial, const char *why)
{
	int code;

	clear_denial(denial);
	code = bat_bytes_append_text(&denial->code, BAT_GATE_DEFECT);
	return code == BAT_OK ? bat_bytes_append_text(&denial->message, why) :
				code;
}

static int
ask_one(const struct bat_gate *gate, const struct bat_proposal *proposal,
    struct bat_denial *denial)
{
	struct bat_error why = { .text = "" };
	int code = gate->ask(gate->context, proposal, denial, &why);

	if (code == BAT_OK || (code != BAT_STATE_DENIED && BAT_PLANT(231)))
		return BAT_OK;
	if (code == BAT_STATE_DENIED && !is_text(denial))
		code = bat_error_set(&why, BAT_USE_INVALID,
		    "what it says is not UTF-8");
	if (code != BAT_STATE_DENIED &&
	    deny_as_defect(denial,
		why.text[0] == '\0' ? bat_error_name(code) : why.text) !=
		BAT_OK)
		return BAT_WORLD_NO_MEMORY;
	return BAT_STATE_DENIED;
}

int
bat_gate_ask(const struct bat_gates *gates, const struct bat_proposal *proposal,
    struct bat_denial *denial, size_t *out_denier, struct bat_error *error)
{
	for (size_t i = 0; i < gates->count; i++) {
		int code;

		clear_denial(denial);
		code = ask_one(&gates->gates[i], proposal, denial);
		if (code == BAT_OK)
			continue;
		*out_denier = i;
		if (code != BAT_STATE_DENIED)
			return bat_error_set(error, code,
			    "no memory to ask a gate");
		return bat_error_set(error, code, "gate %s: %.*s%s%.*s",
		    gates->gates[i].id, (int)denial->code.length,
		    (const char *)denial->code.data,
		    denial->code.length > 0 ? ": " : "",
		    (int)denial->message.length,
		    (const char *)denial->message.data);
	}
	return BAT_OK;
}

/* ---- what is recorded ------------------------------------------------------ */

static int
put_denial(const struct bat_denial *denial, struct bat_buf *buf)
{
	int code = bat_pack_write_map(buf, 1);

	if (code == BAT_OK)
		code = bat_pack_write_text(buf, "Deny");
	if (code == BAT_OK)
		code = bat_pack_write_map(buf, 3);
	if (code == BAT_OK)
		code = bat_pack_write_text(buf, "code");
	if (code == BAT_OK)
		code = bat_pack_write_str(buf, bat_bytes_of_buf(&denial->code));
	if (code == BAT_OK)
		code = bat_pack_write_text(buf, "message");
	if (code == BAT_OK)
		code = bat_pack_write_str(buf,
		    bat_bytes_of_buf(&denial->message));
	if (code == BAT_OK)
		code = bat_pack_write_text(buf, "context");
	if (code == BAT_OK)
		code = bat_pack_write_array(buf, denial->context_count);
	if (code == BAT_OK)
		code = bat_bytes_append_slice(buf,
		    bat_bytes_of_buf(&denial->context));
	return code;
}

/* denial NULL: what it says is known without it. */
static int
put_evaluation(const char *id, const char *verdict,
    const struct bat_denial *denial, struct bat_buf *buf)
{
	int code = bat_pack_write_map(buf, 3);

	if (code == BAT_OK)
		code = bat_pack_write_text(buf, "gate_id");
	if (code == BAT_OK)
		code = bat_pack_write_text(buf, id);
	if (code == BAT_OK)
		code = bat_pack_write_text(buf, "verdict");
	if (code == BAT_OK)
		code = denial != NULL ? put_denial(denial, buf) :
					bat_pack_write_text(buf, verdict);
	if (code == BAT_OK)
		code = bat_pack_write_text(buf, "evidence_hash");
	return code == BAT_OK ? bat_pack_write_nil(buf) : code;
}

int
bat_gate_payload(const struct bat_gates *gates, size_t denier,
    const struct bat_denial *denial, const struct bat_draft *draft,
    struct bat_buf *buf)
{
	struct bat_hash hash = bat_hash_of(draft->payload);
	int code = bat_pack_write_map(buf, 4);

	if (code == BAT_OK)
		code = bat_pack_write_text(buf, "evaluations");
	if (code == BAT_OK)
		code = bat_pack_write_array(buf, (uint32_t)gates->count);
	for (size_t i = 0; code == BAT_OK && i < gates->count; i++)
		code = put_evaluation(gates->gates[i].id,
		    i < denier ? "Permit" : "Skipped",
		    i == denier ? denial : NULL, buf);
	if (code == BAT_OK)
		code = bat_pack_write_text(buf, "pipeline_id");
	if (code == BAT_OK)
		code = bat_pack_write_nil(buf);
	if (code == BAT_OK)
		code = bat_pack_write_text(buf, "proposed_kind");
	if (code == BAT_OK)
		code = bat_pack_write_uint(buf, draft->kind);
	if (code == BAT_OK)
		code = bat_pack_write_text(buf, "proposed_content_hash");
	return code == BAT_OK ? bat_pack_write_hash(buf, &hash) : code;
}
