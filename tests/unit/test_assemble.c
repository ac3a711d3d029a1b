/* What providers emit, put together: the rules for tool calls (T01-T08), usage, extras and the end. */
#include "core/engine/assemble.h"

#include "core/base/mem.h"
#include "tests/unit/failalloc.h"
#include "tests/unit/suite.h"
#include <stdio.h>
#include <string.h>

#define LIMIT ((size_t)1 << 20)

static struct koine__random random_state;
static struct koine__assembly assembly;
static char trace[4096];

static void begin(size_t limit)
{
    koine__random_seed(&random_state, 1);
    trace[0] = '\0';
    CU_ASSERT_FATAL(koine__assembly_init(&assembly, "together/a", &random_state, limit) == KOINE_OK);
}

static void end(void)
{
    koine__assembly_release(&assembly);
}

__attribute__((format(printf, 1, 2))) static void add(const char *format, ...)
{
    size_t used = strlen(trace);
    va_list args;
    va_start(args, format);
    vsnprintf(trace + used, sizeof(trace) - used, format, args);
    va_end(args);
}

/* All events so far. */
static const char *events(void)
{
    for (struct koine_event *event; (event = koine__events_pop(&assembly.events));) {
        add("%s", trace[0] ? " | " : "");
        switch (event->kind) {
        case KOINE_EVENT_START:
            add("start %s %s %s", event->target, event->id, event->model);
            break;
        case KOINE_EVENT_TOOL:
            add("tool %d %.4s %s", event->tool, event->id, event->name);
            break;
        case KOINE_EVENT_TOOL_END:
            add("end %d %s", event->tool, event->text);
            break;
        case KOINE_EVENT_USAGE:
            add("usage %lld/%lld", (long long)event->usage.input, (long long)event->usage.output);
            break;
        default:
            add("%d %s", event->kind, event->text);
            break;
        }
        koine__event_free(event);
    }
    return trace;
}

static koine_provider_event event_of(int32_t kind)
{
    return (koine_provider_event){
        .size = sizeof(koine_provider_event), .kind = kind, .index = -1, .retry_ms = -1};
}

static void emit(const koine_provider_event *event)
{
    assembly.sink.emit(&assembly.sink, event);
}

static void emit_text(int32_t kind, const char *text)
{
    koine_provider_event event = event_of(kind);
    event.text = koine__str(text);
    emit(&event);
}

static void emit_tool(int32_t index, const char *id, const char *name, const char *text)
{
    koine_provider_event event = event_of(KOINE_EMIT_TOOL);
    event.index = index;
    event.id = koine__str(id);
    event.name = koine__str(name);
    event.text = koine__str(text);
    emit(&event);
}

static void emit_stop(int32_t code, const char *raw)
{
    koine_provider_event event = event_of(KOINE_EMIT_STOP);
    event.code = code;
    event.text = koine__str(raw);
    emit(&event);
}

/* Ends it as the engine does, and says how: the finish, or what is wrong. */
static const char *finish(int32_t code)
{
    emit_stop(code, "raw");
    koine__assembly_finish(&assembly);
    if (assembly.fault->class_number != KOINE_CLASS_NONE)
        return assembly.fault->message;
    return koine_response_finish_name(assembly.answer);
}

/* The calls as "id name arguments complete", with made ids as "-". */
static const char *tools(void)
{
    static char text[1024];
    text[0] = '\0';
    for (size_t i = 0; i < koine_response_tool_count(assembly.answer); i++) {
        size_t used = strlen(text);
        const char *id = koine_response_tool_id(assembly.answer, i);
        bool made = strncmp(id, "call_", 5) == 0;
        snprintf(text + used, sizeof(text) - used, "%s%s %s %s%s", i ? ", " : "", made ? "-" : id,
                 koine_response_tool_name(assembly.answer, i),
                 koine_response_tool_arguments(assembly.answer, i),
                 koine_response_tool_complete(assembly.answer, i) ? "" : " cut");
    }
    return text;
}

/* ---- Tool calls ---- */

