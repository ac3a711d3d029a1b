/* isolate_acts: the recorder stands where a koine_out and a koine_sink would; what it wrote is played into
 * the real ones. Nothing is judged on the way: a wrong header breaks the same rule at the end of it. */
#include "core/plugin/isolate.h"

#include <string.h>

enum act {
    ACT_METHOD = 1,
    ACT_PATH,
    ACT_SEGMENT,
    ACT_QUERY,
    ACT_HEADER,
    ACT_SECRET,
    ACT_OPEN,
    ACT_CLOSE,
    ACT_STR,
    ACT_NUM,
    ACT_RAW,
    ACT_BYTES,
    ACT_NOTICE,
    ACT_FAIL,
    ACT_EMIT,
    ACT_MEMBER
};

/* ---- Recording ------------------------------------------------------------------------------------- */

static struct koine__recorder *of_out(koine_out *out)
{
    return (struct koine__recorder *)out;
}

static struct koine__buf *act(koine_out *out, enum act which)
{
    struct koine__buf *buf = of_out(out)->buf;
    koine__pack_u8(buf, (uint8_t)which);
    return buf;
}

static void record_method(koine_out *out, const char *method)
{
    koine__pack_text(act(out, ACT_METHOD), method);
}

static void record_path(koine_out *out, const char *text)
{
    koine__pack_text(act(out, ACT_PATH), text);
}

static void record_segment(koine_out *out, koine_str text)
{
    koine__pack_str(act(out, ACT_SEGMENT), text);
}

static void record_named(koine_out *out, enum act which, const char *name, koine_str value)
{
    struct koine__buf *buf = act(out, which);
    koine__pack_text(buf, name);
    koine__pack_str(buf, value);
}

static void record_query(koine_out *out, const char *name, koine_str value)
{
    record_named(out, ACT_QUERY, name, value);
}

static void record_header(koine_out *out, const char *name, koine_str value)
{
    record_named(out, ACT_HEADER, name, value);
}

static void record_secret(koine_out *out, const char *name, const char *prefix)
{
    struct koine__buf *buf = act(out, ACT_SECRET);
    koine__pack_text(buf, name);
    koine__pack_text(buf, prefix);
}

static void record_open(koine_out *out, const char *key, int32_t bracket)
{
    struct koine__buf *buf = act(out, ACT_OPEN);
    koine__pack_text(buf, key);
    koine__pack_i32(buf, bracket);
}

static void record_close(koine_out *out)
{
    act(out, ACT_CLOSE);
}

static void record_str(koine_out *out, const char *key, koine_str value)
{
    record_named(out, ACT_STR, key, value);
}

static void record_num(koine_out *out, const char *key, int64_t value)
{
    struct koine__buf *buf = act(out, ACT_NUM);
    koine__pack_text(buf, key);
    koine__pack_i64(buf, value);
}

static void record_raw(koine_out *out, const char *key, koine_str json)
{
    record_named(out, ACT_RAW, key, json);
}

static void record_node(koine_out *out, const char *key, const koine_node *value)
{
    if (value)
        record_named(out, ACT_RAW, key, of_out(out)->host->dump(value));
}

/* Its name may hold any character, so it travels as it stands in its object, in a list: at the top level the
 * rules for names are stricter. NULL: it is no member. */
static void record_member(koine_out *out, const koine_node *value)
{
    if (!value)
        return;
    koine_str pair = of_out(out)->host->pair(value);
    struct koine__buf *buf = act(out, ACT_MEMBER);
    if (pair.ptr)
        koine__pack_braced(buf, pair);
    else
        koine__pack_text(buf, NULL);
}

static void record_bytes(koine_out *out, const char *content_type, koine_str body)
{
    record_named(out, ACT_BYTES, content_type, body);
}

static void record_notice(koine_out *out, int32_t what, koine_str member, koine_str why)
{
    struct koine__buf *buf = act(out, ACT_NOTICE);
    koine__pack_i32(buf, what);
    koine__pack_str(buf, member);
    koine__pack_str(buf, why);
}

static void record_fail(koine_out *out, koine_str why)
{
    koine__pack_str(act(out, ACT_FAIL), why);
}

