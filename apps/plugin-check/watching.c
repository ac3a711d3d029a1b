/* watching: around every call, in every table that is handed over. */
#include "apps/plugin-check/watching.h"

#include "apps/plugin-check/events.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define LARGEST ((size_t)32 << 20)

/* The one whose call this thread is in: the host's functions are told nothing else. */
static _Thread_local struct watching *current;

/* ---- Calls ---- */

static int64_t processor_time(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void on_enter(void *arg, const char *function)
{
    struct watching *self = arg;
    struct traces *traces = self->in->traces;
    self->outer = current;
    current = self;
    snprintf(traces->function, sizeof(traces->function), "%s", function);
    atomic_fetch_add(&traces->calls, 1);
    self->call_bytes = 0;
    self->began = self->timed ? processor_time() : 0;
}

static bool is_result_of(const char *function, int32_t result)
{
    if (strcmp(function, "calculate_cost") == 0)
        return result <= 0;
    if (strstr(function, ".request"))
        return result == KOINE_DONE || result == KOINE_UNSUPPORTED || result == KOINE_INVALID ||
               result == KOINE_NO_MEMORY;
    return result == KOINE_DONE || result == KOINE_PROTOCOL || result == KOINE_NO_MEMORY ||
           (result == KOINE_MORE && strcmp(function, "fault") != 0);
}

static void on_leave(void *arg, const char *function, int32_t result)
{
    struct watching *self = arg;
    int64_t took = self->timed ? processor_time() - self->began : 0;
    current = self->outer;
    self->result = result;
    self->longest = took > self->longest ? took : self->longest;
    self->most_bytes = self->call_bytes > self->most_bytes ? self->call_bytes : self->most_bytes;
    atomic_fetch_add(&self->in->traces->calls, 1);
    self->in->traces->function[0] = '\0';
    if (!is_result_of(function, result))
        inspection_foundf(self->in, RULE_RESULT, function, "it returned %d", (int)result);
    else if (result == KOINE_NO_MEMORY && !self->failed && strcmp(function, "calculate_cost") != 0)
        inspection_found(self->in, RULE_RESULT_MEMORY, function,
                         "it returned KOINE_NO_MEMORY, but no allocation of the host had failed", NULL);
}

/* ---- The host ---- */

/* False: this one fails. */
static bool may_allocate(size_t size)
{
    current->allocations++;
    current->call_bytes += size;
    if (current->allocations != current->fail_at)
        return true;
    current->failed = true;
    return false;
}

static void *watched_alloc(const koine_host *host, size_t size)
{
    return may_allocate(size) ? koine__process_host()->alloc(host, size) : NULL;
}

static int32_t watched_parse(const koine_host *host, koine_str text, const koine_node **ret)
{
    return may_allocate(text.len) ? koine__process_host()->parse(host, text, ret) : KOINE_NO_MEMORY;
}

/* What a document reads as after an allocation failed inside it. */
static bool may_look(void)
{
    current->looks++;
    return !current->absent_at || current->looks < current->absent_at;
}

static const koine_node *watched_get(const koine_node *object, const char *key)
{
    return may_look() ? koine__node_get(object, key) : NULL;
}

static const koine_node *watched_at(const koine_node *node, size_t index)
{
    return may_look() ? koine__node_at(node, index) : NULL;
}

static koine_str watched_str(const koine_node *node)
{
    return may_look() ? koine__node_str(node) : (koine_str){NULL, 0};
}

static koine_str watched_key(const koine_node *node, size_t index)
{
    return may_look() ? koine__node_key(node, index) : (koine_str){NULL, 0};
}

static void on_host(void *arg, struct koine__host *host)
{
    (void)arg;
    host->pub.alloc = watched_alloc;
    host->pub.parse = watched_parse;
    host->pub.get = watched_get;
    host->pub.at = watched_at;
    host->pub.str = watched_str;
    host->pub.key = watched_key;
}

/* ---- The request: something else may happen before what is written is copied ---- */

static const koine_out *step(void)
{
    struct watching *self = current;
    if (self->between)
        self->between(self);
    return &self->out;
}

static void between_path(koine_out *out, const char *text)
{
    step()->path(out, text);
}

static void between_segment(koine_out *out, koine_str text)
{
    step()->segment(out, text);
}

static void between_query(koine_out *out, const char *name, koine_str value)
{
    step()->query(out, name, value);
}

static void between_header(koine_out *out, const char *name, koine_str value)
{
    step()->header(out, name, value);
}

static void between_str(koine_out *out, const char *key, koine_str value)
{
    step()->str(out, key, value);
}

static void between_num(koine_out *out, const char *key, int64_t value)
{
    step()->num(out, key, value);
}

static void between_raw(koine_out *out, const char *key, koine_str json)
{
    step()->raw(out, key, json);
}

static void between_node(koine_out *out, const char *key, const koine_node *value)
{
    step()->node(out, key, value);
}

static void between_member(koine_out *out, const koine_node *value)
{
    step()->member(out, value);
}

static void between_notice(koine_out *out, int32_t what, koine_str member, koine_str why)
{
    step()->notice(out, what, member, why);
}

static void between_fail(koine_out *out, koine_str why)
{
    step()->fail(out, why);
}

static void on_out(void *arg, struct koine__out *out)
{
    struct watching *self = arg;
    if (!self->between)
        return;
    self->out = out->pub;
    out->pub.path = between_path;
    out->pub.segment = between_segment;
    out->pub.query = between_query;
    out->pub.header = between_header;
    out->pub.str = between_str;
    out->pub.num = between_num;
    out->pub.raw = between_raw;
    out->pub.node = between_node;
    out->pub.member = between_member;
    out->pub.notice = between_notice;
    out->pub.fail = between_fail;
}

void watching_init(struct watching *self, struct inspection *in, const struct vendor_case *c)
{
    *self = (struct watching){.in = in, .c = c};
    self->watch = (struct vendor_watch){
        .arg = self, .enter = on_enter, .leave = on_leave, .host = on_host, .out = on_out};
}

static bool starts(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool watching_is_request(const char *text)
{
    const char *space = strchr(text, ' ');
    return space && space > text && strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == (size_t)(space - text);
}

static void judge_request(struct watching *self, const char *text)
{
    const char *function = vendor_request_function(self->c);
    if (starts(text, "broken: "))
        inspection_foundf(self->in, RULE_REQUEST_BROKEN, function, "%.*s", (int)strcspn(text + 8, "\n"),
                          text + 8);
    if (starts(text, "invalid: \n") || starts(text, "unsupported: \n"))
        inspection_foundf(self->in, RULE_REQUEST_WORDS, function,
                          "it refused the document without a word (%s)", vendor_result_name(self->result));
}

static void ask(struct watching *self, struct koine__buf *ret,
                void (*asker)(const koine_provider *provider, const struct vendor_case *c,
                              const struct vendor_watch *watch, struct koine__buf *ret_request,
                              struct koine__buf *ret_notices))
{
    struct koine__buf request, notices;
    koine__buf_init(&request, LARGEST);
    koine__buf_init(&notices, LARGEST);
    asker(self->in->provider, self->c, &self->watch, &request, &notices);
    judge_request(self, koine__buf_str(&request));
    koine__buf_adds(ret, koine__buf_str(&request));
    koine__buf_adds(ret, koine__buf_str(&notices));
    koine__buf_release(&request);
    koine__buf_release(&notices);
}

void watching_ask(struct watching *self, struct koine__buf *ret)
{
    ask(self, ret, vendor_ask);
}

void watching_ask_next(struct watching *self, struct koine__buf *ret)
{
    ask(self, ret, vendor_ask_next);
    if (strstr(koine__buf_str(ret), VENDOR_WROTE_STATE))
        inspection_found(self->in, RULE_INVARIANT_STATE, vendor_request_function(self->c),
                         "it wrote into the state", NULL);
}

/* ---- The answer ---- */

static void on_event(koine_sink *sink, const koine_provider_event *event)
{
    struct watched_reading *self = (struct watched_reading *)sink;
    struct watching *watching = self->watching;
    if (watching->between)
        watching->between(watching);
    if (!event_is_sound(watching->in, watching->c, event))
        return; /* it was told; a trace could not hold it */
    self->content = self->content || event_is_content(event);
    self->trace.sink.emit(&self->trace.sink, event);
}

void watched_reading_open(struct watched_reading *self, struct watching *watching,
                          const struct vendor_play *way)
{
    struct vendor_play watched = *way;
    watched.watch = &watching->watch;
    *self = (struct watched_reading){.sink = {.size = sizeof(koine_sink), .emit = on_event},
                                     .watching = watching};
    if (watching->watch.future)
        self->sink.size += VENDOR_FUTURE;
    vendor_trace_init(&self->trace);
    vendor_reading_open(&self->reading, watching->in->provider, watching->c, &watched, &self->sink);
}

bool watched_reading_step(struct watched_reading *self)
{
    struct inspection *in = self->watching->in;
    const char *function = vendor_read_function(self->watching->c);
    if (!vendor_reading_step(&self->reading))
        return false;
    if (!vendor_reading_in_bounds(&self->reading))
        inspection_foundf(in, RULE_INVARIANT_STATE, function, "it wrote behind the %zu bytes of its state",
                          self->reading.state_size);
    if (self->reading.result == KOINE_MORE && self->content)
        inspection_found(in, RULE_INVARIANT_MORE, function, "it asked for another step after content", NULL);
    return true;
}

static bool repeats_end(const struct vendor_trace *trace)
{
    return trace->late > 0 || trace->ends > 1;
}

void watched_reading_close(struct watched_reading *self, struct koine__buf *ret)
{
    struct inspection *in = self->watching->in;
    vendor_trace_result(&self->trace, self->reading.result);
    vendor_trace_flush(&self->trace);
    if (repeats_end(&self->trace))
        inspection_foundf(in, RULE_INVARIANT_ONE_STOP, vendor_read_function(self->watching->c),
                          "%d stops and faults, and %d events after the first of them", self->trace.ends,
                          self->trace.late);
    koine__buf_adds(ret, koine__buf_str(&self->trace.raw));
    vendor_reading_close(&self->reading);
    vendor_trace_release(&self->trace);
}

void watching_read(struct watching *self, const struct vendor_play *way, struct koine__buf *ret,
                   koine_provider_usage *ret_usage)
{
    struct watched_reading reading;
    watched_reading_open(&reading, self, way);
    while (watched_reading_step(&reading))
        continue;
    if (ret_usage)
        *ret_usage = reading.trace.usage;
    watched_reading_close(&reading, ret);
}

void watching_read_whole(struct watching *self, struct koine__buf *ret)
{
    watching_read(self, &(struct vendor_play){.len = self->c->body.len, .clean = !self->c->lost}, ret, NULL);
}
