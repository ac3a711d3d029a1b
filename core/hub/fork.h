/* fork: how many forks lie between an object's birth and now, without a system call. */
#ifndef KOINE_CORE_HUB_FORK_H
#define KOINE_CORE_HUB_FORK_H

unsigned koine__fork_generation(void); /* one more in every child; [any thread] */

#endif
