/* azure: Azure OpenAI, as a table of differences from the chat completions dialect.
 *
 * The base URL is a resource's own, https://NAME.openai.azure.com, and the model of a target is the name of
 * a deployment there. Sources: learn.microsoft.com, "Azure OpenAI Service REST API reference", 2024-10-21.
 */
#include <koine/chat.h>

static const char *const foreign[] = {
    "chat_template_kwargs",
    "compliance",
    "context_length_exceeded_behavior",
    "echo",
    "min_p",
    "reasoning",
    "repetition_penalty",
    "safety_model",
    "top_k",
    "web_search_options",
    NULL,
};

/* A quota of calls that is used up is answered like a key that is refused. */
static const koine_chat_fault quota = {sizeof(koine_chat_fault), 403, KOINE_FAULT_BILLING,
                                       "call volume quota"};
static const koine_chat_fault *const faults[] = {&quota, NULL};

static const koine_chat_query api_version = {sizeof(koine_chat_query), "api_version", "api-version"};
static const koine_chat_query *const queries[] = {&api_version, NULL};

static const koine_chat_traits traits = {
    .size = sizeof(traits),
    .flags = KOINE_CHAT_STREAM_USAGE | KOINE_CHAT_OWN_NAMES,
    .path = "/openai/deployments/{model}/chat/completions",
    .models_path = "/openai/models",
    .max_tokens = "max_completion_tokens",
    .foreign = foreign,
    .faults = faults,
    .key_header = "api-key",
    .key_prefix = "",
    .queries = queries,
};

static const void *extension(const char *id)
{
    return koine_chat_extension(id, &traits);
}

static const koine_option api_version_option = {
    .size = sizeof(koine_option),
    .type = KOINE_OPTION_STRING,
    .name = "api_version",
    .otherwise = "2024-10-21",
    .help = "the version of the API (api-version in the query)",
};
static const koine_option *const options[] = {&api_version_option, NULL};

static koine_provider provider = {
    .size = sizeof(provider),
    .id = "azure",
    .version = "1.0.0",
    .base_url = NULL,
    .key_variable = "AZURE_OPENAI_API_KEY",
    .options = options,
    .extension = extension,
};

KOINE_EXPORT const koine_provider *KOINE_ENTRY(const koine_host *host, uint32_t index)
{
    return koine_chat_entry(&provider, host, index);
}
