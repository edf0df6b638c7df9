#include "owner.h"

#include <errno.h>
#include <stdio.h>

enum { TRIES_MAX = 16 };

#define WHERE BAT_OWNER_SIDE "/" BAT_OWNER_FILE

/* ---- whose it is ---------------------------------------------------------- */

static int
take_name(const struct bat_disk *disk, const char *token)
{
	char name[sizeof(BAT_OWNER_NAME) + BAT_OWNER_TOKEN_SIZE];

	snprintf(name, sizeof(name), BAT_OWNER_NAME "%s", token);
	return disk->take_name(disk->context, name);
}

static bool
same_text(const char *a, const char *b)
{
	return a[0] != '\0' && strcmp(a, b) == 0;
}

static bool
same_file(const struct bat_file_place *a, const struct bat_file_place *b)
{
	return a->device == b->device && a->inode == b->inode;
}

static int
say_unknown(const struct bat_owner_record *record, const char *where,
    struct bat_error *error)
{
	return bat_error_set(error, BAT_WORLD_LOCKED,
	    "process %llu %s may be writing here, and cannot be seen from "
	    "here; if it has ended, remove " WHERE,
	    (unsigned long long)record->place.pid, where);
}

/*
 * May the record be replaced? 0: yes; *out_guard, unless -1, holds the dead
 * one's name until then. BAT_WORLD_LOCKED: its owner lives, or may.
 */
static int
judge(const struct bat_owner *owner, const struct bat_disk *disk,
    const struct bat_owner_record *record, int *out_guard,
    struct bat_error *error)
{
	const struct bat_file_place *mine = &owner->place;
	const struct bat_file_place *other = &record->place;
	bool both_numbered = mine->numbered && other->numbered;
	bool is_copy = both_numbered && !same_file(mine, other);
	int fd;

	if (!same_text(mine->boot, other->boot))
		return both_numbered ||
			same_text(mine->machine, other->machine) ?
		    BAT_OK :
		    say_unknown(record, "on another machine", error);
	if (mine->network == 0 || mine->network != other->network)
		return is_copy || same_file(mine, other) ?
		    BAT_OK :
		    say_unknown(record, "in another network namespace", error);
	fd = BAT_PLANT(410) ? -1 : take_name(disk, record->token);
	*out_guard = fd;
	if (fd >= 0 || is_copy || BAT_PLANT(410))
		return BAT_OK;
	if (fd != -EADDRINUSE)
		return bat_error_set_os(error, -fd, "cannot make a socket");
	return bat_error_set(error, BAT_WORLD_LOCKED,
	    "another writer has it open by another path (" WHERE
	    ", taken by process %llu)",
	    (unsigned long long)record->place.pid);
}

/* ---- taking it -------------------------------------------------------------- */

/* Of this side folder. *out_there false: there is none. */
static int
read_record(const struct bat_disk *disk, int side, bool *out_there,
    struct bat_owner_record *out, struct bat_error *error)
{
	struct bat_buf file = BAT_BUF_EMPTY;
	int code = bat_file_read_whole(disk, side, BAT_OWNER_FILE,
	    BAT_OWNER_RECORD_MAX, &file, error);

	*out_there = code != BAT_WORLD_ABSENT;
	if (code == BAT_OK)
		code = bat_owner_decode(bat_bytes_of_buf(&file), out);
	bat_bytes_free(&file);
	if (code == BAT_WORLD_ABSENT)
		return BAT_OK;
	if (code == BAT_USE_TOO_LARGE || code == BAT_DATA_CORRUPT)
		return bat_error_set(error, BAT_WORLD_LOCKED,
		    WHERE " is no record that we know, so it is not known "
			  "whether another writer lives; if none does, "
			  "remove it");
	if (code == BAT_WORLD_NO_MEMORY)
		return bat_error_set(error, code, "no memory");
	return code;
}

