/* file: looks at the descriptor, never at the name again, so what was checked is what is read. */
#include "core/hub/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK ((size_t)16384)

static const char *kind_of(mode_t mode)
{
    if (S_ISDIR(mode))
        return "a folder";
    if (S_ISFIFO(mode))
        return "a pipe";
    return "a device or socket";
}

static int check(const char *file, const struct stat *info, enum koine__file_owner owner,
                 koine_error **ret_error)
{
    if (!S_ISREG(info->st_mode))
        return koine__error(ret_error, KOINE_ECONFIG, "%s: is %s, not a file", file, kind_of(info->st_mode));
    if (info->st_mode & S_IWOTH)
        return koine__error(ret_error, KOINE_ECONFIG, "%s: everybody may write to it; chmod o-w it", file);
    if (owner == KOINE__FILE_OURS && info->st_uid != 0 && info->st_uid != geteuid())
        return koine__error(ret_error, KOINE_ECONFIG,
                            "%s: belongs to user %lu; it must belong to you or to root", file,
                            (unsigned long)info->st_uid);
    return KOINE_OK;
}

static int too_large(const char *file, koine_error **ret_error)
{
    return koine__error(ret_error, KOINE_ECONFIG, "%s: is larger than %zu bytes", file, KOINE__FILE_LIMIT);
}

static int read_all(const char *file, int fd, struct koine__buf *ret, koine_error **ret_error)
{
    for (;;) {
        if (koine__buf_reserve(ret, CHUNK))
            return ret->error == KOINE_EMEMORY ? koine__error_memory(ret_error) : too_large(file, ret_error);
        ssize_t got = read(fd, ret->ptr + ret->len, CHUNK);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return koine__error(ret_error, KOINE_ECONFIG, "%s: cannot be read: %s", file,
                                strerrordesc_np(errno));
        if (got == 0)
            return ret->len > KOINE__FILE_LIMIT ? too_large(file, ret_error) : KOINE_OK;
        ret->len += (size_t)got;
        ret->ptr[ret->len] = '\0';
    }
}

int koine__file_read(const char *file, enum koine__file_owner owner, struct koine__buf *ret,
                     koine_error **ret_error)
{
    struct stat info;
    /* Without O_NONBLOCK a pipe of that name would keep us here for ever. */
    int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return koine__error(ret_error, errno == ENOENT || errno == ENOTDIR ? KOINE_ENOTFOUND : KOINE_ECONFIG,
                            "%s: cannot be opened: %s", file, strerrordesc_np(errno));
    koine__buf_init(ret, KOINE__FILE_LIMIT + 2 * CHUNK);
    int rc = KOINE_OK;
    if (fstat(fd, &info))
        rc = koine__error(ret_error, KOINE_ECONFIG, "%s: cannot be examined: %s", file,
                          strerrordesc_np(errno));
    if (!rc)
        rc = check(file, &info, owner, ret_error);
    if (!rc)
        rc = read_all(file, fd, ret, ret_error);
    close(fd);
    return rc;
}

int koine__file_check_text(const char *name, koine_str text, koine_error **ret_error)
{
    unsigned line = 1, column = 1;
    for (size_t at = 0; at < text.len; column++) {
        size_t size = koine__utf8_length(text.ptr + at, text.len - at);
        if (size == 0)
            return koine__error(ret_error, KOINE_ECONFIG, "%s:%u:%u: is not UTF-8 (byte 0x%02x)", name, line,
                                column, (unsigned)(unsigned char)text.ptr[at]);
        if (text.ptr[at] == '\0')
            return koine__error(ret_error, KOINE_ECONFIG, "%s:%u:%u: holds a NUL byte", name, line, column);
        if (text.ptr[at] == '\n') {
            line++;
            column = 0;
        }
        at += size;
    }
    return KOINE_OK;
}
