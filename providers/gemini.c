/* gemini: Google's Gemini API, as a table of differences from the gemini dialect. */
#include <koine/gemini.h>

static const char *const plain_models[] = {"gemini-1", "gemini-2.0", "gemini-2.5-flash-image",
                                           "gemma-",   "learnlm-",   NULL};
static const char *const budget_models[] = {"gemini-2.5", "gemini-robotics-er-1.5", NULL};
static const char *const always_models[] = {"gemini-2.5-pro", "gemini-3-pro", "gemini-3.1-pro", NULL};

/* What 400 and 403 say of keys, accounts and countries. */
static const koine_gemini_fault key = {sizeof(koine_gemini_fault), 400, "api_key_invalid", KOINE_FAULT_AUTH};
static const koine_gemini_fault expired = {sizeof(koine_gemini_fault), 400, "api key expired",
                                           KOINE_FAULT_AUTH};
static const koine_gemini_fault country = {sizeof(koine_gemini_fault), 400, "location is not supported",
                                           KOINE_FAULT_AUTH};
static const koine_gemini_fault unpaid = {sizeof(koine_gemini_fault), 400, "enable billing",
                                          KOINE_FAULT_BILLING};
static const koine_gemini_fault disabled = {sizeof(koine_gemini_fault), 403, "billing_disabled",
                                            KOINE_FAULT_BILLING};
/* No permission for a file or a cache is a wrong document, not a wrong key. */
static const koine_gemini_fault cache = {sizeof(koine_gemini_fault), 403, "cachedcontent not found",
                                         KOINE_FAULT_INVALID};
static const koine_gemini_fault file = {sizeof(koine_gemini_fault), 403, "permission to access the file",
                                        KOINE_FAULT_INVALID};
static const koine_gemini_fault length = {sizeof(koine_gemini_fault), 400, "input token count",
                                          KOINE_FAULT_CONTEXT_LENGTH};
/* A limit of the day, and one that allows nothing, do not pass by waiting a minute, whatever the advice. */
static const koine_gemini_fault day = {sizeof(koine_gemini_fault), 429, "perday", KOINE_FAULT_BILLING};
static const koine_gemini_fault nothing = {sizeof(koine_gemini_fault), 429, "limit: 0,", KOINE_FAULT_BILLING};
static const koine_gemini_fault spent = {sizeof(koine_gemini_fault), 429, "spending cap",
                                         KOINE_FAULT_BILLING};
static const koine_gemini_fault depleted = {sizeof(koine_gemini_fault), 429, "credits are depleted",
                                            KOINE_FAULT_BILLING};
static const koine_gemini_fault gave_up = {sizeof(koine_gemini_fault), 499, NULL, KOINE_FAULT_SERVER};
static const koine_gemini_fault *const faults[] = {&key,   &expired,  &country, &unpaid, &disabled,
                                                   &cache, &file,     &length,  &day,    &nothing,
                                                   &spent, &depleted, &gave_up, NULL};

static const koine_gemini_traits traits = {
    .size = sizeof(traits),
    .path = "/models/",
    .models_path = "/models",
    .key_header = "x-goog-api-key",
    .key_prefix = "",
    .plain_models = plain_models,
    .budget_models = budget_models,
    .always_models = always_models,
    .faults = faults,
};

static const void *extension(const char *id)
{
    return koine_gemini_extension(id, &traits);
}

static koine_provider provider = {
    .size = sizeof(provider),
    .id = "gemini",
    .version = "1.0.0",
    .base_url = "https://generativelanguage.googleapis.com/v1beta",
    .key_variable = "GEMINI_API_KEY",
    .extension = extension,
};

KOINE_EXPORT const koine_provider *KOINE_ENTRY(const koine_host *host, uint32_t index)
{
    return koine_gemini_entry(&provider, host, index);
}