static void t01_fragments_by_index(void)
{
    begin(LIMIT);
    emit_tool(0, "x", "f", "");
    emit_tool(0, NULL, NULL, "{\"n\"");
    emit_tool(0, NULL, NULL, ":1}");
    emit_tool(1, "y", "g", "{}");
    ASSERT_STR(finish(KOINE_STOP_TOOL), "tool");
    ASSERT_STR(tools(), "x f {\"n\":1}, y g {}");
    ASSERT_STR(events(),
               "start together/a   | tool 0 x f | 6 {\"n\" | 6 :1} | end 0 {\"n\":1} | tool 1 y g | 6 {} | "
               "end 1 {}");
    end();
}

static void t01_interleaved(void)
{
    begin(LIMIT);
    emit_tool(0, "x", "f", "{\"n\":");
    emit_tool(1, "y", "g", "{\"m\":");
    emit_tool(0, NULL, NULL, "1}");
    emit_tool(1, NULL, NULL, "2}");
    ASSERT_STR(finish(KOINE_STOP_TOOL), "tool");
    ASSERT_STR(tools(), "x f {\"n\":1}, y g {\"m\":2}");
    end();
}

static void t02_no_index(void)
{
    begin(LIMIT);
    emit_tool(-1, "x", "f", "{\"n\"");
    emit_tool(-1, NULL, NULL, ":1}");
    emit_tool(-1, "y", "g", "{\"m\"");
    emit_tool(-1, "y", NULL, ":2}");
    emit_tool(-1, "x", NULL, " ");
    ASSERT_STR(finish(KOINE_STOP_TOOL), "tool");
    ASSERT_STR(tools(), "x f {\"n\":1}, y g {\"m\":2}");
    end();
}

static void t02_neither_index_nor_id(void)
{
    begin(LIMIT);
    emit_tool(-1, NULL, "f", "{\"n\":1}");
    emit_tool(-1, NULL, "f", "{\"n\":2}"); /* a name again: the next call */
    ASSERT_STR(finish(KOINE_STOP_END), "tool");
    ASSERT_STR(tools(), "- f {\"n\":1}, - f {\"n\":2}");
    CU_ASSERT(
        strcmp(koine_response_tool_id(assembly.answer, 0), koine_response_tool_id(assembly.answer, 1)) != 0);
    ASSERT_INT(strlen(koine_response_tool_id(assembly.answer, 0)), 21);
    end();
}

static void t03_all_under_index_0(void)
{
    begin(LIMIT);
    emit_tool(0, "x", "f", "{\"n\":1}");
    emit_tool(0, "y", "f", "{\"n\":2}");
    emit_tool(0, "z", "", "{\"n\":3}"); /* no name, but the one before is whole */
    ASSERT_STR(finish(KOINE_STOP_TOOL), "tool");
    ASSERT_STR(tools(), "x f {\"n\":1}, y f {\"n\":2}, z  {\"n\":3}");
    end();
}

static void t04_a_new_id_with_every_fragment(void)
{
    begin(LIMIT);
    emit_tool(0, "x1", "f", "");
    emit_tool(0, "x2", "", "{\"n\"");
    emit_tool(0, "x3", "", ":1}");
    emit_tool(0, "x4", "", "");
    ASSERT_STR(finish(KOINE_STOP_TOOL), "tool");
    ASSERT_STR(tools(), "x1 f {\"n\":1}");
    end();
}

static void t05_two_values_under_one_index(void)
{
    begin(LIMIT);
    emit_tool(0, "x", "f", "{\"n\":1}");
    emit_tool(0, NULL, NULL, "{\"n\":2}");
    ASSERT_INT(assembly.fault->class_number, KOINE_CLASS_PROTOCOL);
    ASSERT_STR(assembly.fault->message, "two tool calls came under one index");
    end();
    begin(LIMIT);
    emit_tool(0, "x", "f", "{\"n\":1} {\"n\":2}"); /* in one fragment, too */
    ASSERT_INT(assembly.fault->class_number, KOINE_CLASS_PROTOCOL);
    end();
}

