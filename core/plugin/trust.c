/* trust: owners and modes of a file and of all folders above it. Doubt refuses. */
#include "core/plugin/trust.h"

#include "core/base/mem.h"
#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define FIRST_ENTRY   ((size_t)1024)
#define LARGEST_ENTRY ((size_t)1 << 20) /* of the user and group data bases */

enum place {
    THE_FILE,
    ITS_FOLDER,
    ABOVE
};

/* The name of a user if `gid` is its primary group, else NULL; borrowed from *ret_buf. */
static int find_user(uid_t uid, gid_t gid, char **ret_buf, const char **ret_name)
{
    for (size_t size = FIRST_ENTRY; size <= LARGEST_ENTRY; size *= 2) {
        struct passwd entry, *found = NULL;
        char *buf = koine__alloc(size);
        if (!buf)
            return KOINE_EMEMORY;
        int rc = getpwuid_r(uid, &entry, buf, size, &found);
        if (rc == 0) {
            *ret_buf = buf;
            *ret_name = found && found->pw_gid == gid ? found->pw_name : NULL;
            return KOINE_OK;
        }
        koine__dealloc(buf);
        if (rc != ERANGE)
            break;
    }
    return KOINE_OK;
}

static bool has_only(const struct group *group, const char *user)
{
    for (char *const *member = group->gr_mem; *member; member++)
        if (strcmp(*member, user) != 0)
            return false;
    return strcmp(group->gr_name, user) == 0;
}

static int is_group_of(gid_t gid, const char *user, bool *ret)
{
    for (size_t size = FIRST_ENTRY; size <= LARGEST_ENTRY; size *= 2) {
        struct group entry, *found = NULL;
        char *buf = koine__alloc(size);
        if (!buf)
            return KOINE_EMEMORY;
        int rc = getgrgid_r(gid, &entry, buf, size, &found);
        if (rc == 0 && found)
            *ret = has_only(found, user);
        koine__dealloc(buf);
        if (rc != ERANGE)
            break;
    }
    return KOINE_OK;
}

/* Many systems give each user a group of the same name, so that a umask of 0002 lets nobody else in. */
static int is_private_group(uid_t uid, gid_t gid, bool *ret)
{
    char *buf = NULL;
    const char *user = NULL;
    *ret = false;
    int rc = find_user(uid, gid, &buf, &user);
    if (rc == KOINE_OK && user)
        rc = is_group_of(gid, user, ret);
    koine__dealloc(buf);
    return rc;
}

static int refuse(const char *shown, enum place place, const char *path, const char *reason,
                  koine_error **ret_error)
{
    if (place == THE_FILE)
        return koine__error(ret_error, KOINE_ECONFIG, "%s: %s", shown, reason);
    return koine__error(ret_error, KOINE_ECONFIG, "%s: the folder %s %s", shown, path, reason);
}

static int check_kind(const char *shown, enum place place, const char *path, struct stat *ret,
                      koine_error **ret_error)
{
    if (lstat(path, ret) < 0)
        return refuse(shown, place, path, strerrordesc_np(errno), ret_error);
    if (place == THE_FILE && !S_ISREG(ret->st_mode))
        return refuse(shown, place, path, "is not a regular file", ret_error);
    if (place != THE_FILE && !S_ISDIR(ret->st_mode))
        return refuse(shown, place, path, "is no folder any more", ret_error);
    return KOINE_OK;
}

static int check_place(const char *shown, enum place place, const char *path, struct stat *ret,
                       koine_error **ret_error)
{
    char reason[128];
    int rc = check_kind(shown, place, path, ret, ret_error);
    if (rc < 0)
        return rc;
    if (ret->st_uid != 0 && ret->st_uid != geteuid()) {
        snprintf(reason, sizeof(reason),
                 "belongs to user %lu; it must belong to root or to user %lu, who runs this",
                 (unsigned long)ret->st_uid, (unsigned long)geteuid());
        return refuse(shown, place, path, reason, ret_error);
    }
    if (place == ABOVE && (ret->st_mode & S_ISVTX) && ret->st_uid == 0)
        return KOINE_OK;
    if (ret->st_mode & S_IWOTH)
        return refuse(shown, place, path, "is writable by everybody; take that away with chmod o-w",
                      ret_error);
    if (!(ret->st_mode & S_IWGRP))
        return KOINE_OK;
    bool is_private;
    rc = is_private_group(ret->st_uid, ret->st_gid, &is_private);
    if (rc < 0)
        return koine__error_memory(ret_error);
    if (is_private)
        return KOINE_OK;
    snprintf(reason, sizeof(reason), "is writable by the members of group %lu; take that away with chmod g-w",
             (unsigned long)ret->st_gid);
    return refuse(shown, place, path, reason, ret_error);
}

int koine__trust_file(const char *path, const char *shown, struct stat *ret, koine_error **ret_error)
{
    char folder[PATH_MAX];
    struct stat file, above;
    size_t len = strlen(path);
    if (len >= sizeof(folder) || path[0] != '/')
        return koine__error(ret_error, KOINE_ECONFIG, "%s: is no real path", shown);
    int rc = check_place(shown, THE_FILE, path, &file, ret_error);
    memcpy(folder, path, len + 1);
    for (enum place place = ITS_FOLDER; rc == KOINE_OK && strcmp(folder, "/") != 0; place = ABOVE) {
        char *slash = strrchr(folder, '/');
        slash[slash == folder] = '\0'; /* the slash of the root stays */
        rc = check_place(shown, place, folder, &above, ret_error);
    }
    if (rc == KOINE_OK)
        *ret = file;
    return rc;
}
