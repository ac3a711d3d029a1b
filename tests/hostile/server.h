/* server: listens on loopback, gives each connection a thread of its own, and counts. What is spoken there is
 * a function's business: http1.h, http2.h. There is one server in a program. */
#ifndef KOINE_TESTS_HOSTILE_SERVER_H
#define KOINE_TESTS_HOSTILE_SERVER_H

#include <stdbool.h>
#include <stddef.h>

/* Its port; 0: it cannot. `serve` plays one connection, which is closed when it returns. */
int server_start(void (*serve)(int fd));
void server_stop(void);

void server_count_request(void);
long server_requests(void);    /* so far */
long server_connections(void); /* accepted so far */
long server_open(void);        /* of them open now */
long server_most(void);        /* the most that a client had open at once */
void server_forget_most(void);

void server_count_bytes(size_t len); /* sent */
long server_bytes(void);
void server_forget_bytes(void);

/* Waits until the peer closes, or that long. True: it is still there. */
bool server_wait(int fd, int ms);

#endif
