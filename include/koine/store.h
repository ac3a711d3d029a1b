/* koine/store.h: all that a store plugin and the core share.
 *
 * A store keeps what must outlive a process: the ledger (a row for each attempt), what of every budget is
 * spent and reserved, and small named records (tenants, sealed keys). It knows no policy: which budgets there
 * are, when they renew and what happens while it is down is for the core to say.
 *
 * It is asynchronous. An op is submitted and copied; later its completion is reaped; a descriptor says when.
 * One op is one decision and, over a network, one round trip. Each is done whole or not at all: an op that
 * failed (status below 0) has left nothing behind, and one whose completion was reaped with status 0 or above
 * is kept as durably as the store keeps anything, which its documentation says.
 *
 * Time. What happened says when it happened: a row has its own time and its own day, and a budget's period is
 * a text of the core's. How long a lease has still to run is the store's to judge, by one clock that all its
 * users share (PostgreSQL's and Valkey's by the server's; SQLite's by the machine's, which nobody sets), so a
 * lease is told as a duration and no two machines compare their clocks.
 *
 * Rules of growth, as in provider.h: a struct starts with its size, fields are appended, a number nobody told
 * you about is ignored, only fixed-width integers, size_t and pointers cross, every pointer handed over is
 * borrowed and ends with the call. Structs that may grow cross in arrays of pointers. Money is int64
 * picodollars (10^-12 US dollars), never a floating-point number.
 *
 * [any]  any thread, many at once.  [one]  one thread at a time for each store.
 *
 * Not frozen: the entry symbol says v0.
 */
#ifndef KOINE_STORE_H
#define KOINE_STORE_H

#include <koine/provider.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct koine_store koine_store; /* an open store: the plugin's own */

#define KOINE_STORE_ID      16  /* bytes of the id of a reservation, and of its owner */
#define KOINE_STORE_BUCKETS 8   /* of tokens */
#define KOINE_STORE_LATENCY 160 /* buckets of a histogram of microseconds, see koine_store_sum */

/* What open, submit and completions say. Below 0: it failed, and nothing was done. */
enum {
    KOINE_STORE_OK = 0,
    KOINE_STORE_REFUSED = 1,   /* RESERVE: a hard budget has not enough left */
    KOINE_STORE_NOT_FOUND = 2, /* no such record, or no such reservation */
    KOINE_STORE_CONFLICT = 3,  /* PUT, DELETE: another version; RESERVE: its id was used and has ended */

    KOINE_STORE_BUSY = -1,        /* locked by others for longer than `busy_ms` */
    KOINE_STORE_FULL = -2,        /* submit: the queue is full; ask again when something was reaped */
    KOINE_STORE_NO_SPACE = -3,    /* the disk is full */
    KOINE_STORE_READ_ONLY = -4,   /* nothing can be written there */
    KOINE_STORE_DAMAGED = -5,     /* it is not what a store of this kind wrote */
    KOINE_STORE_NEWER = -6,       /* a later version of the plugin made it */
    KOINE_STORE_NO_MEMORY = -7,   /* host->alloc returned NULL */
    KOINE_STORE_INVALID = -8,     /* the op is wrong: an amount below 0, a text that is too long, overflow */
    KOINE_STORE_UNSUPPORTED = -9, /* a kind of op that this store does not know */
    KOINE_STORE_FORKED = -10,     /* the store was opened in the parent of this process */
    KOINE_STORE_DENIED = -11,     /* permissions, or a file that others may touch */
    KOINE_STORE_DOWN = -12        /* it cannot be reached, or reading and writing fail */
};

/* koine_store_op.kind, and what its body is */
enum {
    KOINE_STORE_APPEND = 1,  /* koine_store_append: rows of attempts that needed no reservation */
    KOINE_STORE_RESERVE = 2, /* koine_store_reserve */
    KOINE_STORE_SETTLE = 3,  /* koine_store_settle */
    KOINE_STORE_RELEASE = 4, /* koine_store_settle, `actual` is not read: nothing was sent */
    KOINE_STORE_RENEW = 5,   /* koine_store_renew */
    KOINE_STORE_RECOVER = 6, /* koine_store_recover */
    KOINE_STORE_GET = 7,     /* koine_store_named */
    KOINE_STORE_PUT = 8,     /* koine_store_put */
    KOINE_STORE_DELETE = 9,  /* koine_store_put, `value` is not read */
    KOINE_STORE_LIST = 10,   /* koine_store_list */
    KOINE_STORE_REPORT = 11, /* koine_store_query */
    KOINE_STORE_SPENT = 12   /* koine_store_spent */
};

