/* explain_json: what was seen, as JSON. The names are fixed: programs read them. Absent things are null,
 * money is a decimal string, times are milliseconds. */
#include "core/hub/explain_internal.h"

#include <koine/json.h>
#include <string.h>

/* ---- small things ---- */

static void add_count(koine_json_writer *writer, const char *name, int64_t count)
{
    if (count < 0)
        koine_json_add_null(writer, name);
    else
        koine_json_add_integer(writer, name, count);
}

static void add_ms(koine_json_writer *writer, const char *name, int64_t ns)
{
    add_count(writer, name, ns < 0 ? -1 : ns / KOINE__MS);
}

static void add_text(koine_json_writer *writer, const char *name, const char *text)
{
    koine_json_add_string(writer, name, text && *text ? text : NULL);
}

/* null below 0, and for more than can be counted. */
static void add_usd(koine_json_writer *writer, const char *name, int64_t picodollars)
{
    char text[40];
    koine__write_usd(picodollars < 0 ? 0 : picodollars, text, sizeof(text));
    koine_json_add_string(writer, name, picodollars < 0 || picodollars == INT64_MAX ? NULL : text);
}

/* Picodollars a token are millionths of a dollar per million tokens. */
static void add_rate(koine_json_writer *writer, const char *name, int64_t rate)
{
    int64_t million;
    if (rate < 0 || __builtin_mul_overflow(rate, INT64_C(1000000), &million))
        koine_json_add_null(writer, name);
    else
        add_usd(writer, name, million);
}

static void add_sentence(koine_json_writer *writer, const char *name, struct koine__buf *buf)
{
    if (buf->error) /* the writer fails on what is no JSON */
        koine_json_add_json(writer, name, "");
    else
        koine_json_add_text(writer, name, koine__buf_str(buf), buf->len);
    koine__buf_reset(buf);
}

/* ---- one target ---- */

static void add_layer(koine_json_writer *writer, enum koine__layer layer, const struct koine__saying *saying)
{
    static const char *const states[] = {"go", "wait", "refuse"};
    bool refuses = saying->pass == KOINE__PASS_REFUSE;
    koine_json_open(writer, NULL, '{');
    koine_json_add_string(writer, "layer", koine__layer_names[layer]);
    koine_json_add_string(writer, "state", states[saying->pass]);
    koine_json_add_string(writer, "says", refuses ? saying->fault.message : saying->text);
    koine_json_add_string(writer, "class", refuses ? koine_class_name(saying->fault.class_number) : NULL);
    add_text(writer, "code", refuses ? saying->fault.code : NULL);
    add_ms(writer, "wait_ms", refuses ? saying->fault.retry_after_ns : saying->wait > 0 ? saying->wait : -1);
    koine_json_close(writer);
}

static void add_layers(koine_json_writer *writer, const struct koine__outlook *outlook)
{
    koine_json_open(writer, "layers", '[');
    for (size_t i = 0; i < KOINE__LAYERS; i++)
        if (outlook->sayings[i].asked)
            add_layer(writer, (enum koine__layer)i, &outlook->sayings[i]);
    koine_json_close(writer);
}

static void add_losses(koine_json_writer *writer, const struct koine__outlook *outlook)
{
    koine_json_open(writer, "parameters", '[');
    for (size_t i = 0; i < outlook->loss_count; i++) {
        koine_json_open(writer, NULL, '{');
        koine_json_add_string(writer, "name", outlook->losses[i].name);
        koine_json_add_string(writer, "action", outlook->losses[i].action);
        koine_json_add_string(writer, "reason", outlook->losses[i].reason);
        koine_json_close(writer);
    }
    koine_json_close(writer);
}

static void add_timeouts(koine_json_writer *writer, const struct koine__outlook *outlook)
{
    const struct koine__timeouts *timeouts = &outlook->target->instance->timeouts;
    koine_json_open(writer, "timeouts", '{');
    add_ms(writer, "connect_ms", timeouts->connect);
    add_ms(writer, "first_byte_ms", timeouts->first_byte);
    add_ms(writer, "first_token_ms", timeouts->first_token);
    add_ms(writer, "idle_ms", timeouts->idle);
    add_ms(writer, "progress_ms", timeouts->progress);
    add_ms(writer, "total_ms", timeouts->total);
    add_ms(writer, "share_ms", outlook->share);
    koine_json_close(writer);
}

