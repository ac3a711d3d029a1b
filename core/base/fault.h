/* fault: the one table of failure classes (DESIGN section 6). Code, docs and metric labels come from it. */
#ifndef KOINE_CORE_BASE_FAULT_H
#define KOINE_CORE_BASE_FAULT_H

#include <koine/koine.h>
#include <stdbool.h>
#include <stdint.h>

enum koine__again {
    KOINE__AGAIN_NO,
    KOINE__AGAIN_YES
};
enum koine__next {
    KOINE__NEXT_NO,
    KOINE__NEXT_YES,
    KOINE__NEXT_LARGER,
    KOINE__NEXT_OPT_IN
};

struct koine__fault_class {
    int number; /* KOINE_CLASS_… */
    const char *name;
    int origin;              /* KOINE_ORIGIN_… */
    enum koine__again again; /* the same target again */
    bool breaker;            /* counts as a failure of the provider */
    enum koine__next next;   /* the next target of the route */
    const char *examples;
};

/* The row of a class; that of `server` for an unknown number. */
const struct koine__fault_class *koine__fault_class(int number);
const struct koine__fault_class *koine__fault_classes(size_t *ret_count); /* all rows, in order of number */
const char *koine__origin_name(int origin);

/* What an attempt or a call failed with. Texts are copied, cut, and cleaned of control characters. */
struct koine__fault {
    int class_number;
    int status;             /* HTTP, 0: none */
    int64_t retry_after_ns; /* -1: no advice */
    bool never_retry;       /* the provider said so (x-should-retry: false) */
    bool deadline_limited;  /* the deadline kept us from trying again */
    bool budget_limited;    /* the retry budget did */
    const char *stage;      /* static text: "connect", "first_byte", …; "" */
    char code[64];
    char message[512];
};
extern const struct koine__fault koine__no_fault; /* class KOINE_CLASS_NONE */
/* Faults are large and rare, so what lives long holds a pointer, which starts at &koine__no_fault and never
 * is NULL. keep: a copy of the fault in the place of what is there (which the fault may be). Never fails:
 * without memory a static fault of class memory stands in. drop: none again (a NULL of a
 * zeroed owner is fine). */
void koine__fault_keep(const struct koine__fault **at, const struct koine__fault *fault);
void koine__fault_drop(const struct koine__fault **at);
void koine__fault_set(struct koine__fault *fault, int class_number, const char *stage, const char *format,
                      ...) __attribute__((format(printf, 4, 5)));
/* Copies a vendor's words: one line, control characters and HTML tags dropped, cut at a character's end. */
void koine__fault_words(char *ret, size_t size, const char *ptr, size_t len);

#endif