/* Indices of tokens[]: disjoint, as in koine_provider_usage */
enum {
    KOINE_STORE_INPUT = 0,
    KOINE_STORE_CACHE_READ = 1,
    KOINE_STORE_CACHE_WRITE = 2,
    KOINE_STORE_OUTPUT = 3,
    KOINE_STORE_REASONING = 4,
    KOINE_STORE_AUDIO_INPUT = 5,
    KOINE_STORE_AUDIO_OUTPUT = 6,
    KOINE_STORE_IMAGE_INPUT = 7
};

/* koine_store_row.billing */
enum {
    KOINE_STORE_BILLING_NONE = 0,      /* nothing that is billed: refused, not sent, or an error */
    KOINE_STORE_BILLING_BILLED = 1,    /* by the usage that the provider told */
    KOINE_STORE_BILLING_ESTIMATED = 2, /* it may be billed, and nobody told how much */
    KOINE_STORE_BILLING_UNKNOWN = 3,   /* no price is known */
    KOINE_STORE_BILLING_FREE = 4
};

/* koine_store_row.price */
enum {
    KOINE_STORE_UNPRICED = 0, /* `cost` says nothing: never read it as zero */
    KOINE_STORE_PRICED = 1,
    KOINE_STORE_FREE = 2
};

/* koine_store_scope.kind */
enum {
    KOINE_STORE_CALL = 1,
    KOINE_STORE_RUN = 2,
    KOINE_STORE_TENANT = 3,
    KOINE_STORE_DAY = 4,
    KOINE_STORE_MONTH = 5
};

/* koine_store_query.by */
enum {
    KOINE_STORE_BY_TENANT = 1,
    KOINE_STORE_BY_PROVIDER = 2,
    KOINE_STORE_BY_MODEL = 4,
    KOINE_STORE_BY_DAY = 8
};

/* A row of the ledger: one attempt. `call` and `attempt` name it; a store that may have to send an op twice
 * takes a second row of the same name for the first. Texts are of at most 1024 bytes and may be empty. */
typedef struct koine_store_row {
    uint32_t size;
    int32_t attempt; /* of its call, from 1 */
    int64_t at;      /* ms since 1970, when the attempt started */
    int32_t day;     /* days since 1970, at the offset that budgets renew by: where reports count it */
    int32_t fault;   /* class of its failure, KOINE_CLASS_*; 0: none */
    int32_t status;  /* HTTP; 0: no answer */
    int32_t billing; /* KOINE_STORE_BILLING_* */
    koine_str tenant, run, call;
    koine_str target; /* "instance/model", as asked; its provider is what is before the first slash */
    koine_str model;  /* the one that answered; empty: not told, then reports count the one asked */
    int64_t tokens[KOINE_STORE_BUCKETS]; /* -1: absent */
    uint32_t estimated;                  /* bit i: tokens[i] is an estimate */
    int32_t price;                       /* KOINE_STORE_UNPRICED, _PRICED or _FREE */
    int64_t cost;                        /* picodollars */
    koine_str price_id;                  /* the price row */
    koine_str request_id;                /* the provider's */
    int64_t first_token_us, duration_us; /* microseconds; -1: none */
} koine_store_row;

/* A budget that must bear an attempt. Kind, key and period name it: a period that is over is another budget
 * than the one that follows. The limit comes with each reservation, since the configuration is its truth. */
typedef struct koine_store_scope {
    uint32_t size;
    int32_t kind;     /* KOINE_STORE_CALL … */
    int32_t hard;     /* 1: refuses what does not fit; 0: only counts */
    int32_t unused;   /* 0 */
    koine_str key;    /* the call, run or tenant; at most 256 bytes */
    koine_str period; /* "2026-11-28", "2026-11"; empty: one without end; at most 32 bytes */
    int64_t limit;
} koine_store_scope;

typedef struct koine_store_append {
    uint32_t size;
    uint32_t count; /* at most 4096 */
    const koine_store_row *const *rows;
} koine_store_append;

/* Reserved in every scope or in none: refused where, of a hard one, spent + reserved + amount > limit. The
 * same id once more is answered as the first was, and reserves nothing. */
