#include "core/hub/config.h"

#include "core/base/mem.h"
#include "core/hub/config_tree.h"
#include "tests/unit/failalloc.h"
#include "tests/unit/scratch.h"
#include "tests/unit/suite.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char message[PATH_MAX + 1024];

static void keep(koine_error *error)
{
    snprintf(message, sizeof(message), "%s", koine_error_message(error));
    koine_error_free(error);
}

static struct koine__env *variables(void)
{
    static const char *const list[] = {"KEY=sk-MARKED", "EMPTY=",     "URL=https://h/v1", "TRIES=7",
                                       "WORD=MARKED x", "LATIN=\xFF", "PRICE={a: b}",     NULL};
    struct koine__env *env = koine__env_new();
    ASSERT_INT(koine__env_add_process(env, list), KOINE_OK);
    return env;
}

/* Stages the text as "k.yaml" below /etc/k; NULL: it is fine, else the message. */
static const char *parse_bytes(struct koine__store *store, const char *text, size_t len)
{
    koine_error *error = NULL;
    struct koine__env *env = variables();
    int rc = koine__config_parse(store, "k.yaml", "/etc/k", text, len, env, &error);
    koine__env_free(env);
    if (rc == KOINE_OK)
        return NULL;
    ASSERT_INT(rc, KOINE_ECONFIG);
    keep(error);
    return message;
}

static const char *parse(struct koine__store *store, const char *text)
{
    return parse_bytes(store, text, strlen(text));
}

/* What is staged at the path after reading the text. */
static void expect(const char *text, const char *path, const char *value)
{
    struct koine__store *store = koine__store_new();
    ASSERT_STR(parse(store, text), NULL);
    ASSERT_STR(koine__store_get(store, path), value);
    koine__store_free(store);
}

static void expect_refusal(const char *text, const char *wanted)
{
    struct koine__store *store = koine__store_new();
    ASSERT_STR(parse(store, text), wanted);
    koine__store_free(store);
}

static const char whole[] =
    "# what the design shows\n"
    "providers:\n"
    "  together:\n"
    "    api_key: ${KEY}\n"
    "    timeouts: {connect: 5s, first_byte: 30s, idle: 30s, total: 60s}\n"
    "    retry:    {max_retries: 3, base_delay: 1s, multiplier: 2, jitter: equal}\n"
    "  lab: {plugin: openai, base_url: http://127.0.0.1:8000/v1, price: free}\n"
    "  openai:\n"
    "routes:\n"
    "  default:\n"
    "    targets: [together/meta-llama/Llama-3.1-8B, {target: openai/gpt-4o-mini, unset: [top_k]},\n"
    "              {target: \"lab/a:b\", set: {temperature: 0.70, stop: [\"#\"]}, max_retries: 1}]\n"
    "    commit: first_content\n"
    "    deadline: 120s\n";

static void everything(void)
{
    static const char *const expected[][2] = {
        {"providers.together.api_key", "sk-MARKED"},
        {"providers.together.timeouts.first_byte", "30s"},
        {"providers.together.retry.multiplier", "2"},
        {"providers.lab.base_url", "http://127.0.0.1:8000/v1"},
        {"providers.openai", ""},
        {"routes.default.targets.0.target", "together/meta-llama/Llama-3.1-8B"},
        {"routes.default.targets.1.target", "openai/gpt-4o-mini"},
        {"routes.default.targets.1.unset.0", "top_k"},
        {"routes.default.targets.2.target", "lab/a:b"},
        {"routes.default.targets.2.set.temperature", "0.70"},
        {"routes.default.targets.2.set.stop", "[\"#\"]"},
        {"routes.default.targets.2.max_retries", "1"},
        {"routes.default.deadline", "120s"},
    };
    struct koine__store *store = koine__store_new();
    ASSERT_STR(parse(store, whole), NULL);
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
        ASSERT_STR(koine__store_get(store, expected[i][0]), expected[i][1]);
    ASSERT_STR(koine__store_child(store, "providers", 0), "together");
    ASSERT_STR(koine__store_child(store, "providers", 1), "lab");
    ASSERT_STR(koine__store_child(store, "providers", 2), "openai");
    ASSERT_STR(koine__store_child(store, "providers", 3), NULL);
    ASSERT_INT(koine__store_check(store, NULL), KOINE_OK);
    koine__store_free(store);
}

static void expect_origin(const struct koine__store *store, const char *path, unsigned line, unsigned column)
{
    struct koine__origin origin = koine__store_origin(store, path);
    ASSERT_STR(origin.source, "k.yaml");
    ASSERT_INT(origin.line, line);
    ASSERT_INT(origin.column, column);
}

/* A value's place is its own, that of a map or list its key's. */
static void origins(void)
{
    struct koine__store *store = koine__store_new();
    ASSERT_STR(parse(store, whole), NULL);
    expect_origin(store, "providers.together.api_key", 4, 14);
    expect_origin(store, "providers.together", 3, 3);
    expect_origin(store, "providers.together.retry", 6, 5);
    expect_origin(store, "providers.lab.price", 7, 68);
    expect_origin(store, "providers.openai", 8, 3);
    expect_origin(store, "routes.default.targets", 11, 5);
    expect_origin(store, "routes.default.targets.0", 11, 15);
    expect_origin(store, "routes.default.targets.0.target", 11, 15);
    expect_origin(store, "routes.default.targets.1", 11, 49);
    expect_origin(store, "routes.default.targets.1.unset.0", 11, 86);
    koine__store_free(store);
}

