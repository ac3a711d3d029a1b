/* koine/koine.h: one API to every LLM provider, for applications.
 *
 *   koine_hub     configuration, plugins, catalogue, policy state; one per process   [any thread]
 *   koine_client  a loop, connections, calls; one per thread, cheap      [one thread at a time]
 *   koine_request what to ask; may be used for many calls, one after another or at once, of one thread
 *   koine_call    one generate (or list_models) from its start to its single terminal event
 *
 * Functions that can fail return KOINE_OK or a negative KOINE_E… number, and set their results only on
 * success. Those with a `ret_error` also hand out an error record on failure (free it with
 * koine_error_free; NULL: not wanted). Every X_free takes NULL. Strings are UTF-8 and NUL-terminated.
 * A getter borrows: what it returns lives as long as the object it was asked of, unless it says otherwise.
 * The library never prints, never exits, starts no thread, and installs no signal handler.
 * After fork(), every call in the child returns KOINE_EFORK; the _free functions there close what is ours
 * and leave the parent's streams alone.
 *
 * C11 and C++11.
 */
#ifndef KOINE_KOINE_H
#define KOINE_KOINE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define KOINE_API __attribute__((visibility("default")))
#else
#define KOINE_API
#endif

typedef struct koine_hub koine_hub;
typedef struct koine_client koine_client;
typedef struct koine_request koine_request;
typedef struct koine_call koine_call;
typedef struct koine_event koine_event;
typedef struct koine_response koine_response;
typedef struct koine_error koine_error;
typedef struct koine_canceller koine_canceller;
typedef struct koine_models koine_models;
typedef struct koine_providers koine_providers;
typedef struct koine_provider_handle koine_provider_handle;
typedef struct koine_notice koine_notice;

/* What functions return. */
enum {
    KOINE_OK = 0,
    KOINE_EMEMORY = -1, /* an allocation failed */
    KOINE_EARGUMENT =
        -2, /* the caller's mistake: NULL, out of range, wrong state, called from inside the log */
    KOINE_ECONFIG = -3,  /* a setting, a configuration file, a catalogue or a plugin is wrong */
    KOINE_EFAULT = -4,   /* a call ended in a classified fault: ask the error record */
    KOINE_EFORK = -5,    /* this object belongs to the parent process */
    KOINE_ESYSTEM = -6,  /* the system refused a descriptor, a file or the like */
    KOINE_ENOTFOUND = -7 /* no such instance, model, route or file */
};
KOINE_API const char *koine_strerror(int code); /* [any thread] a few words; never NULL */
KOINE_API const char *koine_version(void);      /* [any thread] "0.1.0" */
KOINE_API void koine_free(void *text);          /* for texts that a function says are yours */

/* ---- Faults ------------------------------------------------------------------------------------- */

/* The classes of the one table of faults (docs/design.md). Numbers never change; an unknown one is to be
 * treated like KOINE_CLASS_SERVER. */
enum {
    KOINE_CLASS_NONE = 0,
    KOINE_CLASS_CONNECT = 1,
    KOINE_CLASS_RESET = 2,
    KOINE_CLASS_TIMEOUT = 3,
    KOINE_CLASS_OVERLOADED = 4,
    KOINE_CLASS_SERVER = 5,
    KOINE_CLASS_PROTOCOL = 6,
    KOINE_CLASS_RATE_LIMIT = 7,
    KOINE_CLASS_BILLING = 8,
    KOINE_CLASS_AUTH = 9,
    KOINE_CLASS_MODEL_GONE = 10,
    KOINE_CLASS_CONTEXT_LENGTH = 11,
    KOINE_CLASS_CONTENT_POLICY = 12,
    KOINE_CLASS_INVALID = 13,
    KOINE_CLASS_UNSUPPORTED = 14,
    KOINE_CLASS_REFUSED = 15,
    KOINE_CLASS_BUDGET = 16,
    KOINE_CLASS_DECLINED = 17,
    KOINE_CLASS_CANCELLED = 18,
    KOINE_CLASS_DEADLINE = 19,
    KOINE_CLASS_PLUGIN = 20,
    KOINE_CLASS_MEMORY = 21
};
enum {
    KOINE_ORIGIN_NETWORK = 1,
    KOINE_ORIGIN_PROVIDER = 2,
    KOINE_ORIGIN_CALLER = 3,
    KOINE_ORIGIN_POLICY = 4,
    KOINE_ORIGIN_PLUGIN = 5,
    KOINE_ORIGIN_LOCAL = 6
};
KOINE_API const char *koine_class_name(int class_number); /* [any thread] "rate_limit"; "unknown" otherwise */

/* An error record. Faults of a call have a class; everything else (a bad setting, a missing file) has
 * KOINE_CLASS_NONE and a message that says what, where and what would be right. Never holds a key. */
KOINE_API int koine_error_number(const koine_error *); /* KOINE_E… */
KOINE_API int koine_error_class(const koine_error *);  /* KOINE_CLASS_… */
KOINE_API int koine_error_origin(const koine_error *); /* KOINE_ORIGIN_…, 0 without a class */
KOINE_API const char *koine_error_class_name(const koine_error *);
KOINE_API const char *koine_error_origin_name(const koine_error *);
KOINE_API const char *koine_error_stage(const koine_error *); /* "first_byte", …; "" where it has none */
KOINE_API const char *koine_error_message(
    const koine_error *);                              /* one line; the vendor's words where there are any */
