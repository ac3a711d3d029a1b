/* report: what was found, for people and for programs. */
#ifndef KOINE_APPS_PLUGIN_CHECK_REPORT_H
#define KOINE_APPS_PLUGIN_CHECK_REPORT_H

#include "apps/plugin-check/inspection.h"

void report_for_people(const struct inspection *in, bool colour);
void report_json(const struct inspection *in); /* one object */
void report_tap(const struct inspection *in);  /* one test for each rule */

#endif