static void add_retry(koine_json_writer *writer, const struct koine__outlook *outlook)
{
    static const char *const jitters[] = {"none", "equal", "full", "decorrelated", "proportional"};
    const struct koine__retry_config *retry = &outlook->retry;
    int64_t capacity = outlook->target->instance->policies.retry_capacity;
    koine_json_open(writer, "retry", '{');
    koine_json_add_integer(writer, "max_retries", retry->max_retries);
    koine_json_open(writer, "waits_ms", '[');
    for (unsigned i = 0; i + 1 < outlook->attempts; i++)
        koine_json_add_integer(writer, NULL, koine__retry_delay(retry, i) / KOINE__MS);
    koine_json_close(writer);
    koine_json_add_string(writer, "jitter", jitters[retry->jitter]);
    add_ms(writer, "retry_after_cap_ms", retry->retry_after_cap);
    add_ms(writer, "move_on_after_ms", retry->move_on_after);
    add_count(writer, "budget_left", outlook->retry_left);
    add_count(writer, "budget_capacity", outlook->retry_left < 0 ? -1 : capacity);
    koine_json_close(writer);
}

static void add_tokens(koine_json_writer *writer, const struct koine__outlook *outlook)
{
    const struct koine__model *known = outlook->target->known;
    koine_json_open(writer, "tokens", '{');
    add_count(writer, "context", known ? known->context : -1);
    add_count(writer, "max_output", known ? known->max_output : -1);
    add_count(writer, "prompt_most", outlook->estimate.prompt);
    add_count(writer, "answer_most", outlook->estimate.answer);
    koine_json_close(writer);
}

static void add_price(koine_json_writer *writer, const struct koine__outlook *outlook)
{
    const struct koine__price_row *row = outlook->price;
    char date[11];
    if (!row) {
        koine_json_add_null(writer, "price");
        return;
    }
    koine__write_date(row->valid_from, date);
    koine_json_open(writer, "price", '{');
    koine_json_add_string(writer, "id", row->id);
    koine_json_add_string(writer, "valid_from", row->valid_from > 0 ? date : NULL); /* from ever */
    add_rate(writer, "input", row->input);
    add_rate(writer, "output", row->output);
    koine_json_add_bool(writer, "estimated", row->estimated);
    koine_json_close(writer);
}

static void add_cost(koine_json_writer *writer, const struct koine__outlook *outlook)
{
    koine_json_open(writer, "cost", '{');
    koine_json_add_integer(writer, "attempts_most", outlook->attempts);
    add_usd(writer, "attempt_most_usd", outlook->estimate.cost);
    add_usd(writer, "most_usd", outlook->most);
    koine_json_add_bool(writer, "unpriced", outlook->estimate.cost < 0 && outlook->estimate.unpriced);
    add_text(writer, "unknown", outlook->estimate.cost < 0 ? outlook->estimate.unknown : NULL);
    koine_json_close(writer);
}

static void add_hedge(koine_json_writer *writer, const struct koine__looking *looking,
                      const struct koine__outlook *outlook)
{
    const struct koine__route *route = &looking->prepared.route;
    if (outlook->hedge_after < 0 || outlook->index + 1 >= route->count) {
        koine_json_add_null(writer, "hedge");
        return;
    }
    koine_json_open(writer, "hedge", '{');
    add_ms(writer, "after_ms", outlook->hedge_after);
    koine_json_add_string(writer, "target", route->targets[outlook->index + 1].text);
    add_text(writer, "obstacle", outlook->hedge_obstacle);
    koine_json_close(writer);
}

static void add_reactions(koine_json_writer *writer, const struct koine__looking *looking,
                          const struct koine__outlook *outlook)
{
    const struct koine__route *route = &looking->prepared.route;
    koine_json_open(writer, "faults", '[');
    for (size_t i = 0; i < KOINE__REACTIONS; i++) {
        const struct koine__reaction *reaction = &outlook->reactions[i];
        koine_json_open(writer, NULL, '{');
        koine_json_add_string(writer, "class", koine_class_name(reaction->class_number));
        koine_json_add_bool(writer, "again", reaction->again && outlook->attempts > 1);
        koine_json_add_string(writer, "next",
                              reaction->next < route->count ? route->targets[reaction->next].text : NULL);
        koine_json_close(writer);
    }
    koine_json_close(writer);
}

static const char *stand_of(const struct koine__looking *looking, const struct koine__outlook *outlook)
{
    if (koine__explain_refusal(outlook))
        return "refused";
    if (outlook->index != looking->first)
        return outlook->index > looking->first ? "reserve" : "unreached";
    return koine__explain_wait(outlook) ? "waits" : "asked";
}

