/* kit: copies the template folders. The name stands in the templates, and in names of files, as `acme`, and
 * as ACME where capitals are wanted; nothing else in them is replaced.
 */
#include "apps/koine/kit.h"

#include "apps/koine/out.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef KOINE_KIT_DIR
#define KOINE_KIT_DIR "/usr/share/koine/kit"
#endif
#define LONGEST_NAME     64
#define LARGEST_TEMPLATE (256 * 1024)

static const char placeholder[] = "acme", placeholder_capitals[] = "ACME";
enum {
    PLACEHOLDER = sizeof(placeholder) - 1
};

struct copying {
    const char *name;
    char capitals[LONGEST_NAME + 1]; /* "my-lab" is MY_LAB there: part of a variable's name */
};

bool kit_is_name(const char *name)
{
    size_t len = strlen(name);
    return len > 0 && len <= LONGEST_NAME && name[0] >= 'a' && name[0] <= 'z' &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-") == len;
}

static int complain(const char *what)
{
    out_say("koine plugin: %s: %s", what, strerror(errno));
    return STATUS_FAULT;
}

/* ---- Texts ---- */

/* The text with the name put in; NULL: no memory. */
static char *put_name(const struct copying *copying, const char *text)
{
    char *ret = NULL;
    size_t len = 0;
    FILE *to = open_memstream(&ret, &len);
    while (to != NULL && *text != '\0') {
        if (strncmp(text, placeholder, PLACEHOLDER) == 0)
            fputs(copying->name, to);
        else if (strncmp(text, placeholder_capitals, PLACEHOLDER) == 0)
            fputs(copying->capitals, to);
        else {
            fputc(*text++, to);
            continue;
        }
        text += PLACEHOLDER;
    }
    if (to == NULL || fclose(to) != 0)
        out_no_memory();
    return ret;
}

static char *read_text(const char *path)
{
    static char text[LARGEST_TEMPLATE];
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return NULL;
    size_t len = fread(text, 1, sizeof(text) - 1, file);
    bool failed = ferror(file) != 0;
    fclose(file);
    text[len] = '\0';
    return failed ? NULL : text;
}

static int write_text(const char *path, const char *text)
{
    int descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    FILE *file = descriptor >= 0 ? fdopen(descriptor, "w") : NULL;
    if (file == NULL)
        return complain(path);
    fputs(text, file);
    bool failed = ferror(file) != 0;
    if (fclose(file) != 0 || failed)
        return complain(path);
    out_line("%s", path);
    return STATUS_DONE;
}

/* ---- Folders ---- */

static int copy_file(const struct copying *copying, const char *from, const char *to)
{
    const char *template = read_text(from);
    if (template == NULL)
        return complain(from);
    char *text = put_name(copying, template);
    int status = write_text(to, text);
    free(text);
    return status;
}

static int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static int copy_folder(const struct copying *copying, const char *from, const char *to);

static int copy_entry(const struct copying *copying, const char *from, const char *to, const char *entry)
{
    char source[PATH_MAX], target[PATH_MAX];
    struct stat state;
    char *name = put_name(copying, entry);
    int source_len = snprintf(source, sizeof(source), "%s/%s", from, entry);
    int target_len = snprintf(target, sizeof(target), "%s/%s", to, name);
    free(name);
    if (source_len >= (int)sizeof(source) || target_len >= (int)sizeof(target)) {
        errno = ENAMETOOLONG;
        return complain(entry);
    }
    if (stat(source, &state) != 0)
        return complain(source);
    if (!S_ISDIR(state.st_mode))
        return copy_file(copying, source, target);
    return mkdir(target, 0755) == 0 ? copy_folder(copying, source, target) : complain(target);
}

static int copy_folder(const struct copying *copying, const char *from, const char *to)
{
    struct dirent **entries = NULL;
    int status = STATUS_DONE;
    int count = scandir(from, &entries, is_visible, alphasort);
    if (count < 0)
        return complain(from);
    for (int i = 0; i < count; i++) {
        if (status == STATUS_DONE)
            status = copy_entry(copying, from, to, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    return status;
}

int kit_write(const char *kind, const char *name)
{
    char folder[PATH_MAX];
    struct copying copying = {.name = name};
    for (size_t i = 0; name[i] != '\0' && i < LONGEST_NAME; i++)
        copying.capitals[i] = (char)(name[i] == '-' ? '_' : toupper((unsigned char)name[i]));
    snprintf(folder, sizeof(folder), "%s/%s", KOINE_KIT_DIR, kind);
    if (access(folder, R_OK) != 0)
        return complain(folder);
    if (mkdir(name, 0755) != 0)
        return complain(name);
    int status = copy_folder(&copying, KOINE_KIT_DIR "/common", name);
    return status == STATUS_DONE ? copy_folder(&copying, folder, name) : status;
}
