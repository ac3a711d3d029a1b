/* text: what the servers here have to say, however it travels. */
#ifndef KOINE_TESTS_HOSTILE_TEXT_H
#define KOINE_TESTS_HOSTILE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* An answer as JSON, in which @ stands for the member that holds it: `message` of a whole answer, `delta` of
 * a stream's event. ^ is a NUL. */
#define ANSWER(members, more)                                                                                \
    "{\"id\":\"x\",\"model\":\"m\",\"choices\":[{\"index\":0,\"@\":{" members "},\"finish_reason\":"         \
    "\"stop\"}]" more "}"
#define CONTENT(text) ANSWER("\"content\":\"" text "\"", "")
#define PIECE(text)   "{\"choices\":[{\"index\":0,\"@\":{\"content\":\"" text "\"}}]}" /* of a stream */

#define TEXT_64  "The common speech of many peoples is learned by whoever trades. "
#define TEXT_512 TEXT_64 TEXT_64 TEXT_64 TEXT_64 TEXT_64 TEXT_64 TEXT_64 TEXT_64
#define TEXT_1K  TEXT_512 TEXT_512

/* The text as it was asked for: one JSON value, or one event and the last. Its length. */
size_t compose(bool stream, const char *text, char *ret, size_t size);
/* One event alone. */
size_t compose_event(const char *text, char *ret, size_t size);
const char *type_of(bool stream);
/* Repeats the piece as often as it fits; the length. */
size_t fill(char *ret, size_t size, const char *piece);

/* A gzip stream that never ends: its start, and what may follow for ever. */
struct bomb {
    unsigned char head[10], start[2], round[13 * 1024 + 2];
};
#define BOMB_ROUND ((size_t)13 * 1024)
void bomb_make(struct bomb *ret);

/* The same of events, so that each 20 bits become more than one: a start, and what may follow for ever. */
#define EVENT_LENGTH 257
struct event_bomb {
    unsigned char head[10], start[EVENT_LENGTH + 1], round[16380];
};
void event_bomb_make(struct event_bomb *ret);

/* Which act a request asks for, by its model's name. False: it says none. */
bool asked_act(const char *request, char *ret, size_t size);
bool asked_stream(const char *request);

#endif
