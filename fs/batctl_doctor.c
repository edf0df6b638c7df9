/*
 * doctor: what hinders a mount on this machine, of this directory, at this
 * place. Each finding has its remedy. Nothing is changed, and the lock is not
 * even tried: who mounts in this moment would be refused.
 */
#include "batctl.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "holder.h"
#include "mountpoint.h"

/* Below this an append may find no room for a segment and an index file. */
#define FREE_MIN (1u << 20)
#define TEXT_SIZE 512

struct findings {
	unsigned hindrances;
};

static void
fine(const char *what)
{
	printf("ok        %s\n", what);
}

/* It works, but not as one may think. */
static void
note(const char *what, const char *remedy)
{
	printf("note      %s; %s\n", what, remedy);
}

static void
hindrance(struct findings *findings, const char *what, const char *remedy)
{
	findings->hindrances++;
	printf("hindrance %s; %s\n", what, remedy);
}

/* ---- the machine ---------------------------------------------------------------- */

static void
look_at_device(struct findings *findings)
{
	if (access("/dev/fuse", R_OK | W_OK) == 0)
		fine("/dev/fuse can be opened");
	else if (errno == ENOENT)
		hindrance(findings, "there is no /dev/fuse",
		    "as root: `modprobe fuse`; a container needs "
		    "`--device /dev/fuse`");
	else
		hindrance(findings, "/dev/fuse cannot be opened",
		    "as root: `chmod 666 /dev/fuse`");
}

/* In one of the folders of PATH. */
static bool
find_program(const char *name, struct stat *out)
{
	const char *path = getenv("PATH");
	char full[4096];

	while (path != NULL && *path != '\0') {
		size_t length = strcspn(path, ":");

		snprintf(full, sizeof full, "%.*s/%s", (int)length, path, name);
		if (stat(full, out) == 0 && S_ISREG(out->st_mode))
			return true;
		path += length + (path[length] == ':');
	}
	return false;
}

static void
look_at_helper(struct findings *findings)
{
	struct stat status;

	if (!find_program("fusermount3", &status))
		hindrance(findings, "there is no fusermount3",
		    "as root: `apt-get install fuse3`");
	else if (geteuid() != 0 && (status.st_mode & S_ISUID) == 0)
		hindrance(findings, "fusermount3 is not setuid root",
		    "as root: `chmod u+s` it, or mount as root");
	else
		fine("fusermount3 is there");
}

static void
look_at_allow_other(void)
{
	FILE *file = fopen("/etc/fuse.conf", "re");
	char line[256];
	bool allowed = geteuid() == 0;

	while (file != NULL && fgets(line, sizeof line, file) != NULL)
		allowed = allowed || strncmp(line, "user_allow_other", 16) == 0;
	if (file != NULL)
		fclose(file);
	if (allowed)
		fine("-o allow_other is possible");
	else
		note("-o allow_other is not possible",
		    "for it, as root: `user_allow_other` in /etc/fuse.conf");
}

/* ---- a data directory -------------------------------------------------------------- */

static void
look_at_permissions(struct findings *findings, const char *path, bool empty)
{
	if (access(path, R_OK | X_OK) != 0)
		hindrance(findings, "the directory cannot be read",
		    "mount as its owner");
	else if (access(path, W_OK) != 0)
		hindrance(findings, "the directory cannot be written",
		    empty ? "a new store is made by its owner" :
			    "mount with -o ro, or as its owner");
	else
		fine("the directory can be read and written");
}

static void
look_at_disk(struct findings *findings, const char *path, bool empty)
{
	static const struct {
		unsigned long type;
		const char *what;
	} weak[] = {
		{ 0x01021994, "it is in memory (tmpfs)" },
		{ 0x858458f6, "it is in memory (ramfs)" },
		{ 0x6969,
		    "it is on NFS, where locks and fsync are the "
		    "server's" },
		{ 0xff534d42,
		    "it is on CIFS, where fsync may promise "
		    "nothing" },
		{ 0xfe534d42, "it is on SMB, where fsync may promise nothing" },
		{ 0x01021997, "it is on 9p, where fsync may promise nothing" },
		{ 0x65735546,
		    "it is on FUSE: two mounts of it do not see each "
		    "other's locks; .batfs/owner tells writers of batfs "
		    "apart, batpak leaves none" },
	};
	struct statfs disk;
	struct statvfs space;

	if (statfs(path, &disk) != 0 || statvfs(path, &space) != 0)
		return;
	for (size_t i = 0; i < sizeof weak / sizeof weak[0]; i++)
		if ((unsigned long)disk.f_type == weak[i].type)
			note(weak[i].what,
			    "ext4, xfs and btrfs keep what they promise");
	if ((uint64_t)space.f_bavail * space.f_frsize < FREE_MIN)
		hindrance(findings, "the disk is full",
		    "make room: appends answer ENOSPC until then");
	else if ((space.f_flag & ST_RDONLY) != 0)
		hindrance(findings, "the file system is read-only",
		    empty ? "a new store needs one that is writable" :
			    "mount with -o ro");
	else
		fine("there is room on the disk");
}

