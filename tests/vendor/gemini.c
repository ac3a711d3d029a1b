/* The plugin, linked in: its entry function under a name of its own (koine/provider.h, KOINE_ENTRY). */
#define KOINE_ENTRY vendor_gemini
#include "providers/gemini.c"
