/* books: see books.h. Rows on their way, and what becomes of them. What is told to others is told without a
 * lock: whoever works under the mutex collects it first. */
#include "core/hub/books.h"

#include "core/base/crypto.h"
#include "core/engine/call.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

#define FIRST_DELAY   (100 * KOINE__MS) /* until a store that is down is asked again; then twice as long */
#define LONGEST_DELAY (30 * KOINE__SEC)
#define TELL_AGAIN    KOINE__SEC /* rows that are lost */
#define CLOSE_WAIT    10000      /* ms */
#define LONGEST_TEXT  1024       /* of a row: the header says so */
#define DAY           (86400 * KOINE__SEC)

struct koine__entry { /* one block with its texts */
    struct koine__errand errand;
    struct koine__books *books;
    struct koine__entry *next, *prev;
    koine_store_row row;
};

struct news { /* to be told when the mutex is free */
    bool went_down, came_up;
    int64_t lost;
    const char *lost_why;
    char why[256];
};

/* ---- lists ---- */

static void append(struct koine__entries *entries, struct koine__entry *entry)
{
    entry->next = NULL;
    entry->prev = entries->last;
    *(entries->last ? &entries->last->next : &entries->first) = entry;
    entries->last = entry;
    entries->count++;
}

static void take_out(struct koine__entries *entries, struct koine__entry *entry)
{
    *(entry->prev ? &entry->prev->next : &entries->first) = entry->next;
    *(entry->next ? &entry->next->prev : &entries->last) = entry->prev;
    entries->count--;
}

static void free_entries(struct koine__entries *entries)
{
    struct koine__entry *entry;
    while ((entry = entries->first) != NULL) {
        take_out(entries, entry);
        koine__dealloc(entry);
    }
}

/* ---- what is told ---- */

static int64_t now_of(const struct koine__books *books)
{
    return koine__now(books->clock);
}

static void tell(const struct koine__books *books, enum koine__happening_kind kind, int64_t until,
                 const char *why)
{
    koine__witness_tell(books->witness, &(struct koine__happening){.kind = kind,
                                                                   .instance = "",
                                                                   .model = "",
                                                                   .class_number = KOINE_CLASS_NONE,
                                                                   .now = now_of(books),
                                                                   .until = until,
                                                                   .why = why});
}

static void tell_news(const struct koine__books *books, const struct news *news)
{
    char text[320];
    if (news->went_down)
        tell(books, KOINE__HAPPENED_STORE_DOWN, KOINE__NEVER, news->why);
    if (news->lost > 0) {
        snprintf(text, sizeof(text), "%lld rows of attempts are lost: %s", (long long)news->lost,
                 news->lost_why);
        tell(books, KOINE__HAPPENED_STORE_LOST, KOINE__NEVER, text);
    }
    if (news->came_up)
        tell(books, KOINE__HAPPENED_STORE_UP, KOINE__NEVER, "the store is written again");
}

const char *koine__store_status_name(int32_t status)
{
    static const char *const names[] = {
        [-KOINE_STORE_BUSY] = "others have it locked",
        [-KOINE_STORE_FULL] = "its queue is full",
        [-KOINE_STORE_NO_SPACE] = "the disk is full",
        [-KOINE_STORE_READ_ONLY] = "it can only be read",
        [-KOINE_STORE_DAMAGED] = "it is damaged",
        [-KOINE_STORE_NEWER] = "a later version made it",
        [-KOINE_STORE_NO_MEMORY] = "no memory",
        [-KOINE_STORE_INVALID] = "what was asked is wrong",
        [-KOINE_STORE_UNSUPPORTED] = "it cannot do that",
        [-KOINE_STORE_FORKED] = "it belongs to the parent process",
        [-KOINE_STORE_DENIED] = "permission denied",
        [-KOINE_STORE_DOWN] = "it cannot be reached",
    };
    bool known = status < 0 && status > -(int32_t)(sizeof(names) / sizeof(names[0]));
    return known ? names[-status] : "it failed";
}