/* JSON's four, whatever the locale takes for one. */
static void only_space_may_follow(void)
{
    static const char *const others[] = {"\v", "\f", "\xa0", "x"};
    begin(LIMIT);
    emit_tool(0, "x", "f", "{} \t");
    emit_tool(0, NULL, NULL, "\r\n");
    ASSERT_STR(finish(KOINE_STOP_TOOL), "tool");
    end();
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        begin(LIMIT);
        emit_tool(0, "x", "f", "{}");
        emit_tool(0, NULL, NULL, others[i]);
        ASSERT_STR(assembly.fault->message, "two tool calls came under one index");
        end();
    }
}

/* A body below its ceiling can hold hundreds of thousands of anything. */
static void too_many(void)
{
    char name[32];
    koine_model_info model = {.size = sizeof(model), .id = koine__str("m")};
    koine_provider_event event = event_of(KOINE_EMIT_MODEL);
    begin(LIMIT);
    for (int i = 0; i < 1024; i++)
        emit_tool(i, NULL, "f", "{}");
    ASSERT_INT(assembly.fault->class_number, KOINE_CLASS_NONE);
    emit_tool(1024, NULL, "f", "{}");
    ASSERT_INT(assembly.fault->class_number, KOINE_CLASS_PROTOCOL);
    ASSERT_STR(assembly.fault->message, "the answer has more than 1024 tool calls");
    end();
    begin(LIMIT);
    event.model = &model;
    for (int i = 0; i <= 50000; i++)
        emit(&event);
    ASSERT_INT(assembly.answer->model_count, 50000);
    ASSERT_STR(assembly.fault->message, "the list has more than 50000 models");
    end();
    begin(LIMIT);
    event = event_of(KOINE_EMIT_EXTRA);
    event.text = koine__str("1");
    for (int i = 0; i <= 256; i++) {
        snprintf(name, sizeof(name), "x%d", i);
        event.name = koine__str(name);
        emit(&event);
    }
    ASSERT_INT(assembly.answer->extra_count, 256);
    ASSERT_STR(assembly.fault->message, "the answer has extras of more than 256 names");
    end();
}

/* A name is copied into the answer and into events, so what is below the body's ceiling is too much of it. */
static void names_without_end(void)
{
    static const char why[] = "the name or id of a tool call is longer than 1024 bytes";
    char most[1025], more[1026];
    memset(most, 'n', sizeof(most));
    memset(more, 'n', sizeof(more));
    most[1024] = more[1025] = '\0';
    begin(LIMIT);
    emit_tool(0, most, most, "{}");
    ASSERT_STR(finish(KOINE_STOP_TOOL), "tool");
    ASSERT_STR(koine_response_tool_name(assembly.answer, 0), most);
    ASSERT_STR(koine_response_tool_id(assembly.answer, 0), most);
    end();
    begin(LIMIT);
    emit_tool(0, "x", more, "{}");
    ASSERT_INT(assembly.fault->class_number, KOINE_CLASS_PROTOCOL);
    ASSERT_STR(assembly.fault->message, why);
    ASSERT_INT(assembly.answer->tool_count, 0);
    end();
    begin(LIMIT);
    emit_tool(0, more, "f", "{}");
    ASSERT_STR(assembly.fault->message, why);
    end();
    begin(LIMIT);
    emit_tool(0, "x", NULL, "");
    emit_tool(0, NULL, more, "{}"); /* also one that comes late */
    ASSERT_STR(assembly.fault->message, why);
    ASSERT_STR(koine_response_tool_name(assembly.answer, 0), "");
    end();
}

static void names_weigh(void)
{
    koine_provider_event event = event_of(KOINE_EMIT_START);
    begin(LIMIT);
    event.id = KOINE__STR("12345");
    event.name = KOINE__STR("123456");
    emit(&event);
    emit(&event); /* is not kept twice */
    ASSERT_INT(koine__answer_weight(assembly.answer), 11);
    emit_tool(0, "123", NULL, "");
    ASSERT_INT(koine__answer_weight(assembly.answer), 14);
    emit_tool(0, NULL, "1234", "");
    ASSERT_INT(koine__answer_weight(assembly.answer), 18);
    event = event_of(KOINE_EMIT_EXTRA);
    event.name = KOINE__STR("1234567");
    event.text = KOINE__STR("1");
    emit(&event);
    ASSERT_INT(koine__answer_weight(assembly.answer), 25 + assembly.answer->extras[0].json.cap);
    end();
}