KOINE_API int koine_error_status(const koine_error *); /* HTTP status, 0: none */
KOINE_API const char *koine_error_code(const koine_error *);       /* the vendor's code as text, or "" */
KOINE_API int64_t koine_error_retry_after_ms(const koine_error *); /* -1: no advice */
KOINE_API const char *koine_error_target(const koine_error *);     /* "together/model", or "" */
/* What had been answered before the fault: text, usage, cost and the trail of attempts. NULL where no call
 * ran. */
KOINE_API const koine_response *koine_error_partial(const koine_error *);
KOINE_API void koine_error_free(koine_error *);

/* ---- Hub ---------------------------------------------------------------------------------------- */

/* An empty hub: nothing is read until koine_hub_load or koine_hub_apply. [any thread] */
KOINE_API int koine_hub_new(koine_hub **ret, koine_error **ret_error);
KOINE_API void koine_hub_free(koine_hub *); /* clients keep what they need; the last one to go frees it */

/* Stages one setting; the last one staged for a path holds. `path` is a key of the settings table
 * (docs/configuration.md) with dots: "providers.together.api_key", "routes.default.targets". `value` is
 * written as in the file: "30s", "[together/a, openai/b]", "{target: openai/b, unset: [top_k]}". Nothing is
 * checked before koine_hub_apply, which also tells what cannot be read. KOINE_EARGUMENT, KOINE_EMEMORY.
 * [any thread] */
KOINE_API int koine_hub_set(koine_hub *, const char *path, const char *value);

/* Stages a YAML file. `file` NULL: the first found of $KOINE_CONFIG, the user's
 * ($XDG_CONFIG_HOME or ~/.config)/koine/koine.yaml and the system's; none found is no error.
 * Syntax, unknown keys and duplicates are reported here with file, line and column, and then nothing of the
 * file is staged. Settings from an environment read before are staged again on top of it. [any thread] */
KOINE_API int koine_hub_load(koine_hub *, const char *file, koine_error **ret_error);

/* Reads the environment: variables for ${…} and keys, KOINE__a__b=value settings, and the files `.env` and
 * `.env.$KOINE_ENV` in the current folder and beside the loaded configuration. The process's own variables
 * win. Without this call the library reads no variable at all. [any thread, while nobody changes the
 * environment] */
KOINE_API int koine_hub_load_environment(koine_hub *, koine_error **ret_error);

/* Checks everything staged, loads plugins and catalogue, and publishes a new snapshot. On failure the one
 * before stays. Calls under way keep theirs. May read files and run api_key_command. [any thread] */
KOINE_API int koine_hub_apply(koine_hub *, koine_error **ret_error);

/* The settings in force as YAML, keys shown as "(set)"; yours to koine_free. [any thread] */
KOINE_API int koine_hub_show(koine_hub *, char **ret);

/* The settings table as Markdown (what docs/configuration.md is made of); yours to koine_free. [any thread]
 */
KOINE_API int koine_settings_document(char **ret);

/* The log. `sink` is called from whatever thread logs, one call at a time, and must not call koine_…
 * (those return KOINE_EARGUMENT then, and freeing or cancelling a hub, client or call does nothing). Levels:
 * 0 error, 1 warning, 2 info, 3 debug. `line`, borrowed for the call, is one line of UTF-8 without its end:
 * what the setting log.format says, logfmt or a JSON object, and begins with the time (at, UTC, in
 * milliseconds), the level and the event; docs/log.md lists the events and their fields, whose names are
 * stable. Never a key; a prompt or an answer only where log.content is true. */
typedef void (*koine_log_sink)(void *user, int level, const char *line);
KOINE_API int koine_hub_set_log(koine_hub *, int level, koine_log_sink sink, void *user);

/* ---- The factory: providers by name, at run time -------------------------------------------------- */

/* The instance of that name, loading its plugin if it is not yet. The handle lives as long as the hub.
 * Applies what is staged if nothing was applied yet. NULL: no such instance, or its plugin was refused
 * (koine_hub_list_providers says why). [any thread] */
KOINE_API const koine_provider_handle *koine_hub_provider(koine_hub *, const char *name);
KOINE_API const char *koine_provider_name(const koine_provider_handle *); /* of the instance */
KOINE_API const char *koine_provider_id(const koine_provider_handle *);   /* of the plugin */
KOINE_API const char *koine_provider_version(const koine_provider_handle *);
KOINE_API const char *koine_provider_file(const koine_provider_handle *); /* path of the shared object */
KOINE_API const char *koine_provider_base_url(const koine_provider_handle *);
KOINE_API const char *koine_provider_key_variable(
    const koine_provider_handle *);                                  /* "" where no key is needed */
