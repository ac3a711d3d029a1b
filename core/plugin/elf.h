/* elf: whether a file is a whole shared object for this machine, asked before the C library maps it: mapping
 * a truncated one ends the process by a signal. */
#ifndef KOINE_CORE_PLUGIN_ELF_H
#define KOINE_CORE_PLUGIN_ELF_H

#include <stdint.h>

/* NULL: it is. Otherwise why not, as static text: "is empty". */
const char *koine__elf_check(int fd, uint64_t size);

#endif
