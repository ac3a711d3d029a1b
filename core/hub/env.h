/* env: variables from the process and from .env files, as one table in which the process wins.
 *
 * A .env file only supplies values for ${…}, for the keys of providers and for MAX_ESTIMATED_COST; settings
 * (KOINE__…), base URLs and plugin folders in it are refused with file and line.
 */
#ifndef KOINE_CORE_HUB_ENV_H
#define KOINE_CORE_HUB_ENV_H

#include "core/base/error.h"
#include "core/base/settings.h"
#include "core/base/str.h"

struct koine__env;
struct koine__env *koine__env_new(void);      /* empty; NULL: no memory */
void koine__env_free(struct koine__env *env); /* wipes the values */
/* Copies a NULL-ended list of NAME=value: the process's own. */
int koine__env_add_process(struct koine__env *env, const char *const *variables);
/* A .env file: NAME=value lines, # comments, `export `, single quotes as they are, double quotes with \n \"
 * \\, no expansion inside. A name that is set already stays. A file that does not exist is no error; one that
 * others may write is. */
int koine__env_add_file(struct koine__env *env, const char *file, koine_error **ret_error);
int koine__env_add_text(struct koine__env *env, const char *file, const char *text, size_t len,
                        koine_error **ret_error);
/* How many variables there are, and back to so many: what a file added that was refused after all. NULL is
 * fine. */
size_t koine__env_count(const struct koine__env *env);
void koine__env_cut(struct koine__env *env, size_t count);
const char *koine__env_get(const struct koine__env *env,
                           const char *name); /* NULL: not set; NULL env is empty */
/* Files read, in order, each once, also those that were refused after all; NULL past the last. */
const char *koine__env_file(const struct koine__env *env, size_t index);
/* The file that the variable is from; NULL: from the process, or not set. */
const char *koine__env_origin(const struct koine__env *env, const char *name);
/* Bytes at the beginning of the text that can be a variable's name. */
size_t koine__env_name_length(koine_str text);
/* Stages KOINE__providers__together__retry__max_retries=3 as providers.together.retry.max_retries. */
int koine__env_stage(const struct koine__env *env, struct koine__store *store, koine_error **ret_error);

#endif
