/* findings: a list. */
#include "apps/plugin-check/findings.h"

#include <stdlib.h>
#include <string.h>

#define MOST_ALIKE 3

static size_t count_alike(const struct findings *self, const struct finding *finding)
{
    size_t count = 0;
    for (size_t i = 0; i < self->count; i++)
        count +=
            self->items[i].rule == finding->rule && strcmp(self->items[i].function, finding->function) == 0;
    return count;
}

void findings_add(struct findings *self, const struct finding *finding)
{
    if (count_alike(self, finding) >= MOST_ALIKE)
        return;
    struct finding *grown = realloc(self->items, (self->count + 1) * sizeof(*grown));
    if (!grown)
        abort(); /* a checker that cannot tell must not say that all is well */
    self->items = grown;
    grown[self->count++] = *finding;
}

void findings_release(struct findings *self)
{
    free(self->items);
    *self = (struct findings){NULL, 0};
}

bool findings_has(const struct findings *self, enum rule rule)
{
    for (size_t i = 0; i < self->count; i++)
        if (self->items[i].rule == (int32_t)rule)
            return true;
    return false;
}
