/* symbols: what a plugin's file says that it uses and offers, before anything of it runs. */
#ifndef KOINE_APPS_PLUGIN_CHECK_SYMBOLS_H
#define KOINE_APPS_PLUGIN_CHECK_SYMBOLS_H

#include "apps/plugin-check/findings.h"

/* The stage `file`. False: the file is none that can be loaded. */
bool symbols_check(const char *path, struct findings *ret);

#endif