static void wrong_value_is_placed(void)
{
    struct koine__store *store = koine__store_new();
    koine_error *error = NULL;
    ASSERT_STR(parse(store, "providers:\n  together:\n    retry: {max_retries: many}\n"), NULL);
    ASSERT_INT(koine__store_check(store, &error), KOINE_ECONFIG);
    keep(error);
    ASSERT_STR(message, "k.yaml:3:26: providers.together.retry.max_retries: \"many\" is no whole number; "
                        "write one of 0 to 20");
    koine__store_free(store);
}

static void nothing(void)
{
    static const char *const texts[] = {
        "",  "\n\n",   "# only a comment", "---\n",        "--- \n...\n",       "{}",
        "~", "null\n", "providers:\n",     "\xEF\xBB\xBF", "%YAML 1.1\n---\n{}"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct koine__store *store = koine__store_new();
        ASSERT_STR(parse(store, texts[i]), NULL);
        ASSERT_STR(koine__store_child(store, "providers", 0), NULL);
        ASSERT_INT(koine__store_check(store, NULL), KOINE_OK);
        koine__store_free(store);
    }
}

static void empty_maps_exist(void)
{
    static const char *const texts[] = {
        "providers: {together: }",        "providers: {together: {}}",
        "providers:\n  together:\n",      "providers:\n  together: ~\n",
        "providers:\n  together: null\n", "providers:\n  together:\n    retry:\n"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct koine__store *store = koine__store_new();
        ASSERT_STR(parse(store, texts[i]), NULL);
        ASSERT_STR(koine__store_child(store, "providers", 0), "together");
        ASSERT_INT(koine__store_check(store, NULL), KOINE_OK);
        koine__store_free(store);
    }
}

static void shapes(void)
{
    expect_refusal("5", "k.yaml:1:1: the configuration: expected a map, as in {key: value}");
    expect_refusal("[a]", "k.yaml:1:1: the configuration: expected a map, as in {key: value}");
    expect_refusal("providers: x", "k.yaml:1:12: providers: expected a map, as in {key: value}");
    expect_refusal("providers: [together]", "k.yaml:1:12: providers: expected a map, as in {key: value}");
    expect_refusal("providers: ''", "k.yaml:1:12: providers: expected a map, as in {key: value}");
    expect_refusal("providers: {a: {retry: 5}}",
                   "k.yaml:1:24: providers.a.retry: expected a map, as in {key: value}");
    expect_refusal("routes: {a: {targets: b/c}}",
                   "k.yaml:1:23: routes.a.targets: expected a list, as in [a, b]");
    expect_refusal("routes: {a: {targets: {b: c}}}",
                   "k.yaml:1:23: routes.a.targets: expected a list, as in [a, b]");
    expect_refusal("routes: {a: {targets: [[b]]}}",
                   "k.yaml:1:24: routes.a.targets.0: expected a map, as in {key: value}");
    expect_refusal("default_route: [a]", "k.yaml:1:16: default_route: expected one name, not a list");
    expect_refusal("providers: {a: {api_key: {b: c}}}",
                   "k.yaml:1:26: providers.a.api_key: expected one secret, not a map");
    expect_refusal("providers:\n  a:\n    api_key:\n",
                   "k.yaml:3:13: providers.a.api_key: has no value; give one, or leave the key out");
    expect_refusal("plugin_path: [~]",
                   "k.yaml:1:15: plugin_path.0: has no value; give one, or leave the key out");
}

static void unknown_keys(void)
{
    expect_refusal(
        "providers:\n  together:\n    retrys: 5",
        "k.yaml:3:5: providers.together.retrys: unknown key; did you mean providers.together.retry?");
    expect_refusal(
        "providers: {x: {max_retries: 5}}",
        "k.yaml:1:17: providers.x.max_retries: unknown key; did you mean providers.x.retry.max_retries?");
    expect_refusal("provider: {}", "k.yaml:1:1: provider: unknown key; did you mean providers?");
    expect_refusal("zebra: 1", "k.yaml:1:1: zebra: unknown key; docs/configuration.md lists those there are");
    expect_refusal("a.b: 1", "k.yaml:1:1: a.b: unknown key; docs/configuration.md lists those there are");
    expect_refusal("providers.x: {}",
                   "k.yaml:1:1: providers.x: unknown key; docs/configuration.md lists those there are");
    expect_refusal("providers: {my lab: {}}",
                   "k.yaml:1:13: providers: \"my lab\" is no name; use 1 to 64 letters, digits, _ and -");
    expect_refusal("providers: {a.b: {}}",
                   "k.yaml:1:13: providers: \"a.b\" is no name; use 1 to 64 letters, digits, _ and -");
    expect_refusal("routes: {d: {targets: [{target: a/b, sett: {}}]}}",
                   "k.yaml:1:38: routes.d.targets.0.sett: unknown key; did you mean routes.d.targets.0.set?");
    expect_refusal("providers: {x: {limit: {}}}",
                   "k.yaml:1:17: providers.x.limit: unknown key; did you mean providers.x.limits?");
}

static void duplicates(void)
{
    expect_refusal("providers:\n  a: {}\n  b: {}\n  a: {}\n",
                   "k.yaml:4:3: duplicate key \"a\"; it is on line 2, column 3 already");
    expect_refusal("default_route: a\n\"default_route\": a\n",
                   "k.yaml:2:1: duplicate key \"default_route\"; it is on line 1, column 1 already");
    expect_refusal("routes: {d: {targets: [{target: a/b, set: {x: {y: 1, y: 2}}}]}}",
                   "k.yaml:1:54: duplicate key \"y\"; it is on line 1, column 48 already");
}

