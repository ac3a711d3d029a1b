/* isolated: a plugin that never runs in this process. Its file is found and judged like any other (binary.h),
 * copied into memory that nobody can change any more, and described by a helper that loads that copy: the
 * tables made of it look like any provider's, and every job for them is the bridge's to carry
 * (bridge_isolated.h).
 */
#ifndef KOINE_CORE_PLUGIN_ISOLATED_H
#define KOINE_CORE_PLUGIN_ISOLATED_H

#include "core/base/error.h"
#include "core/plugin/helper.h"

#include <koine/provider.h>

struct koine__isolated; /* reference-counted; [any thread] */
struct koine__isolated_spec {
    const char *program;       /* the helper's file; NULL: the one that was installed */
    int64_t timeout;           /* ns that loading may take */
    const char *const *sha256; /* NULL-ended: pins that its bytes must have, all of them; NULL: none */
};
/* KOINE_ECONFIG: refused, in one line that names the file and the reason. KOINE_ESYSTEM: the same, where it
 * crashed or did not end while it was loaded. KOINE_EMEMORY. A file that is open already and did not change
 * since is not started anew. */
int koine__isolated_open(const char *folder, const char *file_name, const struct koine__isolated_spec *spec,
                         struct koine__isolated **ret, koine_error **ret_error);
struct koine__isolated *koine__isolated_ref(struct koine__isolated *isolated);
void koine__isolated_unref(struct koine__isolated *isolated);               /* NULL is fine */
bool koine__isolated_is_mine_alone(const struct koine__isolated *isolated); /* nobody else holds it */

size_t koine__isolated_count(const struct koine__isolated *isolated);
const koine_provider *koine__isolated_provider(const struct koine__isolated *isolated, size_t index);
/* Whose table it is, and which of its; NULL: the provider runs in this process. Borrowed. */
struct koine__isolated *koine__isolated_of(const koine_provider *provider, uint32_t *ret_index);
/* Another process of it. 0, or an errno. What to say to it first, and whether that is its answer to it. */
int koine__isolated_start(const struct koine__isolated *isolated, struct koine__helper *ret);
koine_str koine__isolated_hello(const struct koine__isolated *isolated);
bool koine__isolated_is_same(const struct koine__isolated *isolated, koine_str ready);

#endif
