/* libuv: several answers at once in a program around libuv's loop.
 *
 *   cc libuv.c $(pkg-config --cflags --libs koine libuv) && OPENAI_API_KEY=… ./a.out
 */
#include <stdio.h>
#include <uv.h>

#include <koine/koine.h>
static const char *const questions[] = {"Why is the sky blue?", "Why is grass green?", "Why is snow white?"};
#define COUNT (sizeof(questions) / sizeof(questions[0]))

static int failed;

static int fail(koine_error *error)
{
    fprintf(stderr, "%s\n", error ? koine_error_message(error) : "out of memory");
    koine_error_free(error);
    return 1;
}

/* Starts a streamed call for each question; never waits. */
static int ask(koine_client *client, const char *target)
{
    koine_error *error = NULL;
    for (size_t i = 0; i < COUNT; i++) {
        koine_request *request = NULL;
        koine_call *call;
        koine_request_new(&request);
        koine_request_message(request, "user", questions[i]);
        koine_request_set_target(request, target);
        koine_request_set_user(request, (void *)(size_t)questions[i]);
        int rc = koine_start(client, request, &call, &error);
        koine_request_free(request); /* the call keeps what it needs */
        if (rc != KOINE_OK)
            return fail(error);
    }
    return 0;
}

/* Prints what has ended; returns how many calls that were. */
static int take(koine_client *client)
{
    koine_call *call;
    const koine_event *event;
    int ended = 0;
    while (koine_next(client, &call, &event) == 1) {
        switch (koine_event_kind(event)) {
        case KOINE_EVENT_TEXT: /* a piece of the answer: show it, pass it on */
            continue;
        case KOINE_EVENT_STOP:
            printf("%s %s\n", (const char *)koine_call_user(call),
                   koine_response_text(koine_call_response(call), NULL));
            break;
        case KOINE_EVENT_FAULT:
            printf("%s (%s)\n", (const char *)koine_call_user(call),
                   koine_error_message(koine_event_error(event)));
            failed = 1;
            break;
        default:
            continue;
        }
        koine_call_free(call);
        ended++;
    }
    return ended;
}

static size_t left = COUNT;

static void on_readable(uv_poll_t *handle, int status, int events)
{
    koine_client *client = handle->data;
    (void)events;
    if (status == 0 && koine_process(client) == KOINE_OK)
        left -= (size_t)take(client);
    else
        left = 0, failed = 1;
    if (left == 0)
        uv_close((uv_handle_t *)handle, NULL); /* before the client is freed: its descriptor goes with it */
}

static void run(koine_client *client)
{
    uv_loop_t *loop = uv_default_loop();
    uv_poll_t handle;
    uv_poll_init(loop, &handle, koine_fd(client));
    handle.data = client;
    uv_poll_start(&handle, UV_READABLE, on_readable);
    uv_run(loop, UV_RUN_DEFAULT);
    uv_loop_close(loop);
}

int main(int argc, char **argv)
{
    const char *target = argc > 1 ? argv[1] : "openai/gpt-4o-mini";
    koine_hub *hub = NULL;
    koine_client *client = NULL;
    koine_error *error = NULL;

    if (koine_hub_new(&hub, &error) || koine_hub_load_environment(hub, &error) ||
        koine_client_new(hub, &client, &error))
        return fail(error);
    if (ask(client, target))
        return 1;
    run(client);

    koine_client_free(client);
    koine_hub_free(hub);
    return failed;
}
