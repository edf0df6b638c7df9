/*
 * tlog/ in the tree: everything that is listed is found by its name, has its
 * size and its place; what is not there is not found.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "inode.h"
#include "memory_disk.h"
#include "stores.h"
#include "suite.h"
#include "tree.h"

static struct memory_disk *disk;
static struct bat_store *store;
static struct batfs_tree *tree;

static struct bat_tlog_record
record(uint64_t seq)
{
	struct bat_tlog_record out = { .seq = seq };

	bat_bytes_put_le(out.id.bytes, seq + 1, 8);
	return out;
}

/* A log of so many records beside a store of a few events: only the log's own
 * files are looked at here. */
static void
make(uint64_t size)
{
	struct bat_options options = { .tlog = size > 0 };
	const struct batfs_tree_options how = { .read_only = true,
		.dir_mode = 0755,
		.file_mode = 0644 };
	struct bat_tlog tlog;
	int dir;

	disk = memory_disk_new(MEMORY_DISK_EXT4, 1);
	options.disk = memory_disk_door(disk);
	ck_assert_int_eq(bat_open("/", &options, &store, NULL), 0);
	stores_append(store, "player:alice", "\xa1x");
	stores_close(store);
	dir = options.disk->open_dir(options.disk->context, "/", false);
	bat_tlog_init(&tlog);
	if (size > 0) {
		ck_assert_int_eq(
		    bat_tlog_attach(&tlog, options.disk, dir, NULL), 0);
		ck_assert_int_eq(bat_tlog_load(&tlog, NULL), 0);
		for (uint64_t i = tlog.size; i < size; i++) {
			struct bat_tlog_record next = record(i);

			if (bat_tlog_add(&tlog, &next, NULL) != 0)
				ck_abort();
		}
		ck_assert_int_eq(bat_tlog_publish(&tlog, NULL), 0);
	}
	bat_tlog_detach(&tlog);
	bat_file_close(options.disk, dir);
	options.read_only = true;
	ck_assert_int_eq(bat_open("/", &options, &store, NULL), 0);
	ck_assert_int_eq(batfs_tree_new(store, &how, &tree), 0);
}

static void
unmake(void)
{
	batfs_tree_free(tree);
	stores_close(store);
	memory_disk_free(disk);
}

/* The node of a path; false: there is none. */
static bool
find(const char *path, struct batfs_node *out)
{
	struct bat_slice rest = bat_bytes_text(path);

	*out = BATFS_NODE_ROOT;
	while (rest.length > 0) {
		struct batfs_node parent = *out;
		size_t length = 0;

		while (length < rest.length && rest.data[length] != '/')
			length++;
		if (batfs_tree_lookup(tree, &parent,
			bat_bytes_slice(rest.data, length), out) != 0)
			return false;
		length += length < rest.length;
		rest = bat_bytes_slice(rest.data + length,
		    rest.length - length);
	}
	return true;
}

/* What a walk finds below a node: each is checked. */
struct walk {
	struct batfs_node nodes[64];
	char names[64][16];
	size_t count;
};

static bool
note(void *context, const char *name, const struct batfs_node *node,
    uint64_t cookie)
{
	struct walk *walk = context;

	(void)cookie;
	/* Of a thousand tiles the first few, and whatever is behind them. */
	if (walk->count == 64) {
		memmove(&walk->nodes[8], &walk->nodes[9],
		    55 * sizeof(walk->nodes[0]));
		memmove(&walk->names[8], &walk->names[9],
		    55 * sizeof(walk->names[0]));
		walk->count--;
	}
	walk->nodes[walk->count] = *node;
	snprintf(walk->names[walk->count], sizeof(walk->names[0]), "%s", name);
	walk->count++;
	return true;
}

static bool
same(const struct batfs_node *a, const struct batfs_node *b)
{
	return a->class == b->class && a->number == b->number;
}

static void
ck_node(const struct batfs_node *parent, const struct batfs_node *node,
    const char *name)
{
	struct batfs_node found, above = batfs_tree_parent(tree, node);
	struct batfs_attributes attributes;
	struct bat_buf bytes = BAT_BUF_EMPTY;

	ck_assert_msg(batfs_tree_lookup(tree, parent, bat_bytes_text(name),
			  &found) == 0,
	    "%s", name);
	ck_assert_msg(same(&found, node), "%s is another one", name);
	ck_assert_msg(same(&above, parent), "%s hangs elsewhere", name);
	ck_assert(batfs_inode_node(batfs_inode_of(node), &found));
	ck_assert(same(&found, node));
	ck_assert_int_eq(
	    batfs_tree_attributes(tree, node, true, &attributes, NULL), 0);
	if (attributes.type == BATFS_FILE) {
		ck_assert_int_eq(
		    batfs_tree_read(tree, node, 0, SIZE_MAX, &bytes, NULL), 0);
		ck_assert_uint_eq(bytes.length, attributes.size);
		ck_assert_uint_gt(bytes.length, 0);
	}
	bat_bytes_free(&bytes);
}

