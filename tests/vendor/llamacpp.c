/* llamacpp: llama.cpp's server, as a stranger would write it down: what its rows of the corpus need, and no
 * more. */
#define KOINE_ENTRY vendor_llamacpp
#include <koine/chat.h>

static const koine_chat_traits traits = {
    .size = sizeof(traits),
    .flags = KOINE_CHAT_STREAM_USAGE | KOINE_CHAT_SCHEMA_FLAT,
};

static const void *extension(const char *id)
{
    return koine_chat_extension(id, &traits);
}

static koine_provider provider = {
    .size = sizeof(provider),
    .id = "llamacpp",
    .version = "1.0.0",
    .base_url = "http://127.0.0.1:8080/v1",
    .extension = extension,
};

KOINE_EXPORT const koine_provider *KOINE_ENTRY(const koine_host *host, uint32_t index)
{
    return koine_chat_entry(&provider, host, index);
}
