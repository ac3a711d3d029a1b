/* cases: the folder, and what every plugin is fed. */
#include "apps/plugin-check/cases.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LARGEST ((size_t)1 << 20)

static const struct {
    const char *name, *text;
} documents[] = {
    {"our document: one message",
     "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"Hello\"}]}"},
    {"our document: all that is usual",
     "{\"model\":\"m\",\"messages\":[{\"role\":\"system\",\"content\":\"Be "
     "brief.\"},{\"role\":\"user\",\"content\":[{\"type\":\"text\","
     "\"text\":\"Wh\\u00e4t "
     "\\ud83d\\ude00?\"},{\"type\":\"image_url\",\"image_url\":{\"url\":\"https://127.0.0.1/"
     "a.png\"}}]},{\"role\":\"assistant\","
     "\"content\":null,\"tool_calls\":[{\"id\":\"call_1\",\"type\":\"function\",\"function\":{\"name\":\"f\","
     "\"arguments\":\"{\\\"a\\\":1}\"}}]},"
     "{\"role\":\"tool\",\"tool_call_id\":\"call_1\",\"content\":\"42\"}],\"tools\":[{\"type\":\"function\","
     "\"function\":{\"name\":\"f\",\"description\":\"d\","
     "\"parameters\":{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"integer\"}}}}}],\"tool_choice\":"
     "\"auto\",\"temperature\":0.70,\"top_p\":1e-1,"
     "\"max_tokens\":12,\"stop\":[\"x\",\"y\"],\"seed\":12345678901234567890,\"user\":\"u\",\"response_"
     "format\":{\"type\":\"json_object\"},"
     "\"reasoning_effort\":\"low\",\"logprobs\":true,\"metadata\":{\"k\":\"v\"}}"},
    {"our document: nothing in it", "{}"},
    {"our document: wrong in everything",
     "{\"model\":7,\"messages\":{\"role\":[]},\"tools\":\"x\",\"stop\":{},\"max_tokens\":\"many\",\"n\":-1,"
     "\"stream\":null,\"temperature\":[1]}"},
    {"our document: wrong messages", "{\"messages\":[null,1,\"x\",[],{},{\"role\":null,\"content\":{}},{"
                                     "\"role\":\"\",\"content\":[[],null]}]}"},
};

#define CHAT                                                                                                 \
    "{\"id\":\"i\",\"model\":\"m\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\","           \
    "\"content\":\"Hi\"},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":" \
    "2}}"
#define DELTA                                                                                                \
    "{\"id\":\"i\",\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hi\"},\"finish_"       \
    "reason\":null}]}"
#define ERROR "{\"error\":{\"message\":\"No.\",\"type\":\"some_error\",\"code\":\"some_code\"}}"

static const struct {
    const char *name;
    int status;
    bool stream;
    const char *type,
        *body; /* a body of zero bytes inside is not needed here: the hostile stage makes them */
} answers[] = {
    {"our answer: chat completions", 200, false, "application/json", CHAT},
    {"our answer: a list of models", 200, false, "application/json",
     "{\"object\":\"list\",\"data\":[{\"id\":\"a\",\"created\":1,\"owned_by\":\"o\"}]}"},
    {"our answer: an error under 200", 200, false, "application/json", ERROR},
    {"our answer: an empty object", 200, false, "application/json", "{}"},
    {"our answer: an empty list", 200, false, "application/json", "[]"},
    {"our answer: null", 200, false, "application/json", "null"},
    {"our answer: a string", 200, false, "application/json", "\"x\""},
    {"our answer: half an object", 200, false, "application/json", "{\"id\":\"i\",\"choices\":[{\"mess"},
    {"our answer: no byte", 200, false, "application/json", ""},
    {"our answer: a page", 200, false, "text/html", "<html><body>Sign in</body></html>"},
    {"our answer: what is no UTF-8", 200, false, "application/json",
     "{\"id\":\"\xff\xfe\",\"text\":\"\xc3\"}"},
    {"our answer: not what was asked for", 200, true, "application/json", CHAT},
    {"our answer: a stream of chat completions", 200, true, "text/event-stream",
     "data: " DELTA "\n\ndata: " DELTA "\n\ndata: [DONE]\n\n"},
    {"our answer: a stream of comments", 200, true, "text/event-stream", ": wait\n\n: wait\n\n"},
    {"our answer: a stream that is over at once", 200, true, "text/event-stream", "data: [DONE]\n\n"},
    {"our answer: a stream of strange events", 200, true, "text/event-stream",
     "event: koine_check\ndata: {\"type\":\"koine_check\"}\n\nevent: koine_check\ndata:\n\ndata: "
     "null\n\ndata: 7\n\ndata: []\n\n"},
    {"our answer: an error in a stream", 200, true, "text/event-stream", "event: error\ndata: " ERROR "\n\n"},
    {"our answer: what is no JSON in a stream", 200, true, "text/event-stream",
     "data: {\"id\":\n\ndata: \xff\n\n"},
    {"our answer: a stream of no byte", 200, true, "text/event-stream", ""},
    {"our error: 400", 400, false, "application/json", ERROR},
    {"our error: 401 in a string", 401, false, "application/json", "{\"error\":\"no\"}"},
    {"our error: 403 in a list", 403, false, "application/json", "[{\"error\":[]}]"},
    {"our error: 404 of no byte", 404, false, "application/json", ""},
    {"our error: 429", 429, false, "application/json", ERROR},
    {"our error: 500 of numbers", 500, false, "application/json",
     "{\"error\":{\"message\":1,\"code\":2,\"type\":{}}}"},
    {"our error: 502, a page", 502, false, "text/html",
     "<html><head><title>502 Bad Gateway</title></head></html>"},
    {"our error: 503 in no UTF-8", 503, true, "text/plain", "\xff\xfe\xfd"},
    {"our error: 599 of null", 599, true, "application/json", "null"},
};

