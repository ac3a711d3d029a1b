/* error: how errors are made, and the application's getters. Making one never fails: without memory the
 * static record stands in. */
#include "core/base/error.h"

#include "core/base/buf.h"
#include "core/base/mem.h"
#include <stdarg.h>
#include <string.h>

#ifndef KOINE_VERSION
#define KOINE_VERSION "0.1.0"
#endif

#define LONGEST_MESSAGE ((size_t)8192)

static koine_error no_memory = {
    .number = KOINE_EMEMORY,
    .fault = {.class_number = KOINE_CLASS_MEMORY,
              .retry_after_ns = -1,
              .stage = "",
              .message = "out of memory"},
    .is_static = true,
};

int koine__error_memory(koine_error **ret_error)
{
    if (ret_error)
        *ret_error = &no_memory;
    return KOINE_EMEMORY;
}

/* A message may quote what a file or a vendor said: still one line. */
static void flatten(char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7F)
            *text = ' ';
}

__attribute__((format(printf, 1, 0))) static char *format_message(const char *format, va_list args)
{
    struct koine__buf buf;
    koine__buf_init(&buf, LONGEST_MESSAGE);
    koine__buf_addv(&buf, format, args);
    if (buf.error == KOINE_EARGUMENT) { /* too long to be read by anybody */
        koine__buf_reset(&buf);
        koine__buf_adds(&buf, "an error whose message is too long to show");
    }
    char *message = koine__buf_take(&buf);
    if (message)
        flatten(message);
    return message;
}

int koine__error(koine_error **ret_error, int number, const char *format, ...)
{
    if (!ret_error)
        return number;
    koine_error *error = koine__alloc(sizeof(*error));
    if (!error)
        return koine__error_memory(ret_error);
    va_list args;
    va_start(args, format);
    error->message = format_message(format, args);
    va_end(args);
    if (!error->message) {
        koine__dealloc(error);
        return koine__error_memory(ret_error);
    }
    error->number = number;
    error->fault.retry_after_ns = -1;
    error->fault.stage = "";
    *ret_error = error;
    return number;
}

int koine__error_fault(koine_error **ret_error, const struct koine__fault *fault, const char *target)
{
    int number = fault->class_number == KOINE_CLASS_MEMORY ? KOINE_EMEMORY : KOINE_EFAULT;
    if (!ret_error)
        return number;
    koine_error *error = koine__alloc(sizeof(*error));
    char *copy = error && target ? koine__strdup(target) : NULL;
    if (!error || (target && !copy)) {
        koine__dealloc(error);
        return koine__error_memory(ret_error);
    }
    error->number = number;
    error->fault = *fault;
    error->target = copy;
    *ret_error = error;
    return number;
}

void koine_error_free(koine_error *error)
{
    if (!error || error->is_static)
        return;
    if (error->partial && error->free_partial)
        error->free_partial(error->partial);
    koine__dealloc(error->message);
    koine__dealloc(error->target);
    koine__dealloc(error);
}

int koine_error_number(const koine_error *error)
{
    return error ? error->number : KOINE_OK;
}

int koine_error_class(const koine_error *error)
{
    return error ? error->fault.class_number : KOINE_CLASS_NONE;
}

int koine_error_origin(const koine_error *error)
{
    int number = koine_error_class(error);
    return number == KOINE_CLASS_NONE ? 0 : koine__fault_class(number)->origin;
}

const char *koine_error_class_name(const koine_error *error)
{
    int number = koine_error_class(error);
    return number == KOINE_CLASS_NONE ? "" : koine_class_name(number);
}

const char *koine_error_origin_name(const koine_error *error)
{
    return koine__origin_name(koine_error_origin(error));
}

const char *koine_error_stage(const koine_error *error)
{
    return error && error->fault.stage ? error->fault.stage : "";
}

const char *koine_error_message(const koine_error *error)
{
    if (!error)
        return "";
    return error->message ? error->message : error->fault.message;
}

int koine_error_status(const koine_error *error)
{
    return error ? error->fault.status : 0;
}

const char *koine_error_code(const koine_error *error)
{
    return error ? error->fault.code : "";
}

/* Rounded up: who waits that long must not be early. */
int64_t koine_error_retry_after_ms(const koine_error *error)
{
    int64_t ns = error ? error->fault.retry_after_ns : -1;
    return ns < 0 ? -1 : ns / 1000000 + (ns % 1000000 > 0);
}

const char *koine_error_target(const koine_error *error)
{
    return error && error->target ? error->target : "";
}

const koine_response *koine_error_partial(const koine_error *error)
{
    return error ? error->partial : NULL;
}

const char *koine_strerror(int code)
{
    switch (code) {
    case KOINE_OK:
        return "no error";
    case KOINE_EMEMORY:
        return "out of memory";
    case KOINE_EARGUMENT:
        return "invalid argument";
    case KOINE_ECONFIG:
        return "invalid configuration";
    case KOINE_EFAULT:
        return "the call failed";
    case KOINE_EFORK:
        return "the object belongs to the parent process";
    case KOINE_ESYSTEM:
        return "the system refused a resource";
    case KOINE_ENOTFOUND:
        return "not found";
    default:
        return "unknown error";
    }
}

const char *koine_version(void)
{
    return KOINE_VERSION;
}

void koine_free(void *text)
{
    koine__dealloc(text);
}
