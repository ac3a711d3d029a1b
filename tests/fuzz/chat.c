/* chat: the chat completions dialect, as dialect.h says. */
#include "tests/fuzz/dialect.h"

const koine_provider *vendor_together(const koine_host *host, uint32_t index);
const koine_provider *vendor_openai(const koine_host *host, uint32_t index);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const fuzz_vendor vendors[] = {vendor_openai, vendor_together, NULL};
    fuzz_dialect((koine_str){(const char *)data, size}, vendors);
    return 0;
}
