#include "core/hub/resolve.h"

#include "core/base/mem.h"
#include "tests/unit/failalloc.h"
#include "tests/unit/rig.h"
#include "tests/unit/suite.h"
#include <stdio.h>
#include <string.h>

static struct rig rig;
static struct koine__snapshot *snapshot;

/* together and openai, `lab` at another address, and two routes, of which default leads to lab first. */
static bool begin(void)
{
    if (!rig_open(&rig, NULL, 0))
        return false;
    APPLY(&rig, "providers.lab", "{plugin: openai, base_url: \"http://127.0.0.1:1/v1\", price: free}",
          "routes.default", "{targets: [lab/x, together/y], deadline: 7s, commit: complete, max_attempts: 9}",
          "routes.fast.targets", "[openai/gpt-4o-mini]");
    ASSERT_INT(koine__hub_snapshot(rig.hub, &snapshot, NULL), KOINE_OK);
    return true;
}

static void end(void)
{
    koine__snapshot_unref(snapshot);
    snapshot = NULL;
    rig_close(&rig);
}

struct asked { /* what a request says */
    const char *document, *target, *route, *provider;
};

static int resolve(const struct asked *asked, struct koine__document **ret_document, struct koine__route *ret,
                   koine_error **ret_error)
{
    struct koine_request request = {.target = (char *)(uintptr_t)asked->target,
                                    .route = (char *)(uintptr_t)asked->route,
                                    .provider = (char *)(uintptr_t)asked->provider};
    int rc = koine__document_read(koine__str(asked->document ? asked->document : "{}"), ret_document, NULL);
    ASSERT_INT(rc, KOINE_OK);
    return koine__resolve(snapshot, &request, *ret_document, ret, ret_error);
}

/* The route's name, its targets and models: "default: lab/x=x together/y=y"; or the error: "-7: …". */
static const char *resolved(const struct asked *asked)
{
    static char text[4096];
    struct koine__route route = {.name = "untouched"};
    struct koine__document *document = NULL;
    koine_error *error = NULL;
    int rc = resolve(asked, &document, &route, &error);
    if (rc == KOINE_OK) {
        int used = snprintf(text, sizeof(text), "%s:", route.name);
        for (size_t i = 0; i < route.count; i++)
            used += snprintf(text + used, sizeof(text) - (size_t)used, " %s=%s", route.targets[i].text,
                             route.targets[i].model);
        CU_ASSERT_PTR_NULL(error);
    } else {
        ASSERT_STR(route.name, "untouched");
        ASSERT_INT(koine_error_number(error), rc);
        snprintf(text, sizeof(text), "%d: %s", rc, koine_error_message(error));
    }
    koine_error_free(error);
    koine__document_free(document);
    return text;
}
#define RESOLVED(...) resolved(&(struct asked){__VA_ARGS__})

/* ---- what the document's model means ---- */

static void model_of_an_instance(void)
{
    if (begin()) {
        ASSERT_STR(RESOLVED(.document = "{\"model\":\"openai/gpt-4o\"}"), ": openai/gpt-4o=gpt-4o");
        ASSERT_STR(RESOLVED(.document = "{\"model\":\"together/" LLAMA "\"}"), ": together/" LLAMA "=" LLAMA);
        ASSERT_STR(RESOLVED(.document = "{\"model\":\"lab/a/b\\u002fc\"}"), ": lab/a/b/c=a/b/c");
        ASSERT_STR(RESOLVED(.document = "{\"model\":\"together/\"}"),
                   "-2: the document names no model for provider \"together\"");
    }
    end();
}

static void model_is_a_route(void)
{
    if (begin()) {
        ASSERT_STR(RESOLVED(.document = "{\"model\":\"fast\"}"), "fast: openai/gpt-4o-mini=gpt-4o-mini");
        ASSERT_STR(RESOLVED(.document = "{\"model\":\"default\"}"), "default: lab/x=x together/y=y");
    }
    end();
}

/* Anything else is a model of the default route's first instance, slashes and all. */
static void model_alone(void)
{
    if (begin()) {
        ASSERT_STR(RESOLVED(.document = "{\"model\":\"gpt-4o\"}"), ": lab/gpt-4o=gpt-4o");
        ASSERT_STR(RESOLVED(.document = "{\"model\":\"meta-llama/x\"}"), ": lab/meta-llama/x=meta-llama/x");
        ASSERT_STR(RESOLVED(.document = "{\"model\":\"Fast\"}"), ": lab/Fast=Fast");
        ASSERT_STR(RESOLVED(.document = "{\"model\":\"together\"}"), ": lab/together=together");
        ASSERT_STR(RESOLVED(.document = "{\"model\":\"/x\"}"), ": lab//x=/x");
    }
    end();
}

