/* gemini: Google's Gemini API, as a table of differences from the gemini dialect. */
#include <koine/gemini.h>

static const char *const plain_models[] = {"gemini-1", "gemini-2.0", "gemini-2.5-flash-image",
                                           "gemma-",   "learnlm-",   NULL};
static const char *const budget_models[] = {"gemini-2.5", "gemini-robotics-er-1.5", NULL};
static const char *const always_models[] = {"gemini-2.5-pro", "gemini-3-pro", "gemini-3.1-pro", NULL};

/* What 400 and 403 say of keys, accounts and countries. */
static const koine_gemini_fault key = {sizeof(koine_gemini_fault), 400, KOINE_FAULT_AUTH, "api_key_invalid"};
static const koine_gemini_fault expired = {sizeof(koine_gemini_fault), 400, KOINE_FAULT_AUTH,
                                           "api key expired"};
static const koine_gemini_fault country = {sizeof(koine_gemini_fault), 400, KOINE_FAULT_AUTH,
                                           "location is not supported"};
static const koine_gemini_fault unpaid = {sizeof(koine_gemini_fault), 400, KOINE_FAULT_BILLING,
                                          "enable billing"};
static const koine_gemini_fault disabled = {sizeof(koine_gemini_fault), 403, KOINE_FAULT_BILLING,
                                            "billing_disabled"};
/* No permission for a file or a cache is a wrong document, not a wrong key. */
static const koine_gemini_fault cache = {sizeof(koine_gemini_fault), 403, KOINE_FAULT_INVALID,
                                         "cachedcontent not found"};
static const koine_gemini_fault file = {sizeof(koine_gemini_fault), 403, KOINE_FAULT_INVALID,
                                        "permission to access the file"};
static const koine_gemini_fault length = {sizeof(koine_gemini_fault), 400, KOINE_FAULT_CONTEXT_LENGTH,
                                          "input token count"};
/* A limit of the day, and one that allows nothing, do not pass by waiting a minute, whatever the advice. */
static const koine_gemini_fault day = {sizeof(koine_gemini_fault), 429, KOINE_FAULT_BILLING, "perday"};
static const koine_gemini_fault nothing = {sizeof(koine_gemini_fault), 429, KOINE_FAULT_BILLING, "limit: 0,"};
static const koine_gemini_fault spent = {sizeof(koine_gemini_fault), 429, KOINE_FAULT_BILLING,
                                         "spending cap"};
static const koine_gemini_fault depleted = {sizeof(koine_gemini_fault), 429, KOINE_FAULT_BILLING,
                                            "credits are depleted"};
static const koine_gemini_fault gave_up = {sizeof(koine_gemini_fault), 499, KOINE_FAULT_SERVER, NULL};
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