KOINE_API int koine_provider_has_key(const koine_provider_handle *); /* 1, or 0 */
/* 1: a call without a key is refused before it is sent; 0: also where a server of one's own may need none. */
KOINE_API int koine_provider_needs_key(const koine_provider_handle *);
/* Where the key is from, never the key: "providers.lab.api_key_file", "OPENAI_API_KEY", "OPENAI_API_KEY in
 * ./.env"; "" without a key. */
KOINE_API const char *koine_provider_key_source(const koine_provider_handle *);

/* Every plugin found and every instance configured, refused ones too. [any thread] */
KOINE_API int koine_hub_list_providers(koine_hub *, koine_providers **ret, koine_error **ret_error);
KOINE_API size_t koine_providers_count(const koine_providers *);
/* NULL where the plugin was refused, or waits. */
KOINE_API const koine_provider_handle *koine_providers_handle(const koine_providers *, size_t index);
KOINE_API const char *koine_providers_name(const koine_providers *,
                                           size_t index); /* instance, or the file's stem */
KOINE_API const char *koine_providers_file(const koine_providers *,
                                           size_t index); /* "" where none was found */
KOINE_API const char *koine_providers_reason(const koine_providers *,
                                             size_t index); /* why refused, or what it waits for; else "" */
/* 1: the plugin is well, and its instance waits for a setting that nobody but the user can know; else 0. */
KOINE_API int koine_providers_waits(const koine_providers *, size_t index);
/* 1: the configuration names it under providers:; 0: its plugin was found, and that is all. */
KOINE_API int koine_providers_configured(const koine_providers *, size_t index);
KOINE_API void koine_providers_free(koine_providers *);

/* Names of the configured routes, in order; valid until the next koine_hub_apply. NULL past the last. [any
 * thread] */
KOINE_API const char *koine_hub_route(koine_hub *, size_t index);
/* Targets ("together/model") of the route of that number, in order; likewise. */
KOINE_API const char *koine_hub_route_target(koine_hub *, size_t route, size_t index);
/* The configuration file loaded last; "" where none was. Valid until the next koine_hub_load. [any thread] */
KOINE_API const char *koine_hub_file(koine_hub *);
/* The .env files that were read, in order; one may come twice by two names. Valid until the next
 * koine_hub_load_environment or koine_hub_load. NULL past the last. [any thread] */
KOINE_API const char *koine_hub_env_file(koine_hub *, size_t index);

/* Folders searched for plugins, in order; valid until the next koine_hub_apply. NULL past the last. */
KOINE_API const char *koine_hub_plugin_folder(koine_hub *, size_t index);

/* ---- Models and prices ---------------------------------------------------------------------------- */

/* What the catalogue knows of an instance's models (NULL: of all instances), no network. [any thread] */
KOINE_API int koine_hub_models(koine_hub *, const char *instance, koine_models **ret,
                               koine_error **ret_error);
/* What the vendor says it serves now. Blocks; runs as a call of this client. */
KOINE_API int koine_list_models(koine_client *, const char *instance, koine_models **ret,
                                koine_error **ret_error);
KOINE_API size_t koine_models_count(const koine_models *);
KOINE_API const char *koine_models_instance(const koine_models *, size_t index);
KOINE_API const char *koine_models_id(const koine_models *, size_t index);
KOINE_API int64_t koine_models_context(const koine_models *, size_t index);          /* tokens; -1 unknown */
KOINE_API int64_t koine_models_max_output(const koine_models *, size_t index);       /* tokens; -1 unknown */
KOINE_API const char *koine_models_capabilities(const koine_models *, size_t index); /* "chat instruct" */
KOINE_API const char *koine_models_retired(const koine_models *, size_t index);      /* "2026-10-07", or "" */
/* Decimal US dollars per million tokens today, standard tier ("0.18"); "" where unknown. */
KOINE_API const char *koine_models_input_price(const koine_models *, size_t index);
KOINE_API const char *koine_models_output_price(const koine_models *, size_t index);
KOINE_API void koine_models_free(koine_models *);

/* ---- Probes --------------------------------------------------------------------------------------- */

/* What one koine_list_models without a retry came to, and what was seen on the way: for those who look for
 * what is wrong. It is an ordinary call of this client: the same key, proxy, certificates, timeouts and
 * policies. Blocks for at most `timeout_ms` (0: as long as the default route's deadline). KOINE_OK also where
 * the call ended in a fault, which koine_probe_error then tells; KOINE_E… where no call was possible. */
typedef struct koine_probe koine_probe;
KOINE_API int koine_probe_run(koine_client *, const char *instance, int64_t timeout_ms, koine_probe **ret,
                              koine_error **ret_error);
KOINE_API const koine_error *koine_probe_error(const koine_probe *);   /* NULL: it answered */
KOINE_API const koine_models *koine_probe_models(const koine_probe *); /* NULL: it did not */
KOINE_API int koine_probe_status(const koine_probe *);                 /* HTTP status; 0: none */
KOINE_API int64_t koine_probe_ms(const koine_probe *);                 /* of the whole call */
/* Where it was when it ended: "dns", "connect", "proxy" (which would not connect us any further), "tls",
 * "answer" (from the request on); "" where nothing was tried. */
