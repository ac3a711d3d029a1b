/* acme: a provider that speaks chat completions, as a table of differences.
 *
 * Every line that must change bears CHANGE; the rest can stay. <koine/chat.h> says what each field means.
 * Run `make check` after each change: an edited table and its cases go together.
 */
#include <koine/chat.h>

/* Members of the document that this vendor refuses. They are dropped, and the caller is told. */
static const char *const foreign[] = {
    "logit_bias", /* CHANGE: these, or none */
    NULL,
};

/* Errors that mean something else here than their status says. They are asked in order, before the rules
 * that hold for everybody; most vendors need none. */
static const koine_chat_fault spent = {
    .size = sizeof(spent),
    .status = 403,                /* CHANGE: 0 is any */
    .match = "spending_limit",    /* CHANGE: stands in the error's code, type or message; NULL is always */
    .fault = KOINE_FAULT_BILLING, /* CHANGE: what it is */
};
static const koine_chat_fault *const faults[] = {&spent, NULL};

/* A setting of this vendor's own, below `options:` of an instance, and the header it travels in. */
static const koine_option workspace_option = {
    .size = sizeof(workspace_option),
    .type = KOINE_OPTION_STRING,
    .required = 0,
    .name = "workspace",                             /* CHANGE: the setting */
    .otherwise = NULL,                               /* CHANGE: its default, or NULL */
    .help = "the workspace that requests count for", /* CHANGE: one line for people */
};
static const koine_option *const options[] = {&workspace_option, NULL};
static const koine_chat_header workspace = {
    .size = sizeof(workspace),
    .option = "workspace",        /* CHANGE: the setting again */
    .header = "X-ACME-Workspace", /* CHANGE: and its header */
};
static const koine_chat_header *const headers[] = {&workspace, NULL};

static const koine_chat_traits traits = {
    .size = sizeof(traits),
    /* CHANGE: how its requests differ (KOINE_CHAT_*). This one tells usage in streams when it is asked to. */
    .flags = KOINE_CHAT_STREAM_USAGE,
    .path = "/chat/completions", /* CHANGE: after the base URL; {model} is the model */
    .models_path = "/models",    /* CHANGE: where its list of models is */
    .max_tokens = "max_tokens",  /* CHANGE: or "max_completion_tokens" */
    .foreign = foreign,
    .faults = faults,
    .headers = headers,
    .key_header = "Authorization", /* CHANGE: the header that carries the key */
    .key_prefix = "Bearer ",       /* CHANGE: what stands before it there */
};

/* How the dialect, which is the core's, finds the table. */
static const void *extension(const char *id)
{
    return koine_chat_extension(id, &traits);
}

static koine_provider provider = {
    .size = sizeof(provider),
    .id = "acme",                              /* the name of its instance, file and catalogue */
    .version = "0.1.0",                        /* CHANGE: with each release */
    .base_url = "https://api.acme.example/v1", /* CHANGE: no slash at the end; NULL: each instance tells it */
    .key_variable = "ACME_API_KEY",            /* CHANGE: where its key is looked for; NULL: it needs none */
    .options = options,
    .extension = extension,
};

/* The one symbol of a plugin. The dialect's operations are put in here. */
KOINE_EXPORT const koine_provider *KOINE_ENTRY(const koine_host *host, uint32_t index)
{
    return koine_chat_entry(&provider, host, index);
}
