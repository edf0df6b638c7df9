/*
 * The sidecar when memory or the disk fails in the middle of writing or reading
 * it: the mount goes on without it, and says the same.
 */
#include "scarce.h"
#include "segment.h"
#include "sidecar.h"
#include "sidecar_store.h"
#include "suite.h"

/* ---- a disk on which all is old, but for some segments -------------------- */

static uint64_t young_from = UINT64_MAX;
static const struct bat_disk *beneath;

static int
aging_stat_at(void *context, int dir, const char *name,
    struct bat_file_stat *out)
{
	int code = beneath->stat_at(context, dir, name, out);
	uint64_t id;

	if (code == 0 && bat_segment_id_of_name(name, &id) && id >= young_from)
		out->ctime_ns += INT64_C(1) << 61;
	return code;
}

/* Rows in whole chunks and beyond; so many segments that some are left out. */
struct mount {
	enum bat_index_choice index;
	uint64_t young_from;
	bool keeps_lengths;
	struct answer {
		uint64_t visible, last_seq, of_entity, of_member, sum;
	} wanted;
};

static int
open_at_root(const struct mount *mount, const struct bat_disk *disk,
    bool read_only, struct bat_store **out, struct bat_error *error)
{
	return bat_open(SCARCE_PATH,
	    &(struct bat_options){ .disk = disk,
		.clock = &later,
		.index = mount->index,
		.read_only = read_only,
		.lengths_format = 5,
		.segment_max_bytes = 200000 },
	    out, error);
}

/* ---- what the store says -------------------------------------------------- */

static uint64_t
walk_list(struct bat_store *store, const struct bat_list *list, uint64_t *sum)
{
	uint32_t ordinals[16];
	uint64_t cursor = 0, count = 0;
	size_t got;

	while ((got = bat_list_next(store, list, &cursor, ordinals, 16)) > 0)
		for (size_t i = 0; i < got; i++, count++)
			*sum = *sum * 31 + ordinals[i];
	return count;
}

static int
ask_once(struct bat_store *store, const struct bat_head *head,
    struct answer *out, struct bat_error *error)
{
	struct bat_reading reading = BAT_READING_EMPTY;
	struct bat_list list = { .kind = BAT_LIST_ENTITY };
	int code = BAT_OK;

	*out = (struct answer){ .visible = head->visible_count,
		.last_seq = head->last_seq };
	list.entity = bat_find_entity(store, bat_bytes_text("e:7"));
	out->of_entity = walk_list(store, &list, &out->sum);
	list.kind = BAT_LIST_MEMBER;
	list.scope = bat_find_scope(store, bat_bytes_text("s:one"));
	out->of_member = walk_list(store, &list, &out->sum);
	for (uint32_t i = 0; code == BAT_OK && i < head->ordinals; i += 311) {
		code = bat_read(store, i, &reading, error);
		if (code == BAT_OK)
			out->sum = out->sum * 31 + reading.row.seq;
	}
	bat_reading_free(&reading);
	/* What the disk does not give is damage of that event. */
	return code == BAT_DATA_CORRUPT ?
	    bat_error_set(error, BAT_WORLD_IO, "an event is not readable") :
	    code;
}

/* What is read late and fails begins a new generation. */
static int
ask(struct bat_store *store, struct answer *out, struct bat_error *error)
{
	struct bat_head before, after;
	int code;

	do {
		bat_head(store, &before);
		code = ask_once(store, &before, out, error);
		bat_head(store, &after);
	} while (after.generation != before.generation);
	return code;
}

static int
read_it(void *context, const struct bat_disk *disk, struct bat_error *error)
{
	const struct mount *mount = context;
	struct bat_store *store;
	struct answer got;
	int code = open_at_root(mount, disk, true, &store, error);

	if (code != BAT_OK)
		return code;
	code = ask(store, &got, error);
	(void)bat_close(store, NULL);
	if (code == BAT_OK && memcmp(&got, &mount->wanted, sizeof(got)) != 0)
		return BAT_STATE_NOT_FOUND;
	return code;
}

/* ---- writing it ------------------------------------------------------------ */

static int
keep_lengths(struct bat_store *store, struct bat_error *error)
{
	uint32_t ordinals[EVENTS], lengths[EVENTS];
	struct bat_head head;
	int code;

	bat_head(store, &head);
	for (uint32_t i = 0; i < EVENTS; i++) {
		ordinals[i] = i;
		lengths[i] = 100 + i;
	}
	code = bat_keep_lengths(store, head.generation, ordinals, lengths,
	    EVENTS);
	return code == BAT_OK ? code : bat_error_set(error, code, "lengths");
}

