/* threads: a client for each thread, and one hub for all: connections are each thread's own, while
 * configuration, DNS answers and TLS sessions are shared.
 *
 *   cc threads.c $(pkg-config --cflags --libs koine) -pthread && OPENAI_API_KEY=… ./a.out
 */
#include <pthread.h>
#include <stdio.h>

#include <koine/koine.h>
static const char *const questions[] = {"Why is the sky blue?", "Why is grass green?", "Why is snow white?"};
#define COUNT (sizeof(questions) / sizeof(questions[0]))

struct job {
    pthread_t thread;
    koine_hub *hub;
    const char *target, *question;
    int failed;
};

static int fail(koine_error *error)
{
    fprintf(stderr, "%s\n", error ? koine_error_message(error) : "out of memory");
    koine_error_free(error);
    return 1;
}

static int ask(koine_client *client, const struct job *job)
{
    koine_request *request = NULL;
    koine_response *answer = NULL;
    koine_error *error = NULL;
    koine_request_new(&request);
    koine_request_message(request, "user", job->question);
    koine_request_set_target(request, job->target);
    koine_request_set_stream(request, 1); /* or a whole answer: to the caller it is the same */
    int rc = koine_generate(client, request, &answer, &error);
    koine_request_free(request);
    if (rc != KOINE_OK)
        return fail(error);
    printf("%s %s\n", job->question, koine_response_text(answer, NULL));
    koine_response_free(answer);
    return 0;
}

static void *run(void *arg)
{
    struct job *job = arg;
    koine_client *client = NULL;
    koine_error *error = NULL;
    if (koine_client_new(job->hub, &client, &error))
        job->failed = fail(error);
    else
        job->failed = ask(client, job);
    koine_client_free(client);
    return NULL;
}

int main(int argc, char **argv)
{
    const char *target = argc > 1 ? argv[1] : "openai/gpt-4o-mini";
    koine_hub *hub = NULL;
    koine_error *error = NULL;
    struct job jobs[COUNT];
    size_t started = 0;
    int failed = 0;

    if (koine_hub_new(&hub, &error) || koine_hub_load_environment(hub, &error) ||
        koine_hub_apply(hub, &error))
        return fail(error);
    for (; started < COUNT; started++) {
        jobs[started] = (struct job){.hub = hub, .target = target, .question = questions[started]};
        if (pthread_create(&jobs[started].thread, NULL, run, &jobs[started]) != 0)
            break;
    }
    for (size_t i = 0; i < started; i++) {
        pthread_join(jobs[i].thread, NULL);
        failed |= jobs[i].failed;
    }
    koine_hub_free(hub);
    return failed || started < COUNT;
}