/* Under the mutex. */
static void go_down(struct koine__books *books, int32_t status, koine_str message, struct news *news)
{
    int64_t delay = books->is_down ? 2 * books->delay : FIRST_DELAY;
    books->delay = delay < LONGEST_DELAY ? delay : LONGEST_DELAY;
    books->again_at = koine__time_add(now_of(books), books->delay);
    if (books->is_down)
        return;
    books->is_down = news->went_down = true;
    if (message.len)
        snprintf(news->why, sizeof(news->why), "%.*s", message.len < 200 ? (int)message.len : 200,
                 message.ptr);
    else
        snprintf(news->why, sizeof(news->why), "%s", koine__store_status_name(status));
}

/* Under the mutex. One notice for the first, and then one a second for all since. */
static void lose(struct koine__books *books, const char *why, struct news *news)
{
    int64_t now = now_of(books);
    books->lost++;
    books->untold++;
    if (books->lost > books->untold && now - books->told_at < TELL_AGAIN)
        return;
    news->lost = books->untold;
    news->lost_why = why;
    books->untold = 0;
    books->told_at = now;
}

/* ---- submitting ---- */

int32_t koine__books_submit(struct koine__books *books, int32_t kind, const void *body,
                            struct koine__errand *errand)
{
    const koine_store_op op = {
        .size = (uint32_t)sizeof(op), .kind = kind, .tag = (uint64_t)(uintptr_t)errand, .body = body};
    return books->plugin->submit(koine__books_store(books), &op);
}

static int32_t submit_entry(struct koine__books *books, struct koine__entry *entry)
{
    const koine_store_row *row = &entry->row;
    const koine_store_append body = {.size = (uint32_t)sizeof(body), .count = 1, .rows = &row};
    return koine__books_submit(books, KOINE_STORE_APPEND, &body, &entry->errand);
}

/* Under the mutex: hands over what waits, `most` of it, as long as the store takes it. */
static void hand_over(struct koine__books *books, size_t most, struct news *news)
{
    struct koine__entry *entry;
    while (most-- > 0 && (entry = books->waiting.first) != NULL) {
        int32_t status = submit_entry(books, entry);
        if (status == KOINE_STORE_FULL && books->under_way.count > 0)
            return; /* goes on when something was taken */
        if (status < 0) {
            go_down(books, status, KOINE__STR(""), news);
            return;
        }
        take_out(&books->waiting, entry);
        append(&books->under_way, entry);
    }
}

/* ---- completions ---- */

static bool is_hopeless(int32_t status)
{
    return status == KOINE_STORE_INVALID || status == KOINE_STORE_UNSUPPORTED;
}

/* Under the mutex. */
static void judge(struct koine__books *books, struct koine__entry *entry, const koine_store_done *done,
                  struct news *news)
{
    take_out(&books->under_way, entry);
    if (done->status < 0 && !is_hopeless(done->status)) {
        append(&books->waiting, entry);
        go_down(books, done->status, done->message, news);
        return;
    }
    if (is_hopeless(done->status)) {
        lose(books, "the store refuses them", news);
        KOINE__LOG(books->log, KOINE__LOG_ERROR, "store_row", koine__log_str("call", entry->row.call),
                   koine__log_int("attempt", entry->row.attempt), koine__log_str("message", done->message));
    } else if (books->is_down) {
        books->is_down = false;
        news->came_up = true;
    }
    __atomic_sub_fetch(&books->kept, 1, __ATOMIC_RELAXED);
    koine__dealloc(entry);
}

static void on_written(struct koine__errand *errand, const koine_store_done *done)
{
    struct koine__entry *entry =
        (struct koine__entry *)((char *)errand - offsetof(struct koine__entry, errand));
    struct koine__books *books = entry->books;
    struct news news = {.lost = 0};
    pthread_mutex_lock(&books->mutex);
    judge(books, entry, done, &news);
    pthread_mutex_unlock(&books->mutex);
    tell_news(books, &news);
}

/* A store that is down is asked with one row, for which it need not wake up twice. */
static void go_on(struct koine__books *books)
{
    struct news news = {.lost = 0};
    pthread_mutex_lock(&books->mutex);
    if (!books->is_down)
        hand_over(books, SIZE_MAX, &news);
    else if (books->under_way.count == 0 && now_of(books) >= books->again_at)
        hand_over(books, 1, &news);
    pthread_mutex_unlock(&books->mutex);
    tell_news(books, &news);
}

