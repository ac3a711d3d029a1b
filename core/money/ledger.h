/* ledger: one row for each attempt of a call, and what they cost together. */
#ifndef KOINE_CORE_MONEY_LEDGER_H
#define KOINE_CORE_MONEY_LEDGER_H

#include <koine/koine.h>
#include <koine/provider.h>

enum koine__billing {
    KOINE__BILLING_NONE,      /* nothing that is billed: refused, not sent, or answered with an error */
    KOINE__BILLING_TOLD,      /* by the usage the provider told */
    KOINE__BILLING_ESTIMATED, /* it may be billed, and the provider did not say how much */
    KOINE__BILLING_UNKNOWN,   /* no price is known */
    KOINE__BILLING_FREE
};
struct koine__row {
    char *target; /* "instance/model" */
    char *request_id;
    int status, class_number;
    int64_t start, end; /* ns since the call's start */
    enum koine__billing billing;
    koine_usage usage;
    koine_cost cost;
};
struct koine__ledger {
    struct koine__row *rows;
    size_t count, capacity;
};
/* The index of a new row, or KOINE_EMEMORY. Rows are in the order of their starts, whichever ended first. */
long koine__ledger_add(struct koine__ledger *ledger, const char *target, int64_t start);
void koine__ledger_release(struct koine__ledger *ledger);
/* The sum. Unpriced if one row is; free of charge if all that cost anything are; KOINE_EARGUMENT on overflow.
 */
int koine__ledger_cost(const struct koine__ledger *ledger, koine_cost *ret);

/* A provider's buckets as the application reads them. */
void koine__usage_from_provider(const koine_provider_usage *usage, koine_usage *ret);
void koine__usage_to_provider(const koine_usage *usage, koine_provider_usage *ret);
void koine__usage_init(koine_usage *usage); /* all -1 */
/* Copies what both sides know; ret->size says how much the caller can take. */
void koine__usage_copy(const koine_usage *usage, koine_usage *ret);
void koine__cost_copy(const koine_cost *cost, koine_cost *ret);
/* What something could cost, as the application reads it; -1: nobody knows. Keeps ret->size. */
void koine__cost_estimate(int64_t picodollars, koine_cost *ret);
void koine__cost_from_provider(const koine_provider_cost *cost, koine_cost *ret);

#endif
