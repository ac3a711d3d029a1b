// acme in C++20: what ../own/acme.c is in C, to the byte. Witness that the header serves both languages.
//
//   c++ -std=c++20 -fno-exceptions -fno-rtti -fvisibility=hidden -fPIC -shared
//       $(pkg-config --cflags koine) -o acme.so acme.cpp
//
// Nothing of the C++ library's run time is needed, and no symbol but the one is exported.
#include <koine/provider.h>

#include <string_view>

namespace {

using namespace std::string_view_literals;

constexpr koine_str str(std::string_view text) { return {text.data(), text.size()}; }
constexpr std::string_view view(koine_str text) { return {text.ptr, text.len}; }

struct State {
    bool started, done;
};

class Node { // a value of a document, which may be absent
  public:
    Node(const koine_host *host, const koine_node *node) : host(host), node(node) {}
    Node operator[](const char *key) const { return {host, host->get(node, key)}; }
    bool is(std::int32_t kind) const { return host->kind(node) == kind; }
    std::string_view text() const { return view(host->str(node)); }
    std::int64_t number() const { return host->num(node, -1); }
    const koine_node *raw() const { return node; }
    std::size_t size() const { return host->count(node); }
    Node at(std::size_t index) const { return {host, host->at(node, index)}; }
    std::string_view key(std::size_t index) const { return view(host->key(node, index)); }

  private:
    const koine_host *host;
    const koine_node *node;
};

void emit(koine_sink *sink, koine_provider_event event)
{
    event.size = sizeof(event);
    event.index = -1;
    event.retry_ms = -1;
    sink->emit(sink, &event);
}

// ---- Requests ----

constexpr bool is_known(std::string_view name)
{
    for (auto known : {"koine"sv, "model"sv, "stream"sv, "stream_options"sv, "messages"sv, "max_tokens"sv})
        if (name == known)
            return true;
    return false;
}

void tell_dropped(const koine_ask *ask, koine_out *out)
{
    const Node doc{ask->host, ask->doc};
    for (std::size_t i = 0; i < doc.size(); i++)
        if (!is_known(doc.key(i)))
            out->notice(out, KOINE_NOTICE_DROPPED, str(doc.key(i)), str("acme has no such parameter"));
}

std::int32_t generate_request(const koine_ask *ask, koine_out *out)
{
    const Node doc{ask->host, ask->doc}, messages = doc["messages"];
    if (!messages.is(KOINE_NODE_ARRAY)) {
        out->fail(out, str(R"(`messages` is not an array: a list of {"role", "content"} is needed)"));
        return KOINE_INVALID;
    }
    out->path(out, "/answers");
    out->secret(out, "X-ACME-Key", "");
    out->open(out, nullptr, '{');
    out->str(out, "model", ask->model);
    out->open(out, "turns", '[');
    for (std::size_t i = 0; i < messages.size(); i++) {
        out->open(out, nullptr, '{');
        out->node(out, "who", messages.at(i)["role"].raw());
        out->node(out, "text", messages.at(i)["content"].raw());
        out->close(out);
    }
    out->close(out);
    out->node(out, "limit", doc["max_tokens"].raw());
    if (ask->framing == KOINE_FRAME_SSE)
        out->raw(out, "stream", str("true"));
    out->close(out);
    tell_dropped(ask, out);
    return KOINE_DONE;
}

std::int32_t models_request(const koine_ask *, koine_out *out)
{
    out->path(out, "/models");
    out->secret(out, "X-ACME-Key", "");
    return KOINE_DONE;
}

// ---- Answers ----

void emit_end(const Node &root, std::string_view end, koine_sink *sink)
{
    koine_provider_usage usage = KOINE_PROVIDER_USAGE_INIT;
    usage.input = root["in"].number();
    usage.output = root["out"].number();
    emit(sink, {.kind = KOINE_EMIT_USAGE, .usage = &usage});
    const bool is_cut = end.size() == 6 && end.front() == 'l';
    emit(sink, {.kind = KOINE_EMIT_STOP, .code = is_cut ? KOINE_STOP_LENGTH : KOINE_STOP_END, .text = str(end)});
}

std::int32_t read_answer(const koine_read *read, State &state, koine_sink *sink)
{
    const Node root{read->host, read->frame->json};
    const auto error = root["error"].text(), text = root["text"].text(), end = root["end"].text();
    if (!root.is(KOINE_NODE_OBJECT))
        return KOINE_PROTOCOL;
    state.done = !error.empty() || !end.empty();
    if (!error.empty()) {
        emit(sink, {.kind = KOINE_EMIT_FAULT, .code = KOINE_FAULT_SERVER, .text = str(error)});
        return KOINE_DONE;
    }
    if (!state.started)
        emit(sink, {.kind = KOINE_EMIT_START, .name = str(root["model"].text())});
    state.started = true;
    if (!text.empty())
        emit(sink, {.kind = KOINE_EMIT_TEXT, .text = str(text)});
    if (!end.empty())
        emit_end(root, end, sink);
    return KOINE_DONE;
}

std::int32_t generate_frame(const koine_read *read, koine_sink *sink)
{
    auto &state = *static_cast<State *>(read->state);
    if (state.done || read->frame->kind > KOINE_FRAME_END)
        return KOINE_DONE;
    if (read->frame->kind == KOINE_FRAME_END)
        return KOINE_PROTOCOL;
    return read_answer(read, state, sink);
}

std::int32_t models_frame(const koine_read *read, koine_sink *sink)
{
    auto &state = *static_cast<State *>(read->state);
    const Node list = Node{read->host, read->frame->json}["models"];
    if (state.done || read->frame->kind > KOINE_FRAME_END)
        return KOINE_DONE;
    state.done = true;
    if (!list.is(KOINE_NODE_ARRAY))
        return KOINE_PROTOCOL;
    for (std::size_t i = 0; i < list.size(); i++) {
        if (list.at(i).text().empty())
            return KOINE_PROTOCOL;
        const koine_model_info model{.size = sizeof(model),
                                     .id = str(list.at(i).text()),
                                     .name = {},
                                     .owner = {},
                                     .created = -1,
                                     .context = -1,
                                     .max_output = -1};
        emit(sink, {.kind = KOINE_EMIT_MODEL, .model = &model});
    }
    return KOINE_DONE;
}

// ---- The table ----

std::int32_t calculate_cost(const koine_cost_query *query, koine_provider_cost *ret)
{
    return query->host->price(query, ret);
}

constexpr koine_exchange generate{sizeof(generate), sizeof(State), generate_request, generate_frame};
constexpr koine_exchange models{sizeof(models), sizeof(State), models_request, models_frame};
constexpr koine_provider provider{
    .size = sizeof(provider),
    .id = "acme",
    .version = "0.1.0",
    .base_url = "https://api.acme.example/v1",
    .key_variable = "ACME_API_KEY",
    .options = nullptr,
    .generate = &generate,
    .list_models = &models,
    .calculate_cost = calculate_cost,
    .fault = nullptr,
    .extension = nullptr,
};

} // namespace

extern "C" KOINE_EXPORT const koine_provider *KOINE_ENTRY(const koine_host *, std::uint32_t index)
{
    return index == 0 ? &provider : nullptr;
}