static void
look_at_lock(struct findings *findings, const struct batfs_holder *holder)
{
	char who[TEXT_SIZE], what[TEXT_SIZE + 32], end[TEXT_SIZE],
	    remedy[TEXT_SIZE + 64];

	if (!holder->held) {
		fine("nobody holds the lock");
		return;
	}
	batfs_holder_describe(holder, who, sizeof who);
	batfs_holder_remedy(holder, end, sizeof end);
	snprintf(what, sizeof what, "%s holds the lock", who);
	snprintf(remedy, sizeof remedy,
	    "%s, or mount with -o ro, which needs no lock", end);
	hindrance(findings, what, remedy);
}

/* The first segment that is there twice, or under another's name. */
static int
take_act(void *context, const struct bat_repair_act *act)
{
	char *text = context;

	if (text[0] == '\0' &&
	    (act->kind == BAT_REPAIR_REMOVE || act->kind == BAT_REPAIR_RENAME))
		snprintf(text, TEXT_SIZE, "%s", act->text);
	return BAT_OK;
}

/* It opens; but does it show events twice? Only who reads all of it can say. */
static void
look_for_doubles(struct findings *findings, const char *path)
{
	char text[TEXT_SIZE] = "";
	const struct bat_repair_sink sink = { text, take_act };
	struct bat_repair_counts counts;

	if (bat_repair(bat_file_posix(), path, false, &sink, &counts, NULL) ==
		BAT_OK &&
	    text[0] != '\0')
		hindrance(findings, text, "`batctl repair` does that");
	else
		fine("the store opens");
}

/* Nobody writes: who does may be ahead of what was read here. */
static void
look_at_log(struct findings *findings, struct bat_store *store)
{
	struct bat_error error = { .text = "" };
	int code = bat_attest_fits(store, &error);

	if (code == BAT_OK)
		fine("the transparency log can go on");
	if (code == BAT_OK || code == BAT_STATE_NOT_FOUND)
		return;
	/* The reason is followed by its remedy (bat_attest_fits). */
	findings->hindrances++;
	printf("hindrance the transparency log is halted: %s\n", error.text);
}

static void
look_into(struct findings *findings, const char *path, bool locked,
    struct bat_store *store)
{
	struct bat_status status;

	bat_status(store, &status);
	if (status.damaged_count > 0)
		hindrance(findings, "the store is damaged",
		    "`batctl repair`, or mount with -o ro");
	else
		look_for_doubles(findings, path);
	if (!locked)
		look_at_log(findings, store);
}

static void
look_at_data(struct findings *findings, const char *path)
{
	const struct bat_options how = { .read_only = true };
	struct bat_error error = { .code = 0 };
	struct bat_store *store = NULL;
	int code = bat_open(path, &how, &store, &error);
	bool empty = code == BAT_WORLD_ABSENT;
	struct batfs_holder holder;

	batfs_holder_find(path, &holder);
	look_at_permissions(findings, path, empty);
	look_at_disk(findings, path, empty);
	look_at_lock(findings, &holder);
	if (code == BAT_OK)
		look_into(findings, path, holder.held, store);
	else if (empty)
		note("it holds no store", "a mount makes a new one");
	else
		hindrance(findings, error.text,
		    "`batctl inspect` tells more, `batctl repair` may help");
	bat_close(store, NULL);
}

/* ---- a place to mount on ---------------------------------------------------------- */

/* true: it is dead, and that was said. The kernel may still know its attributes,
 * so it is opened. */
static bool
look_for_dead(struct findings *findings, const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int why = errno;
	char remedy[4200];

	if (fd >= 0)
		close(fd);
	if (fd >= 0 || why != ENOTCONN)
		return false;
	snprintf(remedy, sizeof remedy, "`fusermount3 -u %s`", path);
	hindrance(findings, "a mount died there (ENOTCONN)", remedy);
	return true;
}

static void
look_at_place(struct findings *findings, const char *data, const char *place)
{
	struct bat_error error = { .code = 0 };
	char *data_path = NULL, *place_path = NULL;
	bool is_file;
	int code = batfs_mountpoint_resolve(data, &data_path, &error);

	if (code == BAT_OK)
		code = batfs_mountpoint_resolve(place, &place_path, &error);
	if (code == BAT_OK)
		code = batfs_mountpoint_check(data_path, place_path, &is_file,
		    &error);
	if (code == BAT_OK)
		fine("it can be mounted there");
	else
		hindrance(findings, error.text,
		    "name another, empty directory to mount on");
	free(data_path);
	free(place_path);
}

int
batfs_batctl_doctor(int argc, char **argv)
{
	struct findings findings = { 0 };
	struct stat status;
	bool dead = false;

	if (argc > 2)
		return BATCTL_USAGE;
	look_at_device(&findings);
	look_at_helper(&findings);
	look_at_allow_other();
	for (int i = 0; i < argc; i++)
		dead = look_for_dead(&findings, argv[i]) || dead;
	if (argc > 0 && !dead) {
		if (stat(argv[0], &status) == 0 && S_ISDIR(status.st_mode))
			look_at_data(&findings, argv[0]);
		else if (stat(argv[0], &status) == 0)
			hindrance(&findings, "the data directory is a file",
			    "name the directory that holds the *.fbat files");
		else if (errno == ENOENT)
			note("the data directory is not there",
			    "a mount makes it, and a new store");
		else
			hindrance(&findings, strerror(errno),
			    "look at the path of the data directory");
	}
	if (argc == 2 && !dead)
		look_at_place(&findings, argv[0], argv[1]);
	return findings.hindrances == 0 ? BATCTL_DONE : BATCTL_WRONG;
}