static size_t
walk_below(const struct batfs_node *parent)
{
	struct walk *walk = calloc(1, sizeof(*walk));
	size_t count;

	ck_assert_ptr_nonnull(walk);
	ck_assert_int_eq(batfs_tree_list(tree, parent, 0, note, walk), 0);
	count = walk->count;
	for (size_t i = 0; i < walk->count; i++) {
		ck_node(parent, &walk->nodes[i], walk->names[i]);
		if (batfs_tree_type(&walk->nodes[i]) == BATFS_DIRECTORY)
			count += walk_below(&walk->nodes[i]);
	}
	free(walk);
	return count;
}

static void
ck_there(const char *path, uint64_t size)
{
	struct batfs_attributes attributes;
	struct batfs_node node;

	ck_assert_msg(find(path, &node), "%s", path);
	ck_assert_int_eq(
	    batfs_tree_attributes(tree, &node, true, &attributes, NULL), 0);
	ck_assert_msg(attributes.size == size, "%s: %u", path,
	    (unsigned)attributes.size);
}

static void
ck_absent(const char *path)
{
	struct batfs_node node;

	ck_assert_msg(!find(path, &node), "%s", path);
}

START_TEST(without_a_log_there_is_no_tlog)
{
	struct batfs_node node;

	make(0);
	ck_assert(!find("tlog", &node));
	unmake();
}
END_TEST

START_TEST(what_is_listed_is_found_and_has_its_size)
{
	static const uint64_t sizes[] = { 3, 255, 256, 257, 700 };
	struct batfs_node node;

	make(sizes[_i]);
	ck_assert(find("tlog", &node));
	ck_assert_uint_ge(walk_below(&node), 6);
	unmake();
}
END_TEST

START_TEST(the_tiles_of_the_specification_are_there)
{
	make(70000);
	ck_there("tlog/tile/0/000", 8192);
	ck_there("tlog/tile/0/272", 8192);
	ck_there("tlog/tile/0/273.p/112", 112 * 32);
	ck_there("tlog/tile/1/000", 8192);
	ck_there("tlog/tile/1/001.p/17", 17 * 32);
	ck_there("tlog/tile/2/000.p/1", 32);
	ck_there("tlog/tile/entries/272", 256 * 58);
	ck_there("tlog/tile/entries/273.p/112", 112 * 58);
	/* Narrower ones, of sizes that once were. */
	ck_there("tlog/tile/0/273.p/1", 32);
	ck_there("tlog/tile/0/000.p/255", 255 * 32);
	ck_absent("tlog/tile/0/273");
	ck_absent("tlog/tile/0/273.p/113");
	ck_absent("tlog/tile/0/274");
	ck_absent("tlog/tile/0/274.p");
	ck_absent("tlog/tile/0/000.p/256");
	ck_absent("tlog/tile/0/000.p/0");
	ck_absent("tlog/tile/0/000.p/01");
	ck_absent("tlog/tile/3");
	ck_absent("tlog/tile/00");
	ck_absent("tlog/tile/64");
	ck_absent("tlog/tile/0/0");
	ck_absent("tlog/tile/0/0000");
	ck_absent("tlog/tile/0/x000");
	ck_absent("tlog/tile/0/x001");
	ck_absent("tlog/key");
	ck_absent("tlog/from");
	unmake();
}
END_TEST

START_TEST(more_than_a_thousand_tiles_stand_in_folders)
{
	struct batfs_node node;

	make(1001 * 256 + 5);
	ck_there("tlog/tile/0/999", 8192);
	ck_there("tlog/tile/0/x001/000", 8192);
	ck_there("tlog/tile/0/x001/001.p/5", 5 * 32);
	ck_there("tlog/tile/entries/x001/000", 256 * 58);
	ck_absent("tlog/tile/0/x001/001");
	ck_absent("tlog/tile/0/x001/002.p");
	ck_absent("tlog/tile/0/x001/x000");
	ck_absent("tlog/tile/0/x002");
	ck_assert(find("tlog", &node));
	ck_assert_uint_gt(walk_below(&node), 30);
	unmake();
}
END_TEST

START_TEST(the_log_has_no_past)
{
	make(3);
	ck_absent("at/0/tlog");
	unmake();
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("tree_tlog");
	TCase *tests = tcase_create("tlog");

	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, without_a_log_there_is_no_tlog);
	tcase_add_loop_test(tests, what_is_listed_is_found_and_has_its_size, 0,
	    5);
	tcase_add_test(tests, the_tiles_of_the_specification_are_there);
	tcase_add_test(tests, more_than_a_thousand_tiles_stand_in_folders);
	tcase_add_test(tests, the_log_has_no_past);
	suite_add_tcase(suite, tests);
	return suite_run(suite);
}
