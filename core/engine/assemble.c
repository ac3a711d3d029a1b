/* assemble: see assemble.h. */
#include "core/engine/assemble.h"

#include "core/base/mem.h"
#include "core/money/price.h"
#include "core/wire/json.h"

#include <stdio.h>
#include <string.h>

/* More than any vendor sends, and few enough to be looked through: what is below the body's ceiling could
 * else hold hundreds of thousands of each. */
#define MOST_TOOLS  1024
#define MOST_EXTRAS 256 /* names */
#define MOST_MODELS 50000
#define MOST_NAME   1024 /* bytes of a tool's name, and of its id */

static void emit(koine_sink *sink, const koine_provider_event *event);

int koine__assembly_init(struct koine__assembly *assembly, const char *target, struct koine__random *random,
                         size_t limit)
{
    *assembly = (struct koine__assembly){
        .sink = {.size = (uint32_t)sizeof(koine_sink), .emit = emit},
        .answer = koine__answer_new(limit),
        .target = target,
        .random = random,
        .picodollars = -1,
        .fault = &koine__no_fault,
    };
    return assembly->answer ? KOINE_OK : KOINE_EMEMORY;
}

void koine__assembly_release(struct koine__assembly *assembly)
{
    koine__events_clear(&assembly->events);
    koine_response_free(assembly->answer);
    assembly->answer = NULL;
    koine__fault_drop(&assembly->fault);
}

static void fail(struct koine__assembly *assembly, int class_number, const char *why)
{
    struct koine__fault fault;
    if (assembly->fault->class_number != KOINE_CLASS_NONE)
        return;
    koine__fault_set(&fault, class_number, "", "%s", why);
    koine__fault_keep(&assembly->fault, &fault);
}

static void no_memory(struct koine__assembly *assembly)
{
    fail(assembly, KOINE_CLASS_MEMORY, "no memory for the answer");
}

/* NULL: no memory, or nobody wants it. */
static struct koine_event *push(struct koine__assembly *assembly, const struct koine__event_parts *parts)
{
    if (assembly->untold) {
        assembly->pushed++;
        return NULL;
    }
    struct koine_event *event = koine__event_new(parts);
    if (!event) {
        no_memory(assembly);
        return NULL;
    }
    koine__events_push(&assembly->events, event);
    assembly->pushed++;
    return event;
}

/* Adds to a text of the answer; over its ceiling the answer cannot be held. */
static bool grow(struct koine__assembly *assembly, struct koine__buf *buf, koine_str text)
{
    koine__buf_add(buf, text.ptr, text.len);
    if (buf->error == KOINE_EMEMORY)
        no_memory(assembly);
    else if (buf->error != 0)
        fail(assembly, KOINE_CLASS_PROTOCOL, "the answer is larger than body_limit");
    return buf->error == 0;
}

/* Keeps the first text that is told. */
static void keep(struct koine__assembly *assembly, char **at, koine_str text)
{
    if (*at || text.len == 0)
        return;
    *at = koine__strndup(text.ptr, text.len);
    if (!*at)
        no_memory(assembly);
    assembly->answer->names += text.len;
}

static void on_start(struct koine__assembly *assembly, const koine_provider_event *event)
{
    struct koine_response *answer = assembly->answer;
    keep(assembly, &answer->id, event->id);
    keep(assembly, &answer->model, event->name);
    if (assembly->started)
        return;
    assembly->started = true;
    struct koine__event_parts parts = {.kind = KOINE_EVENT_START, .tool = -1};
    parts.id = koine__str(answer->id);
    parts.model = koine__str(answer->model);
    parts.target = koine__str(assembly->target);
    push(assembly, &parts);
}

/* Events of content always come after a start, whether the provider told one or not. */
static void begin_content(struct koine__assembly *assembly)
{
    static const koine_provider_event untold = {.kind = KOINE_EMIT_START};
    if (!assembly->started)
        on_start(assembly, &untold);
    assembly->content = true;
}

static void on_text(struct koine__assembly *assembly, const koine_provider_event *event, int kind,
                    struct koine__buf *buf)
{
    if (event->text.len == 0)
        return;
    begin_content(assembly);
    if (!grow(assembly, buf, event->text))
        return;
    push(assembly, &(struct koine__event_parts){.kind = kind, .tool = -1, .text = event->text});
}

