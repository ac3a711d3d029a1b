/* binary: see binary.h. */
#include "core/plugin/binary.h"

#include "core/plugin/elf.h"
#include "core/plugin/trust.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define PIECE ((size_t)16 << 10) /* of a file, read at once */

/* folder/name as messages show it. */
static int join(const char *folder, const char *name, char *ret, size_t size, koine_error **ret_error)
{
    int len = snprintf(ret, size, "%s/%s", folder, name);
    if (len < 0 || (size_t)len >= size)
        return koine__error(ret_error, KOINE_ECONFIG, "%s: the path is too long", name);
    return KOINE_OK;
}

/* The real path of a file that really is in the folder. */
static int resolve(const char *folder, const char *name, const char *shown, char *ret,
                   koine_error **ret_error)
{
    char real_folder[PATH_MAX];
    if (!*name || strchr(name, '/') || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return koine__error(ret_error, KOINE_ECONFIG,
                            "%s: a plugin is named by its file in a plugin folder, not by a path", name);
    if (!realpath(folder, real_folder))
        return koine__error(ret_error, KOINE_ECONFIG, "%s: the folder cannot be found: %s", shown,
                            strerrordesc_np(errno));
    if (!realpath(shown, ret))
        return koine__error(ret_error, KOINE_ECONFIG, "%s: cannot be found: %s", shown,
                            strerrordesc_np(errno));
    size_t len = strlen(real_folder);
    if (strcmp(real_folder, "/") == 0)
        len = 0;
    if (strncmp(ret, real_folder, len) != 0 || ret[len] != '/')
        return koine__error(ret_error, KOINE_ECONFIG, "%s: is a link to %s, outside its folder", shown, ret);
    return KOINE_OK;
}

int koine__binary_find(const char *folder, const char *file_name, struct koine__binary *ret,
                       koine_error **ret_error)
{
    int rc = join(folder, file_name, ret->shown, sizeof(ret->shown), ret_error);
    if (rc == KOINE_OK)
        rc = resolve(folder, file_name, ret->shown, ret->path, ret_error);
    if (rc == KOINE_OK)
        rc = koine__trust_file(ret->path, ret->shown, &ret->state, ret_error);
    return rc;
}

bool koine__binary_is_same(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

bool koine__binary_is_unchanged(const struct stat *a, const struct stat *b)
{
    return koine__binary_is_same(a, b) && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
           a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

int koine__binary_open(const struct koine__binary *binary, int *ret_fd, koine_error **ret_error)
{
    struct stat now;
    const char *reason = NULL;
    int fd = open(binary->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return koine__error(ret_error, KOINE_ECONFIG, "%s: cannot be opened: %s", binary->shown,
                            strerrordesc_np(errno));
    if (fstat(fd, &now) < 0 || !koine__binary_is_same(&now, &binary->state))
        reason = "was replaced while it was being checked";
    else
        reason = koine__elf_check(fd, (uint64_t)now.st_size);
    if (!reason) {
        *ret_fd = fd;
        return KOINE_OK;
    }
    close(fd);
    return koine__error(ret_error, KOINE_ECONFIG, "%s: %s", binary->shown, reason);
}

int koine__binary_digest(const struct koine__binary *binary, int fd, char ret[KOINE__SHA256_HEX],
                         koine_error **ret_error)
{
    char piece[PIECE];
    struct koine__sha256 hash;
    ssize_t got;
    off_t at = 0;
    koine__sha256_begin(&hash);
    while ((got = pread(fd, piece, sizeof(piece), at)) > 0) {
        koine__sha256_add(&hash, piece, (size_t)got);
        at += got;
    }
    if (got < 0)
        return koine__error(ret_error, KOINE_ECONFIG, "%s: cannot be read: %s", binary->shown,
                            strerrordesc_np(errno));
    koine__sha256_end(&hash, ret);
    return KOINE_OK;
}

int koine__binary_compare(const struct koine__binary *binary, const char *found, const char *pinned,
                          koine_error **ret_error)
{
    if (!pinned || strcasecmp(found, pinned) == 0)
        return KOINE_OK;
    return koine__error(ret_error, KOINE_ECONFIG,
                        "%s: is not the file that was pinned: its SHA-256 is %s, expected was %s",
                        binary->shown, found, pinned);
}
