/* town_net: the servers of a town, as its clients' transports meet them. */
#include "tests/sim/town_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int server_at(const struct town *town, const char *url)
{
    for (int i = 0; i < TOWN_SERVERS; i++) {
        if (strstr(url, town->servers[i].host))
            return i;
    }
    return -1;
}

/* Its number stands in its message. */
static struct town_call *call_of(const struct town *town, const struct koine__replay_seen *seen)
{
    const char *at = strstr(seen->body, "This is call ");
    unsigned long number = at ? strtoul(at + strlen("This is call "), NULL, 10) : town->call_count;
    return number < town->call_count ? town->calls[number] : NULL;
}

static void keep_served(struct town_server *server, struct served *served)
{
    server->served =
        oracle_grown(server->served, server->served_count, &server->served_capacity, sizeof(struct served *));
    server->served[server->served_count++] = served;
}

static const char *judge_start(struct town *town, struct town_call *call, int index)
{
    struct town_server *server = &town->seen[index];
    int64_t now = town->rig.now, concurrent = server->limiter.config.concurrent;
    const char *wrong = oracle_call_starts(&call->oracle, now);
    if (!wrong && index < call->at)
        wrong = "a target that was left is asked again";
    call->hedged |= call->oracle.under_way > 1;
    if (!wrong && !call->hedged && now < call->not_before)
        wrong = "a retry before its wait was over";
    if (!wrong && concurrent >= 0 && (int64_t)server->under_way > concurrent)
        wrong = "more requests under way at a server than allowed";
    return wrong;
}

static const struct koine__replay_answer *answer(void *arg, const struct koine__replay_seen *seen,
                                                 bool stream)
{
    struct town_client *client = arg;
    struct town *town = client->town;
    int index = server_at(town, seen->url);
    struct town_call *call = call_of(town, seen);
    if (index < 0 || !call || call->of != client) {
        town_hear(town, "a request of nobody's, or to nowhere");
        return NULL;
    }
    struct town_server *server = &town->seen[index];
    struct served *served =
        server_answer(&town->servers[index], &town->random, town->rig.now, call->number, stream);
    served->call = call->number;
    keep_served(server, served);
    server->under_way++;
    server->requests++;
    snprintf(call->expected[index], sizeof(call->expected[index]), "%s", served->text);
    town_note(town, "client %u: call %u asks %s, which %s", client->number, call->number,
              town->servers[index].name, server_way_name(served->way));
    town_hear(town, judge_start(town, call, index));
    call->at = index;
    call->way = served->way;
    return &served->answer;
}

static void sent(void *arg, const struct koine__replay_seen *seen)
{
    struct town_client *client = arg;
    int index = server_at(client->town, seen->url);
    if (index >= 0)
        town_hear(client->town, oracle_log_add(&client->town->seen[index].sends, seen->sent_at, 1));
}

/* One call may have two requests under way, but never two at one server. */
static struct served *take_served(struct town_server *server, unsigned call)
{
    for (size_t i = 0; i < server->served_count; i++) {
        struct served *served = server->served[i];
        if (served->call != call)
            continue;
        server->served[i] = server->served[--server->served_count];
        return served;
    }
    return NULL;
}

static void pause_server(struct town_server *server, int64_t now, int64_t advice)
{
    int64_t until = now + (advice < KOINE__PAUSE_MOST ? advice : KOINE__PAUSE_MOST);
    if (until > server->paused_until)
        server->paused_until = until;
}

static void ended(void *arg, const struct koine__replay_seen *seen)
{
    struct town_client *client = arg;
    int index = server_at(client->town, seen->url);
    struct town_call *call = call_of(client->town, seen);
    if (index < 0 || !call)
        return;
    struct town_server *server = &client->town->seen[index];
    struct served *served = take_served(server, call->number);
    town_note(client->town, "client %u: %s and call %u part%s", client->number,
              client->town->servers[index].name, call->number, seen->cancelled ? ", hung up" : "");
    server->under_way--;
    if (served && served->way == SERVER_LIMITS_FOR && !seen->cancelled)
        pause_server(server, client->town->rig.now, served->advice);
    call->advice = served && !seen->cancelled ? served->advice : -1;
    town_hear(client->town, oracle_call_ends(&call->oracle));
    free(served);
}

int town_open_transport(void *arg, struct koine__loop *loop, struct koine__transport **ret)
{
    struct town *town = arg;
    int rc = koine__transport_replay_new(loop, NULL, 0, ret);
    if (rc == KOINE_OK)
        koine__replay_direct(*ret, &(struct koine__replay_director){
                                       .answer = answer, .sent = sent, .ended = ended, .arg = town->opening});
    return rc;
}
