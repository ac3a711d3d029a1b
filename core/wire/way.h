/* way: what was seen on the way to a server, for whoever asks (koine_probe_run): filled by the first transfer
 * that carries one, as far as that one came, also where it failed or was taken back. */
#ifndef KOINE_CORE_WIRE_WAY_H
#define KOINE_CORE_WIRE_WAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum koine__step { /* where it was when it ended */
    KOINE__STEP_NONE,
    KOINE__STEP_DNS,
    KOINE__STEP_CONNECT,
    KOINE__STEP_PROXY, /* which would not connect us any further */
    KOINE__STEP_TLS,
    KOINE__STEP_ANSWER
};
enum {
    KOINE__WAY_ADDRESSES = 4
};

struct koine__way {        /* zeroed: nothing was seen */
    enum koine__step step; /* NONE: no transfer has ended with it yet */
    bool tls;              /* the URL says so */
    char host[256];        /* of the URL */
    int port;
    char addresses[KOINE__WAY_ADDRESSES][46]; /* tried, in order; the first few */
    size_t address_count;
    char proxy[256];                      /* without user and password; "": none */
    char proxy_variable[32];              /* that said so; "": the setting did */
    char tls_version[16];                 /* "TLSv1.3"; "": unknown, or no TLS */
    const char *http_version;             /* "1.1", "2"; NULL: no answer */
    int64_t resolved, connected, secured; /* ns since the start; 0: it did not come so far */
    int64_t certificate_end;              /* seconds since 1970; 0: unknown */
    int64_t date,
        date_seen; /* of the server's `Date`: seconds since 1970; when it came, ns of our clock; 0: none */
};

#endif