/* A session that appends nothing: at its end the sidecar is due. */
static int
write_it(void *context, const struct bat_disk *disk, struct bat_error *error)
{
	const struct mount *mount = context;
	struct bat_disk aging = *disk;
	struct bat_store *store;
	int code, closed;

	beneath = disk;
	young_from = mount->young_from;
	aging.stat_at = aging_stat_at;
	code = open_at_root(mount, &aging, false, &store, error);
	if (code != BAT_OK)
		return code;
	if (mount->keeps_lengths)
		code = keep_lengths(store, error);
	closed = bat_close(store, error);
	return code == BAT_OK ? closed : code;
}

static uint64_t
rows_of_sidecar(const struct mount *mount, struct memory_disk *disk)
{
	struct bat_error error = { .text = "" };
	struct bat_status status;
	struct bat_store *store;

	ck_assert_int_eq(open_at_root(mount, memory_disk_door(disk), true,
			     &store, &error),
	    0);
	bat_status(store, &status);
	stores_close(store);
	return status.source == BAT_SOURCE_SIDECAR ? status.restored_count : 0;
}

static void
it_says_the_same(void *context, struct memory_disk *disk, int code,
    const char *label)
{
	struct bat_error error = { .text = "" };
	int got = read_it(context, memory_disk_door(disk), &error);

	(void)code;
	ck_assert_msg(got == 0, "%s: %s: %s", label, bat_error_name(got),
	    error.text);
}

/* A store without a sidecar, and what it says. */
static struct memory_disk *
make_ground(struct mount *mount)
{
	struct memory_disk *disk = memory_disk_new(MEMORY_DISK_EXT4, 1);
	struct bat_error error = { .text = "" };
	struct bat_disk aging = *memory_disk_door(disk);
	struct bat_store *store;

	beneath = memory_disk_door(disk);
	young_from = 0;
	aging.stat_at = aging_stat_at;
	ck_assert_int_eq(open_at_root(mount, &aging, false, &store, &error), 0);
	append_some(store, 0, EVENTS);
	stores_close(store);
	ck_assert_uint_eq(rows_of_sidecar(mount, disk), 0);
	ck_assert_int_eq(open_at_root(mount, memory_disk_door(disk), true,
			     &store, &error),
	    0);
	ck_assert_int_eq(ask(store, &mount->wanted, &error), 0);
	stores_close(store);
	ck_assert_uint_gt(mount->wanted.of_member, 0);
	return disk;
}

static const struct mount mounts[] = {
	{ .index = BAT_INDEX_AUTO, .young_from = UINT64_MAX },
	{ .index = BAT_INDEX_NONE, .young_from = 11 },
	{ .index = BAT_INDEX_AUTO,
	    .young_from = UINT64_MAX,
	    .keeps_lengths = true },
};
enum { MOUNTS = sizeof(mounts) / sizeof(mounts[0]) };

START_TEST(whatever_fails_while_it_is_written_the_store_says_the_same)
{
	struct mount mount = mounts[_i];
	struct memory_disk *ground = make_ground(&mount);
	struct memory_disk *undisturbed = memory_disk_copy(ground);
	struct bat_error error = { .text = "" };
	struct scarce_work work = { .name = "write",
		.ground = ground,
		.run = write_it,
		.context = &mount,
		.holds = it_says_the_same };
	uint64_t rows;

	ck_assert_int_eq(
	    write_it(&mount, memory_disk_door(undisturbed), &error), 0);
	rows = rows_of_sidecar(&mount, undisturbed);
	ck_assert_uint_ge(rows, 4096);
	ck_assert_int_eq(rows < EVENTS, mount.young_from != UINT64_MAX);
	scarce_memory(&work);
	scarce_disk(&work);
	memory_disk_free(undisturbed);
	memory_disk_free(ground);
}
END_TEST

/* ---- reading it ------------------------------------------------------------ */

START_TEST(whatever_fails_while_it_is_read_the_store_says_the_same)
{
	struct mount mount = mounts[_i];
	struct memory_disk *ground = make_ground(&mount);
	struct bat_error error = { .text = "" };
	struct scarce_work work = { .name = "read",
		.ground = ground,
		.run = read_it,
		.context = &mount,
		.only_reads = true };

	ck_assert_int_eq(write_it(&mount, memory_disk_door(ground), &error), 0);
	ck_assert_uint_gt(rows_of_sidecar(&mount, ground), 0);
	scarce_memory(&work);
	scarce_disk(&work);
	scarce_reads(&work);
	memory_disk_free(ground);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("sidecar_scarce");
	TCase *tcase = tcase_create("sidecar_scarce");

	tcase_set_timeout(tcase, 600);
	tcase_add_loop_test(tcase,
	    whatever_fails_while_it_is_written_the_store_says_the_same, 0,
	    MOUNTS);
	tcase_add_loop_test(tcase,
	    whatever_fails_while_it_is_read_the_store_says_the_same, 0, MOUNTS);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