/* ---- tool calls ---- */

/* Follows the arguments to the end of their first JSON value. True: something other than space came after it.
 */
static bool scan_arguments(struct koine__tool *tool, koine_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (tool->complete)
            return koine__str_trim((koine_str){text.ptr + i, text.len - i}).len > 0;
        if (tool->in_string) {
            if (tool->escaped)
                tool->escaped = false;
            else if (c == '\\')
                tool->escaped = true;
            else if (c == '"')
                tool->in_string = false;
        } else if (c == '"') {
            tool->in_string = true;
        } else if (c == '{' || c == '[') {
            tool->depth++;
        } else if ((c == '}' || c == ']') && tool->depth > 0) {
            tool->depth--;
            tool->complete = tool->depth == 0;
        }
    }
    return false;
}

static struct koine__tool *slot_of_index(struct koine_response *answer, int32_t index)
{
    for (size_t i = answer->tool_count; i-- > 0;) { /* the newest call of that index */
        if (answer->tools[i].index == index)
            return &answer->tools[i];
    }
    return NULL;
}

static struct koine__tool *slot_of_id(struct koine_response *answer, koine_str id)
{
    for (size_t i = 0; i < answer->tool_count; i++) {
        if (answer->tools[i].id && koine__str_is(id, answer->tools[i].id))
            return &answer->tools[i];
    }
    return NULL;
}

/* Which call a fragment belongs to; NULL: it begins a new one. */
static struct koine__tool *find_slot(struct koine_response *answer, const koine_provider_event *event)
{
    struct koine__tool *slot = NULL;
    if (event->index >= 0)
        slot = slot_of_index(answer, event->index);
    else if (event->id.len > 0)
        slot = slot_of_id(answer, event->id);
    else if (answer->tool_count > 0)
        slot = &answer->tools[answer->tool_count - 1]; /* T02: no index and no id: the call begun last */
    if (!slot)
        return NULL;
    if (event->id.len ==
        0) /* a name after a whole call is that of the next one, also where nobody sends ids */
        return slot->complete && event->name.len > 0 && event->text.len > 0 ? NULL : slot;
    if (!slot->id || koine__str_is(event->id, slot->id))
        return slot;
    /* Another id under the same index. T04: some vendors send a new id with every fragment, without a name;
     * T03: others number all parallel calls 0, and name each. */
    bool begins = event->name.len > 0 || (slot->complete && event->text.len > 0);
    return begins ? NULL : slot;
}

/* Vendors that send no ids: one is made, so that a result can name its call. */
static char *make_id(struct koine__assembly *assembly, koine_str told)
{
    if (told.len > 0)
        return koine__strndup(told.ptr, told.len);
    char id[40];
    snprintf(id, sizeof(id), "call_%016llx", (unsigned long long)koine__random_next(assembly->random));
    return koine__strdup(id);
}

static struct koine__tool *begin_tool(struct koine__assembly *assembly, const koine_provider_event *event)
{
    struct koine_response *answer = assembly->answer;
    void *items = answer->tools;
    if (answer->tool_count == MOST_TOOLS) {
        fail(assembly, KOINE_CLASS_PROTOCOL, "the answer has more than 1024 tool calls");
        return NULL;
    }
    if (koine__array_reserve(&items, &answer->tool_capacity, answer->tool_count + 1,
                             sizeof(*answer->tools)) != KOINE_OK) {
        no_memory(assembly);
        return NULL;
    }
    answer->tools = items;
    struct koine__tool *tool = &answer->tools[answer->tool_count];
    *tool = (struct koine__tool){.index = event->index};
    tool->id = make_id(assembly, event->id);
    tool->name = koine__strndup(event->name.ptr ? event->name.ptr : "", event->name.len);
    koine__buf_init_sparing(&tool->arguments, answer->text.max);
    answer->tool_count++;
    answer->names += event->id.len + event->name.len;
    if (!tool->id || !tool->name) {
        no_memory(assembly);
        return NULL;
    }
    push(assembly, &(struct koine__event_parts){.kind = KOINE_EVENT_TOOL,
                                                .tool = (int)answer->tool_count - 1,
                                                .id = koine__str(tool->id),
                                                .name = koine__str(tool->name)});
    return tool;
}