static void t06_whole_calls(void)
{
    begin(LIMIT);
    emit_tool(0, "x", "f", "{\"a\":{\"b\":[1,\"}\"]}}");
    emit_tool(1, "y", "g", "");
    emit_tool(2, "z", "h", "null");
    ASSERT_STR(finish(KOINE_STOP_TOOL), "tool");
    ASSERT_STR(tools(), "x f {\"a\":{\"b\":[1,\"}\"]}}, y g {}, z h null");
    ASSERT_STR(
        events(),
        "start together/a   | tool 0 x f | 6 {\"a\":{\"b\":[1,\"}\"]}} | end 0 {\"a\":{\"b\":[1,\"}\"]}} "
        "| tool 1 y g | tool 2 z h | 6 null | end 1 {} | end 2 null");
    end();
}

static void strings_hide_brackets(void)
{
    begin(LIMIT);
    emit_tool(0, "x", "f", "{\"n\":\"\\\"}");
    emit_tool(0, NULL, NULL, "{[\\\\");
    emit_tool(0, NULL, NULL, "\"}");
    ASSERT_STR(finish(KOINE_STOP_TOOL), "tool");
    ASSERT_STR(tools(), "x f {\"n\":\"\\\"}{[\\\\\"}");
    end();
}

static void t08_cut_arguments(void)
{
    begin(LIMIT);
    emit_tool(0, "x", "f", "{}");
    emit_tool(1, "y", "g", "{\"n\"");
    emit_tool(2, "z", "h", "");
    ASSERT_STR(finish(KOINE_STOP_LENGTH), "length");
    ASSERT_STR(tools(), "x f {}, y g {\"n\" cut, z h  cut");
    end();
    begin(LIMIT);
    emit_tool(0, "y", "g", "{\"n\""); /* cut, though the vendor says it is done */
    ASSERT_STR(finish(KOINE_STOP_TOOL), "tool");
    ASSERT_STR(tools(), "y g {\"n\" cut");
    CU_ASSERT_PTR_NULL(strstr(events(), "end"));
    end();
}

static void arguments_that_are_no_json(void)
{
    begin(LIMIT);
    emit_tool(0, "x", "f", "{n:1}");
    ASSERT_INT(assembly.fault->class_number, KOINE_CLASS_PROTOCOL);
    ASSERT_STR(assembly.fault->message, "the arguments of a tool call are not JSON");
    end();
    begin(LIMIT);
    emit_tool(0, "x", "f", "[1}");
    ASSERT_INT(assembly.fault->class_number, KOINE_CLASS_PROTOCOL);
    end();
}

static void a_name_that_comes_late(void)
{
    begin(LIMIT);
    emit_tool(0, "x", NULL, "");
    emit_tool(0, NULL, "f", "{}");
    emit_tool(0, NULL, "other", "");
    ASSERT_STR(finish(KOINE_STOP_TOOL), "tool");
    ASSERT_STR(tools(), "x f {}");
    end();
}

static void c14_stop_after_tools(void)
{
    begin(LIMIT);
    emit_tool(0, "x", "f", "{}");
    ASSERT_STR(finish(KOINE_STOP_END), "tool");
    end();
    begin(LIMIT);
    emit_tool(0, "x", "f", "{\"n\"");
    ASSERT_STR(finish(KOINE_STOP_END), "stop"); /* nothing there that could be run */
    end();
    begin(LIMIT);
    emit_tool(0, "x", "f", "{}");
    ASSERT_STR(finish(KOINE_STOP_FILTER), "filter");
    end();
}

/* ---- The rest ---- */

