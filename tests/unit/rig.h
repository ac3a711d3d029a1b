/* rig: hubs with the real plugins, on a virtual clock and with a script for a network.
 *
 * The plugins and their catalogues are copied once for each program into a folder of their own. A hub of a
 * rig looks there first; it has keys for both providers, and its waits have no jitter.
 */
#ifndef KOINE_TESTS_UNIT_RIG_H
#define KOINE_TESTS_UNIT_RIG_H

#include "core/hub/hub.h"
#include "core/wire/transport_replay.h"
#include "tests/sim/world.h" /* how scripts are written */
#include "tests/unit/scratch.h"

#define RIG_WALL      INT64_C(1735732800) /* 2025-01-01T12:00:00Z, when the virtual clock says 0 */
#define LLAMA         "meta-llama/Meta-Llama-3.1-8B-Instruct-Turbo"
#define TOGETHER_HOST "//api.together.ai/"
#define OPENAI_HOST   "//api.openai.com/"

struct rig {
    koine_hub *hub;
    int64_t now;
    long looks; /* how often somebody asked what time it is */
    struct koine__clock clock;
    const struct koine__replay_answer *answers;
    size_t answer_count;
    struct koine__transport *transport; /* of the client made last */
};
/* The folder of the plugins; NULL (and the test is marked as skipped): there are none. */
const char *rig_plugins(void);
/* A hub with what is said above staged, nothing applied. False: skipped. */
bool rig_open(struct rig *rig, const struct koine__replay_answer *answers, size_t count);
#define RIG(rig, script) rig_open((rig), (script), sizeof(script) / sizeof((script)[0]))
/* A hub in that world that knows nothing. The script is borrowed. KOINE_E…, as allocations may fail. */
int rig_empty(struct rig *rig, const struct koine__replay_answer *answers, size_t count);
void rig_close(struct rig *rig);
/* Stages settings (may be NULL), path and value in turn up to NULL, applies, and fails the test unless that
 * is fine. */
void rig_apply(struct rig *rig, const char *const *settings);
#define APPLY(rig, ...) rig_apply((rig), (const char *const[]){__VA_ARGS__, NULL})
koine_client *rig_client(struct rig *rig); /* fails the test rather than return NULL */
koine_request *rig_request(const char *target, const char *words); /* of one message; target may be NULL */

/* The message of an error, which is freed; good until the next call. "" without one. */
const char *rig_message(koine_error *error);
/* Runs the loop until the call has ended, reading all events; the terminal one's kind, or 0: it never came.
 */
int rig_run(koine_client *client, const koine_call *call);

#endif
