/* first: the smallest program that knows a provider by name. No file, no environment, no network. */
#include <koine/koine.h>
#include <stdio.h>

int main(void)
{
    koine_hub *hub = NULL;
    koine_error *error = NULL;
    if (koine_hub_new(&hub, &error) != KOINE_OK)
        return 1;
    koine_hub_set(hub, "providers.together.api_key", "not-a-real-key");
    koine_hub_set(hub, "providers.together.base_url", "http://127.0.0.1:9/v1");
    koine_hub_set(hub, "providers.together.timeouts.total", "30s");
    koine_hub_set(hub, "providers.together.retry.max_retries", "2");

    int status = 1;
    const koine_provider_handle *together = NULL;
    if (koine_hub_apply(hub, &error) == KOINE_OK)
        together = koine_hub_provider(hub, "together");
    if (together) {
        printf("%s %s\n", koine_provider_id(together), koine_provider_version(together));
        status = 0;
    } else {
        fprintf(stderr, "%s\n", error ? koine_error_message(error) : "no provider named together");
    }
    koine_error_free(error);
    koine_hub_free(hub);
    return status;
}