static void model_absent(void)
{
    if (begin()) {
        ASSERT_STR(RESOLVED(.document = "{}"), "default: lab/x=x together/y=y");
        ASSERT_STR(RESOLVED(.document = "{\"model\":\"\"}"), "default: lab/x=x together/y=y");
        ASSERT_STR(RESOLVED(.document = "{\"model\":null}"), "default: lab/x=x together/y=y");
        ASSERT_STR(RESOLVED(.document = "{\"model\":5}"), "-2: the document's model is no string");
        ASSERT_STR(RESOLVED(.document = "{\"model\":[\"x\"]}"), "-2: the document's model is no string");
        ASSERT_STR(RESOLVED(.document = "{\"model\":\"openai/a\\u0000b\"}"),
                   "-2: the document's model holds \\u0000");
    }
    end();
}

static void without_a_default_route(void)
{
    if (rig_open(&rig, NULL, 0)) {
        APPLY(&rig, "routes.fast.targets", "[openai/gpt-4o-mini]");
        ASSERT_INT(koine__hub_snapshot(rig.hub, &snapshot, NULL), KOINE_OK);
        ASSERT_STR(RESOLVED(.document = "{}"),
                   "-7: nobody to ask: name a target (instance/model), or configure routes: "
                   "default: targets");
        ASSERT_STR(RESOLVED(.document = "{\"model\":\"gpt-4o\"}"),
                   "-7: model \"gpt-4o\": write it instance/model; it is no route, and there is no default "
                   "route");
        ASSERT_STR(RESOLVED(.document = "{\"model\":\"openai/x\"}"), ": openai/x=x");
        ASSERT_STR(RESOLVED(.document = "{\"model\":\"fast\"}"), "fast: openai/gpt-4o-mini=gpt-4o-mini");
        struct koine__route route;
        struct koine__document *document = NULL;
        ASSERT_INT(resolve(&(struct asked){.target = "openai/x"}, &document, &route, NULL), KOINE_OK);
        ASSERT_INT(route.deadline, INT64_C(600000000000)); /* what is the default of every route */
        ASSERT_INT(route.commit, KOINE_COMMIT_FIRST_CONTENT);
        ASSERT_INT(route.max_attempts, 6);
        koine__document_free(document);
    }
    end();
}

/* ---- who decides ---- */

static void precedence(void)
{
    if (begin()) {
        static const char document[] = "{\"model\":\"openai/m\"}";
        ASSERT_STR(RESOLVED(.document = document, .target = "together/t", .route = "fast", .provider = "lab"),
                   ": together/t=t");
        ASSERT_STR(RESOLVED(.document = document, .route = "fast", .provider = "lab"),
                   "fast: openai/gpt-4o-mini=gpt-4o-mini");
        ASSERT_STR(RESOLVED(.document = document, .provider = "lab"), ": lab/openai/m=openai/m");
        ASSERT_STR(RESOLVED(.document = document), ": openai/m=m");
        ASSERT_STR(RESOLVED(.document = NULL), "default: lab/x=x together/y=y");
        /* A model that nobody asks for is not looked at. */
        ASSERT_STR(RESOLVED(.document = "{\"model\":5}", .target = "together/t"), ": together/t=t");
        ASSERT_STR(RESOLVED(.document = "{\"model\":5}", .route = "fast"),
                   "fast: openai/gpt-4o-mini=gpt-4o-mini");
    }
    end();
}

static void provider_with_the_documents_model(void)
{
    if (begin()) {
        ASSERT_STR(RESOLVED(.document = "{\"model\":\"m\"}", .provider = "openai"), ": openai/m=m");
        ASSERT_STR(RESOLVED(.document = "{\"model\":\"openai/m\"}", .provider = "openai"), ": openai/m=m");
        ASSERT_STR(RESOLVED(.document = "{\"model\":\"fast\"}", .provider = "openai"), ": openai/fast=fast");
        ASSERT_STR(RESOLVED(.document = "{}", .provider = "openai"),
                   "-2: the document names no model for provider \"openai\"");
        ASSERT_STR(RESOLVED(.document = "{\"model\":\"openai/\"}", .provider = "openai"),
                   "-2: the document names no model for provider \"openai\"");
        ASSERT_STR(RESOLVED(.document = "{\"model\":true}", .provider = "openai"),
                   "-2: the document's model is no string");
        ASSERT_STR(RESOLVED(.document = "{\"model\":\"m\"}", .provider = "opanai"),
                   "-7: no provider named \"opanai\"; did you mean openai?");
    }
    end();
}