static void record_usage(struct koine__buf *buf, const koine_provider_usage *usage)
{
    koine__pack_u8(buf, usage != NULL);
    if (usage)
        koine__isolate_pack_usage(buf, usage);
}

static void record_model(struct koine__buf *buf, const koine_model_info *told)
{
    koine_model_info model = {.size = 0};
    koine__pack_u8(buf, told != NULL);
    if (!told)
        return;
    memcpy(&model, told, told->size < sizeof(model) ? told->size : sizeof(model));
    koine__pack_u32(buf, told->size < sizeof(model) ? told->size : (uint32_t)sizeof(model));
    koine__pack_str(buf, model.id);
    koine__pack_str(buf, model.name);
    koine__pack_str(buf, model.owner);
    koine__pack_i64(buf, model.created);
    koine__pack_i64(buf, model.context);
    koine__pack_i64(buf, model.max_output);
}

static void record_event(koine_sink *sink, const koine_provider_event *told)
{
    struct koine__recorder *recorder =
        (struct koine__recorder *)((char *)sink - offsetof(struct koine__recorder, sink));
    struct koine__buf *buf = recorder->buf;
    koine_provider_event event = {.size = 0};
    memcpy(&event, told, told->size < sizeof(event) ? told->size : sizeof(event));
    koine__pack_u8(buf, ACT_EMIT);
    koine__pack_u32(buf, told->size < sizeof(event) ? told->size : (uint32_t)sizeof(event));
    koine__pack_i32(buf, event.kind);
    koine__pack_i32(buf, event.index);
    koine__pack_i32(buf, event.code);
    koine__pack_i32(buf, event.choice);
    koine__pack_str(buf, event.text);
    koine__pack_str(buf, event.id);
    koine__pack_str(buf, event.name);
    koine__pack_i64(buf, event.retry_ms);
    record_usage(buf, event.usage);
    record_model(buf, event.model);
}

void koine__recorder_init(struct koine__recorder *recorder, struct koine__buf *buf, const koine_host *host)
{
    *recorder = (struct koine__recorder){
        .out = {.size = sizeof(koine_out),
                .method = record_method,
                .path = record_path,
                .segment = record_segment,
                .query = record_query,
                .header = record_header,
                .secret = record_secret,
                .open = record_open,
                .close = record_close,
                .str = record_str,
                .num = record_num,
                .raw = record_raw,
                .node = record_node,
                .member = record_member,
                .bytes = record_bytes,
                .notice = record_notice,
                .fail = record_fail},
        .sink = {.size = sizeof(koine_sink), .emit = record_event},
        .buf = buf,
        .host = host,
    };
}

/* ---- Playing --------------------------------------------------------------------------------------- */

static void play_named(struct koine__unpack *unpack, koine_out *out, enum act which)
{
    const char *name = koine__unpack_text(unpack);
    koine_str value = koine__unpack_str(unpack);
    if (unpack->bad)
        return;
    if (which == ACT_QUERY)
        out->query(out, name, value);
    else if (which == ACT_HEADER)
        out->header(out, name, value);
    else if (which == ACT_STR)
        out->str(out, name, value);
    else if (which == ACT_RAW)
        out->raw(out, name, value);
    else
        out->bytes(out, name, value);
}

static void play_secret(struct koine__unpack *unpack, koine_out *out)
{
    const char *name = koine__unpack_text(unpack), *prefix = koine__unpack_text(unpack);
    if (!unpack->bad)
        out->secret(out, name, prefix);
}

static void play_number(struct koine__unpack *unpack, koine_out *out, enum act which)
{
    const char *key = koine__unpack_text(unpack);
    int64_t value = which == ACT_OPEN ? koine__unpack_i32(unpack) : koine__unpack_i64(unpack);
    if (unpack->bad)
        return;
    if (which == ACT_OPEN)
        out->open(out, key, (int32_t)value);
    else
        out->num(out, key, value);
}

static void play_notice(struct koine__unpack *unpack, koine_out *out)
{
    int32_t what = koine__unpack_i32(unpack);
    koine_str member = koine__unpack_str(unpack), why = koine__unpack_str(unpack);
    if (!unpack->bad)
        out->notice(out, what, member, why);
}

