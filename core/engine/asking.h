/* asking: the job that has a provider write its request, and what its answer means before anything is sent.
 * An attempt sends what comes of it; koine_explain only looks. */
#ifndef KOINE_CORE_ENGINE_ASKING_H
#define KOINE_CORE_ENGINE_ASKING_H

#include "core/engine/attempt.h"

/* What the provider may ask of its host for that target; without an arena. */
struct koine__host_env koine__asking_env(const struct koine__attempt_spec *spec, struct koine__log *log);
/* The desk's job, of that kind; but for `done` and the owner. */
void koine__asking_job(struct koine__desk *desk, const struct koine__attempt_spec *spec,
                       enum koine__job_kind kind);
/* What is asked, and where it is written. The state is borrowed for as long as the job is. */
void koine__asking_prepare(struct koine__desk *desk, const struct koine__attempt_spec *spec,
                           const struct koine__exchange_state *state);

/* After the job; each is true where the attempt has failed, and *ret says with what. In this order:
 * the provider could not answer (a crash in isolation); */
bool koine__asking_broke(const struct koine__desk *desk, struct koine__fault *ret);
/* it wrote no request; */
bool koine__asking_refused(const struct koine__desk *desk, const struct koine__attempt_spec *spec,
                           struct koine__fault *ret);
/* members would be lost, and parameters are strict; */
bool koine__asking_loses(const struct koine__desk *desk, const struct koine__attempt_spec *spec,
                         struct koine__fault *ret);
/* there is no key, and the vendor would refuse it for that after a round trip; */
bool koine__asking_lacks_key(const struct koine__desk *desk, const struct koine__attempt_spec *spec,
                             struct koine__fault *ret);
/* and what a request that cannot be taken (koine__out_request) or started has failed with. */
void koine__asking_fault(const struct koine__desk *desk, const struct koine__attempt_spec *spec, int rc,
                         struct koine__fault *ret);

bool koine__notice_loses(const struct koine__notice *notice);         /* dropped or clamped */
const char *koine__notice_action(const struct koine__notice *notice); /* "dropped" */

#endif