typedef struct koine_store_reserve {
    uint32_t size;
    uint32_t count;                /* of scopes, 1 to 16 */
    uint8_t id[KOINE_STORE_ID];    /* unique for ever; time first (UUID version 7) keeps indices small */
    uint8_t owner[KOINE_STORE_ID]; /* who renews it: a process, a hub */
    int64_t amount;                /* the attempt's worst case, 0 and above */
    int64_t lease_ms;              /* from now; 0: it has run out at once */
    const koine_store_scope *const *scopes;
    const koine_store_row *row; /* what recovery is to write, with its cost and billing; NULL: no row */
} koine_store_reserve;

/* Ends a reservation, exactly once, and writes the rows in the same act. Once more changes nothing and says
 * so
 * (`repeated`). Where recovery was first, the truth takes the place of its estimate, row and sum. NOT_FOUND:
 * no such reservation, or one that ended more than a day ago; the rows are not written. */
typedef struct koine_store_settle {
    uint32_t size;
    uint32_t count; /* of rows, 0 to 4096 */
    uint8_t id[KOINE_STORE_ID];
    int64_t actual; /* what it cost; -1: nobody knows, so what was reserved */
    const koine_store_row *const *rows;
} koine_store_settle;

/* Their leases end so long from now. The completion's count: how many were still there. */
typedef struct koine_store_renew {
    uint32_t size;
    uint32_t count; /* of ids; 0: all of the owner's */
    uint8_t owner[KOINE_STORE_ID];
    int64_t lease_ms;
    const uint8_t *ids; /* count times KOINE_STORE_ID bytes; whose owner is another are passed over */
} koine_store_renew;

/* Settles every reservation whose lease has run out: as estimated, at what was reserved, with its row. The
 * completion's count: how many. What has a lease is never touched. */
typedef struct koine_store_recover {
    uint32_t size;
    uint32_t most; /* at one time; 0: as the store likes, so ask until the count is 0 */
} koine_store_recover;

typedef struct koine_store_named {
    uint32_t size;
    uint32_t unused; /* 0 */
    koine_str space; /* "tenant": a namespace, 1 to 64 bytes */
    koine_str key;   /* 1 to 256 bytes */
} koine_store_named;

/* Compare and swap. Versions grow and never come twice, also after a DELETE. */
typedef struct koine_store_put {
    uint32_t size;
    uint32_t unused; /* 0 */
    koine_str space, key;
    koine_str value;  /* any bytes, at most 1 MiB */
    int64_t expected; /* the version that is to be replaced; 0: there must be none; -1: whatever there is */
} koine_store_put;

typedef struct koine_store_list { /* in the order of the keys' bytes */
    uint32_t size;
    uint32_t most; /* 1 to 1024 */
    koine_str space;
    koine_str after; /* the last key of the page before; empty: from the start */
} koine_store_list;

typedef struct koine_store_query {
    uint32_t size;
    uint32_t by;                                /* KOINE_STORE_BY_*, several at once; 0: one sum */
    int32_t since, until;                       /* days since 1970; from the first, before the second */
    const koine_str *tenant, *provider, *model; /* only these; NULL: all */
} koine_store_query;

typedef struct koine_store_spent {
    uint32_t size;
    uint32_t count;                         /* at most 256 */
    const koine_store_scope *const *scopes; /* limit and hard are not read */
} koine_store_spent;

typedef struct koine_store_op {
    uint32_t size;
    int32_t kind;
    uint64_t tag;     /* comes back with the completion */
    const void *body; /* of the kind's type */
} koine_store_op;

/* ---- What comes back ----------------------------------------------------------------------------------- */

/* A budget after the op, or, where it was refused, as it stood. Never used: zeros. */
typedef struct koine_store_view {
    uint32_t size;
    int32_t kind;
    koine_str key, period;
    int64_t limit; /* as last told */
    int64_t spent, reserved;
    int64_t overshot; /* Σ of what attempts cost beyond what was reserved for them */
} koine_store_view;

typedef struct koine_store_record {
    uint32_t size;
    uint32_t unused;
    koine_str key, value;
    int64_t version;
} koine_store_record;

/* One line of a report. What it is not grouped by is 0 or empty.
 *
 * A histogram has KOINE_STORE_LATENCY counts. v microseconds are counted in bucket v below 4, else, with
 * e = floor(log2(v)), in 4(e - 1) + floor(v / 2^(e-2)) - 4, at most in the last: four buckets for each
 * doubling, none wider than a quarter of its start. */
