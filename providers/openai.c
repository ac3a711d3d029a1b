/* openai: OpenAI, and whatever server speaks like it, as a table of differences from the chat completions
 * dialect. */
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
    NULL,
};

static const koine_chat_header organization = {sizeof(koine_chat_header), "organization",
                                               "OpenAI-Organization"};
static const koine_chat_header project = {sizeof(koine_chat_header), "project", "OpenAI-Project"};
static const koine_chat_header *const headers[] = {&organization, &project, NULL};

static const koine_chat_traits traits = {
    .size = sizeof(traits),
    .flags = KOINE_CHAT_STREAM_USAGE | KOINE_CHAT_NO_OBFUSCATION,
    .path = "/chat/completions",
    .models_path = "/models",
    .max_tokens = "max_completion_tokens",
    .foreign = foreign,
    .headers = headers,
    .compatible = "compatible",
};

static const void *extension(const char *id)
{
    return koine_chat_extension(id, &traits);
}

static const koine_option organization_option = {
    .size = sizeof(koine_option),
    .type = KOINE_OPTION_STRING,
    .name = "organization",
    .help = "the organization that requests count for (header OpenAI-Organization)",
};
static const koine_option project_option = {
    .size = sizeof(koine_option),
    .type = KOINE_OPTION_STRING,
    .name = "project",
    .help = "the project that requests count for (header OpenAI-Project)",
};
static const koine_option compatible_option = {
    .size = sizeof(koine_option),
    .type = KOINE_OPTION_BOOL,
    .name = "compatible",
    .otherwise = "false",
    .help = "true for another server that speaks OpenAI's dialect: members that OpenAI refuses travel on, "
            "extra_content of tool calls goes back, and the output limit is called max_tokens",
};
static const koine_option *const options[] = {&organization_option, &project_option, &compatible_option,
                                              NULL};

static koine_provider provider = {
    .size = sizeof(provider),
    .id = "openai",
    .version = "1.0.0",
    .base_url = "https://api.openai.com/v1",
    .key_variable = "OPENAI_API_KEY",
    .options = options,
    .extension = extension,
};

KOINE_EXPORT const koine_provider *KOINE_ENTRY(const koine_host *host, uint32_t index)
{
    return koine_chat_entry(&provider, host, index);
}
