/* stage: what the C tests here play on: a folder with the plugins and their catalogues, a stand-in in a
 * process of its own, and hubs that know both. There is one for the whole program, made when it is first
 * asked for. */
#ifndef KOINE_TESTS_E2E_STAGE_H
#define KOINE_TESTS_E2E_STAGE_H

#include <koine/koine.h>
#include <stdbool.h>
#include <stddef.h>

#define STAGE_KEY "stage-key-of-nobody"

int stage_port(void);
const char *stage_plugins(void); /* the folder */
/* The path of a file of this name and text beside it; good until the next call. */
const char *stage_file(const char *name, const char *text);

/* A hub without any file: `together` and `openai` ask the stand-in, with a key and without breaker, latch and
 * retry budget, so that what becomes of a call does not depend on those before it; then these pairs of path
 * and value, ended by NULL, which may be NULL itself. It is applied. */
koine_hub *stage_hub(const char *const *settings);

struct scene {
    koine_hub *hub;
    koine_client *client;
};

struct scene scene_open(const char *const *settings); /* as stage_hub */
void scene_close(struct scene *scene);                /* forgets the stand-in's log, too */

/* "Say it.", to that target. */
koine_request *stage_request(const char *target, int stream);

struct stage_post {   /* what the stand-in says of one POST */
    char target[128]; /* "openai/model", as it was asked for */
    char end[16], request_id[64];
    int status; /* 0: none was sent */
    bool has_key, stream;
    long connection, output; /* tokens billed; -1: none */
};

/* The POSTs since the last time, in order, at most `most` of them; how many there were. */
size_t stage_posts(struct stage_post *ret, size_t most);

size_t stage_descriptors(void); /* open ones of this process */

#endif