static void not_our_yaml(void)
{
    expect_refusal("providers: &a {}", "k.yaml:1:12: anchors are not accepted; write the value out");
    expect_refusal("plugin_path: &a [x]", "k.yaml:1:14: anchors are not accepted; write the value out");
    expect_refusal("default_route: &a x", "k.yaml:1:16: anchors are not accepted; write the value out");
    expect_refusal("&a default_route: x", "k.yaml:1:1: anchors are not accepted; write the value out");
    expect_refusal("default_route: *a", "k.yaml:1:16: aliases are not accepted; write the value out");
    expect_refusal("*a : x", "k.yaml:1:1: aliases are not accepted; write the value out");
    expect_refusal("default_route: !!str x", "k.yaml:1:16: tags are not accepted; leave it out");
    expect_refusal("providers: !x {}", "k.yaml:1:12: tags are not accepted; leave it out");
    expect_refusal("plugin_path: ! [x]", "k.yaml:1:14: tags are not accepted; leave it out");
    expect_refusal("%TAG ! tag:x,2000:\n---\n{}",
                   "k.yaml:1:1: tags are not accepted; leave the %TAG directive out");
    expect_refusal("<<: {}", "k.yaml:1:1: merge keys are not accepted; write the members out");
    expect_refusal("? [a]\n: b", "k.yaml:1:3: a key must be a plain name, not a map or list");
    expect_refusal("{a: b}: c", "k.yaml:1:1: a key must be a plain name, not a map or list");
    expect_refusal("'': b", "k.yaml:1:1: a key is missing before \":\"");
    expect_refusal("---\n{}\n---\n{}", "k.yaml:3:1: a second document begins; one file holds one");
    expect_refusal("default_route: \"a\\0b\"", "k.yaml:1:16: the text holds a NUL character");
}

static void syntax(void)
{
    expect_refusal("providers:\n\ttogether: {}\n", "k.yaml:2:1: is not valid YAML: while scanning for the "
                                                   "next token, found character that cannot start any "
                                                   "token; indent with spaces, not with tabs");
    expect_refusal("default_route: @x", "k.yaml:1:16: is not valid YAML: while scanning for the next token, "
                                        "found character that cannot start any "
                                        "token; put quotes around the value");
    expect_refusal("default_route: a: b", "k.yaml:1:17: is not valid YAML: mapping values are not allowed in "
                                          "this context; put quotes around a value "
                                          "that holds \": \"");
    expect_refusal("providers: {x: {api_key: ${KEY}}}",
                   "k.yaml:1:27: is not valid YAML: while parsing a flow mapping, did not find expected ',' "
                   "or '}'; inside "
                   "braces and brackets put quotes around \"${...}\"");
    expect_refusal(
        "providers: {x: {}\n",
        "k.yaml:2:1: is not valid YAML: while parsing a flow mapping, did not find expected ',' or '}'");
    expect_refusal(
        "a: 'b",
        "k.yaml:1:6: is not valid YAML: while scanning a quoted scalar, found unexpected end of stream");
    expect_refusal(
        "a: \"\\q\"",
        "k.yaml:1:5: is not valid YAML: while parsing a quoted scalar, found unknown escape character");
    expect_refusal("a: b\n  c\x01: d", "k.yaml:2:4: is not valid YAML: control characters are not allowed");
}

static void bytes(void)
{
    struct koine__store *store = koine__store_new();
    ASSERT_STR(parse_bytes(store, "a: b\n\0", 6), "k.yaml:2:1: holds a NUL byte");
    ASSERT_STR(parse_bytes(store, "\n\n  \xC3\x28", 6), "k.yaml:3:3: is not UTF-8 (byte 0xc3)");
    ASSERT_STR(parse_bytes(store,
                           "\xFF\xFE"
                           "a",
                           3),
               "k.yaml:1:1: is not UTF-8 (byte 0xff)");
    koine__store_free(store);
}

/* Columns count characters. */
static void columns(void)
{
    expect_refusal(
        "providers: {x: {options: {\"\xC3\xA9\": 1}, b: 1}}",
        "k.yaml:1:27: providers.x.options: \"\xC3\xA9\" is no name; use 1 to 64 letters, digits, _ and -");
    expect_refusal(
        "providers: {x: {options: {a: \xC3\xA9}, zebra: 1}}",
        "k.yaml:1:34: providers.x.zebra: unknown key; docs/configuration.md lists those there are");
}

static void ceilings(void)
{
    struct koine__store *store = koine__store_new();
    size_t size = (1 << 20) + 1;
    char *text = malloc(size);
    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    memset(text, ' ', size);
    ASSERT_STR(parse_bytes(store, text, size), "k.yaml: is larger than 1048576 bytes");
    ASSERT_STR(parse_bytes(store, text, size - 1), NULL);
    memset(text, '[', 100);
    ASSERT_STR(parse_bytes(store, text, 100), "k.yaml:1:33: nested more than 32 deep");
    memcpy(text, "plugin_path: [", 14);
    for (size_t i = 0; i < 4097; i++)
        memcpy(text + 14 + 2 * i, "a,", 2);
    ASSERT_STR(parse_bytes(store, text, 14 + 2 * 4097),
               "k.yaml:1:8207: more entries than the 4096 that one map or list may have");
    free(text);
    koine__store_free(store);
}

/* Every beginning of a file is read or refused, and nothing else happens. */
static void truncated(void)
{
    for (size_t len = 0; len < sizeof(whole); len++) {
        struct koine__store *store = koine__store_new();
        parse_bytes(store, whole, len);
        koine__store_free(store);
    }
}

