/* isolate_lock: how a helper shuts itself in before its plugin runs, and for good after it was loaded.
 *
 * Nothing can be opened, no socket, process or thread made, no file written, no signal sent: a call into the
 * system that is not needed is answered with "not permitted". The plugin's own file is the one thing that can
 * be "opened" while it is loaded, and that is a descriptor which is there already. What the plugin's file
 * needs of the system's libraries is loaded before. In a build with AddressSanitizer the limit on memory is
 * left out, and reading files is permitted to it: that runtime needs both.
 *
 * Each returns NULL, or why it could not be done (static text). Linux on x86-64 and AArch64.
 */
#ifndef KOINE_CORE_PLUGIN_ISOLATE_LOCK_H
#define KOINE_CORE_PLUGIN_ISOLATE_LOCK_H

/* Closes every descriptor above the last, sets limits, and ends with the parent. `parent`: its process id. */
const char *koine__isolate_shut_in(int last_fd, int parent);
/* From here on only what loading the object needs: whoever opens `path` gets `fd`, once. `path` is kept. */
const char *koine__isolate_lock_loading(const char *path, int fd);
/* From here on only reading and writing what is open, memory, clocks and the end. */
const char *koine__isolate_lock_running(void);

#endif
