/* snapshot_build: what the files that build a snapshot share. */
#ifndef KOINE_CORE_HUB_SNAPSHOT_BUILD_H
#define KOINE_CORE_HUB_SNAPSHOT_BUILD_H

#include "core/base/error.h"
#include "core/hub/snapshot.h"

#define KOINE__PATH_SIZE 512 /* of the table's deepest row with the longest names */

struct koine__building {
    struct koine__snapshot *snapshot;
    const struct koine__env *env;
    struct koine__log *log;
    koine_error **ret_error;
};
/* snapshot.c */
/* KOINE_ECONFIG: "koine.yaml:3:5: providers.lab: " and the message; the place is that of the path, else of
 * what is below. */
int koine__building_refuse(const struct koine__building *building, const char *path, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
int koine__building_memory(const struct koine__building *building);
struct koine__origin koine__building_origin(const struct koine__building *building, const char *path);
char *koine__building_text(const struct koine__building *building, const char *format, ...)
    __attribute__((format(printf, 2, 3))); /* in the arena; NULL: no memory */
size_t koine__building_children(const struct koine__building *building,
                                const char *path); /* how many there are */
/* Whether somebody wrote it, so that it is no default. */
bool koine__building_is_staged(const struct koine__building *building, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* A path put together; those of a checked store always fit. */
void koine__building_path(char ret[KOINE__PATH_SIZE], const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* The instance nearest by name, or NULL. */
const char *koine__building_nearest_instance(const struct koine__building *building, const char *name);

/* snapshot_instance.c, snapshot_route.c: fill the snapshot's arrays; routes need the instances. */
int koine__build_instances(const struct koine__building *building);
int koine__build_routes(const struct koine__building *building);

#endif