static void starts(void)
{
    koine_provider_event start = event_of(KOINE_EMIT_START);
    begin(LIMIT);
    start.id = KOINE__STR("r1");
    emit(&start);
    start.id = KOINE__STR("r2");
    start.name = KOINE__STR("m");
    emit(&start); /* the first word holds, of each */
    emit_text(KOINE_EMIT_TEXT, "");
    CU_ASSERT_FALSE(assembly.content);
    emit_text(KOINE_EMIT_TEXT, "Hel");
    CU_ASSERT(assembly.content);
    emit_text(KOINE_EMIT_REASONING, "hm");
    emit_text(KOINE_EMIT_REFUSAL, "no");
    emit_text(KOINE_EMIT_TEXT, "lo");
    ASSERT_STR(events(), "start together/a r1  | 2 Hel | 3 hm | 4 no | 2 lo");
    ASSERT_STR(koine_response_id(assembly.answer), "r1");
    ASSERT_STR(koine_response_model(assembly.answer), "m");
    ASSERT_STR(koine_response_text(assembly.answer, NULL), "Hello");
    ASSERT_STR(koine_response_reasoning(assembly.answer, NULL), "hm");
    ASSERT_STR(koine_response_refusal(assembly.answer, NULL), "no");
    ASSERT_INT(assembly.pushed, 5);
    end();
}

static void usage(void)
{
    koine_provider_event event = event_of(KOINE_EMIT_USAGE);
    koine_provider_usage told = {.size = sizeof(told),
                                 .input = 3,
                                 .cache_read = -1,
                                 .cache_write = -1,
                                 .output = 1,
                                 .reasoning = -1,
                                 .audio_input = -1,
                                 .audio_output = -1,
                                 .image_input = -1,
                                 .picodollars = 77,
                                 .charged = 1};
    begin(LIMIT);
    emit(&event); /* none at all */
    event.usage = &told;
    emit(&event);
    told.size = offsetof(koine_provider_usage, picodollars); /* an older plugin's */
    told.output = 2;
    emit(&event);
    ASSERT_STR(events(), "usage 3/1 | usage 3/2");
    ASSERT_INT(assembly.answer->usage.output, 2);
    ASSERT_INT(assembly.picodollars, 77);
    end();
}

static void extras(void)
{
    koine_provider_event event = event_of(KOINE_EMIT_EXTRA);
    begin(LIMIT);
    event.name = KOINE__STR("logprobs");
    emit(&event); /* empty: no JSON */
    event.text = KOINE__STR("{\"x\":1}");
    emit(&event);
    event.text = KOINE__STR("2");
    emit(&event);
    event.name = KOINE__STR("other");
    emit(&event);
    ASSERT_STR(koine_response_extra(assembly.answer, "logprobs"), "[{\"x\":1},2]");
    ASSERT_STR(koine_response_extra(assembly.answer, "other"), "[2]");
    CU_ASSERT_PTR_NULL(koine_response_extra(assembly.answer, "none"));
    CU_ASSERT_PTR_NULL(koine_response_extra(assembly.answer, NULL));
    end();
}

static void emit_keep(int32_t index, const char *name, const char *text)
{
    koine_provider_event event = event_of(KOINE_EMIT_KEEP);
    event.index = index;
    event.name = koine__str(name);
    event.text = koine__str(text);
    emit(&event);
}

static void what_goes_back(void)
{
    begin(LIMIT);
    emit_keep(0, "signed", "{\"a\":");
    emit_keep(0, "signed", "1}");
    emit_keep(1, "signed", "2");
    emit_keep(0, "other", "\"x\"");
    emit_keep(0, "", "3");
    emit_keep(0, "nothing", "");
    emit_keep(0, "cut", "{\"a\":");
    ASSERT_STR(events(), ""); /* for the vendor, not for the application */
    ASSERT_INT(assembly.pushed, 5);
    CU_ASSERT_PTR_NULL(koine_response_extra(assembly.answer, "signed"));
    for (int i = 0; i < 2; i++) {
        ASSERT_INT(koine__answer_message(assembly.answer), KOINE_OK);
        ASSERT_STR(koine_response_message(assembly.answer),
                   "{\"role\":\"assistant\",\"content\":\"\",\"koine\":{\"signed\":[{\"a\":1},2],\"other\":["
                   "\"x\"]}}");
    }
    end();
    begin(5);
    emit_keep(0, "signed", "1234"); /* the list's end does not fit any more */
    ASSERT_INT(assembly.fault->class_number, KOINE_CLASS_NONE);
    emit_keep(0, "signed", "5");
    ASSERT_INT(assembly.fault->class_number, KOINE_CLASS_PROTOCOL);
    end();
}

