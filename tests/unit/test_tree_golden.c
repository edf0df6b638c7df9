/*
 * The tree over every golden store: what readdir leads to can be looked up,
 * read and has the size that it says, and the log is all of it, once.
 */
#include <glob.h>

#include "render.h"
#include "stores.h"

#include "suite.h"
#include "tree_fixture.h"

struct walk {
	struct batfs_node *nodes;
	size_t count;
	struct batfs_node parent; /* that is being listed */
};

static bool
walk_each(void *context, const char *name, const struct batfs_node *node,
    uint64_t cookie)
{
	struct walk *walk = context;
	struct batfs_node found;

	ck_assert_uint_gt(cookie, 0);
	ck_assert_msg(batfs_tree_lookup(tree, &walk->parent,
			  bat_bytes_text(name), &found) == 0,
	    "%s is listed and not found", name);
	ck_assert_uint_eq(batfs_tree_inode(tree, &found),
	    batfs_tree_inode(tree, node));
	/* Twice as much at each power of two. */
	if ((walk->count & (walk->count - 1)) == 0)
		walk->nodes = realloc(walk->nodes,
		    (2 * walk->count + 1) * sizeof(*walk->nodes));
	ck_assert_ptr_nonnull(walk->nodes);
	walk->nodes[walk->count++] = *node;
	return true;
}

static void
walk_into(struct walk *walk, const struct batfs_node *node)
{
	walk->parent = *node;
	ck_assert_int_eq(
	    batfs_tree_list(tree, &walk->parent, 0, walk_each, walk), 0);
}

/* Breadth first, the root left out. */
static struct walk
walk_all(void)
{
	struct walk walk = { .nodes = NULL };

	walk_into(&walk, &root);
	for (size_t i = 0; i < walk.count; i++) {
		struct batfs_node node = walk.nodes[i];

		if (batfs_tree_type(&node) == BATFS_DIRECTORY)
			walk_into(&walk, &node);
	}
	return walk;
}

/* What stands in the folders of events, which no walk comes to. */
static void
add_folders(struct walk *walk)
{
	const size_t count = walk->count;

	for (size_t i = 0; i < count; i++) {
		struct batfs_node folder = walk->nodes[i];

		if (folder.class != BATFS_EVENT_JSON)
			continue;
		folder.class = BATFS_EVENT_DIR;
		walk_into(walk, &folder);
		folder.class = BATFS_EVENT_EFFECTS;
		walk_into(walk, &folder);
	}
}

static size_t
count_lines(const struct bat_buf *buf)
{
	size_t count = 0;

	for (size_t i = 0; i < buf->length; i++)
		count += buf->data[i] == '\n';
	ck_assert(buf->length == 0 || buf->data[buf->length - 1] == '\n');
	return count;
}

/* Bytes of a file, checked against its size before and after. */
static void
read_checked(const struct batfs_node *node, struct bat_buf *buf)
{
	struct batfs_attributes attributes = attributes_of(node);

	bat_bytes_clear(buf);
	if (node->class == BATFS_EVENT_PAYLOAD && attributes.size == 0)
		return; /* damaged: reading it is an error */
	ck_assert_int_eq(attributes.type, batfs_tree_type(node));
	ck_assert_uint_eq(attributes.inode, batfs_tree_inode(tree, node));
	read_onto(node, buf);
	ck_assert_uint_eq(buf->length, attributes.size);
	ck_assert_uint_eq(attributes_of(node).size, attributes.size);
}

struct sums {
	struct bat_buf pages, events;
	size_t entity_lines, member_lines;
};

static void
add_up(const struct batfs_node *node, struct sums *sums)
{
	struct bat_buf buf = BAT_BUF_EMPTY;

	if (batfs_tree_type(node) == BATFS_DIRECTORY) {
		attributes_of(node);
		return;
	}
	read_checked(node, &buf);
	if (node->class == BATFS_LOG_PAGE || node->class == BATFS_LOG_TAIL)
		ck_assert_int_eq(bat_bytes_append_slice(&sums->pages,
				     bat_bytes_of_buf(&buf)),
		    0);
	if (node->class == BATFS_EVENT_JSON)
		ck_assert_int_eq(bat_bytes_append_slice(&sums->events,
				     bat_bytes_of_buf(&buf)),
		    0);
	if (node->class == BATFS_ENTITY)
		sums->entity_lines += count_lines(&buf);
	if (node->class == BATFS_MEMBER)
		sums->member_lines += count_lines(&buf);
	bat_bytes_free(&buf);
}