static int
put_record(const struct bat_owner *owner, const struct bat_disk *disk, int side,
    bool replace, struct bat_error *error)
{
	struct bat_owner_record record = { .place = owner->place };
	struct bat_buf file = BAT_BUF_EMPTY;
	int code;

	memcpy(record.token, owner->token, sizeof(record.token));
	code = bat_owner_encode(&record, &file);
	if (code != BAT_OK)
		bat_error_set(error, code, "no memory");
	else
		code = bat_file_put_whole(disk, side, BAT_OWNER_FILE,
		    bat_bytes_of_buf(&file), replace, error);
	bat_bytes_free(&file);
	return code;
}

/* Replace this one, if it is still there when we hold its name.
 * BAT_STATE_EXISTS: another one is. */
static int
replace_record(const struct bat_owner *owner, const struct bat_disk *disk,
    int side, const struct bat_owner_record *dead, struct bat_error *error)
{
	struct bat_owner_record now;
	int guard = -1, code;
	bool there = false;

	code = judge(owner, disk, dead, &guard, error);
	if (code == BAT_OK)
		code = read_record(disk, side, &there, &now, error);
	if (code == BAT_OK && (!there || strcmp(now.token, dead->token) != 0))
		code = BAT_STATE_EXISTS;
	if (code == BAT_OK)
		code = put_record(owner, disk, side, true, error);
	/* So that nobody has to be judged when there is space: a mount can
	 * take no name then. */
	if (code == BAT_WORLD_NO_SPACE && !BAT_PLANT(414))
		(void)bat_file_unlink(disk, side, BAT_OWNER_FILE, NULL);
	if (guard >= 0)
		bat_file_close(disk, guard);
	return code;
}

static int
say_lost(struct bat_error *error)
{
	return bat_error_set(error, BAT_STATE_STOPPED,
	    WHERE " is no longer ours: somebody removed it, or another writer "
		  "came; unmount, and mount again when no other writes");
}

/* BAT_STATE_EXISTS: another record came meanwhile. */
static int
try_record(const struct bat_owner *owner, const struct bat_disk *disk, int side,
    bool late, struct bat_error *error)
{
	struct bat_owner_record found;
	bool there = false;
	int code = read_record(disk, side, &there, &found, error);

	if (code != BAT_OK)
		return code;
	if (!there)
		return put_record(owner, disk, side, BAT_PLANT(411), error);
	if (strcmp(found.token, owner->token) == 0)
		return BAT_OK; /* it was put there by an earlier try */
	return late ? say_lost(error) :
		      replace_record(owner, disk, side, &found, error);
}

/* late: others may have come since we looked, and are left alone. */
static int
record(struct bat_owner *owner, const struct bat_disk *disk, int side,
    bool late, struct bat_error *error)
{
	struct bat_file_stat stat;
	int code = BAT_STATE_EXISTS;

	for (int i = 0; code == BAT_STATE_EXISTS && i < TRIES_MAX; i++)
		code = try_record(owner, disk, side, late, error);
	if (code == BAT_STATE_EXISTS)
		return bat_error_set(error, BAT_WORLD_LOCKED,
		    "others come and go in " WHERE "; try again");
	if (code != BAT_OK)
		return code;
	code = disk->stat_at(disk->context, side, BAT_OWNER_FILE, &stat);
	if (code < 0)
		return bat_error_set_os(error, -code, "cannot stat " WHERE);
	owner->inode = stat.inode;
	owner->mtime_ns = stat.mtime_ns;
	owner->recorded = true;
	return BAT_OK;
}

static int
open_side(const struct bat_disk *disk, int dir, bool create, int *out,
    struct bat_error *error)
{
	int code = create ?
	    disk->mkdir_at(disk->context, dir, BAT_OWNER_SIDE, 0700) :
	    -EEXIST;

	if (code < 0 && code != -EEXIST)
		return bat_error_set_os(error, -code,
		    "cannot make " BAT_OWNER_SIDE);
	*out = disk->open_dir_at(disk->context, dir, BAT_OWNER_SIDE);
	return *out >= 0 ?
	    BAT_OK :
	    bat_error_set_os(error, -*out, "cannot open " BAT_OWNER_SIDE);
}

static int
make_record(struct bat_owner *owner, const struct bat_disk *disk, int dir,
    bool late, struct bat_error *error)
{
	int side = -1;
	int code = open_side(disk, dir, true, &side, error);

	if (code != BAT_OK)
		return code;
	code = record(owner, disk, side, late, error);
	bat_file_close(disk, side);
	return code;
}