KOINE_API const char *koine_probe_step(const koine_probe *);
KOINE_API const char *koine_probe_host(const koine_probe *); /* of the URL; "" where nothing was tried */
KOINE_API int koine_probe_port(const koine_probe *);
KOINE_API int koine_probe_uses_tls(const koine_probe *); /* 1: the URL is https; 0 */
/* Addresses that were tried, the proxy's where there is one; the first few. NULL past the last. */
KOINE_API const char *koine_probe_address(const koine_probe *, size_t index);
/* The proxy that was to be used, without user and password; "": none. And the variable that names it
 * ("https_proxy"); "": the setting does. */
KOINE_API const char *koine_probe_proxy(const koine_probe *);
KOINE_API const char *koine_probe_proxy_variable(const koine_probe *);
/* How long each step took; -1: it did not come so far, or there was none. */
KOINE_API int64_t koine_probe_dns_ms(const koine_probe *);
KOINE_API int64_t koine_probe_connect_ms(const koine_probe *);
KOINE_API int64_t koine_probe_tls_ms(const koine_probe *);
KOINE_API const char *koine_probe_tls_version(const koine_probe *);  /* "TLSv1.3"; "" unknown */
KOINE_API const char *koine_probe_http_version(const koine_probe *); /* "1.1", "2"; "" no answer */
/* When the server's certificate ends, seconds since 1970; -1 unknown, also where it was not trusted. */
KOINE_API int64_t koine_probe_certificate_end(const koine_probe *);
/* The server's `Date`, seconds since 1970; -1: none. And by how much this machine's clock was ahead of it
 * (below 0: behind); exact to half a second and the way's time; 0 without a `Date`. */
KOINE_API int64_t koine_probe_server_date(const koine_probe *);
KOINE_API int64_t koine_probe_clock_ahead_ms(const koine_probe *);
KOINE_API void koine_probe_free(koine_probe *);

/* Tokens in disjoint buckets; -1: absent, not told. input excludes what was read from or written to a
 * cache, output excludes reasoning, audio and image tokens are in neither. */
typedef struct koine_usage {
    uint32_t size;      /* sizeof(koine_usage) as you were compiled */
    uint32_t estimated; /* KOINE_BUCKET_… bits: counted by us, not told by the provider */
    int64_t input, cache_read, cache_write, output, reasoning;
    int64_t audio_input, audio_output, image_input;
} koine_usage;
enum {
    KOINE_BUCKET_INPUT = 1 << 0,
    KOINE_BUCKET_CACHE_READ = 1 << 1,
    KOINE_BUCKET_CACHE_WRITE = 1 << 2,
    KOINE_BUCKET_OUTPUT = 1 << 3,
    KOINE_BUCKET_REASONING = 1 << 4
};
#define KOINE_USAGE_INIT                                                                                     \
    {                                                                                                        \
        (uint32_t)sizeof(koine_usage), 0, -1, -1, -1, -1, -1, -1, -1, -1                                     \
    }
KOINE_API int64_t
koine_usage_input_total(const koine_usage *); /* sum of what went in; -1 if nothing is known */
KOINE_API int64_t koine_usage_output_total(const koine_usage *); /* sum of what came out; -1 likewise */

enum {
    KOINE_UNPRICED = 0,
    KOINE_PRICED = 1,
    KOINE_FREE_OF_CHARGE = 2
};
typedef struct koine_cost {
    uint32_t size;       /* sizeof(koine_cost) as you were compiled */
    int32_t state;       /* KOINE_PRICED …; unpriced is a state of its own, never zero */
    int64_t picodollars; /* 10^-12 US dollars; 0 unless priced */
    int32_t estimated;   /* 1: some of the tokens or the price itself are estimated */
    char price_id[124];  /* the catalogue row ("together/model@2024-07-23"), cut if longer, NUL-terminated */
} koine_cost;
#define KOINE_COST_INIT                                                                                      \
    {                                                                                                        \
        (uint32_t)sizeof(koine_cost), 0, 0, 0,                                                               \
        {                                                                                                    \
            0                                                                                                \
        }                                                                                                    \
    }
/* Decimal US dollars, exact, at least two decimals: "0.00012". `ret` holds at least 32 bytes; returns it. */
KOINE_API char *koine_cost_usd(int64_t picodollars, char *ret, size_t size);

/* The exact cost of so many tokens at that time. `target` is "instance/model". KOINE_OK also where the price
 * is unknown (state KOINE_UNPRICED); KOINE_ENOTFOUND: no such instance; KOINE_EARGUMENT: a sum beyond 9.2
 * million dollars or a count below -1. `at`: seconds since 1970; -1: now. [any thread] */
KOINE_API int koine_calculate_cost(koine_hub *, const char *target, const koine_usage *, int64_t at,
                                   koine_cost *ret);

/* ---- Requests ------------------------------------------------------------------------------------- */

/* A builder's failures stick: check each return, or only that of the call that uses the request. */
KOINE_API int koine_request_new(koine_request **ret);
KOINE_API void koine_request_free(koine_request *);

/* The document itself: a JSON object in the shape of OpenAI's chat completions request; replaces what was
 * built. */
