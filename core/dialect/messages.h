/* messages: the dialect of Anthropic's Messages API, which the core offers to plugins under the name
 * KOINE_MESSAGES.
 *
 * Written against the plugin headers alone, so that the same files could live in a plugin.
 */
#ifndef KOINE_CORE_DIALECT_MESSAGES_H
#define KOINE_CORE_DIALECT_MESSAGES_H

#include <koine/messages.h>

extern const koine_messages koine__dialect_messages; /* [pure], static storage */

#endif
