/* anthropic: Anthropic, as a table of differences from the messages dialect. */
#include <koine/messages.h>

/* Those that came before 4.6; later ones decide for themselves, and the latest refuse a budget. */
static const char *const budget_models[] = {
    "claude-2",           "claude-3",
    "claude-4-",          "claude-haiku-4-5",
    "claude-opus-4-0",    "claude-opus-4-1",
    "claude-opus-4-2025", "claude-opus-4-5",
    "claude-sonnet-4-0",  "claude-sonnet-4-2025",
    "claude-sonnet-4-5",  NULL,
};

/* What 400 says of an account that is empty or at its limit, and of what the filter did not let pass. */
static const koine_messages_fault limits = {sizeof(koine_messages_fault), 400, KOINE_FAULT_BILLING,
                                            "api usage limits"};
static const koine_messages_fault disabled = {sizeof(koine_messages_fault), 400, KOINE_FAULT_AUTH,
                                              "organization has been disabled"};
static const koine_messages_fault filtered = {sizeof(koine_messages_fault), 0, KOINE_FAULT_CONTENT_POLICY,
                                              "content filtering policy"};
static const koine_messages_fault *const faults[] = {&limits, &disabled, &filtered, NULL};

static const koine_messages_header version = {sizeof(koine_messages_header), "version", "anthropic-version"};
static const koine_messages_header beta = {sizeof(koine_messages_header), "beta", "anthropic-beta"};
static const koine_messages_header *const headers[] = {&version, &beta, NULL};

static const koine_messages_traits traits = {
    .size = sizeof(traits),
    .path = "/messages",
    .models_path = "/models",
    .key_header = "x-api-key",
    .key_prefix = "",
    .max_tokens_option = "max_tokens",
    .max_tokens = 4096,
    .budget_models = budget_models,
    .faults = faults,
    .headers = headers,
};

static const void *extension(const char *id)
{
    return koine_messages_extension(id, &traits);
}

static const koine_option version_option = {
    .size = sizeof(koine_option),
    .type = KOINE_OPTION_STRING,
    .name = "version",
    .otherwise = "2023-06-01",
    .help = "the version of the API (header anthropic-version)",
};
static const koine_option beta_option = {
    .size = sizeof(koine_option),
    .type = KOINE_OPTION_STRING,
    .name = "beta",
    .help = "names of beta features, with commas between (header anthropic-beta)",
};
static const koine_option max_tokens_option = {
    .size = sizeof(koine_option),
    .type = KOINE_OPTION_INTEGER,
    .name = "max_tokens",
    .otherwise = "4096",
    .help = "the limit of the output where a document sets none: the API wants one",
};
static const koine_option *const options[] = {&version_option, &beta_option, &max_tokens_option, NULL};

static koine_provider provider = {
    .size = sizeof(provider),
    .id = "anthropic",
    .version = "1.0.0",
    .base_url = "https://api.anthropic.com/v1",
    .key_variable = "ANTHROPIC_API_KEY",
    .options = options,
    .extension = extension,
};

KOINE_EXPORT const koine_provider *KOINE_ENTRY(const koine_host *host, uint32_t index)
{
    return koine_messages_entry(&provider, host, index);
}
