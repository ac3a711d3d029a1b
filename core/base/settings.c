/* settings: the table itself, and finding a row by a concrete path. */
#include "core/base/settings.h"

#include "core/base/clock.h"
#include "core/base/str.h"
#include <stdio.h>
#include <string.h>

#define LONGEST_NAME 64
#define MS(n)        ((n)*KOINE__MS)
#define HOURS(n)     ((n)*3600 * KOINE__SEC)
#define REAL(n)      ((n)*INT64_C(1000000))
#define DOLLARS(n)   ((n)*INT64_C(1000000000000))
#define NO_END       INT64_MAX

/* clang-format off */
#define ROW(path_, type_, otherwise_, ...)                                                                   \
    {.path = (path_), .type = KOINE__SET_##type_, .otherwise = (otherwise_), __VA_ARGS__}
#define RANGE(min_, max_) .min = (min_), .max = (max_)

static const struct koine__setting rows[] = {
    ROW("providers.*.plugin", NAME, NULL,
        .help = "The plugin that speaks to this provider, for example `openai` for any server that is compatible "
                "with it. By default the instance's own name."),
    ROW("providers.*.isolate", BOOL, "false",
        .help = "Runs the plugin in a process of its own, without network, files and keys. Its key is api_key, or the variable of its own name, `ACME_API_KEY` for `acme`. If it crashes or hangs, "
                "the calls it held fail as `plugin`, and it is started again. The plugin's file must be named like "
                "the plugin: `acme.so`."),
    ROW("providers.*.isolate_timeout", DURATION, "5s", RANGE(MS(1), HOURS(1)),
        .help = "Longest time that an isolated plugin may take to start, to write one request or to read one piece "
                "of an answer."),
    ROW("providers.*.sha256", DIGEST, NULL,
        .help = "The SHA-256 of the plugin's file as 64 hex digits. A file of other bytes is refused before "
                "anything of it runs. The file must be named like the plugin."),
    ROW("providers.*.base_url", URL, NULL,
        .help = "Where requests go, with the path up to the version: `https://api.together.ai/v1`. By default the "
                "plugin's; a plugin may have none (`azure`), and then it is required. To any other server the key in the plugin's variable (`TOGETHER_API_KEY`) is not sent, unless "
                "`api_key` names it."),
    ROW("providers.*.api_key", SECRET, NULL,
        .help = "The key. Write `${VARIABLE}` rather than the key itself. Without this, `api_key_file` and "
                "`api_key_command`, it is taken from the variable that the plugin names, such as "
                "`TOGETHER_API_KEY`."),
    ROW("providers.*.api_key_file", PATH, NULL,
        .help = "A file that holds the key and nothing else. It is refused if others may read it."),
    ROW("providers.*.api_key_command", COMMAND, NULL,
        .help = "A command for the shell that prints the key: the first line of its output is used."),
    ROW("providers.*.price", CHOICE, "catalogue", .choices = "catalogue|free",
        .help = "Where the prices of this instance come from. `free` is for servers of one's own: every call costs "
                "exactly zero. A model that the catalogue does not know is unpriced, never free."),
    ROW("providers.*.parameters", CHOICE, NULL, .choices = "warn|strict|drop",
        .help = "What happens to members of a document that this provider cannot take. By default the top-level "
                "`parameters`."),
    ROW("providers.*.options.*", TEXT, NULL,
        .help = "A setting of the vendor's own. Which there are, the plugin declares; one that it does not know is refused with the nearest name."),
    ROW("providers.*.body_limit", SIZE, "16MiB", RANGE(1000, INT64_C(1) << 30),
        .help = "The largest answer that is read, after decompression. A longer one fails as `protocol`."),
    ROW("providers.*.timeouts.connect", DURATION, "5s", RANGE(MS(1), HOURS(24)),
        .help = "Longest time of one attempt to resolve the name, connect and finish the TLS handshake."),
    ROW("providers.*.timeouts.first_byte", DURATION, "60s", RANGE(MS(1), HOURS(24)), .may_be_off = true,
        .help = "Longest wait for the first byte of a streamed answer."),
    ROW("providers.*.timeouts.first_token", DURATION, "off", RANGE(MS(1), HOURS(24)), .may_be_off = true,
        .help = "Longest wait for the first piece of text, reasoning or tool call of a streamed answer."),
    ROW("providers.*.timeouts.idle", DURATION, "60s", RANGE(MS(1), HOURS(24)), .may_be_off = true,
        .help = "Longest silence inside a streamed answer: no byte arrives."),
    ROW("providers.*.timeouts.progress", DURATION, "300s", RANGE(MS(1), HOURS(24)), .may_be_off = true,
        .help = "Longest time without an event in a streamed answer. Comments that only keep the connection open do "
                "not count."),
    ROW("providers.*.timeouts.total", DURATION, "600s", RANGE(MS(1), HOURS(24)),
        .help = "Longest time of one attempt. Where the answer is asked for or held until it is whole, it is also capped "
                "by what is left of the route's `deadline`, shared with the targets still untried."),
    ROW("providers.*.retry.max_retries", INTEGER, "3", RANGE(0, 20),
        .help = "How often the same target is tried again after its first attempt failed."),
    ROW("providers.*.retry.base_delay", DURATION, "1s", RANGE(0, HOURS(24)),
        .help = "The wait before the first retry, before jitter."),
    ROW("providers.*.retry.multiplier", REAL, "2", RANGE(REAL(1), REAL(10)),
        .help = "By how much each further wait is longer than the one before."),
    ROW("providers.*.retry.max_delay", DURATION, "60s", RANGE(0, HOURS(24)),
        .help = "The longest wait that growth and jitter may lead to."),
    ROW("providers.*.retry.jitter", CHOICE, "equal", .choices = "none|equal|full|decorrelated|proportional",
        .help = "How waits are spread so that many clients do not come back at once. `equal` keeps at least half of "
                "each wait."),
    ROW("providers.*.retry.retry_after_cap", DURATION, "60s", RANGE(0, HOURS(24)),
        .help = "The longest wait advised by a provider (`Retry-After`) that is still obeyed. A longer one ends the "
                "attempts at this target."),
    ROW("providers.*.retry.move_on_after", DURATION, "5s", RANGE(0, HOURS(24)),
        .help = "If a provider advises a longer wait than this and the route has another target, the call moves on "
                "at once. Where there is another target, nobody waits in line for longer either."),
    ROW("providers.*.retry.budget", INTEGER, "100", RANGE(10, 1000000), .may_be_off = true,
        .help = "How many retries all calls to this server may make beyond what its successes earn: a retry costs 10, or 5 where the provider said when to come back; a first attempt that succeeds earns 1, a retry that succeeds what it cost. So about a tenth of the attempts may be retries in the long run."),

    ROW("providers.*.limits.requests_per_minute", INTEGER, "off", RANGE(1, 1000000), .may_be_off = true,
        .help = "Most requests that are sent within any 60 seconds with this key, by all clients of a hub together. What is more waits in line."),
    ROW("providers.*.limits.tokens_per_minute", INTEGER, "off", RANGE(1, INT64_C(1000000000000)), .may_be_off = true,
        .help = "Most tokens within any 60 seconds: what a request may take is reserved when it is sent (its prompt by estimate, and its limit of output), and corrected when it has answered."),
    ROW("providers.*.limits.concurrent", INTEGER, "off", RANGE(1, 1000000), .may_be_off = true,
        .help = "Most requests under way at once, each to the end of its answer."),
    ROW("providers.*.limits.queue", INTEGER, "256", RANGE(0, 1000000),
        .help = "Most requests that wait in line for their turn, first come first served. What is more is refused and goes to the next target. `0`: nobody waits."),
    ROW("providers.*.limits.window", DURATION, "60s", RANGE(MS(1), HOURS(24)),
        .help = "What a minute is to `requests_per_minute` and `tokens_per_minute`: for tests that run at another scale."),
    ROW("providers.*.limits.slack", DURATION, "500ms", RANGE(0, HOURS(1)),
        .help = "How much longer than the window a request counts, since what is sent later may arrive sooner."),
    ROW("providers.*.limits.unused_grant", DURATION, "250ms", RANGE(MS(1), HOURS(1)),
        .help = "A turn that a client does not take up for so long, because its thread is busy elsewhere, goes to the next in line."),

    ROW("providers.*.breaker.failures", INTEGER, "5", RANGE(1, 1000), .may_be_off = true,
        .help = "The circuit breaker opens at so many failures within its window, and requests go to the next target at once. `off`: there is none."),
    ROW("providers.*.breaker.window", DURATION, "60s", RANGE(MS(1), HOURS(24)),
        .help = "For how long a failure counts."),
    ROW("providers.*.breaker.min_calls", INTEGER, "5", RANGE(1, 1000000),
        .help = "It does not open before so many requests have ended within the window."),
    ROW("providers.*.breaker.ratio", REAL, "0.5", RANGE(0, REAL(1)),
        .help = "It opens only if at least this part of the requests within the window failed, so that a few failures among many successes open nothing. `0`: however many succeed."),
    ROW("providers.*.breaker.open_for", DURATION, "30s", RANGE(MS(1), HOURS(24)),
        .help = "For how long an open breaker keeps requests away; then some are let through as probes."),
    ROW("providers.*.breaker.probes_in_flight", INTEGER, "1", RANGE(1, 1000),
        .help = "Most probes that are under way at once."),
    ROW("providers.*.breaker.successes_to_close", INTEGER, "2", RANGE(1, 1000),
        .help = "So many probes must succeed, one after another, until the breaker closes. One that fails opens it again."),

    ROW("providers.*.latch", DURATION, "5m", RANGE(MS(1), HOURS(24)), .may_be_off = true,
        .help = "For how long a key that was refused, an account that cannot pay, and a model that is gone are left alone where a route has another target. A new key or base URL ends it."),

    ROW("routes.*.targets[].target", TARGET, NULL,
        .help = "One target of the fallback chain, in the order they are tried: `instance/model`, split at the first "
                "slash. An element of the list may be this text alone."),
    ROW("routes.*.targets[].set.*", JSON, NULL,
        .help = "A member of the document to set for this target only, for example `temperature`."),
    ROW("routes.*.targets[].unset[]", TEXT, NULL,
        .help = "The name of a member of the document that does not travel to this target."),
    ROW("routes.*.targets[].max_retries", INTEGER, NULL, RANGE(0, 20),
        .help = "Retries at this target. By default those of its instance, `retry.max_retries`."),
    ROW("routes.*.commit", CHOICE, "first_content", .choices = "first_content|complete",
        .help = "When an answer is handed on: with its first content, or held until it is `complete`, so that the "
                "call can still move to another target when a stream breaks."),
    ROW("routes.*.deadline", DURATION, "600s", RANGE(MS(1), NO_END),
        .help = "Longest time of the whole call: every attempt and the waits between them."),
    ROW("routes.*.max_attempts", INTEGER, "6", RANGE(1, 100),
        .help = "Most attempts of one call over all its targets. One is kept for each target still untried."),
    ROW("routes.*.hedge_after", DURATION, "off", RANGE(MS(1), HOURS(24)), .may_be_off = true,
        .help = "If no content has come for so long (and for longer than 95 of 100 answers of late take to begin), the next target is asked as well, where it is another server; the first to answer wins, and both are accounted. Off by default: it costs more."),
    ROW("routes.*.fallback_on.content_policy", BOOL, "false",
        .help = "Whether a prompt or answer that one provider's filter refuses goes to the next target."),
    ROW("routes.*.fallback_on.auth", BOOL, "true",
        .help = "Whether a call whose key is refused goes to the next target: it does, loudly. `false`: it fails."),
    ROW("routes.*.fallback_on.billing", BOOL, "true",
        .help = "The same for an account that cannot pay."),
    ROW("routes.*.fallback_on.model_gone", BOOL, "true",
        .help = "The same for a model that the provider does not serve."),
    ROW("routes.*.fallback_on.rate_limit", BOOL, "true",
        .help = "The same for a provider that says it is asked too often, when retries are over."),

    ROW("plugin_path[]", PATH, NULL,
        .help = "A folder to look for plugins in, before the one that was installed. It and its files must be "
                "writable by nobody but you or root."),
    ROW("catalogue[]", PATH, NULL,
        .help = "A catalogue file with models and prices that are added to those installed, or override them."),
    ROW("isolate_helper", PATH, NULL,
        .help = "The program that isolated plugins run in. By default the one that was installed."),
    ROW("default_route", NAME, "default",
        .help = "The route of a call that names none."),
    ROW("parameters", CHOICE, "warn", .choices = "warn|strict|drop",
        .help = "What happens to members of a document that a provider cannot take, such as another vendor's: `warn` "
                "drops them with a notice, `strict` refuses the target, `drop` is silent."),
    ROW("min_attempt", DURATION, "1s", RANGE(0, HOURS(24)),
        .help = "An attempt is not started if less than this is left of the deadline."),

    ROW("budgets.call", DOLLARS, NULL, RANGE(0, DOLLARS(1000000)),
        .help = "Most that one call may cost, all its attempts together. By default there is no limit."),
    ROW("budgets.run", DOLLARS, NULL, RANGE(0, DOLLARS(1000000)),
        .help = "Most that the calls of one run may cost together. A run is the calls under one run id; by default one per hub, and in the command one per process. `MAX_ESTIMATED_COST` in the environment or in `.env` is a limit of the run too, and the lower one holds."),
    ROW("budgets.unpriced", CHOICE, "refuse", .choices = "refuse|allow",
        .help = "What happens under a budget to a call whose price is not known: `allow` lets it through, uncounted. What costs nothing says so with `price: free`."),
    ROW("budgets.estimate", CHOICE, "bound", .choices = "bound|typical",
        .help = "How many tokens a prompt is taken to have before it is sent: `bound` counts each byte as one, which it never exceeds; `typical` counts four bytes as one, so that more calls fit and the budget may be overspent by a little."),

    ROW("store.plugin", NAME, "sqlite",
        .help = "The store plugin, by the name of its file: `sqlite.so` in a folder of `plugin_path` or in the one of stores that was installed."),
    ROW("store.path", PATH, NULL,
        .help = "The folder that the store keeps its files in; it is made where it is missing. By default `$XDG_STATE_HOME/koine` or `~/.local/state/koine`, where the environment was read."),
    ROW("store.thread", CHOICE, "on", .choices = "on|off",
        .help = "`off`: the store has no thread of its own. Then what is written is written on the client's thread, which waits for at most `store.busy` while others lock the store."),
    ROW("store.busy", DURATION, "50ms", RANGE(MS(1), 60 * KOINE__SEC),
        .help = "Longest wait of a client's thread for a store that others have locked, with `store.thread: off`."),
    ROW("store.queue", INTEGER, "4096", RANGE(1, 1000000),
        .help = "Most rows that wait in memory until the store has written them."),
    ROW("store.when_down", CHOICE, "buffer", .choices = "buffer|refuse",
        .help = "What happens while the store cannot be written. `buffer`: calls go on and up to `store.queue` rows are kept; what is more is lost, and a notice says so. `refuse`: what would have to be recorded is refused (class `refused`, code `store`)."),

    ROW("approval.call", DOLLARS, NULL, RANGE(0, DOLLARS(1000000)),
        .help = "A call that could cost more waits for an answer before anything is sent. What it could cost is the dearest way through its route, retries included, but no more than its budgets have left; `budgets.estimate` holds here too. By default nothing is asked."),
    ROW("approval.run", DOLLARS, NULL, RANGE(0, DOLLARS(1000000)),
        .help = "The same for a call with which its run could come to cost more: what the calls of the run have spent and reserved, and what this one could cost."),

    ROW("pool.connections", INTEGER, "64", RANGE(1, 10000),
        .help = "Most connections that one client has open at once."),
    ROW("pool.idle", INTEGER, "16", RANGE(0, 10000),
        .help = "Most connections that one client keeps open while nothing uses them."),

    ROW("network.ca_file", PATH, NULL,
        .help = "The certificates of the authorities to trust, as one PEM file. By default the system's."),
    ROW("network.proxy", URL, NULL,
        .help = "A proxy for all requests but those to loopback. By default what `https_proxy` and its like say."),

    ROW("webhook.url", URL, NULL,
        .help = "Where notices (a breaker opened, a key was latched) are sent as JSON; see observing.md. Needs `webhook.secret`."),
    ROW("webhook.secret", SECRET, NULL,
        .help = "What each notice is signed with. Write `${VARIABLE}` rather than the secret itself. One that begins with `whsec_` is base64 after that."),
    ROW("webhook.kinds[]", CHOICE, NULL,
        .choices = "breaker_opened|breaker_half_opened|breaker_closed|paused|latched|unlatched|refused|not_retried|lost|store_down|store_up|store_lost",
        .help = "A kind of notice that is sent. By default all but `refused` and `not_retried`."),
    ROW("webhook.timeout", DURATION, "10s", RANGE(MS(1), HOURS(1)),
        .help = "Longest time of one attempt to send a notice, connecting included."),
    ROW("webhook.max_retries", INTEGER, "3", RANGE(0, 20),
        .help = "How often a notice is sent again after its first attempt failed. Then it is logged and dropped."),
    ROW("webhook.base_delay", DURATION, "1s", RANGE(0, HOURS(1)),
        .help = "The wait before a notice is sent again the first time; each further one is twice as long, up to 60s, with jitter."),

    ROW("log.level", CHOICE, "warning", .choices = "error|warning|info|debug",
        .help = "How much is logged, where the application logs less by itself. No level ever shows a key, and none a prompt or an answer unless `log.content` says so."),
    ROW("log.format", CHOICE, "logfmt", .choices = "logfmt|json",
        .help = "What a line of the log looks like: `name=value` words, or a JSON object. The events and their "
                "fields are the same."),
    ROW("log.content", BOOL, "false",
        .help = "Also logs what the prompts and answers of calls say, at the level `info`: up to 4096 bytes of each "
                "text. Keys stay hidden."),
};
/* clang-format on */
#define ROWS (sizeof(rows) / sizeof(rows[0]))

const struct koine__setting *koine__settings(size_t *ret_count)
{
    *ret_count = ROWS;
    return rows;
}

/* The next element of a row's path: a name, `*`, or `[]`. Empty at the end. */
static koine_str cut_element(koine_str *rest)
{
    koine_str element = {rest->ptr, 0};
    if (koine__str_starts(*rest, "[]"))
        element.len = 2;
    else
        while (element.len < rest->len && rest->ptr[element.len] != '.' && rest->ptr[element.len] != '[')
            element.len++;
    rest->ptr += element.len;
    rest->len -= element.len;
    if (koine__str_starts(*rest, ".")) {
        rest->ptr++;
        rest->len--;
    }
    return element;
}

static bool is_index(koine_str text)
{
    int64_t index;
    bool padded = text.len > 1 && text.ptr[0] == '0';
    return text.len && text.ptr[0] != '-' && !padded && koine__read_int(text, 0, 999999, &index) == 0;
}

static bool fits(koine_str element, koine_str name)
{
    if (koine__str_is(element, "*"))
        return koine__is_name(name);
    if (koine__str_is(element, "[]"))
        return is_index(name);
    return element.len && koine__str_eq(element, name);
}

/* Whether the path, or the whole of it as a beginning, fits the row; *ret_below is what the row has beyond
 * it. */
static bool match(const struct koine__setting *row, koine_str path, koine_str *ret_below)
{
    koine_str below = koine__str(row->path);
    while (path.ptr && path.len) {
        koine_str name = koine__str_cut(&path, '.');
        if (!fits(cut_element(&below), name) || (path.ptr && !path.len))
            return false;
    }
    *ret_below = below;
    return true;
}

const struct koine__setting *koine__setting_find(const char *path)
{
    koine_str below;
    for (size_t i = 0; i < ROWS; i++)
        if (match(&rows[i], koine__str(path), &below) && !below.len)
            return &rows[i];
    return NULL;
}

bool koine__setting_is_map(const char *path)
{
    koine_str below;
    for (size_t i = 0; i < ROWS; i++)
        if (match(&rows[i], koine__str(path), &below) && below.len)
            return true;
    return false;
}

/* Splits at the last dot; the parent of a top-level name is empty. */
static koine_str split_last(koine_str path, koine_str *ret_last)
{
    size_t at = path.len;
    while (at && path.ptr[at - 1] != '.')
        at--;
    *ret_last = (koine_str){path.ptr + at, path.len - at};
    return (koine_str){path.ptr, at ? at - 1 : 0};
}

/* A row below the parent that ends in the very name, with no wildcard between: "retry.max_retries". */
static bool find_deeper(koine_str parent, koine_str last, koine_str *ret)
{
    koine_str below, name;
    for (size_t i = 0; i < ROWS; i++) {
        if (!match(&rows[i], parent, &below) || !below.len)
            continue;
        split_last(below, &name);
        if (!koine__str_eq(name, last) || memchr(below.ptr, '*', below.len) ||
            memchr(below.ptr, '[', below.len))
            continue;
        *ret = below;
        return true;
    }
    return false;
}

const char *koine__setting_suggest(const char *path, char *ret, size_t size)
{
    char names[ROWS][LONGEST_NAME], wanted[LONGEST_NAME + 1];
    const char *candidates[ROWS];
    size_t count = 0;
    koine_str last, below, parent = split_last(koine__str(path), &last);
    if (last.len > LONGEST_NAME)
        return NULL;
    snprintf(wanted, sizeof(wanted), "%.*s", (int)last.len, last.ptr);
    if (find_deeper(parent, last, &below)) {
        snprintf(ret, size, "%.*s", (int)below.len, below.ptr);
        return ret;
    }
    for (size_t i = 0; i < ROWS; i++) {
        koine_str element = {NULL, 0};
        if (match(&rows[i], parent, &below))
            element = cut_element(&below);
        if (!element.len || koine__str_is(element, "*") || koine__str_is(element, "[]"))
            continue;
        snprintf(names[count], LONGEST_NAME, "%.*s", (int)element.len, element.ptr);
        candidates[count] = names[count];
        count++;
    }
    const char *nearest = koine__nearest(wanted, candidates, count);
    if (!nearest)
        return NULL;
    snprintf(ret, size, "%s", nearest);
    return ret;
}

const char *koine__setting_wildcard(const char *path)
{
    koine_str last, below, parent = split_last(koine__str(path), &last);
    for (size_t i = 0; i < ROWS; i++) {
        if (!match(&rows[i], parent, &below))
            continue;
        koine_str element = cut_element(&below);
        if (koine__str_is(element, "*") || koine__str_is(element, "[]"))
            return koine__str_is(element, "*") ? "*" : "[]";
    }
    return NULL;
}