KOINE_API int koine_request_set_document(koine_request *, const char *json, size_t length);
KOINE_API int koine_request_message(koine_request *, const char *role, const char *text);
/* Starts a message of several parts; the part functions add to the message begun last. */
KOINE_API int koine_request_message_parts(koine_request *, const char *role);
KOINE_API int koine_request_part_text(koine_request *, const char *text);
KOINE_API int koine_request_part_image(koine_request *,
                                       const char *url); /* https: or data:image/png;base64,… */
KOINE_API int koine_request_append(koine_request *,
                                   const char *message_json); /* a whole message, as koine_response_message */
KOINE_API int koine_request_tool(koine_request *, const char *name, const char *description,
                                 const char *schema_json);
KOINE_API int koine_request_tool_result(koine_request *, const char *tool_call_id, const char *text);
/* Any member of the document; `json` is a JSON value: "0.2", "\"auto\"", "[\"###\"]". NULL removes it. */
KOINE_API int koine_request_set(koine_request *, const char *member, const char *json);
KOINE_API int koine_request_set_string(koine_request *, const char *member, const char *text);
KOINE_API int koine_request_set_integer(koine_request *, const char *member, int64_t value);

/* Options of the call. */
KOINE_API int koine_request_set_route(koine_request *, const char *route);
KOINE_API int koine_request_set_target(koine_request *,
                                       const char *target); /* "instance/model"; wins over a route */
KOINE_API int koine_request_set_provider(koine_request *,
                                         const koine_provider_handle *); /* with the document's model */
KOINE_API int koine_request_set_deadline(koine_request *, int64_t ms); /* of the whole call; 0: the route's */
enum {
    KOINE_COMMIT_ROUTE = 0,
    KOINE_COMMIT_FIRST_CONTENT = 1,
    KOINE_COMMIT_COMPLETE = 2
};
KOINE_API int koine_request_set_commit(koine_request *, int commit);
/* How the provider is asked: 1 stream, 0 whole. By default as the document's `stream` says, else koine_start
 * streams, and koine_generate does not. */
KOINE_API int koine_request_set_stream(koine_request *, int stream);
/* Most that the call may cost, all its attempts together: decimal US dollars, "0.50". The lower one of this
 * and the configuration's `budgets.call` holds; NULL: that one alone. KOINE_EARGUMENT: no amount, or a
 * negative one. */
KOINE_API int koine_request_set_budget(koine_request *, const char *usd);
/* What the call may cost without a question: decimal US dollars. A call that could not cost more starts,
 * whatever `approval.call` and `approval.run` say. One of which nobody knows what it could cost is not
 * covered. NULL: nothing was answered beforehand. KOINE_EARGUMENT: no amount, or a negative one. */
KOINE_API int koine_request_set_approved_cost(koine_request *, const char *usd);
KOINE_API int koine_request_set_run(koine_request *, const char *run_id);
KOINE_API int koine_request_set_canceller(koine_request *,
                                          koine_canceller *); /* takes a reference of its own */
KOINE_API void koine_request_set_user(koine_request *, void *user);

/* ---- Calls ---------------------------------------------------------------------------------------- */

KOINE_API int koine_client_new(koine_hub *, koine_client **ret, koine_error **ret_error);
KOINE_API void koine_client_free(koine_client *); /* cancels and frees its calls */

/* Asks and waits for the whole answer (commits complete). KOINE_EFAULT: the error has the class. It never
 * waits for an approval: a call that would ask is of class declined, and koine_error_estimate says what
 * koine_request_set_approved_cost would have to cover. */
KOINE_API int koine_generate(koine_client *, const koine_request *, koine_response **ret,
                             koine_error **ret_error);

/* Starts a call and returns at once. Even what fails at once comes as the call's terminal event, except
 * a wrong argument or document and KOINE_EMEMORY, which start no call. */
KOINE_API int koine_start(koine_client *, const koine_request *, koine_call **ret, koine_error **ret_error);

/* The next event of any call: 1, *ret_call and *ret set; 0, nothing waits; negative KOINE_E…. The event is
 * borrowed until the next koine_next, koine_process, koine_wait, koine_call_free or koine_client_free. */
KOINE_API int koine_next(koine_client *, koine_call **ret_call, const koine_event **ret);
/* One descriptor to poll for reading, the same for life; stays readable while anything waits for
 * koine_process or koine_next, and at most until the next koine_process, or a koine_next that returns 0,
 * after that. */
KOINE_API int koine_fd(const koine_client *);
KOINE_API int koine_process(koine_client *); /* moves all that can move, never waits */
KOINE_API int koine_wait(koine_client *,
                         int timeout_ms); /* waits for koine_fd (-1: for ever), then processes */

/* Exactly one terminal event (KOINE_EVENT_STOP or KOINE_EVENT_FAULT) ends a call; then its response (STOP,
 * also after FAULT as what there was) or error (FAULT) can be read until koine_call_free. */