void koine__books_take(struct koine__books *books, bool waits)
{
    const koine_store_done *done;
    koine_store *store = koine__books_store(books);
    if ((waits ? pthread_mutex_lock(&books->taking) : pthread_mutex_trylock(&books->taking)) != 0)
        return;
    while (books->plugin->reap(store, &done) == 1) {
        struct koine__errand *errand = (struct koine__errand *)(uintptr_t)done->tag;
        errand->done(errand, done);
    }
    pthread_mutex_unlock(&books->taking);
    go_on(books);
}

/* ---- rows ---- */

static koine_str put_text(char **at, const char *text, size_t len)
{
    koine_str put = {*at, len};
    if (len > 0)
        memcpy(*at, text, len);
    *at += len;
    return put;
}

static size_t length_of(const char *text)
{
    return text ? strnlen(text, LONGEST_TEXT) : 0;
}

static int64_t us_since(int64_t at, int64_t since)
{
    return at < 0 ? -1 : at < since ? 0 : (at - since) / 1000;
}

static void fill_numbers(const struct koine__books *books, const struct koine_call *call,
                         const struct koine__attempt *attempt, koine_store_row *row)
{
    const koine_usage *usage = &attempt->usage;
    int64_t wall = books->clock->wall(books->clock->arg) - (now_of(books) - attempt->started);
    row->size = (uint32_t)sizeof(*row);
    row->attempt = call->recorded;
    row->at = wall / KOINE__MS;
    row->day = (int32_t)(wall / DAY);
    row->fault = attempt->fault->class_number;
    row->status = attempt->head.status;
    row->billing = (int32_t)attempt->billing;
    row->tokens[KOINE_STORE_INPUT] = usage->input;
    row->tokens[KOINE_STORE_CACHE_READ] = usage->cache_read;
    row->tokens[KOINE_STORE_CACHE_WRITE] = usage->cache_write;
    row->tokens[KOINE_STORE_OUTPUT] = usage->output;
    row->tokens[KOINE_STORE_REASONING] = usage->reasoning;
    row->tokens[KOINE_STORE_AUDIO_INPUT] = usage->audio_input;
    row->tokens[KOINE_STORE_AUDIO_OUTPUT] = usage->audio_output;
    row->tokens[KOINE_STORE_IMAGE_INPUT] = usage->image_input;
    row->estimated = usage->estimated;
    row->price = attempt->cost.state;
    row->cost = attempt->cost.picodollars;
    row->first_token_us = us_since(attempt->first_token_at, attempt->started);
    row->duration_us = us_since(attempt->ended_at, attempt->started);
}
_Static_assert(KOINE_STORE_BILLING_NONE == (int)KOINE__BILLING_NONE &&
                   KOINE_STORE_BILLING_BILLED == (int)KOINE__BILLING_TOLD &&
                   KOINE_STORE_BILLING_ESTIMATED == (int)KOINE__BILLING_ESTIMATED &&
                   KOINE_STORE_BILLING_UNKNOWN == (int)KOINE__BILLING_UNKNOWN &&
                   KOINE_STORE_BILLING_FREE == (int)KOINE__BILLING_FREE &&
                   KOINE_STORE_UNPRICED == (int)KOINE_UNPRICED && KOINE_STORE_PRICED == (int)KOINE_PRICED &&
                   KOINE_STORE_FREE == (int)KOINE_FREE_OF_CHARGE,
               "a row's numbers are the engine's");
_Static_assert(KOINE_BUCKET_INPUT == 1 << KOINE_STORE_INPUT &&
                   KOINE_BUCKET_CACHE_READ == 1 << KOINE_STORE_CACHE_READ &&
                   KOINE_BUCKET_CACHE_WRITE == 1 << KOINE_STORE_CACHE_WRITE &&
                   KOINE_BUCKET_OUTPUT == 1 << KOINE_STORE_OUTPUT &&
                   KOINE_BUCKET_REASONING == 1 << KOINE_STORE_REASONING,
               "a bucket's bit is that of its place in the row");

