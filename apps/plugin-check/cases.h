/* cases: the documents and answers that the plugin is fed: those of the folder, and our own, of which nobody
 * knows what should become of them. */
#ifndef KOINE_APPS_PLUGIN_CHECK_CASES_H
#define KOINE_APPS_PLUGIN_CHECK_CASES_H

#include "apps/plugin-check/findings.h"
#include "tests/vendor/ways.h"

struct cases_item {
    struct vendor_case c;
    char name[128];
    bool borrowed; /* its file and body are another's */
};
struct cases {
    struct cases_item *items; /* owned */
    size_t count,
        theirs; /* theirs come first; behind them their documents that came with an answer, and ours */
};

/* Reads DIR (NULL: none), and adds our own. What is no case is a finding. False: the folder cannot be read or
 * has none. */
bool cases_read(struct cases *self, const char *folder, struct findings *ret);
void cases_release(struct cases *self);

#endif