KOINE_API const koine_response *koine_call_response(const koine_call *); /* NULL before the end */
KOINE_API const koine_error *koine_call_error(const koine_call *);       /* NULL unless it ended in a fault */
KOINE_API void *koine_call_user(const koine_call *);
KOINE_API const char *koine_call_id(const koine_call *); /* unique in this process; as the log names it */
KOINE_API void koine_call_cancel(koine_call *);          /* [the client's thread] ends in class cancelled */
KOINE_API void koine_call_free(koine_call *); /* cancels it if it runs; no event of it comes any more */

/* A call that could cost more than the settings `approval.call` and `approval.run` let pass unasked waits
 * before its first attempt, and holds nothing meanwhile: no place in a line, no reservation, no connection.
 * It says so by KOINE_EVENT_APPROVAL and waits for as long as nobody answers; its deadline begins with the
 * approval. Cancelled or freed, it ends at once. */
KOINE_API int koine_call_awaits_approval(const koine_call *); /* 1: it waits for the answer; 0 */
/* The answer. `yes` 0 ends the call in class declined. KOINE_EARGUMENT: the call does not wait for one (it
 * was answered, has ended, or never asked). [the client's thread] */
KOINE_API int koine_call_approve(koine_call *, int yes);
/* Of class declined: what the call could have cost at most; KOINE_UNPRICED where nobody knows. 1: *ret set
 * (its size says how much); 0: none. */
KOINE_API int koine_error_estimate(const koine_error *, koine_cost *ret);

/* A canceller ends all calls whose request carries it. Reference-counted; koine_cancel may be called from
 * any thread and from a signal handler, any number of times, also after the calls and clients are gone. */
KOINE_API int koine_canceller_new(koine_canceller **ret);
KOINE_API void koine_cancel(koine_canceller *);
KOINE_API int koine_canceller_is_cancelled(const koine_canceller *);
KOINE_API void koine_canceller_free(koine_canceller *); /* gives up one reference */

enum {
    KOINE_EVENT_START = 1,     /* an answer begins: target and model */
    KOINE_EVENT_TEXT = 2,      /* text */
    KOINE_EVENT_REASONING = 3, /* text */
    KOINE_EVENT_REFUSAL = 4,   /* text */
    KOINE_EVENT_TOOL = 5,      /* a tool call begins: tool, tool_id, tool_name */
    KOINE_EVENT_ARGUMENTS = 6, /* text: next piece of that tool's arguments: tool */
    KOINE_EVENT_TOOL_END = 7,  /* its arguments are complete JSON: tool, text: all of them */
    KOINE_EVENT_USAGE = 8,     /* usage so far */
    KOINE_EVENT_PARAMETER = 9, /* a member of the document was dropped or clamped: name, text */
    KOINE_EVENT_SWITCH = 10, /* the route moved on before anything was delivered: target (new), text (why) */
    KOINE_EVENT_EXTRA = 11,  /* name, text: JSON of something vendor-specific ("logprobs") */
    KOINE_EVENT_STOP = 12,   /* terminal: finish */
    KOINE_EVENT_FAULT = 13,  /* terminal: error */
    KOINE_EVENT_RETRY = 14, /* the same target will be asked again: target, text (why), koine_event_wait_ms */
    KOINE_EVENT_APPROVAL = 15 /* the call waits for koine_call_approve: target (the route's first), text (a
                                 sentence, "This call may cost up to $3.20"), koine_event_estimate */
};
KOINE_API int koine_event_kind(const koine_event *); /* an unknown kind is to be ignored */
KOINE_API const char *koine_event_text(const koine_event *,
                                       size_t *ret_length); /* "" where it has none; may hold NUL */
KOINE_API const char *koine_event_name(const koine_event *);
KOINE_API int koine_event_tool(const koine_event *); /* number of the tool call, from 0; -1 none */
KOINE_API const char *koine_event_tool_id(const koine_event *);
KOINE_API const char *koine_event_tool_name(const koine_event *);
KOINE_API const char *koine_event_target(const koine_event *);
KOINE_API const char *koine_event_model(const koine_event *);
KOINE_API int koine_event_choice(const koine_event *); /* which of n answers; 0 for now */
KOINE_API int koine_event_usage(const koine_event *,
                                koine_usage *ret); /* 1: *ret set (its size says how much); 0: none */
KOINE_API int64_t koine_event_wait_ms(const koine_event *); /* of a retry: how long from now */
/* Of an approval: what the call could cost at most, all its attempts together; KOINE_UNPRICED where nobody
 * knows. 1: *ret set (its size says how much); 0: none. */
KOINE_API int koine_event_estimate(const koine_event *, koine_cost *ret);
KOINE_API int koine_event_finish(const koine_event *);               /* KOINE_FINISH_… of a stop */
KOINE_API const koine_error *koine_event_error(const koine_event *); /* of a fault; NULL otherwise */

/* ---- Answers -------------------------------------------------------------------------------------- */

enum {
    KOINE_FINISH_NONE = -1, /* it did not finish */
    KOINE_FINISH_STOP = 0,
    KOINE_FINISH_LENGTH = 1,
    KOINE_FINISH_TOOL = 2,
    KOINE_FINISH_FILTER = 3,
    KOINE_FINISH_OTHER = 4
};
KOINE_API const char *koine_response_text(const koine_response *,
                                          size_t *ret_length); /* ret_length may be NULL */
