/* elf: whether a file is a whole shared object for this machine, asked before the C library maps it: mapping
 * a truncated one ends the process by a signal. */
#ifndef KOINE_CORE_PLUGIN_ELF_H
#define KOINE_CORE_PLUGIN_ELF_H

#include <stdint.h>

/* NULL: it is. Otherwise why not, as static text: "is empty". */
const char *koine__elf_check(int fd, uint64_t size);
/* Tells the names of the libraries that a checked file asks for, up to 64; a name with a slash, or one too
 * long to be one, is left out. */
void koine__elf_needed(int fd, void (*each)(const char *name));

#endif