static void targets_that_are_none(void)
{
    if (begin()) {
        char longest[300];
        ASSERT_STR(RESOLVED(.target = ""), "-2: target \"\" is not written instance/model");
        ASSERT_STR(RESOLVED(.target = "together"), "-2: target \"together\" is not written instance/model");
        ASSERT_STR(RESOLVED(.target = "/m"), "-2: target \"/m\" is not written instance/model");
        ASSERT_STR(RESOLVED(.target = "together/"), "-2: target \"together/\" is not written instance/model");
        ASSERT_STR(RESOLVED(.target = "togehter/m"),
                   "-7: no provider named \"togehter\"; did you mean together?");
        ASSERT_STR(RESOLVED(.target = "mistral/m"),
                   "-7: no provider named \"mistral\": add it under providers: or put its plugin into a "
                   "folder of plugin_path");
        memset(longest, 'x', sizeof(longest));
        longest[65] = '/';
        longest[sizeof(longest) - 1] = '\0';
        CU_ASSERT_PTR_NOT_NULL(strstr(RESOLVED(.target = longest), "-7: no provider named \"xxx"));
    }
    end();
}

static void routes_that_are_none(void)
{
    if (begin()) {
        ASSERT_STR(RESOLVED(.route = "fats"), "-7: no route named \"fats\"; did you mean fast?");
        ASSERT_STR(RESOLVED(.route = "backup"), "-7: no route named \"backup\" under routes:");
        ASSERT_STR(RESOLVED(.route = ""), "-7: no route named \"\" under routes:");
    }
    end();
}

/* ---- what a route of one target is like ---- */

static void single_is_like_the_default_route(void)
{
    if (begin()) {
        struct koine__route route;
        struct koine__document *document = NULL;
        ASSERT_INT(resolve(&(struct asked){.target = "together/" LLAMA}, &document, &route, NULL), KOINE_OK);
        ASSERT_INT(route.deadline, INT64_C(7000000000));
        ASSERT_INT(route.commit, KOINE_COMMIT_COMPLETE);
        ASSERT_INT(route.max_attempts, 9);
        ASSERT_INT((long long)route.count, 1);
        ASSERT_INT(route.targets[0].max_retries, -1);
        ASSERT_INT((long long)route.targets[0].member_count, 0);
        ASSERT_STR(route.targets[0].instance->name, "together");
        CU_ASSERT_PTR_NOT_NULL_FATAL(route.targets[0].known);
        ASSERT_INT(route.targets[0].known->context, 131072);
        koine__document_free(document);
        ASSERT_INT(resolve(&(struct asked){.target = "lab/" LLAMA}, &document, &route, NULL), KOINE_OK);
        CU_ASSERT_PTR_NULL(route.targets[0].known); /* not one of openai's */
        koine__document_free(document);
    }
    end();
}

/* ---- failing allocations ---- */

/* 0, or the error; whatever is found is right. */
static int resolve_once(const struct asked *asked, const char *target)
{
    struct koine__route route;
    struct koine__document *document = NULL;
    koine_error *error = NULL;
    struct koine_request request = {.target = (char *)(uintptr_t)asked->target,
                                    .provider = (char *)(uintptr_t)asked->provider};
    int rc = koine__document_read(koine__str(asked->document), &document, &error);
    if (rc == KOINE_OK)
        rc = koine__resolve(snapshot, &request, document, &route, &error);
    if (rc == KOINE_OK)
        ASSERT_STR(route.targets[0].text, target);
    ASSERT_INT(koine_error_number(error), rc);
    koine_error_free(error);
    koine__document_free(document);
    return rc;
}

static void fail_each(const struct asked *asked, const char *target)
{
    for (long n = 1;; n++) {
        failalloc_begin(n);
        int rc = resolve_once(asked, target);
        if (!failalloc_end()) {
            ASSERT_INT(rc, KOINE_OK);
            break;
        }
        ASSERT_INT(rc, KOINE_EMEMORY);
    }
}

static void failing_allocations(void)
{
    static char document[8192];
    if (begin()) {
        int used = snprintf(document, sizeof(document), "{\"model\":\"openai\\u002fm\"");
        for (int i = 0; i < 200; i++) /* many, so that finding the model needs memory */
            used += snprintf(document + used, sizeof(document) - (size_t)used, ",\"member %d\":%d", i, i);
        snprintf(document + used, sizeof(document) - (size_t)used, "}");
        fail_each(&(struct asked){.document = document}, "openai/m");
        fail_each(&(struct asked){.document = document, .provider = "openai"}, "openai/m");
        fail_each(&(struct asked){.document = document, .target = "together/t"}, "together/t");
        char target[5000] = "together/";
        memset(target + 9, 'm', sizeof(target) - 10);
        target[sizeof(target) - 1] = '\0';
        fail_each(&(struct asked){.document = "{}", .target = target}, target);
    }
    end();
}

SUITE_MAIN("resolve", {"model of an instance", model_of_an_instance}, {"model is a route", model_is_a_route},
           {"model alone", model_alone}, {"model absent", model_absent},
           {"without a default route", without_a_default_route}, {"precedence", precedence},
           {"provider with the document's model", provider_with_the_documents_model},
           {"targets that are none", targets_that_are_none}, {"routes that are none", routes_that_are_none},
           {"single is like the default route", single_is_like_the_default_route},
           {"failing allocations", failing_allocations})