typedef struct koine_store_sum {
    uint32_t size;
    int32_t day;
    koine_str tenant, provider, model;
    int64_t attempts, failed; /* rows, and those with a fault */
    int64_t tokens[KOINE_STORE_BUCKETS];
    int64_t cost;                /* of what has a price; exact */
    int64_t unpriced, estimated; /* rows without a price, and rows whose billing is estimated */
    const int64_t *first_token, *duration;
} koine_store_sum;

typedef struct koine_store_done {
    uint32_t size;
    int32_t kind;
    uint64_t tag;
    int32_t status;    /* KOINE_STORE_* */
    int32_t repeated;  /* 1: RESERVE, SETTLE, RELEASE had been done before */
    koine_str message; /* of a status that is not OK: one line */
    int64_t count;     /* APPEND: rows; RENEW, RECOVER: reservations */
    int64_t version;   /* GET, PUT: the record's; CONFLICT: the one that is there, 0: none */
    int32_t refused;   /* RESERVE: the first scope that refuses, an index; else -1 */
    uint32_t view_count, record_count, sum_count;
    const koine_store_view *const *views; /* RESERVE, SETTLE, RELEASE: of its scopes, in their order; SPENT */
    const koine_store_record *const *records; /* GET, LIST */
    const koine_store_sum *const *sums;       /* REPORT: by day, tenant, provider, model */
} koine_store_done;

/* ---- The plugin ---------------------------------------------------------------------------------------- */

/* What the core offers; lives as long as the store is open. [any] */
typedef struct koine_store_host koine_store_host;
struct koine_store_host {
    uint32_t size;
    void (*log)(const koine_store_host *host, int32_t level,
                koine_str text);                               /* 0 error, 1 warning, 2 info, 3 debug */
    void *(*alloc)(const koine_store_host *host, size_t size); /* zeroed; NULL: none */
    void (*free)(const koine_store_host *host, void *ptr);     /* NULL is fine */
};

typedef struct koine_store_options {
    uint32_t size;
    int32_t threadless; /* 1: no thread; submit does the op and waits for at most busy_ms */
    int32_t busy_ms;    /* how long others may lock it; 0: the store's own (SQLite: 5000, threadless 50) */
    uint32_t queue;     /* ops that wait, at most; 0: 4096 */
    koine_str where;    /* SQLite: a folder; others: a URL */
    koine_str secret;   /* a password that is not part of it; empty: none */
} koine_store_options;

typedef struct koine_store_plugin { /* static storage in the plugin */
    uint32_t size;
    const char *id;      /* "sqlite": [a-z0-9_-]+, at most 64 */
    const char *version; /* of the plugin */
    /* Opens it, and makes it where there is none. May wait, for at most busy_ms where others lock it.
     * KOINE_STORE_OK and *ret, or below 0 and one line in `why`, always NUL-terminated. [any] */
    int32_t (*open)(const koine_store_host *host, const koine_store_options *options, koine_store **ret,
                    char *why, size_t why_size);
    /* Readable while there is a completion to reap; the same for life, and the plugin's: poll it, no more.
     * [any] */
    int32_t (*descriptor)(koine_store *store);
    /* Copies the op and returns at once, unless threadless. KOINE_STORE_OK: exactly one completion will come.
     * Ops are done in the order in which they are submitted. Below 0: none will, and nothing was done. [any]
     */
    int32_t (*submit)(koine_store *store, const koine_store_op *op);
    /* 1: *ret is the next completion, valid until the next reap or close. 0: there is none now. Below 0:
     * KOINE_STORE_FORKED. [one] */
    int32_t (*reap)(koine_store *store, const koine_store_done **ret);
    /* Does what was submitted, drops what was not reaped, and ends. In a child after fork it touches nothing
     * that the parent has, and may leave the child's copy of the memory as it is. NULL is fine. Last of all
     * calls. */
    void (*close)(koine_store *store);
} koine_store_plugin;

/* After fork, every function but close refuses in the child (KOINE_STORE_FORKED; descriptor: -1). */

/* The one symbol of a store plugin; the same answer each time. [any] */
#ifndef KOINE_STORE_ENTRY
#define KOINE_STORE_ENTRY koine_store_v0
#endif
#define KOINE_STORE_ENTRY_NAME "koine_store_v0"
KOINE_EXPORT const koine_store_plugin *KOINE_STORE_ENTRY(void);

#ifdef __cplusplus
}
#endif
#endif
