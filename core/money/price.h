/* price: exact arithmetic from tokens to picodollars. int64 throughout, overflow checked, no floating point.
 *
 * A bucket's rate that the row does not tell: cache reads and writes cost like input, reasoning like output,
 * image tokens like input. Audio tokens without a rate make the sum unknown, as does a usage that tells
 * neither what went in nor what came out.
 */
#ifndef KOINE_CORE_MONEY_PRICE_H
#define KOINE_CORE_MONEY_PRICE_H

#include "core/plugin/catalogue.h"

/* What koine_host.price does; `catalogue` is a const struct koine__catalogue *. Looks for query->model, then
 * for query->asked. 0; negative: the sum overflows. */
int32_t koine__price_query(const void *catalogue, const koine_cost_query *query, koine_provider_cost *ret);
/* tokens × rates; 0 and *ret; 1: unknown; KOINE_EARGUMENT: overflow or a count below -1. */
int koine__price_sum(const struct koine__price_row *row, const koine_provider_usage *usage, int64_t *ret);
void koine__provider_usage_init(koine_provider_usage *usage); /* all -1, size set */
int64_t koine__prompt_tokens(const koine_provider_usage *usage);

#endif
