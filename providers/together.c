/* together: Together AI, as a table of differences from the chat completions dialect. */
#include <koine/chat.h>

static const char *const foreign[] = {
    "audio",
    "metadata",
    "modalities",
    "moderation",
    "parallel_tool_calls",
    "prediction",
    "prompt_cache_key",
    "prompt_cache_options",
    "safety_identifier",
    "service_tier",
    "store",
    "user",
    "verbosity",
    "web_search_options",
    NULL,
};

/* 403 is no refused key here: input and max_tokens together exceed the context. These are the other ones. */
static const koine_chat_fault sharing = {sizeof(koine_chat_fault), 403, KOINE_FAULT_AUTH, "data_sharing"};
static const koine_chat_fault retired = {sizeof(koine_chat_fault), 403, KOINE_FAULT_AUTH, "access_disabled"};
static const koine_chat_fault key = {sizeof(koine_chat_fault), 403, KOINE_FAULT_AUTH, "api_key"};
static const koine_chat_fault length = {sizeof(koine_chat_fault), 403, KOINE_FAULT_CONTEXT_LENGTH, NULL};
static const koine_chat_fault *const faults[] = {&sharing, &retired, &key, &length, NULL};

static const koine_chat_traits traits = {
    .size = sizeof(traits),
    .flags =
        KOINE_CHAT_STREAM_USAGE | KOINE_CHAT_STOP_LIST | KOINE_CHAT_LOGPROBS_COUNT | KOINE_CHAT_NO_DEVELOPER,
    .path = "/chat/completions",
    .models_path = "/models",
    .max_tokens = "max_tokens",
    .foreign = foreign,
    .faults = faults,
};

static const void *extension(const char *id)
{
    return koine_chat_extension(id, &traits);
}

static koine_provider provider = {
    .size = sizeof(provider),
    .id = "together",
    .version = "1.0.0",
    .base_url = "https://api.together.ai/v1",
    .key_variable = "TOGETHER_API_KEY",
    .extension = extension,
};

KOINE_EXPORT const koine_provider *KOINE_ENTRY(const koine_host *host, uint32_t index)
{
    return koine_chat_entry(&provider, host, index);
}