KOINE_API const char *koine_response_reasoning(const koine_response *, size_t *ret_length);
KOINE_API const char *koine_response_refusal(const koine_response *, size_t *ret_length);
KOINE_API int koine_response_finish(const koine_response *);
KOINE_API const char *koine_response_finish_name(const koine_response *); /* "stop", …, "" */
KOINE_API const char *koine_response_finish_raw(const koine_response *);  /* the vendor's word */
KOINE_API const char *koine_response_model(const koine_response *);       /* that really answered */
KOINE_API const char *koine_response_target(
    const koine_response *); /* "instance/model" that answered, or was tried last */
KOINE_API const char *koine_response_id(const koine_response *); /* the vendor's, or "" */
KOINE_API size_t koine_response_tool_count(const koine_response *);
KOINE_API const char *koine_response_tool_id(const koine_response *, size_t index);
KOINE_API const char *koine_response_tool_name(const koine_response *, size_t index);
KOINE_API const char *koine_response_tool_arguments(const koine_response *,
                                                    size_t index); /* the provider's string */
KOINE_API int koine_response_tool_complete(const koine_response *,
                                           size_t index); /* 0: cut; never to be run */
/* The assistant message to append to the conversation, as JSON: koine_request_append takes it. "" for a part
 * of more than a megabyte that is left of an answer that failed. */
KOINE_API const char *koine_response_message(const koine_response *);
KOINE_API const char *koine_response_extra(const koine_response *, const char *name); /* JSON, or NULL */
KOINE_API void koine_response_usage(const koine_response *,
                                    koine_usage *ret); /* set ret->size; of the answering attempt */
KOINE_API void koine_response_cost(const koine_response *,
                                   koine_cost *ret); /* set ret->size; of the call: all attempts */
/* Members that did not travel as written: "top_k", "dropped", "OpenAI has no top_k". */
KOINE_API size_t koine_response_parameter_count(const koine_response *);
KOINE_API const char *koine_response_parameter_name(const koine_response *, size_t index);
KOINE_API const char *koine_response_parameter_action(const koine_response *, size_t index);
KOINE_API const char *koine_response_parameter_reason(const koine_response *, size_t index);
/* The trail: one entry for each HTTP request, in order. */
KOINE_API size_t koine_response_attempt_count(const koine_response *);
KOINE_API const char *koine_response_attempt_target(const koine_response *, size_t index);
KOINE_API int koine_response_attempt_status(const koine_response *, size_t index); /* HTTP; 0: none came */
KOINE_API int koine_response_attempt_class(const koine_response *,
                                           size_t index); /* KOINE_CLASS_NONE: it answered */
KOINE_API int64_t koine_response_attempt_start_ms(const koine_response *,
                                                  size_t index); /* since the call's start */
KOINE_API int64_t koine_response_attempt_ms(const koine_response *, size_t index);
KOINE_API void koine_response_attempt_cost(const koine_response *, size_t index, koine_cost *ret);
KOINE_API const char *koine_response_attempt_request_id(const koine_response *,
                                                        size_t index);   /* the vendor's, or "" */
KOINE_API int64_t koine_response_ms(const koine_response *);             /* of the whole call */
KOINE_API int64_t koine_response_first_token_ms(const koine_response *); /* -1: none came */
KOINE_API void koine_response_free(koine_response *);                    /* only of koine_generate's */

/* ---- Notices and metrics (docs/observing.md) -------------------------------------------------------- */

/* What happened beside the calls, and matters to whoever runs the program. Numbers never change; an unknown
 * one is to be ignored. */
enum {
    KOINE_NOTICE_BREAKER_OPENED = 1,
    KOINE_NOTICE_BREAKER_HALF_OPENED = 2,
    KOINE_NOTICE_BREAKER_CLOSED = 3,
    KOINE_NOTICE_PAUSED = 4,      /* the instance asked for a pause (429) */
    KOINE_NOTICE_LATCHED = 5,     /* a key, an account or a model is left alone, until somebody mends it */
    KOINE_NOTICE_UNLATCHED = 6,   /* and answers again */
    KOINE_NOTICE_REFUSED = 7,     /* an attempt, by one of our own layers */
    KOINE_NOTICE_NOT_RETRIED = 8, /* the retry budget was empty */
    KOINE_NOTICE_LOST = 9,        /* so many notices were dropped, for nobody took them */
    KOINE_NOTICE_STORE_DOWN = 10, /* the store cannot be written */
    KOINE_NOTICE_STORE_UP = 11,   /* and is written again */
    KOINE_NOTICE_STORE_LOST = 12  /* attempts whose rows were dropped, for they found no room to wait */
};
/* The oldest notice: 1, and *ret is yours to koine_notice_free; 0: none waits; negative: KOINE_E…. A hub
 * keeps the newest 256. What is refused again for the same reason within a second is one notice that counts.
 * Ask after koine_process, or whenever it suits: nothing is lost by asking late but what the 256 do not hold.
 * [any thread] */