static void models(void)
{
    koine_provider_event event = event_of(KOINE_EMIT_MODEL);
    koine_model_info info = {.size = sizeof(info),
                             .id = KOINE__STR("m"),
                             .owner = KOINE__STR("o"),
                             .created = 7,
                             .context = 8,
                             .max_output = 9};
    begin(LIMIT);
    emit(&event); /* none at all */
    event.model = &info;
    emit(&event);
    info.size = offsetof(koine_model_info, context);
    emit(&event);
    ASSERT_INT(assembly.answer->model_count, 2);
    ASSERT_STR(assembly.answer->models[0].id, "m");
    ASSERT_STR(assembly.answer->models[0].name, "");
    ASSERT_STR(assembly.answer->models[0].owner, "o");
    ASSERT_INT(assembly.answer->models[0].max_output, 9);
    ASSERT_INT(assembly.answer->models[1].created, 7);
    ASSERT_INT(assembly.answer->models[1].context, -1);
    end();
}

static void faults(void)
{
    koine_provider_event event = event_of(KOINE_EMIT_FAULT);
    static const int32_t codes[][2] = {{KOINE_FAULT_BILLING, KOINE_CLASS_BILLING},
                                       {KOINE_FAULT_UNSUPPORTED, KOINE_CLASS_UNSUPPORTED},
                                       {KOINE_CLASS_TIMEOUT, KOINE_CLASS_SERVER},
                                       {KOINE_CLASS_DEADLINE, KOINE_CLASS_SERVER},
                                       {0, KOINE_CLASS_SERVER},
                                       {-5, KOINE_CLASS_SERVER}};
    for (size_t i = 0; i < 6; i++) {
        begin(LIMIT);
        event.code = codes[i][0];
        event.text = KOINE__STR("no\nmoney");
        event.name = KOINE__STR("c");
        event.retry_ms = 1500;
        emit(&event);
        event.code = KOINE_FAULT_AUTH;
        emit(&event); /* the first word holds */
        ASSERT_INT(assembly.fault->class_number, codes[i][1]);
        ASSERT_STR(assembly.fault->message, "no money");
        ASSERT_STR(assembly.fault->code, "c");
        ASSERT_INT(assembly.fault->retry_after_ns, 1500 * KOINE__MS);
        end();
    }
    begin(LIMIT);
    event.retry_ms = INT64_MAX;
    emit(&event);
    ASSERT_INT(assembly.fault->retry_after_ns, -1);
    end();
}

static void stops(void)
{
    static const char *const names[] = {"stop", "length", "tool", "filter", "other", "other", "other"};
    static const int32_t codes[] = {
        KOINE_STOP_END, KOINE_STOP_LENGTH, KOINE_STOP_TOOL, KOINE_STOP_FILTER, KOINE_STOP_OTHER, 77, -1};
    for (size_t i = 0; i < 7; i++) {
        begin(LIMIT);
        ASSERT_STR(finish(codes[i]), names[i]);
        ASSERT_STR(koine_response_finish_raw(assembly.answer), "raw");
        end();
    }
    begin(LIMIT); /* a word that is too long is cut at a character's end */
    emit_stop(KOINE_STOP_OTHER, "1234567890123456789012345678901234567890123456\xc3\xa9xx");
    ASSERT_STR(koine_response_finish_raw(assembly.answer), "1234567890123456789012345678901234567890123456");
    end();
}

static void nothing_after_the_stop(void)
{
    begin(LIMIT);
    emit_stop(KOINE_STOP_END, "stop");
    emit_text(KOINE_EMIT_TEXT, "more");
    ASSERT_INT(assembly.fault->class_number, KOINE_CLASS_PLUGIN);
    ASSERT_STR(events(), "");
    end();
}

static void older_and_newer_plugins(void)
{
    koine_provider_event event = event_of(KOINE_EMIT_TEXT);
    begin(LIMIT);
    event.text = KOINE__STR("Hel");
    event.size = offsetof(koine_provider_event, retry_ms);
    emit(&event);
    event.kind = 4711;
    emit(&event); /* unknown: ignored */
    ASSERT_STR(events(), "start together/a   | 2 Hel");
    event.size = offsetof(koine_provider_event, code) - 1;
    emit(&event);
    ASSERT_INT(assembly.fault->class_number, KOINE_CLASS_PLUGIN);
    end();
}

