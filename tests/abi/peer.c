/* peer: the kit's own provider as whoever has the headers would build it: those that were frozen, today's, or
 * (KOINE_LATER) those of the future, where every struct is longer than this core knows. The one from the
 * future fills what this core cannot know, tells events of kinds that nobody knows, declares an option of
 * another type, and looks for services that are not there.
 */
#define KOINE_ENTRY acme_entry
#include "plugins/kit/own/acme.c"

#ifdef KOINE_LATER
struct later_sink {
    koine_sink pub; /* first */
    koine_sink *today;
};

static void tell(koine_sink *sink, const koine_provider_event *told)
{
    koine_sink *today = ((struct later_sink *)sink)->today;
    koine_provider_event event = *told, unknown = {.size = sizeof(unknown), .kind = 1000};
    koine_provider_usage usage;
    event.size = sizeof(event);
    memset(event.of_later, 0xFF, sizeof(event.of_later));
    if (told->usage) {
        usage = *told->usage;
        memset(usage.of_later, 0xFF, sizeof(usage.of_later));
        event.usage = &usage;
    }
    unknown.text = STR("what nobody knows");
    today->emit(today, &unknown);
    today->emit(today, &event);
}

static int32_t later_frame(const koine_read *read, koine_sink *sink)
{
    struct later_sink later = {.pub = {.size = sizeof(later.pub), .emit = tell}, .today = sink};
    if (KOINE_HAS(koine_frame, read->frame, of_later) || KOINE_HAS(koine_read, read, of_later))
        return KOINE_PROTOCOL; /* which a core of today cannot have */
    return generate.frame(read, &later.pub);
}

static int32_t later_request(const koine_ask *ask, koine_out *out)
{
    if (KOINE_HAS(koine_host, ask->host, of_later) || KOINE_HAS(koine_out, out, of_later) ||
        KOINE_HAS(koine_ask, ask, of_later))
        return KOINE_INVALID;
    return generate.request(ask, out);
}

static const koine_exchange later_exchange = {.size = sizeof(later_exchange),
                                              .state_size = sizeof(struct state),
                                              .request = later_request,
                                              .frame = later_frame};
static const koine_option odd = {
    .size = sizeof(odd), .type = 1000, .name = "odd", .otherwise = "x", .help = "of a type to come"};
static const koine_option *const odd_options[] = {&odd, NULL};
static koine_provider later;

static const koine_provider *peer(void)
{
    later = provider;
    later.generate = &later_exchange;
    later.options = odd_options;
    memset(later.of_later, 0xFF, sizeof(later.of_later));
    return &later;
}
#else
static const koine_provider *peer(void)
{
    return &provider;
}
#endif

KOINE_EXPORT const koine_provider *koine_provider_v1(const koine_host *host, uint32_t index);
const koine_provider *koine_provider_v1(const koine_host *host, uint32_t index)
{
    (void)host;
    return index == 0 ? peer() : NULL;
}