static void end_tool(struct koine__assembly *assembly, const struct koine__tool *tool)
{
    koine_str arguments = {koine__buf_str(&tool->arguments), tool->arguments.len};
    push(assembly, &(struct koine__event_parts){.kind = KOINE_EVENT_TOOL_END,
                                                .tool = (int)(tool - assembly->answer->tools),
                                                .text = arguments,
                                                .id = koine__str(tool->id),
                                                .name = koine__str(tool->name)});
}

static void add_arguments(struct koine__assembly *assembly, struct koine__tool *tool, koine_str text)
{
    bool was_complete = tool->complete;
    if (scan_arguments(tool, text)) {
        fail(assembly, KOINE_CLASS_PROTOCOL, "two tool calls came under one index"); /* T05 */
        return;
    }
    if (was_complete || !grow(assembly, &tool->arguments, text))
        return;
    int number = (int)(tool - assembly->answer->tools);
    push(assembly, &(struct koine__event_parts){.kind = KOINE_EVENT_ARGUMENTS, .tool = number, .text = text});
    if (!tool->complete)
        return;
    koine_str all = {koine__buf_str(&tool->arguments), tool->arguments.len};
    if (koine__json_check(all, KOINE__JSON_DEPTH, NULL) == KOINE_OK)
        end_tool(assembly, tool);
    else
        fail(assembly, KOINE_CLASS_PROTOCOL, "the arguments of a tool call are not JSON");
}

/* A name that comes after the call began. */
static void name_late(struct koine__assembly *assembly, struct koine__tool *tool, koine_str name)
{
    char *copy = koine__strndup(name.ptr, name.len);
    if (!copy) {
        no_memory(assembly);
        return;
    }
    koine__dealloc(tool->name);
    tool->name = copy;
    assembly->answer->names += name.len;
}

static void on_tool(struct koine__assembly *assembly, const koine_provider_event *event)
{
    if (event->id.len > MOST_NAME || event->name.len > MOST_NAME) {
        fail(assembly, KOINE_CLASS_PROTOCOL, "the name or id of a tool call is longer than 1024 bytes");
        return;
    }
    begin_content(assembly);
    struct koine__tool *tool = find_slot(assembly->answer, event);
    if (!tool)
        tool = begin_tool(assembly, event);
    else if (tool->name[0] == '\0' && event->name.len > 0)
        name_late(assembly, tool, event->name);
    if (tool && event->text.len > 0)
        add_arguments(assembly, tool, event->text);
}

/* ---- the rest ---- */

static void on_usage(struct koine__assembly *assembly, const koine_provider_event *event)
{
    if (!event->usage)
        return;
    koine_provider_usage told;
    koine__provider_usage_init(&told);
    uint32_t size = event->usage->size < sizeof(told) ? event->usage->size : (uint32_t)sizeof(told);
    memcpy(&told, event->usage, size);
    told.size = (uint32_t)sizeof(told);
    if (told.charged && KOINE_HAS(koine_provider_usage, event->usage, picodollars))
        assembly->picodollars = told.picodollars;
    koine__usage_from_provider(&told, &assembly->answer->usage);
    struct koine_event *out =
        push(assembly, &(struct koine__event_parts){.kind = KOINE_EVENT_USAGE, .tool = -1});
    if (!out)
        return;
    out->usage = assembly->answer->usage;
    out->has_usage = true;
}

static struct koine__extra *find_extra(struct koine_response *answer, koine_str name, bool kept)
{
    for (size_t i = 0; i < answer->extra_count; i++) {
        if (answer->extras[i].kept == kept && koine__str_is(name, answer->extras[i].name))
            return &answer->extras[i];
    }
    return NULL;
}

