/* surface: whatever crosses between plugins and the core, in one object: abi.sh compares what its debug
 * information says with what it said when the header was frozen. The entry reaches the vtable and, through
 * its pointers, every other struct of koine/provider.h; the traits of the dialects stand for themselves.
 */
#include <koine/chat.h>
#include <koine/gemini.h>
#include <koine/messages.h>

KOINE_EXPORT koine_dialect koine_surface_dialect;
KOINE_EXPORT koine_chat_traits koine_surface_chat;
KOINE_EXPORT koine_messages_traits koine_surface_messages;
KOINE_EXPORT koine_gemini_traits koine_surface_gemini;

const koine_provider *KOINE_ENTRY(const koine_host *host, uint32_t index)
{
    (void)host;
    (void)index;
    return NULL;
}
