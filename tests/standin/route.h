/* route: from a request that has been read to the script of its answer; knows no sockets.
 *
 * route_head opens the request's journal entry when its head is complete, route_request or route_refuse
 * fills it in and writes the script.
 */
#ifndef STANDIN_ROUTE_H
#define STANDIN_ROUTE_H

#include "tests/standin/http.h"
#include "tests/standin/journal.h"
#include "tests/standin/script.h"

struct tally; /* how often each provider and model was asked for */

struct route {
    const char *const *behave; /* NULL or NULL-ended "PROVIDER=BEHAVIOUR"; borrowed */
    unsigned tokens;
    double scale; /* of time; not 0 */
    bool scale_advice;
    uint64_t posts; /* ever */
    struct journal journal;
    struct tally *tallies;
};

/* What the connection knows about the request. */
struct route_call {
    uint64_t n;      /* of its journal entry; 0: it has none */
    unsigned *asked; /* chat requests on this connection so far */
    int64_t date;    /* seconds since 1970 */
    int64_t now;     /* ns of a clock that goes on */
};

void route_free(struct route *route);
/* The number of the new entry; 0 for requests to /standin, which are not logged. */
uint64_t route_head(struct route *route, const struct http_request *request, uint64_t connection, int64_t ms);
void route_request(struct route *route, const struct http_request *request, const struct route_call *call,
                   struct script *script);
/* The request could not be read (http.h); the connection has to end after this. */
void route_refuse(const struct http_request *request, const struct route_call *call, struct script *script);
bool route_behave_is_valid(const char *text); /* PROVIDER=BEHAVIOUR, of a behaviour that exists */

#endif