/* ---- ${…} ---- */

#define OPTION(value)    "providers:\n  x:\n    options:\n      o: " value "\n"
#define OPTION_PATH      "providers.x.options.o"
#define REFUSED(message) "k.yaml:4:10: " message

static void expansion(void)
{
    expect(OPTION("${TRIES}"), OPTION_PATH, "7");
    expect(OPTION("a${TRIES}b${KEY}"), OPTION_PATH, "a7bsk-MARKED");
    expect(OPTION("'${TRIES}'"), OPTION_PATH, "7");
    expect(OPTION("\"${TRIES}\""), OPTION_PATH, "7");
    expect(OPTION("${NONE:-x}"), OPTION_PATH, "x");
    expect(OPTION("${NONE:-}"), OPTION_PATH, "");
    expect(OPTION("${EMPTY:-x}"), OPTION_PATH, "x");
    expect(OPTION("${TRIES:-x}"), OPTION_PATH, "7");
    expect(OPTION("${EMPTY}"), OPTION_PATH, "");
    expect(OPTION("${NONE:-a:-b$c}"), OPTION_PATH, "a:-b$c");
    expect(OPTION("$$"), OPTION_PATH, "$");
    expect(OPTION("$${TRIES}"), OPTION_PATH, "${TRIES}");
    expect(OPTION("$$$${a"), OPTION_PATH, "$${a");
    expect(OPTION("$TRIES"), OPTION_PATH, "$TRIES");
    expect(OPTION("a$"), OPTION_PATH, "a$");
    expect("default_route: x\nparameters: ${NONE:-drop}", "parameters", "drop");
    expect("routes: {d: {targets: [\"x/${TRIES}\"]}}", "routes.d.targets.0.target", "x/7");
    expect("plugin_path: [\"${NONE:-p}\"]", "plugin_path.0", "/etc/k/p");
}

static void expansion_refusals(void)
{
    expect_refusal(OPTION("${NONE}"),
                   REFUSED("the variable NONE is not set; set it, or write ${NONE:-default}"));
    expect_refusal(OPTION("a${TRIES"), REFUSED("\"${\" is not closed by \"}\"; write $$ for a dollar sign"));
    expect_refusal(OPTION("${}"),
                   REFUSED("expected ${NAME} or ${NAME:-default}; write $$ for a dollar sign"));
    expect_refusal(OPTION("${9}"),
                   REFUSED("expected ${NAME} or ${NAME:-default}; write $$ for a dollar sign"));
    expect_refusal(OPTION("${A-b}"),
                   REFUSED("expected ${NAME} or ${NAME:-default}; write $$ for a dollar sign"));
    expect_refusal(OPTION("${A:b}"),
                   REFUSED("expected ${NAME} or ${NAME:-default}; write $$ for a dollar sign"));
    expect_refusal(OPTION("${LATIN}"), REFUSED("the variable LATIN is not UTF-8"));
    expect_refusal("${KEY}: x",
                   "k.yaml:1:1: ${KEY}: unknown key; docs/configuration.md lists those there are");
}

/* Without an environment no variable is set. */
static void no_environment(void)
{
    struct koine__store *store = koine__store_new();
    koine_error *error = NULL;
    static const char text[] = OPTION("${KEY}");
    ASSERT_INT(koine__config_parse(store, "k", NULL, text, sizeof(text) - 1, NULL, &error), KOINE_ECONFIG);
    keep(error);
    ASSERT_STR(message, "k:4:10: the variable KEY is not set; set it, or write ${KEY:-default}");
    koine__store_free(store);
}

/* What a variable holds can add no key, and never shows in a message. */
static void variables_stay_values(void)
{
    expect_refusal("providers: \"${PRICE}\"", "k.yaml:1:12: providers: expected a map, as in {key: value}");
    expect_refusal("providers: {x: {retry: {max_retries: \"${WORD}\"}}}",
                   "k.yaml:1:38: providers.x.retry.max_retries: the value of ${WORD} is no valid whole "
                   "number; allowed is 0 to 20");
    expect_refusal("default_route: ${WORD}",
                   "k.yaml:1:16: default_route: the value of ${WORD} is no valid name");
    expect_refusal(
        "parameters: ${KEY}",
        "k.yaml:1:13: parameters: the value of ${KEY} is no valid choice; allowed is warn, strict, drop");
    expect_refusal(
        "providers: {x: {base_url: \"${KEY}\"}}",
        "k.yaml:1:27: providers.x.base_url: the value of ${KEY} is no URL; write https://host/path or "
        "http://host:port/path");
    expect_refusal("providers: {x: {api_key: \"${WORD}\"}}",
                   "k.yaml:1:26: providers.x.api_key: the value of ${WORD} holds white space or a control "
                   "character; a key has "
                   "none");
    expect_refusal("providers: {x: {api_key_file: \"${EMPTY}\"}}",
                   "k.yaml:1:31: providers.x.api_key_file: the value of ${EMPTY} is empty; give a path, or "
                   "leave the setting out");
    expect_refusal("providers: ${EMPTY}", "k.yaml:1:12: providers: expected a map, as in {key: value}");
    expect_refusal("default_route: ${EMPTY}",
                   "k.yaml:1:16: default_route: the value of ${EMPTY} is no valid name");
    expect("providers: {x: {base_url: \"${URL}\"}}", "providers.x.base_url", "https://h/v1");
}

/* ---- JSON ---- */