static int
begin(struct bat_owner *owner, const struct bat_disk *disk, int lock_fd,
    struct bat_error *error)
{
	uint8_t random[(BAT_OWNER_TOKEN_SIZE - 1) / 2];
	int code = disk->place(disk->context, lock_fd, &owner->place);

	if (code == 0)
		code = disk->random(disk->context, random, sizeof(random));
	if (code < 0)
		return bat_error_set_os(error, -code, "cannot be told apart");
	bat_bytes_put_hex((uint8_t *)owner->token, random, sizeof(random));
	owner->token[BAT_OWNER_TOKEN_SIZE - 1] = '\0';
	owner->name_fd = take_name(disk, owner->token);
	if (owner->name_fd >= 0)
		return BAT_OK;
	code = bat_error_set_os(error, -owner->name_fd, "cannot make a socket");
	*owner = BAT_OWNER_NONE;
	return code;
}

/* Who had it before may have written by another path. */
static int
refresh(const struct bat_disk *disk, int dir, struct bat_error *error)
{
	int code = disk->refresh(disk->context, dir);

	return code < 0 ?
	    bat_error_set_os(error, -code, "cannot read the directory") :
	    BAT_OK;
}

int
bat_owner_take(struct bat_owner *owner, const struct bat_disk *disk, int dir,
    int lock_fd, struct bat_error *error)
{
	int code;

	*owner = BAT_OWNER_NONE;
	code = begin(owner, disk, lock_fd, error);
	if (code != BAT_OK)
		return code;
	code = make_record(owner, disk, dir, false, error);
	if (code == BAT_OK && !owner->place.numbered && !BAT_PLANT(413))
		code = refresh(disk, dir, error);
	/* What is there can be read on a full disk. */
	if (code == BAT_WORLD_NO_SPACE)
		code = BAT_OK;
	if (code != BAT_OK)
		bat_owner_leave(owner, disk, dir);
	return code;
}

/* ---- having it -------------------------------------------------------------- */

/* Is the record the file that we made? By its number and its time: who takes
 * over makes another one. */
static int
look(const struct bat_owner *owner, const struct bat_disk *disk, int side,
    bool *out_ours, struct bat_error *error)
{
	struct bat_file_stat stat;
	int code = disk->stat_at(disk->context, side, BAT_OWNER_FILE, &stat);

	*out_ours = code == 0 && stat.inode == owner->inode &&
	    stat.mtime_ns == owner->mtime_ns;
	return code < 0 && code != -ENOENT ?
	    bat_error_set_os(error, -code, "cannot stat " WHERE) :
	    BAT_OK;
}

int
bat_owner_confirm(struct bat_owner *owner, const struct bat_disk *disk, int dir,
    struct bat_error *error)
{
	bool ours = false;
	int side = -1, code;

	if (owner->name_fd < 0 || BAT_PLANT(412))
		return BAT_OK;
	if (!owner->recorded)
		return make_record(owner, disk, dir, true, error);
	code = open_side(disk, dir, false, &side, error);
	if (code == BAT_OK) {
		code = look(owner, disk, side, &ours, error);
		bat_file_close(disk, side);
	}
	/* The folder may be gone too. */
	if (code == BAT_WORLD_ABSENT)
		code = BAT_OK;
	if (code != BAT_OK || ours)
		return code;
	return say_lost(error);
}

void
bat_owner_leave(struct bat_owner *owner, const struct bat_disk *disk, int dir)
{
	int side = -1;
	bool ours;

	if (owner->name_fd < 0)
		return;
	if (owner->recorded &&
	    open_side(disk, dir, false, &side, NULL) == BAT_OK) {
		if (look(owner, disk, side, &ours, NULL) == BAT_OK && ours)
			(void)bat_file_unlink(disk, side, BAT_OWNER_FILE, NULL);
		bat_file_close(disk, side);
	}
	bat_file_close(disk, owner->name_fd);
	*owner = BAT_OWNER_NONE;
}
