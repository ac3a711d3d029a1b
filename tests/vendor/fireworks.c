/* fireworks: Fireworks, as a stranger would write it down: what its rows of the corpus need, and no more. */
#define KOINE_ENTRY vendor_fireworks
#include <koine/chat.h>

/* Without it, a limit that does not fit is lowered in silence. */
static const koine_chat_member overflow = {sizeof(koine_chat_member), "context_length_exceeded_behavior",
                                           "\"error\""};
static const koine_chat_member *const defaults[] = {&overflow, NULL};

static const koine_chat_traits traits = {
    .size = sizeof(traits),
    .defaults = defaults,
};

static const void *extension(const char *id)
{
    return koine_chat_extension(id, &traits);
}

static koine_provider provider = {
    .size = sizeof(provider),
    .id = "fireworks",
    .version = "1.0.0",
    .base_url = "https://api.fireworks.ai/inference/v1",
    .key_variable = "FIREWORKS_API_KEY",
    .extension = extension,
};

KOINE_EXPORT const koine_provider *KOINE_ENTRY(const koine_host *host, uint32_t index)
{
    return koine_chat_entry(&provider, host, index);
}