/* NULL: no memory. */
static struct koine__entry *new_entry(struct koine__books *books, const struct koine_call *call,
                                      const struct koine__attempt *attempt)
{
    const char *target = attempt->spec.target->text;
    const char *model = attempt->assembly.answer ? attempt->assembly.answer->model : NULL;
    char id[sizeof(books->name) + sizeof(call->id) + 1];
    int id_len = snprintf(id, sizeof(id), "%s-%s", books->name, call->id);
    size_t size = (size_t)id_len + length_of(call->run) + length_of(target) + length_of(model) +
                  length_of(attempt->cost.price_id) + length_of(attempt->request_id);
    struct koine__entry *entry = koine__alloc(sizeof(*entry) + size);
    if (!entry)
        return NULL;
    char *at = (char *)(entry + 1);
    koine_store_row *row = &entry->row;
    entry->errand.done = on_written;
    entry->books = books;
    fill_numbers(books, call, attempt, row);
    row->tenant = KOINE__STR("");
    row->call = put_text(&at, id, (size_t)id_len);
    row->run = put_text(&at, call->run, length_of(call->run));
    row->target = put_text(&at, target, length_of(target));
    row->model = put_text(&at, model, length_of(model));
    row->price_id = put_text(&at, attempt->cost.price_id, length_of(attempt->cost.price_id));
    row->request_id = put_text(&at, attempt->request_id, length_of(attempt->request_id));
    return entry;
}

static void write_row(const struct koine__observer *observer, const struct koine_call *call,
                      const struct koine__attempt *attempt)
{
    struct koine__books *books =
        (struct koine__books *)((char *)observer - offsetof(struct koine__books, observer));
    struct news news = {.lost = 0};
    if (!attempt->requested || !koine__books_store(books))
        return;
    struct koine__entry *entry = new_entry(books, call, attempt);
    pthread_mutex_lock(&books->mutex);
    bool has_room = entry && books->kept < books->most;
    if (!has_room) {
        lose(books, entry ? "as many as store.queue says wait already" : "no memory", &news);
    } else {
        __atomic_add_fetch(&books->kept, 1, __ATOMIC_RELAXED);
        append(&books->waiting, entry);
        if (!books->is_down)
            hand_over(books, SIZE_MAX, &news);
    }
    pthread_mutex_unlock(&books->mutex);
    if (!has_room)
        koine__dealloc(entry);
    tell_news(books, &news);
}

/* ---- birth and death ---- */

int koine__books_init(struct koine__books *books, struct koine__log *log,
                      const struct koine__witness *witness)
{
    books->observer.attempt_ended = write_row;
    books->clock = &koine__system_clock;
    books->log = log;
    books->witness = witness;
    snprintf(books->name, sizeof(books->name), "%016llx", (unsigned long long)koine__crypto_seed());
    bool made = pthread_mutex_init(&books->opening, NULL) == 0 &&
                pthread_mutex_init(&books->taking, NULL) == 0 && pthread_mutex_init(&books->mutex, NULL) == 0;
    return made ? KOINE_OK : KOINE_ESYSTEM;
}

/* The clock is the world's, which may be a virtual one: waiting is bounded by how often, too. */
static void finish(struct koine__books *books)
{
    struct pollfd poll_fd = {.fd = books->plugin->descriptor(books->store), .events = POLLIN};
    struct news news = {.lost = 0};
    books->again_at = INT64_MIN; /* once more, whatever it said */
    koine__books_take(books, true);
    for (int waited = 0; books->under_way.count > 0 && waited < CLOSE_WAIT;) {
        if (poll(&poll_fd, 1, 100) <= 0)
            waited += 100;
        koine__books_take(books, true);
    }
    news.lost = books->untold + (int64_t)books->kept;
    news.lost_why = "the store did not write them before the end";
    tell_news(books, &news);
}

void koine__books_release(struct koine__books *books, bool is_parents)
{
    if (books->store && !is_parents)
        finish(books);
    if (books->store)
        books->plugin->close(books->store);
    if (is_parents) /* whose other threads may have been in the middle of anything */
        return;
    free_entries(&books->waiting);
    free_entries(&books->under_way);
    pthread_mutex_destroy(&books->opening);
    pthread_mutex_destroy(&books->taking);
    pthread_mutex_destroy(&books->mutex);
}
