/*
 * A tree, and short ways to ask it. A test file that includes fake_store.c
 * before gets one over a store in memory; another sets fixture_store.
 */
#ifndef TREE_FIXTURE_H
#define TREE_FIXTURE_H

#include <stdio.h>

#include "sample.h"
#include "tree.h"

static struct bat_store *fixture_store;
static struct batfs_tree *tree;
static struct batfs_tree_options options;
static const struct batfs_node root = { .class = BATFS_ROOT };

static inline void
fixture_open(void)
{
	ck_assert_int_eq(batfs_tree_new(fixture_store, &options, &tree), 0);
}

static inline void
fixture_reopen(void)
{
	batfs_tree_free(tree);
	fixture_open();
}

static inline void
fixture_options(void)
{
	options = (struct batfs_tree_options){
		.default_kind = BAT_KIND_DATA,
		.dir_mode = 0755,
		.file_mode = 0644,
		.config_line = "/srv/store /mnt fuse.batfs rw 0 0",
	};
}

#ifdef FAKE_STORE
static struct bat_store store;

static inline void
fixture_setup(void)
{
	fixture_store = &store;
	fixture_options();
	fixture_open();
}

static inline void
fixture_teardown(void)
{
	batfs_tree_free(tree);
	fake_free(&store);
}
#endif

/* What looking up each part of the path ends in. */
static inline int
find(const char *path, struct batfs_node *out)
{
	*out = root;
	while (*path != '\0') {
		size_t length = strcspn(path, "/");
		struct batfs_node parent = *out;
		int code = batfs_tree_lookup(tree, &parent,
		    bat_bytes_slice(path, length), out);

		if (code != 0)
			return code;
		path += length;
		path += *path == '/';
	}
	return 0;
}

static inline struct batfs_node
at(const char *path)
{
	struct batfs_node node;
	int code = find(path, &node);

	ck_assert_msg(code == 0, "%s: %s", path, bat_error_name(code));
	return node;
}

static inline void
assert_absent(const char *path)
{
	struct batfs_node node;

	ck_assert_msg(find(path, &node) == BAT_STATE_NOT_FOUND, "%s is there",
	    path);
}

static inline struct batfs_attributes
attributes_of(const struct batfs_node *node)
{
	struct batfs_attributes attributes;
	struct bat_error error = { .code = 0 };

	ck_assert_msg(batfs_tree_attributes(tree, node, true, &attributes,
			  &error) == 0,
	    "%s", error.text);
	return attributes;
}

static inline struct batfs_attributes
attributes_at(const char *path)
{
	struct batfs_node node = at(path);

	return attributes_of(&node);
}

/* The whole content of a file onto buf. */
static inline void
read_onto(const struct batfs_node *node, struct bat_buf *buf)
{
	struct bat_error error = { .code = 0 };

	ck_assert_msg(batfs_tree_read(tree, node, 0, SIZE_MAX, buf, &error) ==
		0,
	    "%s", error.text);
}

static inline void
assert_content(const char *path, const char *wanted)
{
	struct bat_buf buf = BAT_BUF_EMPTY;
	struct batfs_node node = at(path);

	read_onto(&node, &buf);
	sample_assert_same(bat_bytes_of_buf(&buf), bat_bytes_text(wanted),
	    path);
	bat_bytes_free(&buf);
}

static inline void
assert_content_has(const char *path, const char *part)
{
	struct bat_buf buf = BAT_BUF_EMPTY;
	struct batfs_node node = at(path);

	read_onto(&node, &buf);
	ck_assert_msg(buf.length > 0 &&
		memmem(buf.data, buf.length, part, strlen(part)) != NULL,
	    "%s: no \"%s\" in:\n%.*s", path, part, (int)buf.length,
	    (const char *)buf.data);
	bat_bytes_free(&buf);
}

/* The names of a directory, each followed by a space. */
struct names {
	char text[8192];
	size_t length, count, limit;
	uint64_t last_cookie;
	uint64_t rest; /* of inode numbers and types */
};

static inline bool
fixture_note_bare(void *context, const char *name, enum batfs_type type,
    uint64_t inode, uint64_t cookie)
{
	struct names *names = context;

	ck_assert_uint_gt(cookie, names->last_cookie);
	names->last_cookie = cookie;
	names->length += (size_t)snprintf(names->text + names->length,
	    sizeof(names->text) - names->length, "%s ", name);
	ck_assert_uint_lt(names->length, sizeof(names->text));
	names->rest = names->rest * 31 + inode * 3 + type;
	return ++names->count < names->limit;
}

static inline bool
fixture_note_name(void *context, const char *name,
    const struct batfs_node *node, uint64_t cookie)
{
	return fixture_note_bare(context, name, batfs_tree_type(node),
	    batfs_tree_inode(tree, node), cookie);
}

/* Names alone are the same ones. */
static inline struct names
list_from(const char *path, uint64_t cookie, size_t limit)
{
	struct names names = { .limit = limit, .last_cookie = cookie };
	struct names bare = names;
	struct batfs_node node = at(path);

	ck_assert_int_eq(
	    batfs_tree_list(tree, &node, cookie, fixture_note_name, &names), 0);
	ck_assert_int_eq(batfs_tree_list_names(tree, &node, cookie,
			     fixture_note_bare, &bare),
	    0);
	ck_assert_str_eq(bare.text, names.text);
	ck_assert_uint_eq(bare.last_cookie, names.last_cookie);
	ck_assert_uint_eq(bare.rest, names.rest);
	return names;
}

static inline void
assert_lists(const char *path, const char *wanted)
{
	struct names names = list_from(path, 0, SIZE_MAX);

	ck_assert_str_eq(names.text, wanted);
}

#endif
