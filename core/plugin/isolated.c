/* isolated: see isolated.h. The tables' functions are never the plugin's: only the price is asked here, for
 * those who ask without a client; everything else goes through the bridge. */
#include "core/plugin/isolated.h"

#include "core/base/clock.h"
#include "core/base/mem.h"
#include "core/plugin/binary.h"
#include "core/plugin/elf.h"
#include "core/plugin/isolate.h"
#include "core/plugin/object.h"
#include "core/plugin/trust.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef KOINE_LIBEXECDIR
#define KOINE_LIBEXECDIR "/usr/local/libexec/koine"
#endif
#define INSTALLED     KOINE_LIBEXECDIR "/koine-isolate"
#define COST_TIMEOUT  (5 * KOINE__SEC)
#define PIECE         ((size_t)64 << 10)
#define LONGEST_WORDS 512
#define SEALS         (F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL)

struct table {
    koine_provider pub; /* first */
    struct koine__isolated *owner;
    uint32_t index;
};

struct koine__isolated {
    int references; /* under the mutex */
    pid_t process;  /* that opened it */
    char *path, *program;
    struct stat state; /* of the file, when it was copied */
    char sha256[KOINE__SHA256_HEX];
    int object_fd; /* the sealed copy */
    int64_t timeout;
    struct koine__buf hello, ready; /* what is said first, and the answer that makes a helper ready */
    struct koine__arena arena;
    struct table tables[KOINE__MOST_PROVIDERS];
    size_t count;
    struct koine__isolated *next;
};

static pthread_mutex_t opening =
    PTHREAD_MUTEX_INITIALIZER; /* while a helper describes; taken before the other */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER; /* never held for long */
static struct koine__isolated *opened;                    /* under the mutex: those that somebody holds */

/* ---- The tables' functions ------------------------------------------------------------------------- */

/* Nobody calls these: a job for them goes through the bridge. */
static int32_t never_request(const koine_ask *ask, koine_out *out)
{
    (void)ask;
    (void)out;
    return KOINE_NO_MEMORY;
}

static int32_t never_read(const koine_read *read, koine_sink *sink)
{
    (void)read;
    (void)sink;
    return KOINE_NO_MEMORY;
}

static int32_t ask_cost(const koine_cost_query *query, koine_provider_cost *ret);

static const koine_exchange exchange = {
    .size = sizeof(exchange), .request = never_request, .frame = never_read};
static const koine_provider functions = {.size = sizeof(functions),
                                         .generate = &exchange,
                                         .list_models = &exchange,
                                         .calculate_cost = ask_cost,
                                         .fault = never_read};

struct koine__isolated *koine__isolated_of(const koine_provider *provider, uint32_t *ret_index)
{
    if (provider->calculate_cost != ask_cost)
        return NULL;
    const struct table *table = (const struct table *)provider;
    *ret_index = table->index;
    return table->owner;
}

/* ---- A conversation that waits --------------------------------------------------------------------- */

struct talk {
    struct koine__helper helper;
    int64_t until;
    struct koine__buf in, out;
    size_t seen; /* bytes of `in` that were the message before */
    bool late, garbled;
};

static int talk_open(const struct koine__isolated *isolated, int64_t timeout, struct talk *ret)
{
    *ret = (struct talk){.until = koine__now(&koine__system_clock) + timeout};
    koine__buf_init(&ret->in, KOINE__ISOLATE_TABLES + KOINE__PACK_HEAD);
    koine__buf_init(&ret->out, KOINE__ISOLATE_TABLES + KOINE__PACK_HEAD);
    int rc = koine__isolated_start(isolated, &ret->helper);
    if (rc == 0)
        koine__helper_allow(&ret->helper, 0, timeout);
    return rc;
}

static void talk_close(struct talk *talk, char *ret, size_t size)
{
    if (talk->helper.pid) {
        koine__helper_kill(&talk->helper);
        koine__helper_reap(&talk->helper, ret, size);
    }
    koine__buf_release(&talk->in);
    koine__buf_release(&talk->out);
}

/* Waits for the socket; false: time is up. */
static bool talk_wait(struct talk *talk, short events)
{
    struct pollfd poll_fd = {.fd = talk->helper.fd, .events = events};
    for (;;) {
        int64_t rest = talk->until - koine__now(&koine__system_clock);
        if (rest <= 0) {
            talk->late = true;
            return false;
        }
        int rc = poll(&poll_fd, 1, (int)(rest / KOINE__MS) + 1);
        if (rc > 0)
            return true;
        if (rc < 0 && errno != EINTR)
            return false;
    }
}

