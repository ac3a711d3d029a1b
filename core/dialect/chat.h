/* chat: the chat completions dialect, which the core offers to plugins under the name KOINE_CHAT.
 *
 * Written against the plugin headers alone, so that the same files could live in a plugin.
 */
#ifndef KOINE_CORE_DIALECT_CHAT_H
#define KOINE_CORE_DIALECT_CHAT_H

#include <koine/chat.h>

extern const koine_chat koine__dialect_chat; /* [pure], static storage */

#endif
