/* posts: see posts.h. */
#include "tests/faults/posts.h"

#include "tests/e2e/loopback.h"

#include <koine/json.h>
#include <koine/koine.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static koine_json *ask(int port, const char *path)
{
    koine_json *root = NULL;
    char *text = loopback_ask(port, "GET", path);
    if (text && koine_json_parse(text, strlen(text), &root, NULL) != KOINE_OK)
        root = NULL;
    free(text);
    return root;
}

static const char *text_of(const koine_json *entry, const char *name)
{
    const char *text = koine_json_string(koine_json_get(entry, name), NULL);
    return text ? text : "";
}

static int64_t number_of(const koine_json *entry, const char *name)
{
    return koine_json_integer(koine_json_get(entry, name), 0);
}

static void read_post(struct post *ret, const koine_json *entry, const char *model, bool is_primary)
{
    const koine_json *billed = koine_json_get(entry, "billed");
    *ret = (struct post){
        .ms = number_of(entry, "ms"),
        .status = (int)number_of(entry, "status"),
        .is_primary = is_primary,
        .is_stream = koine_json_true(koine_json_get(entry, "stream")),
        .bytes = number_of(entry, "bytes"),
        .input = number_of(billed, "input"),
        .output = number_of(billed, "output"),
    };
    snprintf(ret->target, sizeof(ret->target), "%s/%s", text_of(entry, "provider"), model);
    snprintf(ret->behaviour, sizeof(ret->behaviour), "%s", text_of(entry, "behaviour"));
}

struct post *posts_of(int port, const char *primary, const char *fallback, size_t *ret_count)
{
    koine_json *log = ask(port, "/standin/log");
    struct post *posts = log ? calloc(koine_json_count(log) + 1, sizeof(*posts)) : NULL;
    *ret_count = 0;
    for (size_t i = 0; posts && i < koine_json_count(log); i++) {
        const koine_json *entry = koine_json_at(log, i);
        const char *model = text_of(entry, "model");
        bool is_primary = strcmp(model, primary) == 0;
        if (is_primary || strcmp(model, fallback) == 0)
            read_post(&posts[(*ret_count)++], entry, model, is_primary);
    }
    koine_json_free(log);
    return posts;
}

int64_t posts_ever(int port)
{
    koine_json *counts = ask(port, "/standin/count");
    int64_t posts = counts ? koine_json_integer(koine_json_get(counts, "posts"), -1) : -1;
    koine_json_free(counts);
    return posts;
}
