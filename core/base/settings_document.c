/* settings_document: the table as the Markdown page docs/configuration.md. */
#include "core/base/settings.h"

#include "core/base/str.h"
#include <string.h>

#define LONGEST_PAGE ((size_t)1 << 20)

static const char opening[] =
    "# Configuration\n"
    "\n"
    "This page is printed from the table of settings in `core/base/settings.c`; change it there.\n"
    "\n"
    "Every setting can be given in three ways, which share this one table. For one key the last one\n"
    "given holds; the command reads the file first, then the environment:\n"
    "\n"
    "1. **The file**, strict YAML. It is the one named with `-c` or `koine_hub_load`, else\n"
    "   `$KOINE_CONFIG`, else the user's `koine/koine.yaml` (in `$XDG_CONFIG_HOME` or `~/.config`),\n"
    "   else the system's; never one in the current folder. Unknown and duplicate keys, wrong types\n"
    "   and aliases are errors that name file, line and column.\n"
    "2. **The environment**: `KOINE__providers__together__retry__max_retries=3`, the path with two\n"
    "   underscores for each dot.\n"
    "3. **C**: `koine_hub_set(hub, \"providers.together.retry.max_retries\", \"3\")`, which takes effect\n"
    "   with `koine_hub_apply`.\n"
    "\n"
    "In a key, `*` stands for a name of your own (letters, digits, `_` and `-`, at most 64) and `[]`\n"
    "for the elements of a list. `${NAME}` in a value is replaced, after parsing, by that variable of\n"
    "the environment or of `.env`.\n"
    "\n"
    "A **duration** needs a unit: `250ms`, `1.5s`, `2m`, `1h`, `3d`; `0` may stand alone. A **size**\n"
    "does too: `4096B`, `64KiB`, `16MiB`, `1GiB` by 1024, `kB`, `MB`, `GB` by 1000. A **URL** begins\n"
    "with `http://` or `https://` and has no user name, query or slash at its end. A **path** that is\n"
    "relative starts at the file's folder. **US dollars** are written `0.50`: digits and a point, at\n"
    "most 12 decimals, no sign. A **target** is `instance/model`. A **secret** is shown as\n"
    "`(set)` wherever settings are shown.\n"
    "\n"
    "```yaml\n"
    "providers:\n"
    "  together:\n"
    "    api_key: ${TOGETHER_API_KEY}\n"
    "    timeouts: {connect: 5s, first_byte: 30s}\n"
    "    retry: {max_retries: 3}\n"
    "  lab: {plugin: openai, base_url: http://127.0.0.1:8000/v1, price: free}\n"
    "routes:\n"
    "  default:\n"
    "    targets:\n"
    "      - together/meta-llama/Meta-Llama-3.1-8B-Instruct-Turbo\n"
    "      - {target: openai/gpt-4o-mini, unset: [top_k]}\n"
    "    deadline: 120s\n"
    "```\n";

static const struct {
    const char *name, *title, *text;
} groups[] = {
    {"providers", "providers",
     "An instance: a provider under a name of your own, with its key, address and policies. "
     "Every plugin found is an instance under its own name, without an entry here too."},
    {"routes", "routes", "A named, ordered list of targets: the fallback chain."},
    {"", "General", "Settings of the whole hub."},
    {"budgets", "budgets",
     "What may be spent. Before each attempt the most that it can cost is reserved, after it what it did "
     "cost is "
     "settled; a call that could lead beyond a limit is refused (class `budget`) before anything is sent."},
    {"store", "store",
     "Where a row for each attempt is kept: what it took and what it cost, for `koine cost report`. Without "
     "an entry "
     "here there is no store, and nothing is kept. `store: {}` is one with all its defaults. It is opened "
     "with the "
     "first client, and stays the same until the program ends."},
    {"approval", "approval",
     "What may be spent unasked. A call that could cost more, or of which nobody knows what it could cost, "
     "waits "
     "for an answer: `koine chat` asks on the terminal, a program gets an event, and `koine_generate`, which "
     "asks "
     "nobody, gives class `declined`."},
    {"pool", "pool", "Connections of a client."},
    {"network", "network", "How providers are reached."},
    {"webhook", "webhook", "Where notices are sent; see observing.md."},
    {"log", "log", "What is logged."},
};

/* The first name of the path, or none for a key that stands alone. */
static koine_str group_of(const struct koine__setting *row)
{
    koine_str rest = koine__str(row->path);
    koine_str first = koine__str_cut(&rest, '.');
    return rest.ptr ? first : KOINE__STR("");
}

static void add_row(const struct koine__setting *row, struct koine__buf *buf)
{
    koine__buf_addf(buf, "| `%s` | %s | ", row->path, koine__setting_type_name(row->type));
    if (row->otherwise)
        koine__buf_addf(buf, "`%s`", row->otherwise);
    koine__buf_adds(buf, row->otherwise ? " | " : "| ");
    size_t before = buf->len;
    koine__setting_range(row, buf);
    koine__buf_adds(buf, buf->len > before ? " | " : "| ");
    koine__buf_addf(buf, "%s |\n", row->help);
}

int koine__settings_document(char **ret)
{
    size_t count;
    const struct koine__setting *rows = koine__settings(&count);
    struct koine__buf buf;
    koine__buf_init(&buf, LONGEST_PAGE);
    koine__buf_adds(&buf, opening);
    for (size_t g = 0; g < sizeof(groups) / sizeof(groups[0]); g++) {
        koine__buf_addf(&buf, "\n## %s\n\n%s\n\n", groups[g].title, groups[g].text);
        koine__buf_adds(&buf,
                        "| key | type | default | range | what it does |\n| --- | --- | --- | --- | --- |\n");
        for (size_t i = 0; i < count; i++)
            if (koine__str_is(group_of(&rows[i]), groups[g].name))
                add_row(&rows[i], &buf);
    }
    char *text = koine__buf_take(&buf);
    if (!text)
        return buf.error;
    *ret = text;
    return KOINE_OK;
}