static void add_target(koine_json_writer *writer, const struct koine__looking *looking,
                       const struct koine__outlook *outlook)
{
    const struct koine__target *target = outlook->target;
    struct koine__buf words;
    koine__buf_init(&words, 1 << 16);
    koine_json_open(writer, NULL, '{');
    koine_json_add_string(writer, "target", target->text);
    koine_json_add_string(writer, "plugin",
                          target->instance->provider ? target->instance->provider->id : NULL);
    add_text(writer, "base_url", target->instance->base_url);
    koine_json_add_string(writer, "stands", stand_of(looking, outlook));
    koine__explain_why(looking, outlook, &words);
    add_sentence(writer, "why", &words);
    koine__explain_moves(looking, outlook, &words);
    add_sentence(writer, "moves_on", &words);
    add_layers(writer, outlook);
    add_losses(writer, outlook);
    add_timeouts(writer, outlook);
    add_retry(writer, outlook);
    add_hedge(writer, looking, outlook);
    add_tokens(writer, outlook);
    add_text(writer, "retired", target->known ? target->known->retired : NULL);
    add_price(writer, outlook);
    add_cost(writer, outlook);
    add_reactions(writer, looking, outlook);
    koine_json_close(writer);
    koine__buf_release(&words);
}

/* ---- the whole ---- */

static void add_budgets(koine_json_writer *writer, const struct koine__looking *looking)
{
    koine_json_open(writer, "budgets", '[');
    for (size_t i = 0; looking->purse && i < looking->purse->count; i++) {
        struct koine__budget_view view;
        koine__budget_look(looking->purse->budgets[i], &view);
        koine_json_open(writer, NULL, '{');
        koine_json_add_string(writer, "scope", view.scope);
        add_usd(writer, "limit_usd", view.limit);
        add_usd(writer, "spent_usd", view.spent);
        add_usd(writer, "reserved_usd", view.reserved);
        add_usd(writer, "left_usd", koine__budget_left(&view));
        koine_json_close(writer);
    }
    koine_json_close(writer);
}

static void add_whole_cost(koine_json_writer *writer, const struct koine__looking *looking)
{
    struct koine__buf words;
    koine__buf_init(&words, 1 << 16);
    koine_json_open(writer, "cost", '{');
    add_usd(writer, "most_usd", looking->unknown > 0 ? -1 : looking->most);
    koine__explain_most(looking, &words);
    add_sentence(writer, "says", &words);
    add_budgets(writer, looking);
    koine_json_close(writer);
    koine__buf_release(&words);
}

static void add_now(koine_json_writer *writer, const struct koine__looking *looking)
{
    const struct koine__route *route = &looking->prepared.route;
    struct koine__buf words;
    koine__buf_init(&words, 1 << 16);
    koine_json_open(writer, "now", '{');
    koine_json_add_string(writer, "target",
                          looking->first < route->count ? route->targets[looking->first].text : NULL);
    koine_json_add_string(writer, "class",
                          looking->fault ? koine_class_name(looking->fault->class_number) : NULL);
    koine__explain_now(looking, &words);
    add_sentence(writer, "says", &words);
    koine_json_close(writer);
    koine__buf_release(&words);
}

char *koine__explain_json(const struct koine__looking *looking)
{
    const struct koine__prepared *prepared = &looking->prepared;
    const struct koine__route *route = &prepared->route;
    koine_json_writer *writer = koine_json_writer_new();
    koine_json_open(writer, NULL, '{');
    add_text(writer, "route", route->name);
    koine_json_add_string(writer, "commit",
                          route->commit == KOINE_COMMIT_COMPLETE ? "complete" : "first_content");
    koine_json_add_bool(writer, "stream", prepared->stream);
    add_ms(writer, "deadline_ms", prepared->deadline);
    koine_json_add_integer(writer, "max_attempts", route->max_attempts);
    koine_json_add_string(writer, "run", prepared->run);
    add_now(writer, looking);
    add_whole_cost(writer, looking);
    koine_json_open(writer, "targets", '[');
    for (size_t i = 0; i < route->count; i++)
        add_target(writer, looking, &looking->outlooks[i]);
    koine_json_close(writer);
    koine_json_close(writer);
    char *text = koine_json_writer_take(writer, NULL);
    if (!text)
        koine_json_writer_free(writer);
    return text;
}