static bool talk_send(struct talk *talk, koine_str text)
{
    size_t sent = 0;
    while (sent < text.len) {
        ssize_t n = send(talk->helper.fd, text.ptr + sent, text.len - sent, MSG_NOSIGNAL);
        if (n < 0 && errno != EAGAIN && errno != EINTR)
            return false;
        if (n < 0 && !talk_wait(talk, POLLOUT))
            return false;
        sent += n > 0 ? (size_t)n : 0;
    }
    return true;
}

static bool talk_read(struct talk *talk)
{
    size_t more = talk->in.max - talk->in.len < PIECE ? talk->in.max - talk->in.len : PIECE;
    if (!talk_wait(talk, POLLIN) || koine__buf_reserve(&talk->in, more) != 0)
        return false;
    ssize_t n = read(talk->helper.fd, talk->in.ptr + talk->in.len, more);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return true;
    if (n > 0)
        talk->in.len += (size_t)n;
    return n > 0;
}

/* The next message's kind; -1: there is none. Good until the next call. */
static int talk_next(struct talk *talk, struct koine__unpack *ret)
{
    uint8_t kind;
    koine__buf_drop(&talk->in, talk->seen);
    talk->seen = 0;
    for (;;) {
        size_t size;
        int rc = koine__pack_next(koine__buf_str(&talk->in), talk->in.len, KOINE__ISOLATE_TABLES, &kind, ret,
                                  &size);
        if (rc > 0) {
            talk->seen = size;
            return kind;
        }
        talk->garbled = rc < 0;
        if (rc < 0 || !talk_read(talk))
            return -1;
    }
}

/* Why there was no right answer, for a message: its own words, or how it ended. */
static void talk_words(struct talk *talk, int kind, struct koine__unpack *message, char *ret, size_t size)
{
    char how[64];
    const char *words = kind == KOINE__ISOLATE_REFUSED ? koine__unpack_text(message) : NULL;
    if (words)
        koine__fault_words(ret, size, words, strlen(words));
    else if (talk->late)
        snprintf(ret, size, "did not finish in time");
    else if (kind >= 0 || talk->garbled)
        snprintf(ret, size, "its helper said what it must not");
    else {
        /* The socket closes before the process is quite at its end, so its own end is not overtaken here. */
        struct pollfd poll_fd = {.fd = talk->helper.pidfd, .events = POLLIN};
        poll(&poll_fd, 1, 1000);
        koine__helper_kill(&talk->helper);
        koine__helper_reap(&talk->helper, how, sizeof(how));
        snprintf(ret, size, "its process %s", how);
    }
}

/* ---- Cost without a client ------------------------------------------------------------------------- */

static bool answer_price(struct talk *talk, struct koine__unpack *message, const koine_cost_query *asked)
{
    koine_provider_usage usage;
    koine_cost_query query = {.self = asked->self, .host = asked->host};
    koine_provider_cost cost = {.size = (uint32_t)sizeof(cost)};
    koine__isolate_unpack_query(message, &query, &usage);
    if (!koine__unpack_done(message))
        return false;
    int32_t answer = asked->host->price(&query, &cost);
    koine__buf_reset(&talk->out);
    size_t start = koine__pack_begin(&talk->out, KOINE__ISOLATE_PRICED);
    koine__isolate_pack_cost(&talk->out, answer, &cost);
    koine__pack_end(&talk->out, start);
    return talk_send(talk, (koine_str){talk->out.ptr, talk->out.len});
}

/* The id of a price is borrowed until the next query of this thread. */
static koine_str keep_price_id(koine_str id)
{
    static _Thread_local char kept[256];
    size_t len = id.len < sizeof(kept) ? id.len : sizeof(kept);
    if (!id.ptr)
        return id;
    memcpy(kept, id.ptr, len);
    return (koine_str){kept, len};
}

static int32_t talk_cost(struct talk *talk, const struct koine__isolated *isolated, struct koine__job *job,
                         uint32_t index)
{
    struct koine__unpack message;
    koine_str hello = koine__isolated_hello(isolated);
    if (!talk_send(talk, hello) || talk_next(talk, &message) != KOINE__ISOLATE_READY ||
        !koine__isolated_is_same(isolated, (koine_str){message.at, (size_t)(message.end - message.at)}))
        return -1;
    koine__isolate_pack_job(&talk->out, job, index);
    if (talk->out.error || !talk_send(talk, (koine_str){talk->out.ptr, talk->out.len}))
        return -1;
    for (;;) {
        int kind = talk_next(talk, &message);
        if (kind == KOINE__ISOLATE_LOG)
            continue;
        if (kind == KOINE__ISOLATE_PRICE && answer_price(talk, &message, job->query))
            continue;
        if (kind != KOINE__ISOLATE_DONE || !koine__isolate_unpack_done(&message, job))
            return -1;
        job->cost->price_id = keep_price_id(job->cost->price_id);
        return job->answer;
    }
}

