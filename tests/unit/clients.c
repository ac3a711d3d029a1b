/* clients: see clients.h. */
#include "tests/unit/clients.h"

#include <string.h>

struct clients clients;
static struct koine__inbox inboxes[CLIENTS];
static struct koine__policies policies;
static const struct koine__gate gate = {.stages = {[KOINE__STAGE_LIMITER] = &koine__limiter_stage}};

static void wake(struct koine__ticket *ticket)
{
    ((struct customer *)ticket)->woken = true;
}

bool clients_begin(const struct koine__limiter_config *config)
{
    memset(&clients, 0, sizeof(clients));
    clients.now = 1000 * KOINE__SEC;
    clients.sends_at_once = true;
    if (koine__limiter_new(config, &clients.limiter) != KOINE_OK)
        return false;
    policies = (struct koine__policies){.limiter = clients.limiter};
    for (int i = 0; i < CLIENTS; i++)
        koine__inbox_init(&inboxes[i], NULL);
    return true;
}

void clients_end(void)
{
    for (int i = 0; i < clients.used; i++)
        clients_leave(&clients.customers[i], false, -1);
    for (int i = 0; i < CLIENTS; i++)
        koine__inbox_release(&inboxes[i]);
    koine__limiter_free(clients.limiter);
}

static void looked(void)
{
    if (clients.looked)
        clients.looked();
}

static void enter(struct customer *customer)
{
    customer->woken = false;
    customer->looks++;
    switch (koine__gate_enter(&gate, &customer->ticket, clients.now, &customer->fault)) {
    case KOINE__PASS_WAIT:
        customer->stand = STAND_WAITS;
        return;
    case KOINE__PASS_REFUSE:
        customer->stand = STAND_REFUSED;
        customer->passed_at = clients.now;
        return;
    default:
        customer->stand = STAND_THROUGH;
        customer->passed_at = clients.now;
        customer->place = ++clients.passed;
    }
}

void clients_enter(struct customer *customer)
{
    enter(customer);
    looked();
    if (customer->stand == STAND_THROUGH && clients.sends_at_once)
        clients_send(customer);
}

void clients_send(struct customer *customer)
{
    customer->sent_at = clients.now;
    koine__gate_sent(&gate, &customer->ticket, clients.now);
    looked();
}

static struct customer *find_free(void)
{
    for (int i = 0; i < clients.used; i++)
        if (clients.customers[i].stand == STAND_AWAY)
            return &clients.customers[i];
    return clients.used < CUSTOMERS ? &clients.customers[clients.used++] : NULL;
}

struct customer *clients_prepare(int client, int64_t deadline, int64_t tokens)
{
    struct customer *customer = find_free();
    if (!customer)
        return NULL;
    *customer = (struct customer){.client = client, .came_at = clients.now, .number = ++clients.came};
    customer->ticket = (struct koine__ticket){.instance = "together",
                                              .policies = &policies,
                                              .inbox = client == CLIENTS - 1 ? NULL : &inboxes[client],
                                              .deadline = deadline,
                                              .patience = KOINE__NEVER,
                                              .tokens = tokens,
                                              .wake = wake};
    return customer;
}

struct customer *clients_come(int client, int64_t deadline, int64_t tokens)
{
    struct customer *customer = clients_prepare(client, deadline, tokens);
    if (customer)
        clients_enter(customer);
    return customer;
}

void clients_leave(struct customer *customer, bool sent, int64_t tokens)
{
    struct koine__outcome outcome = {KOINE_CLASS_NONE, sent, tokens, -1, false};
    koine__gate_leave(&gate, &customer->ticket, &outcome, clients.now);
    customer->stand = STAND_AWAY;
    looked();
}

static bool is_due(const struct customer *customer)
{
    return customer->stand == STAND_WAITS && !clients.asleep[customer->client] &&
           (customer->woken || customer->ticket.wake_at <= clients.now);
}

void clients_deliver(void)
{
    bool moved = true;
    while (moved) {
        moved = false;
        for (int i = 0; i < CLIENTS; i++)
            if (!clients.asleep[i])
                koine__inbox_deliver(&inboxes[i]);
        for (int i = 0; i < clients.used; i++) {
            if (!is_due(&clients.customers[i]))
                continue;
            clients_enter(&clients.customers[i]);
            moved = true;
        }
    }
}

static int64_t next_wake(void)
{
    int64_t next = KOINE__NEVER;
    for (int i = 0; i < clients.used; i++) {
        const struct customer *customer = &clients.customers[i];
        if (customer->stand == STAND_WAITS && !clients.asleep[customer->client] &&
            customer->ticket.wake_at < next)
            next = customer->ticket.wake_at;
    }
    return next;
}

void clients_run(int64_t until)
{
    int64_t next;
    clients_deliver();
    while ((next = next_wake()) <= until) {
        clients.now = next;
        clients_deliver();
    }
    clients.now = until;
}

unsigned clients_count(enum stand stand)
{
    unsigned count = 0;
    for (int i = 0; i < clients.used; i++)
        count += clients.customers[i].stand == stand;
    return count;
}
