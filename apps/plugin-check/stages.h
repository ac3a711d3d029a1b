/* stages: each inspects one provider, in a child. */
#ifndef KOINE_APPS_PLUGIN_CHECK_STAGES_H
#define KOINE_APPS_PLUGIN_CHECK_STAGES_H

#include "apps/plugin-check/watching.h"

/* Loads the plugin and fills `providers`; what keeps it from being used is told. The number of providers, 0
 * where it cannot be used. `quiet`: what was told before is not told again. */
size_t stage_load(struct inspection *in, const koine_provider *providers[MOST_PROVIDERS], bool quiet);
/* What only the checker asks of the tables. */
void stage_tables(struct inspection *in);
void stage_cases(struct inspection *in);
void stage_hostile(struct inspection *in);
void stage_unknown(struct inspection *in);
void stage_alloc(struct inspection *in);
void stage_interleave(struct inspection *in);
void stage_threads(struct inspection *in);
void stage_cost(struct inspection *in);
void stage_budget(struct inspection *in);

/* What one case gives when nothing else happens: its request, or the events of its answer. *ret is to be
 * released. */
void stage_alone(struct inspection *in, const struct vendor_case *c, struct koine__buf *ret);
/* The same in the hands of `watching`. */
void stage_play(struct watching *watching, struct koine__buf *ret);
/* The function that stage_play calls most: "generate.frame", "fault", "list_models.request". */
const char *stage_function(const struct vendor_case *c);

#endif
