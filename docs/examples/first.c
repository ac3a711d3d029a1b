/* A first call: cc first.c $(pkg-config --cflags --libs koine) && TOGETHER_API_KEY=… ./a.out */
#include <koine/koine.h>
#include <stdio.h>

static int fail(koine_error *error)
{
    fprintf(stderr, "%s: %s\n", koine_error_class_name(error), koine_error_message(error));
    koine_error_free(error);
    return 1;
}

int main(void)
{
    koine_hub *hub = NULL;
    koine_client *client = NULL;
    koine_request *request = NULL;
    koine_response *answer = NULL;
    koine_error *error = NULL;

    if (koine_hub_new(&hub, &error) || koine_hub_load_environment(hub, &error))
        return fail(error);
    koine_hub_set(hub, "providers.together.timeouts.total", "60s");
    koine_hub_set(hub, "routes.default.targets", "[together/openai/gpt-oss-120b, openai/gpt-4o-mini]");
    if (koine_hub_apply(hub, &error) || koine_client_new(hub, &client, &error))
        return fail(error);

    koine_request_new(&request);
    koine_request_message(request, "user", "Say hello in the common speech.");
    koine_request_set_integer(request, "max_tokens", 100);
    if (koine_generate(client, request, &answer, &error))
        return fail(error);

    koine_cost cost = KOINE_COST_INIT;
    char usd[32];
    koine_response_cost(answer, &cost);
    printf("%s\n%s answered for $%s\n", koine_response_text(answer, NULL), koine_response_target(answer),
           cost.state == KOINE_UNPRICED ? "?" : koine_cost_usd(cost.picodollars, usd, sizeof(usd)));

    koine_response_free(answer);
    koine_request_free(request);
    koine_client_free(client);
    koine_hub_free(hub);
    return 0;
}
