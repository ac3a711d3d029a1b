/* scene: asks a hostile server for one act after the other, through the whole library over real sockets. Each
 * call must end in the class that was said, with exactly one terminal event, within the ceiling of memory;
 * one attempt must be one request at the server; and the same client must be good for the next call.
 */
#ifndef KOINE_TESTS_HOSTILE_SCENE_H
#define KOINE_TESTS_HOSTILE_SCENE_H

#include "tests/unit/scratch.h"

#include <koine/koine.h>
#include <stdbool.h>
#include <stddef.h>

#define KB    ((size_t)1 << 10)
#define MB    ((size_t)1 << 20)
#define SPARE (2 * MB) /* what a call may need beside the body's ceiling */

/* What a program brings along: its server. */
struct theatre {
    const char *scheme;  /* "http", "https" */
    const char *ca_file; /* in the scratch folder: whom to trust; NULL: as the system does */
    int (*start)(struct scratch *scratch); /* server_start's answer */
};
extern const struct theatre theatre;

extern struct scene {
    koine_hub *hub;
    koine_client *client;
    size_t ceiling; /* of the body */
} scene;

/* The instance `lab` at the server, and `patient`, at the same: good answers come through that one, whatever
 * timers `lab` has. Then pairs of a setting and its value, ended by NULL; may be NULL. */
void open_scene(size_t ceiling, const char *const *settings);
void close_scene(void);
size_t scene_kept(void); /* blocks that live as long as the process: plugins stay loaded, curl stays set up */

koine_request *request_for(const char *act, bool stream);
/* "ok TEXT", or a class. */
void describe(char *ret, size_t size, const koine_response *response, const koine_error *error);
/* One call; what it must come to, as described; a | stands between what may be. */
void ask(const char *act, bool streamed, const char *expected);

/* A stream that koine_generate waits for: nobody sees its events. */
void ask_held(const char *act, const char *expected);

struct row {
    const char *act;
    const char *whole, *streamed; /* NULL: not asked for */
};

/* Each act, and after each a good one. */
void play(const struct row *rows, size_t count);
#define PLAY(...)                                                                                            \
    do {                                                                                                     \
        static const struct row rows[] = {__VA_ARGS__};                                                      \
        play(rows, sizeof(rows) / sizeof(rows[0]));                                                          \
    } while (0)
#define BOTH(act, class)                                                                                     \
    {                                                                                                        \
        (act), (class), (class)                                                                              \
    }
#define MALFORMED(act) BOTH(act, "protocol")

#endif