/* Acts of one text. */
static void play_text(struct koine__unpack *unpack, koine_out *out, enum act which)
{
    bool is_path = which == ACT_METHOD || which == ACT_PATH;
    const char *text = is_path ? koine__unpack_text(unpack) : NULL;
    koine_str value = is_path ? (koine_str){NULL, 0} : koine__unpack_str(unpack);
    if (unpack->bad)
        return;
    if (which == ACT_METHOD)
        out->method(out, text);
    else if (which == ACT_PATH)
        out->path(out, text);
    else if (which == ACT_SEGMENT)
        out->segment(out, value);
    else
        out->fail(out, value);
}

static void play_model(struct koine__unpack *unpack, koine_model_info *ret)
{
    ret->size = koine__unpack_u32(unpack);
    ret->id = koine__unpack_str(unpack);
    ret->name = koine__unpack_str(unpack);
    ret->owner = koine__unpack_str(unpack);
    ret->created = koine__unpack_i64(unpack);
    ret->context = koine__unpack_i64(unpack);
    ret->max_output = koine__unpack_i64(unpack);
    unpack->bad |= ret->size > sizeof(*ret);
}

static void play_event(struct koine__unpack *unpack, koine_sink *sink)
{
    koine_provider_usage usage;
    koine_model_info model;
    koine_provider_event event = {.size = koine__unpack_u32(unpack)};
    unpack->bad |= event.size > sizeof(event);
    event.kind = koine__unpack_i32(unpack);
    event.index = koine__unpack_i32(unpack);
    event.code = koine__unpack_i32(unpack);
    event.choice = koine__unpack_i32(unpack);
    event.text = koine__unpack_str(unpack);
    event.id = koine__unpack_str(unpack);
    event.name = koine__unpack_str(unpack);
    event.retry_ms = koine__unpack_i64(unpack);
    if (koine__unpack_u8(unpack)) {
        koine__isolate_unpack_usage(unpack, &usage);
        event.usage = &usage;
    }
    if (koine__unpack_u8(unpack)) {
        play_model(unpack, &model);
        event.model = &model;
    }
    if (!unpack->bad)
        sink->emit(sink, &event);
}

/* A number alone is a value that is no member of anything. */
static void play_member(struct koine__unpack *unpack, const koine_host *host, koine_out *out)
{
    const koine_node *root = NULL;
    koine_str text = koine__unpack_str(unpack);
    if (!unpack->bad && host->parse(host, text.ptr ? text : (koine_str){"0", 1}, &root) != KOINE_DONE)
        unpack->bad = true;
    if (!unpack->bad)
        out->member(out, text.ptr ? host->at(host->at(root, 0), 0) : root);
}

static void play_written(struct koine__unpack *unpack, koine_out *out, enum act which)
{
    switch (which) {
    case ACT_METHOD:
    case ACT_PATH:
    case ACT_SEGMENT:
    case ACT_FAIL:
        play_text(unpack, out, which);
        break;
    case ACT_QUERY:
    case ACT_HEADER:
    case ACT_STR:
    case ACT_RAW:
    case ACT_BYTES:
        play_named(unpack, out, which);
        break;
    case ACT_OPEN:
    case ACT_NUM:
        play_number(unpack, out, which);
        break;
    case ACT_SECRET:
        play_secret(unpack, out);
        break;
    case ACT_NOTICE:
        play_notice(unpack, out);
        break;
    case ACT_CLOSE:
        out->close(out);
        break;
    default:
        unpack->bad = true;
    }
}

bool koine__isolate_play(struct koine__unpack *unpack, const koine_host *host, koine_out *out,
                         koine_sink *sink)
{
    while (!unpack->bad && unpack->at < unpack->end) {
        enum act which = (enum act)koine__unpack_u8(unpack);
        if (which == ACT_EMIT && sink)
            play_event(unpack, sink);
        else if (which == ACT_MEMBER && out)
            play_member(unpack, host, out);
        else if (which != ACT_EMIT && out)
            play_written(unpack, out, which);
        else
            unpack->bad = true;
    }
    return !unpack->bad;
}