static void grow(struct cases *self)
{
    struct cases_item *grown = realloc(self->items, (self->count + 1) * sizeof(*grown));
    if (!grown)
        abort();
    self->items = grown;
    self->items[self->count] = (struct cases_item){.borrowed = false};
}

/* ---- Ours ---- */

static struct vendor_case *begin(struct cases *self, const char *name, const char *operation)
{
    grow(self);
    struct cases_item *item = &self->items[self->count++];
    snprintf(item->name, sizeof(item->name), "%s%s", name, operation);
    item->c.model = "test-model";
    koine__buf_init(&item->c.body, LARGEST);
    return &item->c;
}

static void add_documents(struct cases *self)
{
    for (size_t i = 0; i < sizeof(documents) / sizeof(documents[0]); i++)
        for (int stream = 0; stream < 2; stream++) {
            struct vendor_case *c = begin(self, documents[i].name, stream ? ", a stream" : "");
            c->document = documents[i].text;
            c->stream = stream;
        }
    struct vendor_case *c = begin(self, "our list of models", "");
    c->list_models = true;
}

static void add_answer(struct cases *self, size_t i, bool list_models)
{
    struct vendor_case *c = begin(self, answers[i].name, list_models ? ", to list_models" : "");
    c->answered = true;
    c->list_models = list_models;
    c->status = answers[i].status;
    c->stream = answers[i].stream && !list_models;
    c->headers[0] = (struct vendor_header){KOINE__STR("content-type"), koine__str(answers[i].type)};
    c->header_count = 1;
    koine__buf_adds(&c->body, answers[i].body);
}

static void add_answers(struct cases *self)
{
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        add_answer(self, i, false);
        add_answer(self, i, true);
    }
}

/* ---- Theirs ---- */

static void add_file(struct cases *self, const char *folder, const char *name, struct findings *ret)
{
    char path[4096];
    grow(self);
    struct cases_item *item = &self->items[self->count];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    snprintf(item->name, sizeof(item->name), "%.*s", (int)(strlen(name) - 4), name);
    const char *wrong = vendor_case_read(path, &item->c);
    if (!wrong)
        wrong = vendor_case_lacks(&item->c);
    if (!wrong) {
        self->count++;
        return;
    }
    struct finding finding = {.rule = RULE_CASE_FILE};
    snprintf(finding.where, sizeof(finding.where), "%s", item->name);
    snprintf(finding.seen, sizeof(finding.seen), "the file: %s", wrong);
    findings_add(ret, &finding);
    vendor_case_release(&item->c);
}

/* A case of a document and an answer is two for every stage but `cases`. */
static void part_documents(struct cases *self)
{
    for (size_t i = 0; i < self->theirs; i++) {
        if (!self->items[i].c.answered || !self->items[i].c.document)
            continue;
        grow(self);
        struct cases_item *item = &self->items[self->count++];
        *item = self->items[i];
        item->borrowed = true;
        item->c.answered = false;
    }
}

static int is_case(const struct dirent *entry)
{
    size_t len = strlen(entry->d_name);
    return len > 4 && entry->d_name[0] != '.' && strcmp(entry->d_name + len - 4, ".txt") == 0;
}

bool cases_read(struct cases *self, const char *folder, struct findings *ret)
{
    struct dirent **entries = NULL;
    int count = folder ? scandir(folder, &entries, is_case, alphasort) : 0;
    *self = (struct cases){.count = 0};
    for (int i = 0; i < count; i++) {
        add_file(self, folder, entries[i]->d_name, ret);
        free(entries[i]);
    }
    free(entries);
    self->theirs = self->count;
    part_documents(self);
    add_documents(self);
    add_answers(self);
    return !folder || count > 0;
}

void cases_release(struct cases *self)
{
    for (size_t i = 0; i < self->count; i++)
        if (!self->items[i].borrowed)
            vendor_case_release(&self->items[i].c);
    free(self->items);
}
