/* The stand-in: a provider on loopback that misbehaves by the model's name.
 *
 * One HTTP/1.1 server for 127.0.0.1, one thread, no hidden state: whoever holds it polls standin_fd() for
 * input and calls standin_process() whenever it is readable. What each behaviour does is one row of the
 * table in behave.c; tests/standin/README.md lists them. Nothing here prints, exits or touches a signal.
 * Functions that can fail return 0 or a negative errno and set results only on success.
 */
#ifndef STANDIN_H
#define STANDIN_H

#include <stdbool.h>
#include <stddef.h>

struct standin;
struct standin_thread;

struct standin_options {
    int port;          /* 0: any free one */
    double scale;      /* multiplies every delay of the stand-in's own; 0 means 1 */
    bool scale_advice; /* and the number in Retry-After */
    unsigned tokens;   /* of a healthy answer; 0 means 60 */
    const char *const
        *behave; /* NULL or NULL-ended "PROVIDER=BEHAVIOUR"; borrowed for the life of the stand-in */
    void (*said)(void *user, const char *line); /* NULL or told one line per ended request; never a key */
    void *user;
};

/* -EINVAL: a `behave` is not PROVIDER=BEHAVIOUR with a behaviour that exists. */
int standin_new(const struct standin_options *options, struct standin **ret);
void standin_free(struct standin *standin); /* NULL is fine; open connections are closed */
int standin_port(const struct standin *standin);
int standin_fd(const struct standin *standin); /* the same for life; poll it for input only */
int standin_process(struct standin *standin);  /* moves what can move, never waits */
char *standin_log(
    const struct standin *standin); /* the JSON of GET /standin/log; free() it; NULL: no memory */

/* The behaviours, for --help and completion: NULL past the last. Static storage. */
const char *standin_behaviour(size_t index, const char **ret_help);
int standin_behave_check(const char *text); /* 0, or -EINVAL when not PROVIDER=BEHAVIOUR */

/* The same in a thread of its own, for tests that would rather block. The thread blocks every signal. */
int standin_thread_start(const struct standin_options *options, struct standin_thread **ret);
int standin_thread_port(const struct standin_thread *thread);
void standin_thread_stop(struct standin_thread *thread,
                         char **ret_log); /* joins and frees; ret_log as standin_log or NULL */

#endif
