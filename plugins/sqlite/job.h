/* job: an op as it was submitted, copied whole, and the completion that it becomes. */
#ifndef KOINE_SQLITE_JOB_H
#define KOINE_SQLITE_JOB_H

#include "plugins/sqlite/arena.h"

struct job {
    struct job *next;
    struct arena arena; /* all that it holds */
    size_t charged;     /* bytes of the queue's that it takes */
    int32_t kind;
    union { /* of this plugin's own size, whatever the caller's was */
        koine_store_append append;
        koine_store_reserve reserve;
        koine_store_settle settle;
        koine_store_renew renew;
        koine_store_recover recover;
        koine_store_named named;
        koine_store_put put;
        koine_store_list list;
        koine_store_query query;
        koine_store_spent spent;
    } body;
    koine_store_done done;
};

/* KOINE_STORE_OK and *ret, or INVALID, UNSUPPORTED, NO_MEMORY. */
int32_t job_new(const koine_store_host *host, const koine_store_op *op, struct job **ret);
void job_free(struct job *job);
uint32_t job_rows(const struct job *job); /* rows of the ledger that it writes */

/* Its completion, before the op is done: nothing but what the op said itself. */
void job_reset(struct job *job);
/* An outcome that is not OK. The message is copied; where there is no memory for it, there is none. */
void job_say(struct job *job, int32_t status, const char *message);

#define AMOUNT_MOST INT64_C(1000000000000000000) /* a million dollars, of one attempt or one limit's step */

#endif