KOINE_API int koine_hub_next_notice(koine_hub *, koine_notice **ret);
KOINE_API int koine_notice_kind(const koine_notice *);              /* KOINE_NOTICE_… */
KOINE_API const char *koine_notice_kind_name(const koine_notice *); /* "breaker_opened" */
KOINE_API const char *koine_notice_instance(const koine_notice *);  /* "" where it is about none */
KOINE_API const char *koine_notice_model(const koine_notice *);     /* likewise */
KOINE_API int koine_notice_class(const koine_notice *);             /* of the fault that led to it */
KOINE_API const char *koine_notice_message(const koine_notice *);   /* one line */
KOINE_API int64_t koine_notice_count(const koine_notice *);         /* how often it happened; 1 or more */
KOINE_API int64_t koine_notice_at_ms(const koine_notice *);         /* since 1970 */
KOINE_API int64_t koine_notice_until_ms(const koine_notice *);      /* when it ends; -1: nobody knows */
KOINE_API void koine_notice_free(koine_notice *);

/* Waits at most so long (-1: for ever) until no notice waits to be sent to the webhook, and goes on with this
 * client's calls meanwhile. 1: none waits, also where there is no webhook; 0: time is up. For programs that
 * end soon; others send while they process. */
KOINE_API int koine_deliver_notices(koine_client *, int timeout_ms);

/* ---- What was spent ------------------------------------------------------------------------------------ */

/* What the store (docs/configuration.md) has of attempts, summed up: by any program that wrote into it, up to
 * now. */
typedef struct koine_spending koine_spending;
enum {
    KOINE_BY_TENANT = 1,
    KOINE_BY_PROVIDER = 2, /* the instance */
    KOINE_BY_MODEL = 4,    /* the one that answered, else the one that was asked */
    KOINE_BY_DAY = 8
};
typedef struct koine_spending_query {
    uint32_t size;
    uint32_t by;          /* KOINE_BY_…, several at once; 0: one line */
    int64_t since, until; /* seconds since 1970; the days (UTC) that they lie in, both of them; -1: no end */
    const char *tenant, *provider, *model; /* only of these; NULL: all */
} koine_spending_query;
#define KOINE_SPENDING_QUERY_INIT                                                                            \
    {                                                                                                        \
        sizeof(koine_spending_query), 0, -1, -1, NULL, NULL, NULL                                            \
    }
/* Waits until the store has answered. KOINE_ECONFIG: there is no store, or it cannot be opened;
 * KOINE_ESYSTEM: it cannot be read. *ret is yours to koine_spending_free. [any thread] */
KOINE_API int koine_spending_read(koine_hub *, const koine_spending_query *query, koine_spending **ret,
                                  koine_error **ret_error);
KOINE_API size_t koine_spending_count(const koine_spending *); /* of lines: by day, tenant, provider, model */
/* What a line is of; "" where the query does not tell it apart, and for calls of no tenant. */
KOINE_API const char *koine_spending_tenant(const koine_spending *, size_t index);
KOINE_API const char *koine_spending_provider(const koine_spending *, size_t index);
KOINE_API const char *koine_spending_model(const koine_spending *, size_t index);
KOINE_API const char *koine_spending_day(const koine_spending *, size_t index); /* "2026-11-28" */
KOINE_API int64_t koine_spending_attempts(const koine_spending *, size_t index);
KOINE_API int64_t koine_spending_failed(const koine_spending *, size_t index); /* of those */
/* Attempts whose price nobody knows: they are not in the sum. */
KOINE_API int64_t koine_spending_unpriced(const koine_spending *, size_t index);
/* Attempts whose cost is an estimate: they are in the sum. */
KOINE_API int64_t koine_spending_estimated(const koine_spending *, size_t index);
KOINE_API int64_t koine_spending_picodollars(const koine_spending *, size_t index);
/* Tokens; -1: nobody told any of that kind. As for koine_response_usage. */
KOINE_API void koine_spending_usage(const koine_spending *, size_t index, koine_usage *ret);
KOINE_API void koine_spending_free(koine_spending *);

/* Counters and histograms of everything this hub did, as Prometheus text (format 0.0.4, UTF-8); yours to
 * koine_free. Ends with a line's end, so that more may follow. [any thread] */
KOINE_API int koine_metrics_write(koine_hub *, char **ret);

/* ---- Looking ahead ---------------------------------------------------------------------------------- */

/* What would become of this request if koine_start had it now, as JSON; yours to koine_free: its targets in
 * order, what each layer would say to each of them, what makes the call move from one to the next, and what
 * it could cost at most (koine(1), EXPLAIN, lists the members). A look: nothing is sent, reserved, counted or
 * changed; policies and budgets are those of this hub as they stand. The provider is asked for the request it
 * would write, an isolated one in a helper that is started for it and ended. Blocks for that at most
 * (isolate_timeout). KOINE_EARGUMENT, KOINE_ENOTFOUND and the like: what koine_start would say; a call that
 * could ask nobody is no error. [any thread, but the request one at a time] */
KOINE_API int koine_explain(koine_hub *, const koine_request *, char **ret, koine_error **ret_error);

#ifdef __cplusplus
}
#endif
#endif
