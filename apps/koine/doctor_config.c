/* doctor: configuration, .env files, plugins. */
#include "apps/koine/args.h"
#include "apps/koine/doctor.h"
#include "apps/koine/report.h"
#include "apps/koine/setup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ---- Files ---- */

static bool is_below(const char *file, const char *folder)
{
    size_t length = folder != NULL ? strlen(folder) : 0;
    return length > 0 && strncmp(file, folder, length) == 0 && file[length] == '/';
}

/* Which of the places that are looked at it is; the library went by the same order. */
static const char *place_of(const struct args *args, const char *file)
{
    const char *named = getenv("KOINE_CONFIG");
    if (args->config != NULL)
        return "-c";
    if (named != NULL && strcmp(named, file) == 0)
        return "$KOINE_CONFIG";
    if (is_below(file, getenv("XDG_CONFIG_HOME")) || is_below(file, getenv("HOME")))
        return "the user's";
    return "the system's";
}

static void check_file(struct checks *checks, const struct args *args, koine_hub *hub)
{
    const char *file = koine_hub_file(hub);
    if (*file != '\0')
        checks_add(checks, CHECK_OK, "file", "%s (%s)", file, place_of(args, file));
    else
        checks_add(checks, CHECK_OK, "file",
                   "none: neither $KOINE_CONFIG, nor the user's koine/koine.yaml, nor the system's");
}

/* One file may be found by two names. */
static bool was_seen(koine_hub *hub, size_t index, const struct stat *info)
{
    for (size_t i = 0; i < index; i++) {
        struct stat other;
        if (stat(koine_hub_env_file(hub, i), &other) == 0 && other.st_dev == info->st_dev &&
            other.st_ino == info->st_ino)
            return true;
    }
    return false;
}

static void check_env_files(struct checks *checks, koine_hub *hub)
{
    const char *file;
    for (size_t i = 0; (file = koine_hub_env_file(hub, i)) != NULL; i++) {
        struct stat info;
        if (stat(file, &info) < 0 || was_seen(hub, i, &info))
            continue;
        unsigned mode = (unsigned)info.st_mode & 0777;
        if ((mode & 044) == 0) {
            checks_add(checks, CHECK_OK, ".env", "%s (mode %03o)", file, mode);
            continue;
        }
        checks_add(checks, CHECK_WARNING, ".env", "%s may hold keys, and others can read it (mode %03o)",
                   file, mode);
        checks_advise(checks, "chmod 600 %s", file);
    }
}

/* ---- What they say ---- */

static size_t count_routes(koine_hub *hub)
{
    size_t count = 0;
    while (koine_hub_route(hub, count) != NULL)
        count++;
    return count;
}

static void check_folders(struct checks *checks, koine_hub *hub)
{
    const char *folder;
    for (size_t i = 0; (folder = setup_missing_folder(hub, &i)) != NULL; i++) {
        checks_add(checks, CHECK_WARNING, "plugins", "plugin_path: there is no folder %s", folder);
        checks_advise(checks, "make it, or correct plugin_path");
    }
}

/* Its value was read with the settings; a wrong one would have been refused. */
static void check_limit(struct checks *checks)
{
    const char *limit = getenv("MAX_ESTIMATED_COST");
    if (limit != NULL && *limit != '\0')
        checks_add(checks, CHECK_OK, "budget",
                   "a run may cost at most $%s (MAX_ESTIMATED_COST), or budgets.run where that is less",
                   limit);
}

static void check_settings(struct checks *checks, koine_hub *hub)
{
    size_t routes = count_routes(hub);
    checks_add(checks, CHECK_OK, "settings", "they hold; %zu route%s", routes, routes == 1 ? "" : "s");
    check_folders(checks, hub);
    check_limit(checks);
}

static void refuse(struct checks *checks, const koine_error *error)
{
    const char *words = error != NULL ? koine_error_message(error) : "out of memory";
    checks_add(checks, CHECK_PROBLEM, "settings", "%s", words);
    if (strstr(words, " was refused: ") != NULL)
        checks_advise(
            checks,
            "mend or replace that file: koine plugin check FILE tells more; where others can write to it "
            "or its folder, chmod go-w");
    else if (strstr(words, "no plugin named") != NULL)
        checks_advise(
            checks,
            "correct the name, or write plugin: and the plugin's own; plugin_path names more folders");
    else
        checks_advise(checks,
                      "correct it there; docs/configuration.md lists every setting, and koine config check "
                      "says whether all is right");
    checks_add(checks, CHECK_SKIPPED, "all else", "not before the configuration holds");
}

bool doctor_configuration(struct checks *checks, const struct args *args, koine_hub *hub)
{
    koine_error *error = NULL;
    checks_begin(checks, "configuration", NULL, "configuration");
    int number = setup_load(args, hub, &error);
    if (number == KOINE_OK || *koine_hub_file(hub) != '\0')
        check_file(checks, args, hub);
    check_env_files(checks, hub);
    if (number == KOINE_OK)
        check_settings(checks, hub);
    else
        refuse(checks, error);
    koine_error_free(error);
    return number == KOINE_OK;
}

/* ---- Plugins ---- */

/* The loader's words say what it is; these say what to type. */
static void advise_refused(struct checks *checks, const char *file, const char *reason)
{
    if (strstr(reason, "writable") != NULL)
        checks_advise(checks, "chmod go-w %s, and its folder", file);
    else if (strstr(reason, "pinned") != NULL)
        checks_advise(checks, "sha256sum %s prints the digest to write, if that is the file you want", file);
    else
        checks_advise(checks, "koine plugin check %s tells more; a file that is no plugin belongs elsewhere",
                      file);
}

static void check_refused(struct checks *checks, const koine_providers *list, size_t index)
{
    const char *name = koine_providers_name(list, index), *reason = koine_providers_reason(list, index);
    const char *file = koine_providers_file(list, index);
    bool configured = koine_providers_configured(list, index) != 0;
    if (report_is_shadowed(reason)) {
        checks_add(checks, CHECK_SKIPPED, name, "%s: %s", file, reason);
    } else if (koine_providers_waits(list, index) && !configured) {
        checks_add(checks, CHECK_SKIPPED, name, "waits: %s", reason);
    } else {
        checks_add(checks, configured ? CHECK_PROBLEM : CHECK_WARNING, name, "%s is refused: %s", file,
                   reason);
        advise_refused(checks, file, reason);
    }
}

void doctor_plugins(struct checks *checks, const koine_providers *list)
{
    checks_begin(checks, "plugins", NULL, "plugins");
    for (size_t i = 0; i < koine_providers_count(list); i++) {
        const koine_provider_handle *handle = koine_providers_handle(list, i);
        if (handle == NULL)
            check_refused(checks, list, i);
        else
            checks_add(checks, CHECK_OK, koine_providers_name(list, i), "%s %s, %s",
                       koine_provider_id(handle), koine_provider_version(handle),
                       koine_provider_file(handle));
    }
    if (koine_providers_count(list) > 0)
        return;
    checks_add(checks, CHECK_PROBLEM, "none", "no plugin was found");
    checks_advise(checks,
                  "name their folder: plugin_path: [FOLDER] in koine.yaml, or KOINE__plugin_path=[FOLDER]");
}