/* Events of which only the sequence is known stand in the log alone. */
static size_t
count_anonymous(void)
{
	struct bat_head head;
	struct bat_row row;
	size_t count = 0;

	bat_head(fixture_store, &head);
	for (uint32_t i = 0; i < head.ordinals; i++)
		if (bat_row(fixture_store, i, &row) && row.entity == UINT32_MAX)
			count++;
	return count;
}

static void
check_tree(void)
{
	struct sums sums = { .pages = BAT_BUF_EMPTY, .events = BAT_BUF_EMPTY };
	struct batfs_node node = at("log.jsonl");
	struct bat_buf all = BAT_BUF_EMPTY;
	struct walk walk = walk_all();
	struct bat_head head;

	add_folders(&walk);
	for (size_t i = 0; i < walk.count; i++)
		add_up(&walk.nodes[i], &sums);
	read_checked(&node, &all);
	bat_head(fixture_store, &head);
	ck_assert_uint_eq(count_lines(&all), head.visible_count);
	sample_assert_same(bat_bytes_of_buf(&sums.pages),
	    bat_bytes_of_buf(&all), "pages");
	sample_assert_same(bat_bytes_of_buf(&sums.events),
	    bat_bytes_of_buf(&all), "events");
	ck_assert_uint_eq(sums.entity_lines,
	    head.visible_count - count_anonymous());
	ck_assert_uint_eq(sums.member_lines, sums.entity_lines);
	bat_bytes_free(&all);
	bat_bytes_free(&sums.pages);
	bat_bytes_free(&sums.events);
	free(walk.nodes);
}

static glob_t shapes;

START_TEST(the_whole_tree_is_readable_and_adds_up)
{
	const char *shape = strrchr(shapes.gl_pathv[_i], '/') + 1;
	const struct bat_options read_only = { .read_only = true };
	struct temp_dir dir;
	struct bat_error error = { .code = 0 };
	int code;

	stores_golden(&dir, shape);
	code = bat_open(dir.path, &read_only, &fixture_store, &error);
	ck_assert_msg(code == 0, "%s: %s: %s", shape, bat_error_name(code),
	    error.text);
	fixture_options();
	options.read_only = true;
	fixture_open();
	check_tree();
	batfs_tree_free(tree);
	bat_close(fixture_store, &error);
	temp_dir_remove(&dir);
}
END_TEST

/* Sizes are kept from mount to mount, for lines of one format. */
START_TEST(lines_are_those_of_their_format)
{
	static const char lines_hash[] = "023783fd72b3a4a753153e8e080731d7"
					 "756b01aaea525bca0b2838125378cc1e";
	static const char *const names[] = { "bad-crc", "batch", "chains",
		"coordinates", "denials", "extensions", "hidden", "kinds",
		"payloads", "signed" };
	const struct bat_options read_only = { .read_only = true };
	struct bat_hasher hasher;
	struct bat_hash hash;
	char hex[65];

	bat_hash_start(&hasher);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct bat_buf lines = BAT_BUF_EMPTY;
		struct batfs_node node;
		struct temp_dir dir;

		stores_golden(&dir, names[i]);
		ck_assert_int_eq(
		    bat_open(dir.path, &read_only, &fixture_store, NULL), 0);
		fixture_options();
		fixture_open();
		node = at("log.jsonl");
		read_onto(&node, &lines);
		bat_hash_update(&hasher, bat_bytes_of_buf(&lines));
		bat_bytes_free(&lines);
		batfs_tree_free(tree);
		bat_close(fixture_store, NULL);
		temp_dir_remove(&dir);
	}
	hash = bat_hash_finish(&hasher);
	bat_hash_to_hex(&hash, hex);
	ck_assert_int_eq(BATFS_RENDER_FORMAT, 1);
	ck_assert_msg(strcmp(hex, lines_hash) == 0,
	    "lines have changed: BATFS_RENDER_FORMAT has to be another, and "
	    "the hash here is %s",
	    hex);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("tree_golden");
	TCase *golden = tcase_create("golden");
	int result;

	if (glob(TEST_DATA "/golden/*", GLOB_ONLYDIR, NULL, &shapes) != 0)
		return EXIT_FAILURE;
	tcase_set_timeout(golden, 60);
	tcase_add_loop_test(golden, the_whole_tree_is_readable_and_adds_up, 0,
	    (int)shapes.gl_pathc);
	tcase_add_test(golden, lines_are_those_of_their_format);
	suite_add_tcase(suite, golden);
	result = suite_run(suite);
	globfree(&shapes);
	return result;
}