static void ceilings(void)
{
    koine_provider_event extra = event_of(KOINE_EMIT_EXTRA);
    begin(4);
    emit_text(KOINE_EMIT_TEXT, "1234");
    ASSERT_INT(assembly.fault->class_number, KOINE_CLASS_NONE);
    emit_text(KOINE_EMIT_TEXT, "5");
    ASSERT_INT(assembly.fault->class_number, KOINE_CLASS_PROTOCOL);
    ASSERT_STR(assembly.fault->message, "the answer is larger than body_limit");
    ASSERT_STR(events(), "start together/a   | 2 1234");
    end();
    begin(4);
    emit_tool(0, "x", "f", "[1,2]");
    ASSERT_INT(assembly.fault->class_number, KOINE_CLASS_PROTOCOL);
    end();
    begin(4);
    extra.text = KOINE__STR("1234");
    emit(&extra);
    ASSERT_INT(assembly.fault->class_number, KOINE_CLASS_PROTOCOL);
    end();
}

static void everything(void)
{
    koine_provider_event extra = event_of(KOINE_EMIT_EXTRA), model = event_of(KOINE_EMIT_MODEL);
    koine_model_info info = {.size = sizeof(info), .id = KOINE__STR("m")};
    emit_text(KOINE_EMIT_TEXT, "Hello");
    emit_tool(0, "x", "", "{\"n\"");
    emit_tool(0, NULL, "f", ":1}");
    emit_tool(1, NULL, "g", "");
    extra.name = KOINE__STR("e");
    extra.text = KOINE__STR("1");
    emit(&extra);
    emit(&extra);
    emit_keep(0, "k", "1");
    emit_keep(1, "k", "2");
    model.model = &info;
    emit(&model);
    emit_stop(KOINE_STOP_TOOL, "tool_calls");
    koine__assembly_finish(&assembly);
}

static void no_memory(void)
{
    for (long n = 1;; n++) {
        failalloc_begin(n);
        int rc = koine__assembly_init(&assembly, "together/a", &random_state, LIMIT);
        if (rc == KOINE_OK)
            everything();
        int class_number = assembly.fault->class_number;
        if (class_number == KOINE_CLASS_NONE && rc == KOINE_OK)
            rc = koine__answer_message(assembly.answer);
        koine_response_message(assembly.answer);
        koine_response_extra(assembly.answer, "e");
        koine__assembly_release(&assembly);
        if (!failalloc_end())
            break;
        CU_ASSERT(rc == KOINE_EMEMORY || class_number == KOINE_CLASS_MEMORY);
    }
}

SUITE_MAIN("assemble", {"T01: fragments by index", t01_fragments_by_index},
           {"T01: interleaved", t01_interleaved}, {"T02: no index", t02_no_index},
           {"T02: neither index nor id", t02_neither_index_nor_id},
           {"T03: all under index 0", t03_all_under_index_0},
           {"T04: a new id with every fragment", t04_a_new_id_with_every_fragment},
           {"T05: two values under one index", t05_two_values_under_one_index},
           {"only space may follow", only_space_may_follow}, {"too many of anything", too_many},
           {"names without end", names_without_end}, {"names weigh", names_weigh},
           {"T06: whole calls", t06_whole_calls}, {"strings hide brackets", strings_hide_brackets},
           {"T08: cut arguments", t08_cut_arguments},
           {"arguments that are no JSON", arguments_that_are_no_json},
           {"a name that comes late", a_name_that_comes_late},
           {"C14: stop after tools", c14_stop_after_tools}, {"starts", starts}, {"usage", usage},
           {"extras", extras}, {"what goes back", what_goes_back}, {"models", models}, {"faults", faults},
           {"stops", stops}, {"nothing after the stop", nothing_after_the_stop},
           {"older and newer plugins", older_and_newer_plugins}, {"ceilings", ceilings},
           {"no memory", no_memory})
