/* ollama: Ollama's compatible API, as a stranger would write it down: what its rows of the corpus need, and
 * no more. */
#define KOINE_ENTRY vendor_ollama
#include <koine/chat.h>

/* It passes these over in silence: better a notice. */
static const char *const foreign[] = {"logit_bias", "n", "tool_choice", NULL};
static const char *const images[] = {"image/jpeg", "image/png", "image/webp", NULL};

static const koine_chat_traits traits = {
    .size = sizeof(traits),
    .foreign = foreign,
    .images = images,
};

static const void *extension(const char *id)
{
    return koine_chat_extension(id, &traits);
}

static koine_provider provider = {
    .size = sizeof(provider),
    .id = "ollama",
    .version = "1.0.0",
    .base_url = "http://127.0.0.1:11434/v1",
    .extension = extension,
};

KOINE_EXPORT const koine_provider *KOINE_ENTRY(const koine_host *host, uint32_t index)
{
    return koine_chat_entry(&provider, host, index);
}