static int32_t ask_cost(const koine_cost_query *query, koine_provider_cost *ret)
{
    uint32_t index = 0;
    char how[64];
    struct talk talk;
    const struct koine__isolated *isolated = koine__isolated_of(query->self, &index);
    struct koine__job job = {.kind = KOINE__JOB_COST,
                             .provider = query->self,
                             .exchange = query->self->generate,
                             .query = query,
                             .cost = ret};
    int32_t answer = -1;
    if (talk_open(isolated, COST_TIMEOUT, &talk) == 0)
        answer = talk_cost(&talk, isolated, &job, index);
    talk_close(&talk, how, sizeof(how));
    return answer;
}

/* ---- The copy -------------------------------------------------------------------------------------- */

static int copy_bytes(int from, int to)
{
    char piece[PIECE];
    ssize_t got;
    off_t at = 0;
    while ((got = pread(from, piece, sizeof(piece), at)) > 0) {
        if (write(to, piece, (size_t)got) != got)
            return -1;
        at += got;
    }
    return got < 0 ? -1 : 0;
}

/* What is digested, judged and loaded is this copy, which nobody can change. */
static int make_copy(struct koine__isolated *it, const struct koine__binary *binary, koine_error **ret_error)
{
    int fd;
    int rc = koine__binary_open(binary, &fd, ret_error);
    if (rc < 0)
        return rc;
    it->object_fd = memfd_create("koine-plugin", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    bool is_made = it->object_fd >= 0 && copy_bytes(fd, it->object_fd) == 0 &&
                   fcntl(it->object_fd, F_ADD_SEALS, SEALS) == 0;
    close(fd);
    if (!is_made)
        return koine__error(ret_error, KOINE_ECONFIG, "%s: cannot be copied: %s", binary->shown,
                            strerrordesc_np(errno));
    const char *reason = koine__elf_check(it->object_fd, (uint64_t)lseek(it->object_fd, 0, SEEK_END));
    if (reason)
        return koine__error(ret_error, KOINE_ECONFIG, "%s: %s", binary->shown, reason);
    return koine__binary_digest(binary, it->object_fd, it->sha256, ret_error);
}

/* ---- What it says of itself ------------------------------------------------------------------------ */

static void write_hello(struct koine__isolated *it, const char *shown)
{
    char build[KOINE__ISOLATE_BUILD];
    koine__isolate_build(build);
    size_t start = koine__pack_begin(&it->hello, KOINE__ISOLATE_HELLO);
    koine__pack_text(&it->hello, build);
    koine__pack_text(&it->hello, it->path);
    koine__pack_text(&it->hello, shown);
    koine__pack_end(&it->hello, start);
}

static int check_tables(struct koine__isolated *it, const char *shown, koine_error **ret_error)
{
    int rc = KOINE_OK;
    for (size_t i = 0; i < it->count && rc == KOINE_OK; i++) {
        rc = koine__provider_check(&it->tables[i].pub, shown, NULL, ret_error);
        for (size_t j = 0; j < i && rc == KOINE_OK; j++)
            if (strcmp(it->tables[i].pub.id, it->tables[j].pub.id) == 0)
                rc = koine__error(ret_error, KOINE_ECONFIG, "%s: has two providers of the id %s", shown,
                                  it->tables[i].pub.id);
    }
    return rc;
}

/* The helper is believed no more than the plugin in it. */
static int take_tables(struct koine__isolated *it, const char *shown, struct koine__unpack *message,
                       koine_error **ret_error)
{
    koine_provider tables[KOINE__MOST_PROVIDERS];
    koine__buf_add(&it->ready, message->at, (size_t)(message->end - message->at));
    int rc = koine__isolate_unpack_tables(message, &it->arena, &functions, tables, KOINE__MOST_PROVIDERS,
                                          &it->count);
    if (rc == KOINE_EMEMORY || it->ready.error)
        return koine__error_memory(ret_error);
    if (rc != KOINE_OK)
        return koine__error(ret_error, KOINE_ECONFIG, "%s: its helper said what it must not", shown);
    for (size_t i = 0; i < it->count; i++)
        it->tables[i] = (struct table){tables[i], it, (uint32_t)i};
    return check_tables(it, shown, ret_error);
}

/* One line that begins with the file, whatever a helper wrote. */
static int refuse(const char *shown, const char *words, koine_error **ret_error)
{
    size_t len = strlen(shown);
    if (strncmp(words, shown, len) == 0 && strncmp(words + len, ": ", 2) == 0)
        words += len + 2;
    return koine__error(ret_error, KOINE_ECONFIG, "%s: %s", shown, words);
}

static int describe(struct koine__isolated *it, const char *shown, koine_error **ret_error)
{
    char words[LONGEST_WORDS], how[64];
    struct talk talk;
    struct koine__unpack message = {NULL, NULL, true};
    int rc = talk_open(it, it->timeout, &talk);
    if (rc != 0)
        rc = koine__error(ret_error, KOINE_ECONFIG, "%s: its helper %s cannot be started: %s", shown,
                          it->program, strerrordesc_np(rc));
    else {
        int kind = talk_send(&talk, koine__isolated_hello(it)) ? talk_next(&talk, &message) : -1;
        if (kind == KOINE__ISOLATE_READY) {
            rc = take_tables(it, shown, &message, ret_error);
        } else {
            talk_words(&talk, kind, &message, words, sizeof(words));
            rc = kind == KOINE__ISOLATE_REFUSED
                     ? refuse(shown, words, ret_error)
                     : koine__error(ret_error, KOINE_ESYSTEM, "%s: cannot be loaded: %s", shown, words);
        }
    }
    talk_close(&talk, how, sizeof(how));
    return rc;
}

/* ---- Life ------------------------------------------------------------------------------------------ */

static void destroy(struct koine__isolated *it)
{
    if (it->object_fd >= 0)
        close(it->object_fd);
    koine__buf_release(&it->hello);
    koine__buf_release(&it->ready);
    koine__arena_release(&it->arena);
    koine__dealloc(it->path);
    koine__dealloc(it->program);
    koine__dealloc(it);
}

static int make(const struct koine__binary *binary, const char *program, int64_t timeout,
                struct koine__isolated **ret, koine_error **ret_error)
{
    struct koine__isolated *it = koine__alloc(sizeof(*it));
    if (!it)
        return koine__error_memory(ret_error);
    it->references = 1;
    it->process = getpid();
    it->object_fd = -1;
    it->state = binary->state;
    it->timeout = timeout;
    it->path = koine__strdup(binary->path);
    it->program = koine__strdup(program);
    koine__buf_init(&it->hello, KOINE__ISOLATE_TABLES);
    koine__buf_init(&it->ready, KOINE__ISOLATE_TABLES);
    koine__arena_init(&it->arena, 0);
    int rc = it->path && it->program ? make_copy(it, binary, ret_error) : koine__error_memory(ret_error);
    if (rc == KOINE_OK)
        write_hello(it, binary->shown);
    if (rc == KOINE_OK && it->hello.error)
        rc = koine__error_memory(ret_error);
    if (rc == KOINE_OK)
        *ret = it;
    else
        destroy(it);
    return rc;
}

static int check_pins(const struct koine__isolated *it, const struct koine__binary *binary,
                      const char *const *pins, koine_error **ret_error)
{
    int rc = KOINE_OK;
    for (; pins && *pins && rc == KOINE_OK; pins++)
        rc = koine__binary_compare(binary, it->sha256, *pins, ret_error);
    return rc;
}

/* The program is run, so it is trusted as plugins are. */
static int find_program(const struct koine__isolated_spec *spec, const char *shown, char ret[PATH_MAX],
                        koine_error **ret_error)
{
    struct stat state;
    const char *program = spec->program ? spec->program : INSTALLED;
    koine_error *error = NULL;
    if (!realpath(program, ret))
        return koine__error(ret_error, KOINE_ECONFIG, "%s: its helper %s cannot be found: %s", shown, program,
                            strerrordesc_np(errno));
    int rc = koine__trust_file(ret, program, &state, &error);
    if (rc == KOINE_ECONFIG)
        rc = koine__error(ret_error, rc, "%s: its helper %s", shown, koine_error_message(error));
    else if (rc != KOINE_OK)
        rc = koine__error_memory(ret_error);
    koine_error_free(error);
    return rc;
}

/* A reference to what is open already, of the same bytes; NULL: none. */
static struct koine__isolated *find_opened(const struct koine__binary *binary, const char *program)
{
    struct koine__isolated *at;
    pthread_mutex_lock(&mutex);
    for (at = opened; at; at = at->next)
        if (koine__binary_is_unchanged(&at->state, &binary->state) && strcmp(at->path, binary->path) == 0 &&
            strcmp(at->program, program) == 0)
            break;
    if (at)
        at->references++;
    pthread_mutex_unlock(&mutex);
    return at;
}

static int open_new(const struct koine__binary *binary, const char *program,
                    const struct koine__isolated_spec *spec, struct koine__isolated **ret,
                    koine_error **ret_error)
{
    struct koine__isolated *it = NULL;
    int rc = make(binary, program, spec->timeout, &it, ret_error);
    if (rc != KOINE_OK)
        return rc;
    rc = check_pins(it, binary, spec->sha256, ret_error);
    if (rc == KOINE_OK)
        rc = describe(it, binary->shown, ret_error);
    if (rc != KOINE_OK) {
        destroy(it);
        return rc;
    }
    pthread_mutex_lock(&mutex);
    it->next = opened;
    opened = it;
    pthread_mutex_unlock(&mutex);
    *ret = it;
    return KOINE_OK;
}

/* What is open already, or a new one. */
static int find_or_open(const struct koine__binary *binary, const char *program,
                        const struct koine__isolated_spec *spec, struct koine__isolated **ret,
                        koine_error **ret_error)
{
    struct koine__isolated *found = find_opened(binary, program);
    if (!found)
        return open_new(binary, program, spec, ret, ret_error);
    int rc = check_pins(found, binary, spec->sha256, ret_error);
    if (rc == KOINE_OK)
        *ret = found;
    else
        koine__isolated_unref(found);
    return rc;
}

int koine__isolated_open(const char *folder, const char *file_name, const struct koine__isolated_spec *spec,
                         struct koine__isolated **ret, koine_error **ret_error)
{
    char program[PATH_MAX];
    struct koine__binary binary;
    int rc = koine__binary_find(folder, file_name, &binary, ret_error);
    if (rc == KOINE_OK)
        rc = find_program(spec, binary.shown, program, ret_error);
    if (rc != KOINE_OK)
        return rc;
    pthread_mutex_lock(&opening);
    rc = find_or_open(&binary, program, spec, ret, ret_error);
    pthread_mutex_unlock(&opening);
    return rc;
}

struct koine__isolated *koine__isolated_ref(struct koine__isolated *isolated)
{
    pthread_mutex_lock(&mutex);
    isolated->references++;
    pthread_mutex_unlock(&mutex);
    return isolated;
}

static void take_out(const struct koine__isolated *isolated)
{
    struct koine__isolated **at = &opened;
    while (*at && *at != isolated)
        at = &(*at)->next;
    if (*at)
        *at = isolated->next;
}

/* A child has one thread. If another one of the parent's held the mutex at the fork, the memory stays. */
static bool lock_to_free(const struct koine__isolated *isolated)
{
    return (isolated->process == getpid() ? pthread_mutex_lock(&mutex) : pthread_mutex_trylock(&mutex)) == 0;
}

void koine__isolated_unref(struct koine__isolated *isolated)
{
    if (!isolated || !lock_to_free(isolated))
        return;
    bool is_last = --isolated->references == 0;
    if (is_last)
        take_out(isolated);
    pthread_mutex_unlock(&mutex);
    if (is_last)
        destroy(isolated);
}

bool koine__isolated_is_mine_alone(const struct koine__isolated *isolated)
{
    pthread_mutex_lock(&mutex);
    bool is_alone = isolated->references == 1;
    pthread_mutex_unlock(&mutex);
    return is_alone;
}

/* ---- Getters --------------------------------------------------------------------------------------- */

size_t koine__isolated_count(const struct koine__isolated *isolated)
{
    return isolated->count;
}

const koine_provider *koine__isolated_provider(const struct koine__isolated *isolated, size_t index)
{
    return &isolated->tables[index].pub;
}

/* Each helper reads the copy from its beginning, so it needs a descriptor that is not shared. */
int koine__isolated_start(const struct koine__isolated *isolated, struct koine__helper *ret)
{
    char name[32];
    snprintf(name, sizeof(name), "/proc/self/fd/%d", isolated->object_fd);
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno;
    int rc = koine__helper_start(isolated->program, fd, ret);
    close(fd);
    return rc;
}

koine_str koine__isolated_hello(const struct koine__isolated *isolated)
{
    return (koine_str){isolated->hello.ptr, isolated->hello.len};
}

bool koine__isolated_is_same(const struct koine__isolated *isolated, koine_str ready)
{
    return ready.len == isolated->ready.len && memcmp(ready.ptr, isolated->ready.ptr, ready.len) == 0;
}
