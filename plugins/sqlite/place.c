/* place: see place.h. */
#include "plugins/sqlite/place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static int32_t refuse(char *why, size_t why_size, int32_t status, const char *path, const char *reason)
{
    snprintf(why, why_size, "%s: %s", path, reason);
    return status;
}

static int32_t refuse_errno(char *why, size_t why_size, const char *path, const char *what)
{
    int32_t status = KOINE_STORE_DOWN;
    int error = errno;
    char reason[128];
    if (error == EACCES || error == EPERM || error == ELOOP || error == ENOTDIR)
        status = KOINE_STORE_DENIED;
    else if (error == EROFS)
        status = KOINE_STORE_READ_ONLY;
    else if (error == ENOSPC || error == EDQUOT)
        status = KOINE_STORE_NO_SPACE;
    snprintf(reason, sizeof(reason), "%s: %s", what, strerror(error));
    return refuse(why, why_size, status, path, reason);
}

/* Each folder of the path that is missing. */
static bool make_folders(char *path)
{
    for (char *slash = path + 1; *slash; slash++) {
        if (*slash != '/')
            continue;
        *slash = '\0';
        int rc = mkdir(path, 0700);
        bool stop = rc < 0 && errno != EEXIST && errno != EROFS && errno != EACCES;
        *slash = '/';
        if (stop)
            return false;
    }
    return mkdir(path, 0700) == 0 || errno == EEXIST;
}

static int32_t find_folder(struct place *place, koine_str where, char *why, size_t why_size)
{
    char path[PATH_MAX];
    struct stat state;
    if (where.len == 0 || where.len >= sizeof(path) || memchr(where.ptr, '\0', where.len))
        return refuse(why, why_size, KOINE_STORE_INVALID, "store",
                      "its folder has no name, or too long a one");
    memcpy(path, where.ptr, where.len);
    path[where.len] = '\0';
    if (!make_folders(path))
        return refuse_errno(why, why_size, path, "cannot be made");
    if (!realpath(path, place->folder) || stat(place->folder, &state) < 0)
        return refuse_errno(why, why_size, path, "cannot be found");
    if (!S_ISDIR(state.st_mode))
        return refuse(why, why_size, KOINE_STORE_DENIED, path, "is no folder");
    if ((state.st_uid != geteuid() && state.st_uid != 0) || (state.st_mode & 022) != 0)
        return refuse(why, why_size, KOINE_STORE_DENIED, path,
                      "others may write to this folder; it must be ours alone: chmod 700");
    int len = snprintf(place->path, sizeof(place->path), "%s/" PLACE_FILE, place->folder);
    if (len < 0 || (size_t)len >= sizeof(place->path) - sizeof("-journal"))
        return refuse(why, why_size, KOINE_STORE_INVALID, "store", "its folder has too long a name");
    return KOINE_STORE_OK;
}

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

static int32_t lock_folder(struct place *place, int32_t busy_ms, char *why, size_t why_size)
{
    int64_t end = now_ms() + busy_ms;
    struct timespec nap = {0, 1000000};
    place->lock = open(place->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (place->lock < 0)
        return refuse_errno(why, why_size, place->folder, "cannot be opened");
    while (flock(place->lock, LOCK_EX | LOCK_NB) < 0) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            return refuse_errno(why, why_size, place->folder, "cannot be locked");
        if (now_ms() >= end)
            return refuse(why, why_size, KOINE_STORE_BUSY, place->folder,
                          "another process opens a store here, and does not come to an end");
        nanosleep(&nap, NULL);
    }
    return KOINE_STORE_OK;
}

static int32_t make_file(const struct place *place, char *why, size_t why_size)
{
    int fd = open(place->path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return refuse_errno(why, why_size, place->path, "cannot be made");
    close(fd);
    return KOINE_STORE_OK;
}

static int32_t check_file(const struct place *place, char *why, size_t why_size)
{
    struct stat state;
    const char *reason = NULL;
    int32_t status = KOINE_STORE_DENIED;
    if (lstat(place->path, &state) < 0)
        return errno == ENOENT ? make_file(place, why, why_size)
                               : refuse_errno(why, why_size, place->path, "cannot be found");
    if (S_ISLNK(state.st_mode))
        reason = "is a symbolic link";
    else if (!S_ISREG(state.st_mode))
        reason = "is no file", status = KOINE_STORE_DAMAGED;
    else if (state.st_uid != geteuid())
        reason = "belongs to another user";
    else if ((state.st_mode & 077) != 0)
        reason = "others may read or write it; it must be ours alone: chmod 600";
    else if ((state.st_mode & 0200) == 0 || access(place->path, R_OK | W_OK) < 0)
        reason = "is read-only", status = KOINE_STORE_READ_ONLY;
    return reason ? refuse(why, why_size, status, place->path, reason) : KOINE_STORE_OK;
}

int32_t place_prepare(struct place *place, koine_str where, int32_t busy_ms, char *why, size_t why_size)
{
    place->lock = -1;
    int32_t status = find_folder(place, where, why, why_size);
    if (status == KOINE_STORE_OK && access(place->folder, W_OK | X_OK) < 0)
        status = refuse(why, why_size, KOINE_STORE_READ_ONLY, place->folder,
                        "cannot be written: a store keeps files of its own beside its database");
    if (status == KOINE_STORE_OK)
        status = lock_folder(place, busy_ms, why, why_size);
    if (status == KOINE_STORE_OK)
        status = check_file(place, why, why_size);
    if (status < 0)
        place_unlock(place);
    return status;
}

void place_unlock(struct place *place)
{
    if (place->lock >= 0)
        close(place->lock);
    place->lock = -1;
}