static struct koine__extra *begin_extra(struct koine__assembly *assembly, koine_str name, bool kept)
{
    struct koine_response *answer = assembly->answer;
    void *items = answer->extras;
    if (answer->extra_count == MOST_EXTRAS) {
        fail(assembly, KOINE_CLASS_PROTOCOL, "the answer has extras of more than 256 names");
        return NULL;
    }
    char *copy = koine__strndup(name.ptr, name.len);
    if (!copy || koine__array_reserve(&items, &answer->extra_capacity, answer->extra_count + 1,
                                      sizeof(*answer->extras)) != KOINE_OK) {
        koine__dealloc(copy);
        no_memory(assembly);
        return NULL;
    }
    answer->extras = items;
    struct koine__extra *extra = &answer->extras[answer->extra_count++];
    *extra = (struct koine__extra){.name = copy, .kept = kept};
    answer->names += name.len;
    koine__buf_init_sparing(&extra->json, answer->text.max);
    return extra;
}

/* Several pieces under one name: a list of what each held. */
static void on_extra(struct koine__assembly *assembly, const koine_provider_event *event)
{
    if (event->text.len == 0)
        return;
    push(assembly, &(struct koine__event_parts){
                       .kind = KOINE_EVENT_EXTRA, .tool = -1, .name = event->name, .text = event->text});
    struct koine__extra *extra = find_extra(assembly->answer, event->name, false);
    koine_str before = extra ? KOINE__STR(",") : KOINE__STR("[");
    if (extra)
        extra->json.len--; /* the closing bracket */
    else
        extra = begin_extra(assembly, event->name, false);
    if (extra && grow(assembly, &extra->json, before) && grow(assembly, &extra->json, event->text))
        grow(assembly, &extra->json, KOINE__STR("]"));
}

/* Nothing for the application to read, but progress. Pieces of one index make one value of the list. */
static void on_keep(struct koine__assembly *assembly, const koine_provider_event *event)
{
    if (event->text.len == 0 || event->name.len == 0)
        return;
    assembly->pushed++;
    struct koine__extra *kept = find_extra(assembly->answer, event->name, true);
    bool first = !kept, same = kept && kept->index == event->index;
    if (first)
        kept = begin_extra(assembly, event->name, true);
    if (!kept)
        return;
    kept->index = event->index;
    if (same || grow(assembly, &kept->json, first ? KOINE__STR("[") : KOINE__STR(",")))
        grow(assembly, &kept->json, event->text);
}

/* A plugin that does not know a number leaves it out. */
static int64_t if_told(int64_t number)
{
    return number > 0 ? number : -1;
}

static void on_model(struct koine__assembly *assembly, const koine_provider_event *event)
{
    struct koine_response *answer = assembly->answer;
    void *items = answer->models;
    koine_model_info info = {.size = 0};
    if (!event->model)
        return;
    if (answer->model_count == MOST_MODELS) {
        fail(assembly, KOINE_CLASS_PROTOCOL, "the list has more than 50000 models");
        return;
    }
    memcpy(&info, event->model, event->model->size < sizeof(info) ? event->model->size : sizeof(info));
    if (koine__array_reserve(&items, &answer->model_capacity, answer->model_count + 1,
                             sizeof(*answer->models)) != KOINE_OK) {
        no_memory(assembly);
        return;
    }
    answer->models = items;
    struct koine__listed *listed = &answer->models[answer->model_count++];
    *listed = (struct koine__listed){.created = if_told(info.created),
                                     .context = if_told(info.context),
                                     .max_output = if_told(info.max_output)};
    listed->id = koine__strndup(info.id.ptr ? info.id.ptr : "", info.id.len);
    listed->name = koine__strndup(info.name.ptr ? info.name.ptr : "", info.name.len);
    listed->owner = koine__strndup(info.owner.ptr ? info.owner.ptr : "", info.owner.len);
    if (!listed->id || !listed->name || !listed->owner)
        no_memory(assembly);
}

static int finish_of(int32_t code)
{
    return code >= KOINE_STOP_END && code <= KOINE_STOP_OTHER ? code : KOINE_FINISH_OTHER;
}

static void on_stop(struct koine__assembly *assembly, const koine_provider_event *event)
{
    struct koine_response *answer = assembly->answer;
    assembly->stopped = true;
    answer->finish = finish_of(event->code);
    koine__fault_words(answer->finish_raw, sizeof(answer->finish_raw), event->text.ptr, event->text.len);
}