static void expect_json(const char *yaml, const char *json)
{
    char text[512];
    snprintf(text, sizeof(text),
             "routes:\n  d:\n    targets:\n    - target: a/b\n      set:\n        m: %s\n", yaml);
    expect(text, "routes.d.targets.0.set.m", json);
}

static void json_scalars(void)
{
    static const char *const cases[][2] = {
        {"", "null"},
        {"~", "null"},
        {"null", "null"},
        {"Null", "null"},
        {"nULL", "\"nULL\""},
        {"true", "true"},
        {"True", "true"},
        {"FALSE", "false"},
        {"yes", "\"yes\""},
        {"off", "\"off\""},
        {"'true'", "\"true\""},
        {"\"\"", "\"\""},
        {"'5'", "\"5\""},
        {"0", "0"},
        {"-0", "-0"},
        {"+5", "5"},
        {"007", "7"},
        {"-007", "-7"},
        {"00", "0"},
        {"0.70", "0.70"},
        {".5", "0.5"},
        {"-.5", "-0.5"},
        {"5.", "5.0"},
        {"1e5", "1e5"},
        {"1E+5", "1e+5"},
        {"1.e-3", "1.0e-3"},
        {"12345678901234567890123", "12345678901234567890123"},
        {"0.1000000000000000055511151231257827", "0.1000000000000000055511151231257827"},
        {"0x1F", "31"},
        {"0xffffffffffffffff", "18446744073709551615"},
        {"0o17", "15"},
        {"0o8", "\"0o8\""},
        {"0x", "\"0x\""},
        {"0xg", "\"0xg\""},
        {"0x10000000000000000", "\"0x10000000000000000\""},
        {"-0x1", "\"-0x1\""},
        {"1_000", "\"1_000\""},
        {"1e", "\"1e\""},
        {"1e+", "\"1e+\""},
        {".", "\".\""},
        {"-x", "\"-x\""},
        {"+", "\"+\""},
        {"1.2.3", "\"1.2.3\""},
        {"2024-07-23", "\"2024-07-23\""},
        {"0b11", "\"0b11\""},
        {"0XFF", "\"0XFF\""},
        {"a b", "\"a b\""},
        {"\"\\u00e9\\n\\\"\"", "\"\xC3\xA9\\n\\\"\""},
        {"${TRIES}", "7"},
        {"'${TRIES}'", "\"7\""},
        {"${NONE:-0.2}", "0.2"},
        {"${WORD}", "\"MARKED x\""},
        {"|\n          a\n          b", "\"a\\nb\\n\""},
        {">\n          a\n          b", "\"a b\\n\""},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        expect_json(cases[i][0], cases[i][1]);
}

static void json_nesting(void)
{
    expect_json("[]", "[]");
    expect_json("{}", "{}");
    expect_json("[1, 'a', [~], {b: [], 'c d.e': {}}]", "[1,\"a\",[null],{\"b\":[],\"c d.e\":{}}]");
    expect_json("{type: json_schema, strict: true, \"a\":1}",
                "{\"type\":\"json_schema\",\"strict\":true,\"a\":1}");
    expect_json("\n          - a\n          - b: 1\n            c: 2", "[\"a\",{\"b\":1,\"c\":2}]");
}

static void json_refusals(void)
{
    static const char *const words[] = {".inf", "-.Inf", "+.INF", ".nan", ".NaN"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        char text[128];
        snprintf(text, sizeof(text), "routes: {d: {targets: [{target: a/b, set: {m: {n: [%s]}}}]}}",
                 words[i]);
        expect_refusal(text, "k.yaml:1:52: JSON has no infinity and no NaN; write a number");
    }
}

static const char *set(struct koine__store *store, const char *path, const char *value)
{
    koine_error *error = NULL;
    int rc = koine__config_value(store, path, value, (struct koine__origin){.source = "test"}, &error);
    if (rc == KOINE_OK)
        return NULL;
    ASSERT_INT(rc, KOINE_ECONFIG);
    keep(error);
    return message;
}

/* ---- Merging ---- */

/* A second text replaces values and whole lists, and adds to maps. */
static void merging(void)
{
    struct koine__store *store = koine__store_new();
    ASSERT_STR(parse(store, "providers: {a: {price: free}}\nplugin_path: [/x, /y, /z]\n"), NULL);
    ASSERT_STR(parse(store, "providers: {a: {plugin: p}, b: {}}\nplugin_path: [/w]\n"), NULL);
    ASSERT_STR(koine__store_get(store, "providers.a.price"), "free");
    ASSERT_STR(koine__store_get(store, "providers.a.plugin"), "p");
    ASSERT_STR(koine__store_child(store, "providers", 1), "b");
    ASSERT_STR(koine__store_get(store, "plugin_path.0"), "/w");
    ASSERT_STR(koine__store_get(store, "plugin_path.1"), NULL);
    ASSERT_STR(parse(store, "plugin_path:\n"), NULL);
    ASSERT_STR(koine__store_get(store, "plugin_path.0"), NULL);
    ASSERT_INT(koine__store_check(store, NULL), KOINE_OK);
    koine__store_free(store);
}

/* What was refused left nothing behind. */
static void all_or_nothing(void)
{
    struct koine__store *store = koine__store_new();
    ASSERT_STR(parse(store, "plugin_path: [/x]\n"), NULL);
    ASSERT_STR(parse(store, "plugin_path: [/y]\ndefault_route: a\nzebra: 1\n"),
               "k.yaml:3:1: zebra: unknown key; docs/configuration.md lists those there are");
    ASSERT_STR(set(store, "plugin_path", "[/y, [z]]"), "test: plugin_path.1: expected one path, not a list");
    ASSERT_STR(koine__store_get(store, "plugin_path.0"), "/x");
    ASSERT_STR(koine__store_get(store, "default_route"), NULL);
    ASSERT_INT((long long)koine__store_count(store), 2);
    koine__store_free(store);
}

static void paths(void)
{
    expect("plugin_path: [p, /q, ./r, ../s]", "plugin_path.0", "/etc/k/p");
    expect("plugin_path: [p, /q, ./r, ../s]", "plugin_path.1", "/q");
    expect("plugin_path: [p, /q, ./r, ../s]", "plugin_path.3", "/etc/k/../s");
    expect("network: {ca_file: c.pem}", "network.ca_file", "/etc/k/c.pem");
    expect("providers: {a: {api_key_command: cat k}}", "providers.a.api_key_command",
           "cat k"); /* is no path */
    struct koine__store *store = koine__store_new();
    ASSERT_INT(koine__config_parse(store, "k", NULL, "catalogue: [c]", 14, NULL, NULL), KOINE_OK);
    ASSERT_STR(koine__store_get(store, "catalogue.0"), "c");
    ASSERT_INT(koine__config_parse(store, "k", "/", "catalogue: [c]", 14, NULL, NULL), KOINE_OK);
    ASSERT_STR(koine__store_get(store, "catalogue.0"), "/c");
    koine__store_free(store);
}

/* ---- Single values ---- */

static void single_values(void)
{
    struct koine__store *store = koine__store_new();
    ASSERT_STR(set(store, "providers.a.api_key", "'x\":#${KEY}"),
               NULL); /* as it is: no quoting rules, nothing expanded */
    ASSERT_STR(koine__store_get(store, "providers.a.api_key"), "'x\":#${KEY}");
    ASSERT_STR(koine__store_origin(store, "providers.a.api_key").source, "test");
    ASSERT_STR(set(store, "routes.d.targets", "[x/y, {target: a/b:c, unset: [top_k], set: {n: 1}}]"), NULL);
    ASSERT_STR(koine__store_get(store, "routes.d.targets.0.target"), "x/y");
    ASSERT_STR(koine__store_get(store, "routes.d.targets.1.target"), "a/b:c");
    ASSERT_STR(koine__store_get(store, "routes.d.targets.1.set.n"), "1");
    ASSERT_INT(koine__store_origin(store, "routes.d.targets.1.set.n").line, 0);
    ASSERT_STR(set(store, "routes.d.targets.0", "z/y"), NULL);
    ASSERT_STR(koine__store_get(store, "routes.d.targets.0.target"), "z/y");
    ASSERT_STR(set(store, "routes.d.targets.0", "{target: q/y}"), NULL);
    ASSERT_STR(koine__store_get(store, "routes.d.targets.0.target"), "q/y");
    ASSERT_STR(set(store, "routes.d.targets.1.set.stop", "[a, \"$b\"]"), NULL);
    ASSERT_STR(koine__store_get(store, "routes.d.targets.1.set.stop"), "[\"a\",\"$b\"]");
    ASSERT_STR(set(store, "routes.d.targets.1.set.user", "bob"), NULL);
    ASSERT_STR(koine__store_get(store, "routes.d.targets.1.set.user"), "\"bob\"");
    ASSERT_STR(set(store, "routes.d.targets", "[z/z]"), NULL); /* replaces what is below */
    ASSERT_STR(koine__store_get(store, "routes.d.targets.0.target"), "z/z");
    ASSERT_STR(koine__store_get(store, "routes.d.targets.1.target"), NULL);
    ASSERT_STR(set(store, "providers.b", ""), NULL);
    ASSERT_STR(set(store, "providers.c", "{price: free}"), NULL);
    ASSERT_STR(koine__store_get(store, "providers.c.price"), "free");
    ASSERT_STR(set(store, "providers.c", "{}"), NULL);
    ASSERT_STR(koine__store_get(store, "providers.c.price"), NULL);
    ASSERT_STR(koine__store_child(store, "providers", 2), "c");
    ASSERT_INT(koine__store_check(store, NULL), KOINE_OK);
    koine__store_free(store);
}

static void single_refusals(void)
{
    struct koine__store *store = koine__store_new();
    koine_error *error = NULL;
    ASSERT_STR(
        set(store, "routes.d.targets", "[a/b"),
        "test: routes.d.targets: is not valid YAML: while parsing a flow sequence, did not find expected "
        "',' or ']'");
    ASSERT_STR(set(store, "routes.d.targets", "a/b"),
               "test: routes.d.targets: expected a list, as in [a, b]");
    ASSERT_STR(set(store, "providers", "{a: {b: 1}}"),
               "test: providers.a.b: unknown key; docs/configuration.md lists those there are");
    ASSERT_STR(set(store, "providers.a", "{price: free, price: free}"),
               "test: providers.a: duplicate key \"price\"; it is on line 1, column 2 already");
    ASSERT_STR(set(store, "default_route", "\xFF"), "default_route: the value is not UTF-8, or too long");
    /* An unknown path is staged; the store's own check tells. */
    koine__store_unset_below(store, "");
    ASSERT_STR(set(store, "default_rout", "x"), NULL);
    ASSERT_INT(koine__store_check(store, &error), KOINE_ECONFIG);
    keep(error);
    ASSERT_STR(message, "test: default_rout: unknown key; did you mean default_route?");
    koine__store_free(store);
}

/* ---- Files ---- */

static void files(void)
{
    struct scratch scratch;
    char file[PATH_MAX], wanted[PATH_MAX + 256], folder[PATH_MAX];
    koine_error *error = NULL;
    struct koine__store *store = koine__store_new();
    scratch_make(&scratch);
    scratch_write(&scratch, "koine.yaml", "plugin_path: [p]\n", 17);
    snprintf(file, sizeof(file), "%s", scratch_path(&scratch, "koine.yaml"));
    ASSERT_INT(koine__config_load(store, file, NULL, &error), KOINE_OK);
    ASSERT_STR(koine__store_get(store, "plugin_path.0"), scratch_path(&scratch, "p"));
    ASSERT_STR(koine__store_origin(store, "plugin_path.0").source, file);
    CU_ASSERT_PTR_NOT_NULL_FATAL(getcwd(folder, sizeof(folder)));
    ASSERT_INT(chdir(scratch.path), 0); /* a name without a folder */
    ASSERT_INT(koine__config_load(store, "koine.yaml", NULL, &error), KOINE_OK);
    ASSERT_STR(koine__store_get(store, "plugin_path.0"), scratch_path(&scratch, "p"));
    ASSERT_INT(chdir(folder), 0);
    ASSERT_INT(koine__config_load(store, scratch_path(&scratch, "none"), NULL, &error), KOINE_ENOTFOUND);
    keep(error);
    snprintf(wanted, sizeof(wanted), "%s: cannot be opened: No such file or directory",
             scratch_path(&scratch, "none"));
    ASSERT_STR(message, wanted);
    ASSERT_INT(koine__config_load(store, scratch.path, NULL, &error), KOINE_ECONFIG);
    keep(error);
    snprintf(wanted, sizeof(wanted), "%s: is a folder, not a file", scratch.path);
    ASSERT_STR(message, wanted);
    ASSERT_INT(chmod(file, 0666), 0);
    ASSERT_INT(koine__config_load(store, file, NULL, &error), KOINE_ECONFIG);
    keep(error);
    snprintf(wanted, sizeof(wanted), "%s: everybody may write to it; chmod o-w it", file);
    ASSERT_STR(message, wanted);
    ASSERT_INT(koine__config_load(store, "/koine-test-none.yaml", NULL, NULL), KOINE_ENOTFOUND);
    scratch_remove(&scratch);
    koine__store_free(store);
}

/* ---- Showing ---- */

static void expect_shown(const char *text, const char *shown)
{
    struct koine__store *store = koine__store_new();
    char *is = NULL;
    ASSERT_STR(parse(store, text), NULL);
    ASSERT_INT(koine__config_show(store, &is), KOINE_OK);
    ASSERT_STR(is, shown);
    koine_free(is);
    koine__store_free(store);
}

static void shown(void)
{
    expect_shown("", "");
    expect_shown(whole, "providers:\n"
                        "  together:\n"
                        "    api_key: (set)\n"
                        "    timeouts:\n"
                        "      connect: 5s\n"
                        "      first_byte: 30s\n"
                        "      idle: 30s\n"
                        "      total: 60s\n"
                        "    retry:\n"
                        "      max_retries: 3\n"
                        "      base_delay: 1s\n"
                        "      multiplier: 2\n"
                        "      jitter: equal\n"
                        "  lab:\n"
                        "    plugin: openai\n"
                        "    base_url: http://127.0.0.1:8000/v1\n"
                        "    price: free\n"
                        "  openai: {}\n"
                        "routes:\n"
                        "  default:\n"
                        "    targets:\n"
                        "      - target: together/meta-llama/Llama-3.1-8B\n"
                        "      - target: openai/gpt-4o-mini\n"
                        "        unset:\n"
                        "          - top_k\n"
                        "      - target: lab/a:b\n"
                        "        set:\n"
                        "          temperature: 0.70\n"
                        "          stop: [\"#\"]\n"
                        "        max_retries: 1\n"
                        "    commit: first_content\n"
                        "    deadline: 120s\n");
    expect_shown("plugin_path: []\nproviders: {a: {retry: }}",
                 "plugin_path: []\nproviders:\n  a:\n    retry: {}\n");
    expect_shown("routes: {d: {targets: [{}]}}", "routes:\n  d:\n    targets:\n      - {}\n");
}

static void shown_quoted(void)
{
    expect_shown(OPTION("''"), OPTION("\"\""));
    expect_shown(OPTION("'null'"), OPTION("\"null\""));
    expect_shown(OPTION("'~'"), OPTION("\"~\""));
    expect_shown(OPTION("a b"), OPTION("\"a b\""));
    expect_shown(OPTION("'a: b'"), OPTION("\"a: b\""));
    expect_shown(OPTION("'a:'"), OPTION("\"a:\""));
    expect_shown(OPTION("':a'"), OPTION("\":a\""));
    expect_shown(OPTION("a:b"), OPTION("a:b"));
    expect_shown(OPTION("'-'"), OPTION("\"-\""));
    expect_shown(OPTION("'...'"), OPTION("\"...\""));
    expect_shown(OPTION("'a\"\\b'"), OPTION("\"a\\\"\\\\b\""));
    expect_shown(OPTION("\"a\\n\\t\\e\""), OPTION("\"a\\x0a\\x09\\x1b\""));
    expect_shown(OPTION("$${A} $a $$$$"), OPTION("\"$${A} $a $$$\""));
    expect_shown(OPTION("\"\\x7f\\x85\\xa0\\u2028\\u2029\\ufeff\\uffff\\U0001F600\xC3\xA9\""),
                 OPTION("\"\\u007f\\u0085\xC2\xA0\\u2028\\u2029\\ufeff\\uffff\xF0\x9F\x98\x80\xC3\xA9\""));
}

/* What is shown can be read again and gives the same. */
static void shown_can_be_read(void)
{
    static const char text[] =
        "providers: {lab: {plugin: openai, base_url: http://h:1/v1, options: {o: \"a: "
        "$${b} \\n\\x85\\u2028 # 'c' \\\\\"}}, x: }\n"
        "routes: {d: {targets: [{target: lab/m, unset: [a b], set: {s: {a: "
        "['x\"y\\z', \"\\x7f\\n\\u2028\", '$$$${', ~, -1.5e3], \"b: c\": {}, \"${d}$$\": '$${d}'}}}]}}\n"
        "plugin_path: [/a b, '/#c']\ncatalogue: []\n";
    struct koine__store *first = koine__store_new(), *second = koine__store_new();
    char *once = NULL, *twice = NULL;
    ASSERT_STR(parse(first, text), NULL);
    ASSERT_INT(koine__config_show(first, &once), KOINE_OK);
    ASSERT_STR(parse(second, once), NULL);
    ASSERT_INT(koine__config_show(second, &twice), KOINE_OK);
    ASSERT_STR(twice, once);
    ASSERT_INT((long long)koine__store_count(second), (long long)koine__store_count(first));
    for (size_t i = 0; i < koine__store_count(first); i++) {
        const char *path, *value;
        koine__store_item(first, i, &path, &value);
        ASSERT_STR(koine__store_get(second, path), value);
    }
    koine_free(once);
    koine_free(twice);
    koine__store_free(first);
    koine__store_free(second);
}

/* Lists are shown by index, whatever the order of staging; of an unknown key nobody knows whether it is a
 * secret. */
static void shown_as_staged(void)
{
    struct koine__store *store = koine__store_new();
    char *text = NULL;
    ASSERT_STR(set(store, "plugin_path.1", "/b"), NULL);
    ASSERT_STR(set(store, "plugin_path.0", "/a"), NULL);
    ASSERT_STR(set(store, "providers.x.api_kye", "sk-MARKED"), NULL);
    ASSERT_STR(set(store, "providers.x.api_key", "sk-MARKED"), NULL);
    ASSERT_INT(koine__config_show(store, &text), KOINE_OK);
    ASSERT_STR(
        text,
        "plugin_path:\n  - /a\n  - /b\nproviders:\n  x:\n    api_kye: (unknown key)\n    api_key: (set)\n");
    koine_free(text);
    koine__store_free(store);
}

/* ---- Memory ---- */

static int use_all(void)
{
    static const char *const list[] = {"KEY=k", "TRIES=7", NULL};
    struct koine__env *env = koine__env_new();
    struct koine__store *store = koine__store_new();
    koine_error *error = NULL;
    char *text = NULL;
    int rc = env && store ? koine__env_add_process(env, list) : KOINE_EMEMORY;
    if (!rc)
        rc = koine__config_parse(store, "k", "/etc", whole, sizeof(whole) - 1, env, &error);
    if (!rc)
        rc = koine__config_parse(store, "k", "/etc", "plugin_path: [p]", 16, env, &error);
    if (!rc)
        rc = koine__config_value(store, "routes.x.targets", "[a/b]", (struct koine__origin){.source = "t"},
                                 &error);
    if (!rc)
        rc = koine__config_show(store, &text);
    koine_free(text);
    koine_error_free(error);
    koine__env_free(env);
    koine__store_free(store);
    return rc;
}

/* An error needs memory, too. */
static int use_refused(void)
{
    static const char *const list[] = {"KEY=k", NULL};
    static const char text[] = "parameters: ${KEY}";
    struct koine__env *env = koine__env_new();
    struct koine__store *store = koine__store_new();
    koine_error *error = NULL;
    int rc = env && store ? koine__env_add_process(env, list) : KOINE_EMEMORY;
    if (!rc)
        rc = koine__config_parse(store, "k", NULL, text, sizeof(text) - 1, env, &error);
    koine_error_free(error);
    koine__env_free(env);
    koine__store_free(store);
    return rc;
}

static void each_fails(int (*use)(void), int wanted)
{
    for (long n = 1;; n++) {
        failalloc_begin(n);
        int rc = use();
        if (!failalloc_end()) {
            ASSERT_INT(rc, wanted);
            break;
        }
        ASSERT_INT(rc, KOINE_EMEMORY);
    }
}

static void failing_allocations(void)
{
    each_fails(use_all, KOINE_OK);
    each_fails(use_refused, KOINE_ECONFIG);
}

SUITE_MAIN("config", {"everything", everything}, {"origins", origins},
           {"wrong value is placed", wrong_value_is_placed}, {"nothing", nothing},
           {"empty maps exist", empty_maps_exist}, {"shapes", shapes}, {"unknown keys", unknown_keys},
           {"duplicates", duplicates}, {"not our YAML", not_our_yaml}, {"syntax", syntax}, {"bytes", bytes},
           {"columns", columns}, {"ceilings", ceilings}, {"truncated", truncated}, {"expansion", expansion},
           {"expansion refusals", expansion_refusals}, {"no environment", no_environment},
           {"variables stay values", variables_stay_values}, {"json scalars", json_scalars},
           {"json nesting", json_nesting}, {"json refusals", json_refusals}, {"merging", merging},
           {"all or nothing", all_or_nothing}, {"paths", paths}, {"single values", single_values},
           {"single refusals", single_refusals}, {"files", files}, {"shown", shown},
           {"shown quoted", shown_quoted}, {"shown can be read", shown_can_be_read},
           {"shown as staged", shown_as_staged}, {"failing allocations", failing_allocations})
