/* result: what --json prints. Absent things are null; money is a decimal string; nothing here holds a key. */
#ifndef KOINE_APPS_RESULT_H
#define KOINE_APPS_RESULT_H

#include <koine/json.h>

/* One object on standard output, whole, with an end of line. Takes the writer. */
void result_print(koine_json_writer *writer);

/* The answer of a call. */
void result_response(const koine_response *response);
/* A fault, or whatever kept a call from starting. */
void result_error(const koine_error *error);
/* The same for what has no record. */
void result_problem(const char *message);

/* Members of an object that is open. */
void result_add_text(koine_json_writer *writer, const char *name,
                     const char *text);                                            /* null for NULL and "" */
void result_add_count(koine_json_writer *writer, const char *name, int64_t count); /* null below 0 */
void result_add_usage(koine_json_writer *writer, const koine_usage *usage);
void result_add_cost_members(koine_json_writer *writer, const koine_cost *cost); /* usd, priced, price_id */
void result_add_error_members(koine_json_writer *writer, const koine_error *error);

#endif