static void on_fault(struct koine__assembly *assembly, const koine_provider_event *event)
{
    struct koine__fault fault;
    if (assembly->fault->class_number != KOINE_CLASS_NONE)
        return;
    bool known = event->code >= KOINE_FAULT_OVERLOADED && event->code <= KOINE_FAULT_UNSUPPORTED;
    koine__fault_set(&fault, known ? event->code : KOINE_CLASS_SERVER, "", "%s", "");
    koine__fault_words(fault.message, sizeof(fault.message), event->text.ptr, event->text.len);
    koine__fault_words(fault.code, sizeof(fault.code), event->name.ptr, event->name.len);
    if (event->retry_ms > 0 && event->retry_ms < INT64_MAX / KOINE__MS)
        fault.retry_after_ns = event->retry_ms * KOINE__MS;
    koine__fault_keep(&assembly->fault, &fault);
}

static void dispatch(struct koine__assembly *assembly, const koine_provider_event *event)
{
    struct koine_response *answer = assembly->answer;
    switch (event->kind) {
    case KOINE_EMIT_START:
        on_start(assembly, event);
        break;
    case KOINE_EMIT_TEXT:
        on_text(assembly, event, KOINE_EVENT_TEXT, &answer->text);
        break;
    case KOINE_EMIT_REASONING:
        on_text(assembly, event, KOINE_EVENT_REASONING, &answer->reasoning);
        break;
    case KOINE_EMIT_REFUSAL:
        on_text(assembly, event, KOINE_EVENT_REFUSAL, &answer->refusal);
        break;
    case KOINE_EMIT_TOOL:
        on_tool(assembly, event);
        break;
    case KOINE_EMIT_USAGE:
        on_usage(assembly, event);
        break;
    case KOINE_EMIT_EXTRA:
        on_extra(assembly, event);
        break;
    case KOINE_EMIT_STOP:
        on_stop(assembly, event);
        break;
    case KOINE_EMIT_FAULT:
        on_fault(assembly, event);
        break;
    case KOINE_EMIT_MODEL:
        on_model(assembly, event);
        break;
    case KOINE_EMIT_KEEP:
        on_keep(assembly, event);
        break;
    default: /* a number of a later koine */
        break;
    }
}

static void emit(koine_sink *sink, const koine_provider_event *event)
{
    struct koine__assembly *assembly = (struct koine__assembly *)sink;
    koine_provider_event known = {.index = -1, .retry_ms = -1};
    if (assembly->fault->class_number != KOINE_CLASS_NONE)
        return;
    if (assembly->stopped) {
        fail(assembly, KOINE_CLASS_PLUGIN, "the plugin emitted an event after its stop");
        return;
    }
    if (event->size < offsetof(koine_provider_event, code)) {
        fail(assembly, KOINE_CLASS_PLUGIN, "the plugin emitted an event that does not say its size");
        return;
    }
    memcpy(&known, event, event->size < sizeof(known) ? event->size : sizeof(known));
    dispatch(assembly, &known);
}

/* A call whose arguments have no bracket to end at: none at all (T06), or a lone `null`. */
static void complete_tool(struct koine__assembly *assembly, struct koine__tool *tool)
{
    if (tool->arguments.len == 0 && !grow(assembly, &tool->arguments, KOINE__STR("{}")))
        return;
    koine_str all = {koine__buf_str(&tool->arguments), tool->arguments.len};
    tool->complete = koine__json_check(all, KOINE__JSON_DEPTH, NULL) == KOINE_OK;
    if (tool->complete)
        end_tool(assembly, tool);
}

void koine__assembly_finish(struct koine__assembly *assembly)
{
    struct koine_response *answer = assembly->answer;
    bool any = false;
    for (size_t i = 0; i < answer->tool_count; i++) {
        struct koine__tool *tool = &answer->tools[i];
        if (!tool->complete && answer->finish != KOINE_FINISH_LENGTH) /* T08: what was cut stays incomplete */
            complete_tool(assembly, tool);
        any |= tool->complete;
    }
    if (any && answer->finish == KOINE_FINISH_STOP) /* C14: vendors that say stop after tool calls */
        answer->finish = KOINE_FINISH_TOOL;
}
