/* oracle_money: see oracle.h. */
#include "tests/sim/oracle.h"

#include <stdlib.h>

void oracle_money_init(struct oracle_money *money, int64_t limit)
{
    *money = (struct oracle_money){.limit = limit};
}

void oracle_money_release(struct oracle_money *money)
{
    free(money->stakes);
}

const char *oracle_money_reserves(struct oracle_money *money, const void *id, int64_t amount, bool refused)
{
    bool fits = money->limit < 0 || money->spent + money->reserved + amount <= money->limit;
    if (refused)
        return fits ? "a budget refused what it could bear" : NULL;
    money->stakes =
        oracle_grown(money->stakes, money->stake_count, &money->stake_capacity, sizeof(*money->stakes));
    money->stakes[money->stake_count++] = (struct oracle_stake){id, amount};
    money->reserved += amount;
    return fits ? NULL : "a budget let through what it could not bear";
}

const char *oracle_money_settles(struct oracle_money *money, const void *id, bool sent, int64_t cost)
{
    size_t i = 0;
    while (i < money->stake_count && money->stakes[i].id != id)
        i++;
    if (i == money->stake_count)
        return "settled without having been reserved, or twice";
    int64_t amount = money->stakes[i].amount, actual = !sent ? 0 : cost < 0 ? amount : cost;
    money->stakes[i] = money->stakes[--money->stake_count];
    money->reserved -= amount;
    money->spent += actual;
    money->overshot += actual > amount ? actual - amount : 0;
    return money->limit < 0 || money->spent + money->reserved <= money->limit + money->overshot
               ? NULL
               : "more spent than the limit and what was estimated too low";
}

const char *oracle_money_agrees(const struct oracle_money *money, int64_t spent, int64_t reserved)
{
    if (spent != money->spent)
        return "a budget has spent another sum than its attempts";
    return reserved == money->reserved ? NULL : "a budget holds another sum than its attempts reserved";
}

const char *oracle_money_over(const struct oracle_money *money)
{
    return money->reserved == 0 && money->stake_count == 0 ? NULL : "money is still reserved";
}
