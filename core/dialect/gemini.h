/* gemini: the dialect of Google's Gemini API, which the core offers to plugins under the name KOINE_GEMINI.
 *
 * Written against the plugin headers alone, so that the same files could live in a plugin.
 */
#ifndef KOINE_CORE_DIALECT_GEMINI_H
#define KOINE_CORE_DIALECT_GEMINI_H

#include <koine/gemini.h>

extern const koine_gemini koine__dialect_gemini; /* [pure], static storage */

#endif
