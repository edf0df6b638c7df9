#include "lifecycle.h"

#include "pack.h"

static int
put_text(struct bat_buf *buf, const char *key, const char *value)
{
	int code = bat_pack_write_text(buf, key);

	return code == BAT_OK ? bat_pack_write_text(buf, value) : code;
}

static int
put_number(struct bat_buf *buf, const char *key, uint64_t value)
{
	int code = bat_pack_write_text(buf, key);

	return code == BAT_OK ? bat_pack_write_uint(buf, value) : code;
}

/* A histogram as it stands in the index file, or an empty map. */
static int
put_histogram(struct bat_buf *buf, const char *key, struct bat_slice map)
{
	int code = bat_pack_write_text(buf, key);

	if (code != BAT_OK)
		return code;
	if (map.length == 0)
		return bat_pack_write_map(buf, 0);
	return bat_bytes_append_slice(buf, map);
}

static const char *
path_text(const struct bat_recovery *recovery)
{
	switch (recovery->source) {
	case BAT_RECOVERY_ROWINDEX:
		return "Mmap";
	case BAT_RECOVERY_CHECKPOINT:
		return "Checkpoint";
	case BAT_RECOVERY_NEW:
	case BAT_RECOVERY_FOOTERS:
	case BAT_RECOVERY_FRAMES:
		break;
	}
	return "Rebuild";
}

/* How the two index files fared, in batpak's words. */
static const char *
rowindex_status(const struct bat_recovery *recovery)
{
	if (recovery->source == BAT_RECOVERY_ROWINDEX)
		return "Loaded";
	return recovery->drop_rowindex ? "Invalid" : "Missing";
}

static const char *
checkpoint_status(const struct bat_recovery *recovery)
{
	if (recovery->source == BAT_RECOVERY_CHECKPOINT)
		return "Loaded";
	if (recovery->source == BAT_RECOVERY_ROWINDEX)
		return "NotTried";
	return recovery->drop_checkpoint ? "Invalid" : "Missing";
}

/* The four counters of reserved kinds, of this open or cumulative. */
static int
put_fallbacks(struct bat_buf *buf, bool cumulative,
    const struct bat_checkpoint_fallbacks *counts)
{
	static const char *const keys[2][4] = {
		{ "unknown_reserved_system_kind_fallbacks",
		    "unknown_reserved_system_kind_histogram",
		    "unknown_reserved_effect_kind_fallbacks",
		    "unknown_reserved_effect_kind_histogram" },
		{ "cumulative_unknown_reserved_system_kind_fallbacks",
		    "cumulative_unknown_reserved_system_kind_histogram",
		    "cumulative_unknown_reserved_effect_kind_fallbacks",
		    "cumulative_unknown_reserved_effect_kind_histogram" },
	};
	const char *const *key = keys[cumulative ? 1 : 0];
	int code = put_number(buf, key[0], counts->system);

	if (code == BAT_OK)
		code = put_histogram(buf, key[1], counts->system_histogram);
	if (code == BAT_OK)
		code = put_number(buf, key[2], counts->effect);
	if (code == BAT_OK)
		code = put_histogram(buf, key[3], counts->effect_histogram);
	return code;
}

int
bat_lifecycle_open_payload(const struct bat_recovery *recovery,
    uint64_t elapsed_us, struct bat_buf *buf)
{
	static const struct bat_checkpoint_fallbacks none;
	const struct {
		const char *key;
		uint64_t value;
	} numbers[] = {
		{ "restored_entries", recovery->restored_count },
		{ "tail_entries", recovery->tail_count },
		{ "elapsed_us", elapsed_us },
		{ "phase_plan_build_us", 0 },
		{ "phase_interner_us", 0 },
		{ "phase_restore_index_us", 0 },
		{ "phase_hidden_ranges_us", 0 },
	};
	int code = bat_pack_write_map(buf, 18);

	if (code == BAT_OK)
		code = put_text(buf, "path", path_text(recovery));
	for (size_t i = 0;
	     code == BAT_OK && i < sizeof(numbers) / sizeof(numbers[0]); i++)
		code = put_number(buf, numbers[i].key, numbers[i].value);
	if (code == BAT_OK)
		code = put_text(buf, "mmap_load_status",
		    rowindex_status(recovery));
	if (code == BAT_OK)
		code = put_text(buf, "checkpoint_load_status",
		    checkpoint_status(recovery));
	if (code == BAT_OK)
		code = put_fallbacks(buf, false, &none);
	if (code == BAT_OK)
		code = put_fallbacks(buf, true, &recovery->fallbacks);
	return code;
}

int
bat_lifecycle_close_payload(uint64_t wall_ms, uint64_t seq, struct bat_buf *buf)
{
	int code = bat_pack_write_map(buf, 2);

	if (code == BAT_OK)
		code = put_number(buf, "wall_ms", wall_ms);
	if (code == BAT_OK)
		code = put_number(buf, "global_sequence", seq);
	return code;
}
