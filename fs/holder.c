#include "holder.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOCK_NAME ".batpak.lock"
#define OWNER_NAME ".batfs/owner"
/* Of an abstract socket, as /proc has it. */
#define SOCKET_NAME "@batfs-"

/* ---- by open files ------------------------------------------------------- */

/* Does this descriptor of a process have a lock? */
static bool
has_lock(const char *pid, const char *fd)
{
	char name[64], line[256];
	bool found = false;
	FILE *file;

	snprintf(name, sizeof name, "/proc/%.20s/fdinfo/%.20s", pid, fd);
	file = fopen(name, "re");
	while (file != NULL && !found && fgets(line, sizeof line, file) != NULL)
		found = strncmp(line, "lock:", 5) == 0 &&
		    strstr(line, "FLOCK") != NULL;
	if (file != NULL)
		fclose(file);
	return found;
}

/* Does it have this lock, or (locked false) this file at all? */
static bool
holds(const char *pid, const struct stat *file, bool locked)
{
	char name[64];
	struct dirent *entry;
	struct stat status;
	bool found = false;
	DIR *dir;

	snprintf(name, sizeof name, "/proc/%.20s/fd", pid);
	dir = opendir(name);
	while (dir != NULL && !found && (entry = readdir(dir)) != NULL)
		found = fstatat(dirfd(dir), entry->d_name, &status, 0) == 0 &&
		    status.st_ino == file->st_ino &&
		    status.st_dev == file->st_dev &&
		    (!locked || has_lock(pid, entry->d_name));
	if (dir != NULL)
		closedir(dir);
	return found;
}

static void
look_through_processes(const struct stat *file, bool locked,
    struct batfs_holder *out)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;

	while (dir != NULL && out->pid == 0 && (entry = readdir(dir)) != NULL)
		if (isdigit((unsigned char)entry->d_name[0]) &&
		    holds(entry->d_name, file, locked))
			out->pid = strtol(entry->d_name, NULL, 10);
	if (dir != NULL)
		closedir(dir);
	out->held = out->pid != 0;
}

/* ---- by the kernel's list of locks ----------------------------------------- */

/* Is it locked at all? Who took it is named when that process is still there:
 * then it has the file, if we may not see that. */
static void
look_through_locks(const struct stat *lock, struct batfs_holder *out)
{
	FILE *file = fopen("/proc/locks", "re");
	char line[256], kind[16], name[64];
	unsigned long long inode;
	long pid;

	while (file != NULL && fgets(line, sizeof line, file) != NULL) {
		if (sscanf(line, "%*d: %15s %*s %*s %ld %*x:%*x:%llu", kind,
			&pid, &inode) != 3 ||
		    strcmp(kind, "FLOCK") != 0 || inode != lock->st_ino)
			continue;
		out->held = true;
		snprintf(name, sizeof name, "/proc/%ld", pid);
		if (pid > 0 && access(name, F_OK) == 0)
			out->pid = pid;
	}
	if (file != NULL)
		fclose(file);
}

/* ---- by the owner's record --------------------------------------------------- */

/* The token of the record (FORMAT.md 9.11). */
static bool
read_token(int dir, char token[33])
{
	int fd = openat(dir, OWNER_NAME,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "re");
	bool found = file != NULL &&
	    fscanf(file, "batfs owner 1 token %32[0-9a-f]", token) == 1;

	if (file != NULL)
		fclose(file);
	else if (fd >= 0)
		close(fd);
	return found;
}

/* The socket that has the record's name; what kind of file sockets are. */
static bool
find_socket(const char *token, struct stat *out)
{
	FILE *file = fopen("/proc/net/unix", "re");
	int any = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	char line[512], name[64];
	unsigned long inode = 0;
	bool found = false;

	snprintf(name, sizeof name, SOCKET_NAME "%s\n", token);
	while (file != NULL && !found && fgets(line, sizeof line, file) != NULL)
		found = strstr(line, name) != NULL &&
		    sscanf(line, "%*s %*s %*s %*s %*s %*s %lu", &inode) == 1;
	found = found && any >= 0 && fstat(any, out) == 0;
	if (found)
		out->st_ino = inode;
	if (file != NULL)
		fclose(file);
	if (any >= 0)
		close(any);
	return found;
}

/* Who holds the directory by another path has another lock, and a socket. */
static void
look_through_sockets(int dir, struct batfs_holder *out)
{
	bool held = out->held;
	struct stat socket;
	char token[33];

	if (!read_token(dir, token) || !find_socket(token, &socket))
		return;
	look_through_processes(&socket, false, out);
	out->elsewhere = out->pid != 0 || !held;
	out->held = true;
}

/* ---- by the table of mounts -------------------------------------------------- */

static void
look_through_mounts(const char *data_dir, struct batfs_holder *out)
{
	char *real = realpath(data_dir, NULL);
	FILE *file = setmntent("/proc/self/mounts", "re");
	struct mntent *mount;

	while (
	    real != NULL && file != NULL && (mount = getmntent(file)) != NULL)
		if (strcmp(mount->mnt_type, "fuse.batfs") == 0 &&
		    strcmp(mount->mnt_fsname, real) == 0 &&
		    hasmntopt(mount, "rw") != NULL &&
		    strlen(mount->mnt_dir) < sizeof out->mountpoint)
			strcpy(out->mountpoint, mount->mnt_dir);
	if (file != NULL)
		endmntent(file);
	free(real);
}

/* ---- all of it --------------------------------------------------------------- */

static void
name_program(struct batfs_holder *out)
{
	char name[64];
	FILE *file;

	snprintf(name, sizeof name, "/proc/%ld/comm", out->pid);
	file = fopen(name, "re");
	if (file == NULL)
		return;
	if (fgets(out->program, sizeof out->program, file) != NULL)
		out->program[strcspn(out->program, "\n")] = '\0';
	fclose(file);
}

void
batfs_holder_find(const char *data_dir, struct batfs_holder *out)
{
	struct stat lock;
	int dir = open(data_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);

	*out = (struct batfs_holder){ .held = false };
	if (dir >= 0 &&
	    fstatat(dir, LOCK_NAME, &lock, AT_SYMLINK_NOFOLLOW) == 0) {
		look_through_processes(&lock, true, out);
		if (!out->held)
			look_through_locks(&lock, out);
		if (out->pid == 0)
			look_through_sockets(dir, out);
	}
	if (out->held)
		look_through_mounts(data_dir, out);
	if (out->pid != 0)
		name_program(out);
	if (dir >= 0)
		close(dir);
}

void
batfs_holder_describe(const struct batfs_holder *holder, char *text,
    size_t size)
{
	const char *path = holder->elsewhere ? ", by another path" : "";
	bool mounted = holder->mountpoint[0] != '\0';

	if (holder->pid != 0)
		snprintf(text, size, "process %ld (%s)%s%s%s", holder->pid,
		    holder->program[0] != '\0' ? holder->program : "unknown",
		    path, mounted ? ", mounted on " : "", holder->mountpoint);
	else if (mounted)
		snprintf(text, size, "the mount on %s", holder->mountpoint);
	else
		snprintf(text, size, "a process that only root can see%s",
		    path);
}

void
batfs_holder_remedy(const struct batfs_holder *holder, char *text, size_t size)
{
	if (holder->mountpoint[0] != '\0')
		snprintf(text, size, "`fusermount3 -u %s`", holder->mountpoint);
	else
		snprintf(text, size, "end it");
}
