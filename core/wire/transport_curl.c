/* transport_curl: curl's multi interface, driven by our loop.
 *
 * What holds everywhere below: curl is entered by enter() and left by leave(). While it is on the stack it
 * may not be asked to add or remove transfers, so what a handler wants then is noted on the transfer, queued,
 * and done by settle(). Handlers run inside curl (sent, head, body) or in settle() (done), never from an
 * operation of ours.
 */
#include "core/wire/transport_curl.h"

#include "core/base/mem.h"
#include "core/wire/head.h"
#include <arpa/inet.h>
#include <curl/curl.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEADER_LIMIT  ((size_t)262144)
#define DRAIN_LIMIT   ((size_t)65536)
#define DRAIN_TIME    (500 * KOINE__MS)
#define MOST_SPARE    ((size_t)64)
#define FRESH_TIME    (30 * KOINE__SEC) /* curl keeps addresses for twice as long */
#define MOST_KNOWN    ((size_t)32)
#define ONE_DAY_MS    86400000L /* the engine times the stages itself */
#define SYSTEM_BUNDLE "/etc/ssl/certs/ca-certificates.crt"

enum step {
    SPARE,
    WAITING /* to be added */,
    RUNNING,
    ENDING /* in its `done` */
};

struct curl_transport {
    struct koine__transport base;
    struct koine__loop *loop;
    struct koine__curl_share *share;
    CURLM *multi;
    struct koine__timer timer; /* curl's nearest deadline */
    struct koine__timer kick;  /* the queue is to be looked at */
    struct koine__transfer *active, *spare;
    size_t spare_count;
    struct koine__transfer *queue; /* of those that want something done outside curl */
    struct curl_socket *sockets;   /* watched */
    struct open_socket *open;      /* all that curl may have open, for abandon */
    size_t open_count, open_capacity;
    size_t idle, running;
    const int64_t *limit;
    const size_t *waiting;
    uint64_t known[MOST_KNOWN]; /* hosts that carry several streams on a connection; 0: free */
    size_t newest;              /* of them */
    uint64_t resolved;          /* the host whose address curl knows, since */
    int64_t resolved_at;
    size_t parked;
    bool inside;
    bool broken;                                               /* the multi handle is to be replaced */
    bool has_tls, guarded, pipe_was_blocked, pipe_was_pending; /* SIGPIPE, see block_pipe */
};

struct open_socket { /* curl closes some without a word: the number alone does not say that it is still ours
                      */
    int fd;
    int port; /* of ours, once it is needed; 0: not yet asked for */
    dev_t device;
    ino_t inode;
};

struct curl_socket {
    struct koine__watch watch; /* first */
    struct curl_transport *owner;
    struct curl_socket *next, *prev;
};

struct koine__transfer { /* keeps its handle for life; a spare one serves the next request */
    struct curl_transport *owner;
    struct koine__transfer *next, *prev; /* in active; next in spare */
    struct koine__transfer *queue_next;
    bool queued;
    CURL *easy;
    enum step step;
    struct koine__handler handler;
    void *arg;
    bool cancelled, detached; /* no handler is called any more; detached: reads on */
    bool reached;             /* it has an address, or a connection that was there */
    bool parked;              /* WAITING for another to find the address */
    bool paused, held;        /* held: curl stopped reading, for we refused bytes */
    bool encoded;             /* what arrives is less than what is read */
    bool loopback;            /* the URL says so */
    bool strayed;             /* but an address was none */
    bool is_tls;              /* the URL says that, too */
    bool stale;               /* the connection it was given held bytes that nobody asked for */
    unsigned sends;           /* how often curl was about to write the request */
    size_t body_len, drained;
    struct koine__timer drain_timer;
    struct koine__head_reader head;
    struct curl_slist *lines; /* one array, in one piece with its texts behind `texts` */
    char *texts;
    size_t texts_size;
    const struct koine__fault *fault; /* known before curl says how it ended; class none: not */
    unsigned long failures;           /* of allocations, when it began */
    struct koine__way *way;           /* NULL: nobody asks, or another transfer has told */
    bool watched;                     /* curl tells this handle's way, which it must unlearn */
    bool shook;                       /* so it was seen that the TLS handshake began */
    char *url; /* read last; the next request of this handle mostly asks there again. NULL: none */
    const char *host, *port; /* of it, in the same piece of memory; "" */
    char words[CURL_ERROR_SIZE];
};

/* ---- curl in this process ------------------------------------------------------------------------- */

/* Of curl's allocations in this thread: curl says "out of memory" also where a limit of its own was exceeded.
 */
static _Thread_local unsigned long failures;

static void *counted(void *ptr)
{
    failures += !ptr;
    return ptr;
}

static void *curl_malloc(size_t size)
{
    return counted(koine__realloc(NULL, size)); /* unlike koine__alloc it clears nothing */
}

static void *curl_realloc(void *ptr, size_t size)
{
    return counted(koine__realloc(ptr, size));
}

static void *curl_calloc(size_t count, size_t size)
{
    return counted(koine__alloc_array(count, size));
}

static char *curl_strdup(const char *text)
{
    return counted(koine__strdup(text));
}

/* Once per process. curl is never cleaned up: nobody knows who else uses it. */
static int use_curl(void)
{
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    static bool ready;
    pthread_mutex_lock(&mutex);
    if (!ready)
        ready = curl_global_init_mem(CURL_GLOBAL_DEFAULT, curl_malloc, koine__dealloc, curl_realloc,
                                     curl_strdup, curl_calloc) == CURLE_OK;
    int rc = ready ? KOINE_OK : KOINE_ESYSTEM;
    pthread_mutex_unlock(&mutex);
    return rc;
}

/* Loading a folder of certificates costs 27 ms for each connection, so there is always one file. */
static const char *find_bundle(const struct koine__http_request *request)
{
    const char *built_in = curl_version_info(CURLVERSION_NOW)->cainfo;
    if (request->ca_file)
        return request->ca_file;
    return built_in ? built_in : SYSTEM_BUNDLE;
}

struct koine__curl_share {
    CURLSH *handle;
    pid_t pid;
    pthread_mutex_t mutexes[CURL_LOCK_DATA_LAST];
};

static void lock_share(CURL *easy, curl_lock_data data, curl_lock_access access, void *arg)
{
    struct koine__curl_share *share = arg;
    (void)easy, (void)access;
    pthread_mutex_lock(&share->mutexes[data]);
}

static void unlock_share(CURL *easy, curl_lock_data data, void *arg)
{
    struct koine__curl_share *share = arg;
    (void)easy;
    pthread_mutex_unlock(&share->mutexes[data]);
}

static bool set_up_share(struct koine__curl_share *share)
{
    CURLSH *handle = share->handle;
    return curl_share_setopt(handle, CURLSHOPT_USERDATA, share) == CURLSHE_OK &&
           curl_share_setopt(handle, CURLSHOPT_LOCKFUNC, lock_share) == CURLSHE_OK &&
           curl_share_setopt(handle, CURLSHOPT_UNLOCKFUNC, unlock_share) == CURLSHE_OK &&
           curl_share_setopt(handle, CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS) == CURLSHE_OK &&
           curl_share_setopt(handle, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION) == CURLSHE_OK;
}

int koine__curl_share_new(struct koine__curl_share **ret)
{
    if (use_curl() != KOINE_OK)
        return KOINE_ESYSTEM;
    struct koine__curl_share *share = koine__alloc(sizeof(*share));
    if (!share)
        return KOINE_EMEMORY;
    share->pid = getpid();
    for (int i = 0; i < CURL_LOCK_DATA_LAST; i++)
        pthread_mutex_init(&share->mutexes[i], NULL);
    share->handle = curl_share_init();
    if (!share->handle || !set_up_share(share)) {
        koine__curl_share_free(share);
        return KOINE_EMEMORY;
    }
    *ret = share;
    return KOINE_OK;
}

void koine__curl_share_free(struct koine__curl_share *share)
{
    if (!share)
        return;
    /* After fork a lock may be held for ever by a thread that is not here: then curl's part is left behind.
     */
    if (share->pid == getpid()) {
        curl_share_cleanup(share->handle);
        for (int i = 0; i < CURL_LOCK_DATA_LAST; i++)
            pthread_mutex_destroy(&share->mutexes[i]);
    }
    koine__dealloc(share);
}

/* ---- Into curl and out of it ---------------------------------------------------------------------- */

/* With CURLOPT_NOSIGNAL curl leaves SIGPIPE to us, and OpenSSL writes without MSG_NOSIGNAL. A library may not
 * change what the process does with a signal, so this thread blocks it while TLS may write, and swallows its
 * own. */
static void block_pipe(struct curl_transport *transport)
{
    sigset_t pipe_only, before, pending;
    sigemptyset(&pipe_only);
    sigaddset(&pipe_only, SIGPIPE);
    sigemptyset(&pending);
    pthread_sigmask(SIG_BLOCK, &pipe_only, &before);
    transport->pipe_was_blocked = sigismember(&before, SIGPIPE) == 1;
    if (transport->pipe_was_blocked)
        sigpending(&pending);
    transport->pipe_was_pending = sigismember(&pending, SIGPIPE) == 1;
}

static void unblock_pipe(struct curl_transport *transport)
{
    static const struct timespec no_time = {0};
    sigset_t pipe_only;
    sigemptyset(&pipe_only);
    sigaddset(&pipe_only, SIGPIPE);
    while (!transport->pipe_was_pending && sigtimedwait(&pipe_only, NULL, &no_time) < 0 && errno == EINTR)
        continue;
    if (!transport->pipe_was_blocked)
        pthread_sigmask(SIG_UNBLOCK, &pipe_only, NULL);
}

static size_t waiting(const struct curl_transport *transport)
{
    return transport->waiting ? *transport->waiting : 0;
}

/* Of connections at once; 0: there is none. */
static size_t limit_of(const struct curl_transport *transport)
{
    return transport->limit ? (size_t)*transport->limit : 0;
}

/* When a transfer ends, curl closes one idle connection if there are more than this in all, and the one that
 * has just become idle is among them. Where one is to be opened beyond the limit, it closes an idle one
 * first; there is one, for there are never more transfers than the limit it is told. */
static void set_ceiling(struct curl_transport *transport)
{
    size_t ceiling = transport->idle + transport->running + waiting(transport), limit = limit_of(transport);
    if (transport->running > 0)
        ceiling--;
    curl_multi_setopt(transport->multi, CURLMOPT_MAXCONNECTS, ceiling ? (long)ceiling : 1L);
    if (limit > 0 && limit < transport->running) /* it was lowered meanwhile */
        limit = transport->running;
    curl_multi_setopt(transport->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)limit);
}

static void enter(struct curl_transport *transport)
{
    set_ceiling(transport);
    transport->inside = true;
    transport->guarded = transport->has_tls;
    if (transport->guarded)
        block_pipe(transport);
}

static void leave(struct curl_transport *transport)
{
    if (transport->guarded)
        unblock_pipe(transport);
    transport->inside = false;
}

static int64_t now_of(const struct curl_transport *transport)
{
    return koine__loop_now(transport->loop);
}

/* Its wishes are looked at when curl was left; at once if nothing else is under way. */
static void enqueue(struct koine__transfer *transfer)
{
    struct curl_transport *transport = transfer->owner;
    struct koine__transfer **end = &transport->queue;
    if (transfer->queued)
        return;
    while (*end)
        end = &(*end)->queue_next;
    *end = transfer;
    transfer->queue_next = NULL;
    transfer->queued = true;
    koine__timer_set(transport->loop, &transport->kick, now_of(transport));
}

static void dequeue(struct koine__transfer *transfer)
{
    struct koine__transfer **at = &transfer->owner->queue;
    if (!transfer->queued)
        return;
    while (*at != transfer)
        at = &(*at)->queue_next;
    *at = transfer->queue_next;
    transfer->queued = false;
}

/* ---- Which hosts speak HTTP/2 --------------------------------------------------------------------- */

/* FNV-1a of "host:port". Were two hosts to share one, a transfer would wait without need. */
static uint64_t host_mark(const struct koine__transfer *transfer)
{
    uint64_t mark = 0xcbf29ce484222325;
    for (const char *at = transfer->host; *at; at++)
        mark = (mark ^ (unsigned char)*at) * 0x100000001b3;
    mark = (mark ^ ':') * 0x100000001b3;
    for (const char *at = transfer->port; *at; at++)
        mark = (mark ^ (unsigned char)*at) * 0x100000001b3;
    return mark ? mark : 1;
}

static uint64_t *find_known(const struct koine__transfer *transfer)
{
    uint64_t mark = host_mark(transfer), *known = transfer->owner->known;
    for (size_t i = 0; i < MOST_KNOWN; i++)
        if (known[i] == mark)
            return &known[i];
    return NULL;
}

static void note_host(const struct koine__transfer *transfer)
{
    struct curl_transport *transport = transfer->owner;
    if (!transfer->is_tls || transfer->head.version < 20 || find_known(transfer))
        return;
    transport->newest = (transport->newest + 1) % MOST_KNOWN; /* the oldest one is forgotten */
    transport->known[transport->newest] = host_mark(transfer);
}

/* It never came to send: whoever asks there next shall not wait for the like of it. */
static void forget_host(const struct koine__transfer *transfer)
{
    uint64_t *known = transfer->is_tls && transfer->sends == 0 ? find_known(transfer) : NULL;
    if (known)
        *known = 0;
}

/* ---- One thread for each name ------------------------------------------------------------------------ */

/* curl looks up a name in a thread for each transfer. Where several ask for the same one, the first does, and
 * the others find the answer in curl's cache. */
static bool must_park(const struct koine__transfer *transfer)
{
    const struct curl_transport *transport = transfer->owner;
    uint64_t mark = host_mark(transfer);
    if (!transfer->is_tls || transfer->loopback ||
        (transport->resolved == mark && now_of(transport) - transport->resolved_at < FRESH_TIME))
        return false;
    for (const struct koine__transfer *at = transport->active; at; at = at->next)
        if (at != transfer && at->step == RUNNING && at->is_tls && !at->reached && host_mark(at) == mark)
            return true;
    return false;
}

static void set_parked(struct koine__transfer *transfer, bool parked)
{
    size_t *count = &transfer->owner->parked;
    if (transfer->parked != parked)
        *count = parked ? *count + 1 : *count - 1;
    transfer->parked = parked;
}

static void unpark_others(const struct koine__transfer *transfer)
{
    uint64_t mark = host_mark(transfer);
    for (struct koine__transfer *at = transfer->owner->active; at && transfer->owner->parked > 0;
         at = at->next)
        if (at->parked && host_mark(at) == mark) {
            set_parked(at, false);
            enqueue(at);
        }
}

static void note_reached(struct koine__transfer *transfer)
{
    if (transfer->reached)
        return;
    transfer->reached = true;
    unpark_others(transfer);
}

static const char *stage_of(const struct koine__transfer *transfer)
{
    if (transfer->sends == 0)
        return "connect";
    return transfer->head.complete ? "body" : "first_byte";
}

/* What ends badly leaves no connection behind, unless other streams are on it: it may be dead, or flooded,
 * and the next one would only find that out once more. And where memory was short, 7.88 divides by zero when
 * it reuses such a one. To be called before curl ends the transfer. */
static void forbid_reuse(struct koine__transfer *transfer)
{
    curl_easy_setopt(transfer->easy, CURLOPT_FORBID_REUSE, 1L);
}

/* The first reason is the one that is told. */
__attribute__((format(printf, 3, 4))) static void fail(struct koine__transfer *transfer, int class_number,
                                                       const char *format, ...)
{
    struct koine__fault fault;
    char text[sizeof(fault.message)];
    va_list args;
    if (transfer->fault->class_number != KOINE_CLASS_NONE)
        return;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    koine__fault_set(&fault, class_number, stage_of(transfer), "%s", text);
    koine__fault_keep(&transfer->fault, &fault);
    forbid_reuse(transfer);
}

/* ---- curl's callbacks ----------------------------------------------------------------------------- */

static bool is_loopback_address(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)address;
        return ntohl(v4->sin_addr.s_addr) >> 24 == 127;
    }
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)address;
    if (address->sa_family != AF_INET6)
        return false;
    return IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr) ||
           (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr) && v6->sin6_addr.s6_addr[12] == 127);
}

static struct open_socket *find_open(struct curl_transport *transport, int fd)
{
    for (size_t i = 0; i < transport->open_count; i++)
        if (transport->open[i].fd == fd)
            return &transport->open[i];
    return NULL;
}

static void note_open(struct curl_transport *transport, int fd)
{
    struct stat info = {0};
    struct open_socket *at = find_open(transport, fd);
    if (!at)
        at = &transport->open[transport->open_count++];
    fstat(fd, &info);
    *at = (struct open_socket){.fd = fd, .device = info.st_dev, .inode = info.st_ino};
}

/* ---- What was seen on the way ------------------------------------------------------------------------ */

static void copy_words(char *ret, size_t size, koine_str words)
{
    snprintf(ret, size, "%.*s", (int)(words.len < size ? words.len : size), words.ptr ? words.ptr : "");
}

/* A proxy's URL may hold a password. */
static void note_proxy(struct koine__way *way, koine_str url, koine_str variable)
{
    const char *at = url.len ? memrchr(url.ptr, '@', url.len) : NULL;
    const char *start = url.len ? memmem(url.ptr, url.len, "://", 3) : NULL;
    if (at && start) {
        snprintf(way->proxy, sizeof(way->proxy), "%.*s%.*s", (int)(start + 3 - url.ptr), url.ptr,
                 (int)(url.ptr + url.len - at - 1), at + 1);
    } else {
        size_t skipped = at ? (size_t)(at + 1 - url.ptr) : 0;
        copy_words(way->proxy, sizeof(way->proxy), (koine_str){url.ptr + skipped, url.len - skipped});
    }
    copy_words(way->proxy_variable, sizeof(way->proxy_variable), variable);
}

/* "NAME == 'URL'" */
static void read_proxy_words(struct koine__way *way, koine_str words)
{
    koine_str url = words, name = koine__str_cut(&url, ' ');
    const char *open = url.len ? memchr(url.ptr, '\'', url.len) : NULL;
    const char *close = url.len ? memrchr(url.ptr, '\'', url.len) : NULL;
    if (open && close > open && !koine__str_is_nocase(name, "no_proxy"))
        note_proxy(way, (koine_str){open + 1, (size_t)(close - open) - 1}, name);
}

/* curl tells only in words which variable named a proxy, which TLS was agreed, and that it was tried. Other
 * words, which may hold a key, are not looked at. */
static int on_words(CURL *easy, curl_infotype type, char *ptr, size_t len, void *arg)
{
    static const char proxy[] = "Uses proxy env variable ", tls[] = "SSL connection using ",
                      alpn[] = "ALPN: ";
    struct koine__transfer *transfer = arg;
    koine_str words = {ptr, len};
    (void)easy;
    transfer->shook |=
        type == CURLINFO_SSL_DATA_OUT || (type == CURLINFO_TEXT && koine__str_starts(words, alpn));
    if (type != CURLINFO_TEXT || !transfer->way)
        return 0;
    if (koine__str_starts(words, proxy)) {
        read_proxy_words(transfer->way, (koine_str){ptr + strlen(proxy), len - strlen(proxy)});
    } else if (koine__str_starts(words, tls)) {
        words = (koine_str){ptr + strlen(tls), len - strlen(tls)};
        copy_words(transfer->way->tls_version, sizeof(transfer->way->tls_version),
                   koine__str_trim(koine__str_cut(&words, ' ')));
    }
    return 0;
}

static void note_address(struct koine__way *way, const struct sockaddr *address)
{
    const void *bytes = address->sa_family == AF_INET6
                            ? (const void *)&((const struct sockaddr_in6 *)(const void *)address)->sin6_addr
                            : (const void *)&((const struct sockaddr_in *)(const void *)address)->sin_addr;
    if (way->address_count < KOINE__WAY_ADDRESSES &&
        inet_ntop(address->sa_family, bytes, way->addresses[way->address_count], sizeof(way->addresses[0])))
        way->address_count++;
}

static void note_answer(struct koine__transfer *transfer, const struct koine__head *head)
{
    const struct koine__clock *clock = koine__loop_clock(transfer->owner->loop);
    struct koine__way *way = transfer->way;
    int version = transfer->head.version;
    way->http_version = version >= 30 ? "3" : version >= 20 ? "2" : version == 10 ? "1.0" : "1.1";
    if (koine__read_http_date(koine__head_find(head, "date"), &way->date) == KOINE_OK)
        way->date_seen = clock->wall(clock->arg);
}

static int64_t time_of(CURL *easy, CURLINFO which)
{
    curl_off_t us = 0;
    return curl_easy_getinfo(easy, which, &us) == CURLE_OK ? us * 1000 : 0;
}

/* The server's own is the first of the chain. */
static int64_t certificate_end(CURL *easy)
{
    static const char name[] = "Expire date:";
    struct curl_certinfo *info = NULL;
    if (curl_easy_getinfo(easy, CURLINFO_CERTINFO, &info) != CURLE_OK || !info || info->num_of_certs < 1)
        return 0;
    for (const struct curl_slist *line = info->certinfo[0]; line; line = line->next)
        if (strncmp(line->data, name, strlen(name)) == 0) {
            time_t end = curl_getdate(line->data + strlen(name), NULL);
            return end > 0 ? (int64_t)end : 0;
        }
    return 0;
}

static enum koine__step step_of(const struct koine__transfer *transfer)
{
    const struct koine__way *way = transfer->way;
    long tunnel = 0;
    curl_easy_getinfo(transfer->easy, CURLINFO_HTTP_CONNECTCODE, &tunnel);
    if (transfer->sends > 0)
        return KOINE__STEP_ANSWER;
    if (tunnel != 0 && tunnel / 100 != 2)
        return KOINE__STEP_PROXY;
    if (way->address_count == 0 && way->connected == 0)
        return KOINE__STEP_DNS;
    if (way->connected == 0 &&
        !transfer->shook) /* 7.88 tells that time only when the handshake is done, too */
        return KOINE__STEP_CONNECT;
    return way->tls && way->secured == 0 ? KOINE__STEP_TLS : KOINE__STEP_ANSWER;
}

/* The transfer is over, or is to be. */
static void tell_way(struct koine__transfer *transfer)
{
    struct koine__way *way = transfer->way;
    int64_t port = 0;
    if (!way)
        return;
    way->tls = transfer->is_tls;
    copy_words(way->host, sizeof(way->host), koine__str(transfer->host));
    if (koine__read_int(koine__str(transfer->port), 0, UINT16_MAX, &port) == KOINE_OK)
        way->port = (int)port;
    way->resolved = time_of(transfer->easy, CURLINFO_NAMELOOKUP_TIME_T);
    way->connected = time_of(transfer->easy, CURLINFO_CONNECT_TIME_T);
    way->secured = time_of(transfer->easy, CURLINFO_APPCONNECT_TIME_T);
    way->certificate_end = certificate_end(transfer->easy);
    way->step = step_of(transfer);
    transfer->way = NULL;
}

static curl_socket_t on_open(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct koine__transfer *transfer = arg;
    struct curl_transport *transport = transfer->owner;
    (void)purpose;
    transport->resolved = host_mark(transfer);
    transport->resolved_at = now_of(transport);
    note_reached(transfer);
    if (transfer->way)
        note_address(transfer->way, &address->addr);
    if (transfer->loopback && !is_loopback_address(&address->addr)) {
        transfer->strayed = true;
        return CURL_SOCKET_BAD;
    }
    if (koine__array_reserve((void **)&transport->open, &transport->open_capacity, transport->open_count + 1,
                             sizeof(*transport->open)) != KOINE_OK) {
        failures++;
        return CURL_SOCKET_BAD;
    }
    int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    if (fd < 0)
        return CURL_SOCKET_BAD;
    note_open(transport, fd);
    return fd;
}

static int on_close(void *arg, curl_socket_t fd)
{
    struct curl_transport *transport = arg;
    struct open_socket *at = find_open(transport, fd);
    if (at)
        *at = transport->open[--transport->open_count];
    shutdown(fd, SHUT_RDWR); /* a forked child's copy must not keep a stream that was cancelled alive */
    return close(fd);
}

static void on_ready(struct koine__watch *watch, bool readable, bool writable);

static struct curl_socket *add_socket(struct curl_transport *transport, curl_socket_t fd)
{
    struct curl_socket *sock = koine__alloc(sizeof(*sock));
    if (!sock)
        return NULL;
    sock->watch = (struct koine__watch){.fd = fd, .ready = on_ready};
    sock->owner = transport;
    sock->next = transport->sockets;
    if (sock->next)
        sock->next->prev = sock;
    transport->sockets = sock;
    curl_multi_assign(transport->multi, fd, sock);
    return sock;
}

static void remove_socket(struct curl_socket *sock)
{
    koine__loop_unwatch(sock->owner->loop, &sock->watch);
    if (sock->next)
        sock->next->prev = sock->prev;
    if (sock->prev)
        sock->prev->next = sock->next;
    else
        sock->owner->sockets = sock->next;
    koine__dealloc(sock);
}

/* curl's answer to a failure here would be to end every transfer, so only the one that needs the socket
 * fails. */
static void fail_socket(struct curl_transport *transport, CURL *easy)
{
    for (struct koine__transfer *at = transport->active; at; at = at->next)
        if (at->easy == easy) {
            fail(at, KOINE_CLASS_MEMORY, "out of memory");
            enqueue(at);
        }
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *sock_arg)
{
    struct curl_transport *transport = arg;
    struct curl_socket *sock = sock_arg;
    if (what == CURL_POLL_REMOVE) {
        if (sock)
            remove_socket(sock);
        return 0;
    }
    if (!sock)
        sock = add_socket(transport, fd);
    if (!sock || koine__loop_watch(transport->loop, &sock->watch, what & CURL_POLL_IN,
                                   what & CURL_POLL_OUT) != KOINE_OK)
        fail_socket(transport, easy);
    return 0;
}

static int on_timer(CURLM *multi, long timeout_ms, void *arg)
{
    struct curl_transport *transport = arg;
    (void)multi;
    if (timeout_ms < 0)
        koine__timer_stop(transport->loop, &transport->timer);
    else
        koine__timer_set(transport->loop, &transport->timer, now_of(transport) + timeout_ms * KOINE__MS);
    return 0;
}

static bool is_listening(const struct koine__transfer *transfer)
{
    return !transfer->cancelled && !transfer->detached;
}

static int local_port(int fd)
{
    struct sockaddr_storage address;
    socklen_t size = sizeof(address);
    if (getsockname(fd, (struct sockaddr *)&address, &size) < 0)
        return 0;
    if (address.ss_family == AF_INET6)
        return ntohs(((const struct sockaddr_in6 *)&address)->sin6_port);
    return address.ss_family == AF_INET ? ntohs(((const struct sockaddr_in *)&address)->sin_port) : 0;
}

/* curl does not tell the descriptor here. */
static int find_by_port(struct curl_transport *transport, int port)
{
    for (size_t i = 0; i < transport->open_count; i++) {
        struct open_socket *at = &transport->open[i];
        if (at->port == 0)
            at->port = local_port(at->fd);
        if (at->port == port)
            return at->fd;
    }
    return -1;
}

/* Whether the connection, which served before, holds bytes already: what a server sent beyond the length it
 * had told would be read as the answer to this request. curl 7.88 does not look. Inside TLS nobody can. */
static bool holds_bytes(const struct koine__transfer *transfer, int from_port)
{
    long connects = 0;
    char byte;
    if (transfer->is_tls || curl_easy_getinfo(transfer->easy, CURLINFO_NUM_CONNECTS, &connects) != CURLE_OK ||
        connects > 0)
        return false;
    int fd = find_by_port(transfer->owner, from_port);
    return fd >= 0 && recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

/* Of HTTP/2, curl tells only in words whether it was the peer that ended a stream or connection, or what the
 * peer said that could not be read. Of some breaches it tells nothing. */
static bool breaks_http2(const struct koine__transfer *transfer)
{
    static const char *const signs[] = {"nghttp2_session_mem_recv", "PROTOCOL_ERROR",    "FLOW_CONTROL_ERROR",
                                        "FRAME_SIZE_ERROR",         "COMPRESSION_ERROR", "STREAM_CLOSED"};
    for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++)
        if (strstr(transfer->words, signs[i]))
            return true;
    return false;
}

/* curl would send again. */
static void fail_dead(struct koine__transfer *transfer)
{
    if (breaks_http2(transfer))
        fail(transfer, KOINE_CLASS_PROTOCOL, "the answer cannot be read: %s", transfer->words);
    else
        fail(transfer, KOINE_CLASS_RESET, "the connection was reset before an answer; not sent again");
}

/* The request is about to be written. A second time means that curl found its reused connection dead and
 * wants to send again: the server may have seen the first, and may count and bill both. */
static int on_send(void *arg, char *to_ip, char *from_ip, int to_port, int from_port)
{
    struct koine__transfer *transfer = arg;
    (void)to_ip, (void)from_ip, (void)to_port;
    note_reached(transfer);
    if (transfer->sends == 0 && holds_bytes(transfer, from_port)) {
        transfer->stale = true;
        return CURL_PREREQFUNC_ABORT;
    }
    if (transfer->sends++ > 0) {
        fail_dead(transfer);
        return CURL_PREREQFUNC_ABORT;
    }
    if (is_listening(transfer) && transfer->handler.sent)
        transfer->handler.sent(transfer->arg);
    return transfer->cancelled ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

static void fail_head(struct koine__transfer *transfer)
{
    if (transfer->head.lines > KOINE__HEAD_LINES)
        fail(transfer, KOINE_CLASS_PROTOCOL, "the answer's head has more than %zu lines", KOINE__HEAD_LINES);
    else
        fail(transfer, KOINE_CLASS_PROTOCOL, "the answer's head is larger than %zu bytes",
             transfer->head.limit);
}

static void free_lines(struct koine__transfer *transfer)
{
    if (transfer->texts)
        koine__wipe(transfer->texts, transfer->texts_size); /* the key was among them */
    koine__dealloc(transfer->texts);
    koine__dealloc(transfer->lines);
    transfer->texts = NULL;
    transfer->lines = NULL;
}

/* A stream may go on for long: neither its heads nor the key among them are kept meanwhile. */
static void forget_head(struct koine__transfer *transfer)
{
    koine__head_reader_rest(&transfer->head);
    curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, NULL); /* they were sent, and will not be again */
    free_lines(transfer);
}

/* Though it was asked to be not, perhaps. */
static bool is_encoded(const struct koine__head *head)
{
    for (size_t i = 0; i < head->count; i++)
        if (koine__str_is_nocase(head->headers[i].name, "content-encoding") &&
            !koine__str_is_nocase(koine__str_trim(head->headers[i].value), "identity"))
            return true;
    return false;
}

static size_t on_header(char *ptr, size_t size, size_t count, void *arg)
{
    struct koine__transfer *transfer = arg;
    size_t len = size * count;
    if (transfer->cancelled)
        return 0;
    int rc = koine__head_reader_line(&transfer->head, ptr, len);
    if (rc == KOINE_EMEMORY)
        fail(transfer, KOINE_CLASS_MEMORY, "out of memory");
    else if (rc < 0)
        fail_head(transfer);
    if (rc == 1) {
        struct koine__head head = koine__head_reader_head(&transfer->head);
        transfer->encoded = is_encoded(&head);
        if (transfer->way)
            note_answer(transfer, &head);
        if (is_listening(transfer) && transfer->handler.head)
            transfer->handler.head(transfer->arg, &head);
        note_host(transfer);
        forget_head(transfer);
    }
    return rc < 0 || transfer->cancelled ? 0 : len;
}

/* Of what curl has taken apart already, the frames of HTTP/2 or an encoding, it would keep all that comes of
 * one read, which is no bound: such a one is read on. */
static bool can_pause(const struct koine__transfer *transfer)
{
    return transfer->head.version < 20 && !transfer->encoded;
}

static size_t on_body(char *ptr, size_t size, size_t count, void *arg)
{
    struct koine__transfer *transfer = arg;
    size_t len = size * count;
    if (transfer->detached)
        transfer->drained += len;
    if (transfer->drained > DRAIN_LIMIT)
        forbid_reuse(transfer);
    if (transfer->cancelled || transfer->drained > DRAIN_LIMIT)
        return CURL_WRITEFUNC_ERROR;
    if (transfer->paused && can_pause(transfer)) {
        transfer->held = true;
        return CURL_WRITEFUNC_PAUSE;
    }
    if (is_listening(transfer) && transfer->handler.body)
        transfer->handler.body(transfer->arg, ptr, len);
    return transfer->cancelled ? CURL_WRITEFUNC_ERROR : len;
}

/* ---- What an end means ---------------------------------------------------------------------------- */

static bool is_tls_failure(CURLcode code)
{
    switch ((int)code) {
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_SSL_ENGINE_NOTFOUND:
    case CURLE_SSL_ENGINE_SETFAILED:
    case CURLE_SSL_ENGINE_INITFAILED:
    case CURLE_USE_SSL_FAILED:
        return true;
    default:
        return false;
    }
}

/* Nothing was sent. */
static void judge_connect(struct koine__transfer *transfer, CURLcode code)
{
    long number = 0;
    curl_easy_getinfo(transfer->easy, CURLINFO_OS_ERRNO, &number);
    const char *words = *transfer->words ? transfer->words : curl_easy_strerror(code);
    if (!*transfer->host)
        fail(transfer, KOINE_CLASS_CONNECT, "the URL cannot be used: %s", words);
    else if (transfer->strayed)
        fail(transfer, KOINE_CLASS_CONNECT, "%s does not lead to this machine", transfer->host);
    else if (code == CURLE_COULDNT_RESOLVE_HOST)
        fail(transfer, KOINE_CLASS_CONNECT, "cannot resolve host %s", transfer->host);
    else if (code == CURLE_COULDNT_CONNECT && number == ECONNREFUSED)
        fail(transfer, KOINE_CLASS_CONNECT, "connection to %s:%s refused", transfer->host, transfer->port);
    else if (code == CURLE_COULDNT_CONNECT && number)
        fail(transfer, KOINE_CLASS_CONNECT, "cannot connect to %s:%s: %s", transfer->host, transfer->port,
             strerrordesc_np((int)number));
    else if (is_tls_failure(code))
        fail(transfer, KOINE_CLASS_CONNECT, "TLS: %s", words);
    else
        fail(transfer, KOINE_CLASS_CONNECT, "cannot reach %s:%s: %s", transfer->host, transfer->port, words);
}

static void judge_short_body(struct koine__transfer *transfer)
{
    curl_off_t promised = -1, got = 0;
    curl_easy_getinfo(transfer->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &promised);
    curl_easy_getinfo(transfer->easy, CURLINFO_SIZE_DOWNLOAD_T, &got);
    if (!transfer->head.complete)
        fail(transfer, KOINE_CLASS_RESET, "the connection was closed without an answer");
    else if (promised > got)
        fail(transfer, KOINE_CLASS_PROTOCOL, "the body ended %lld bytes early", (long long)(promised - got));
    else if (transfer->head.version >= 20)
        fail(transfer, KOINE_CLASS_RESET, "the connection was lost in the middle of the body");
    else
        fail(transfer, KOINE_CLASS_PROTOCOL, "the body ended before its last chunk");
}

/* curl has one code for a lost connection and for what cannot be read; only its words tell. */
static void judge_receive(struct koine__transfer *transfer, const char *text)
{
    koine_str words = koine__str(text);
    if (breaks_http2(transfer))
        fail(transfer, KOINE_CLASS_PROTOCOL, "the answer cannot be read: %s", text);
    else if (koine__str_has_nocase(words, "chunk") || koine__str_has_nocase(words, "hexadecimal"))
        fail(transfer, KOINE_CLASS_PROTOCOL, "the body's chunks are malformed");
    else if (koine__str_has_nocase(words, "connection died")) /* said without asking: it counts for ever */
        fail_dead(transfer);
    else if (koine__str_has_nocase(words, "headers"))
        fail(transfer, KOINE_CLASS_PROTOCOL, "the answer's head is too large");
    else
        fail(transfer, KOINE_CLASS_RESET, "the connection was lost: %s", text);
}

static void judge_answer(struct koine__transfer *transfer, CURLcode code)
{
    const char *words = *transfer->words ? transfer->words : curl_easy_strerror(code);
    switch ((int)code) {
    case CURLE_GOT_NOTHING:
        fail(transfer, KOINE_CLASS_RESET, "the connection was closed without an answer");
        return;
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_HTTP2: /* also when the server only said that it goes away */
    case CURLE_HTTP2_STREAM:
        judge_receive(transfer, words);
        return;
    case CURLE_PARTIAL_FILE:
        judge_short_body(transfer);
        return;
    case CURLE_OUT_OF_MEMORY: /* it was not: a line or a table exceeds what curl allows */
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_BAD_CONTENT_ENCODING:
    case CURLE_WRITE_ERROR:
#if LIBCURL_VERSION_NUM >= 0x080600
    case CURLE_TOO_LARGE:
#endif
        fail(transfer, KOINE_CLASS_PROTOCOL, "the answer cannot be read: %s",
             code == CURLE_OUT_OF_MEMORY ? "a line is too long" : words);
        return;
    default:
        fail(transfer, KOINE_CLASS_RESET, "the connection was lost: %s", words);
        return;
    }
}

static void judge(struct koine__transfer *transfer, CURLcode code)
{
    if (code == CURLE_OK && (transfer->head.complete || transfer->fault->class_number != KOINE_CLASS_NONE))
        return;
    if (code == CURLE_OK)
        code = CURLE_GOT_NOTHING;
    bool starved = failures != transfer->failures;
    if (starved && (code == CURLE_OUT_OF_MEMORY || transfer->sends == 0))
        fail(transfer, KOINE_CLASS_MEMORY, "out of memory");
    else if (transfer->sends == 0)
        judge_connect(transfer, code);
    else
        judge_answer(transfer, code);
}

/* ---- Transfers ------------------------------------------------------------------------------------ */

static void free_transfer(struct koine__transfer *transfer)
{
    if (!transfer)
        return;
    curl_easy_cleanup(transfer->easy);
    free_lines(transfer);
    koine__fault_drop(&transfer->fault);
    koine__head_reader_release(&transfer->head);
    koine__dealloc(transfer->url);
    koine__dealloc(transfer);
}

static void unlink_active(struct koine__transfer *transfer)
{
    if (transfer->next)
        transfer->next->prev = transfer->prev;
    if (transfer->prev)
        transfer->prev->next = transfer->next;
    else
        transfer->owner->active = transfer->next;
    transfer->next = transfer->prev = NULL;
}

/* Takes it away from curl; nothing of the request is used from here on. */
static void detach(struct koine__transfer *transfer)
{
    struct curl_transport *transport = transfer->owner;
    tell_way(transfer);
    if (transfer->step == RUNNING) {
        enter(transport);
        curl_multi_remove_handle(transport->multi, transfer->easy);
        leave(transport);
        transport->running--;
        forget_host(transfer);
        note_reached(transfer); /* or never will */
    }
    set_parked(transfer, false);
    curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, NULL);
    curl_easy_setopt(transfer->easy, CURLOPT_POSTFIELDS, NULL);
    free_lines(transfer);
    dequeue(transfer);
    koine__timer_stop(transport->loop, &transfer->drain_timer);
    transfer->step = ENDING;
}

static void recycle(struct koine__transfer *transfer)
{
    struct curl_transport *transport = transfer->owner;
    unlink_active(transfer);
    transfer->step = SPARE;
    if (transport->spare_count >= MOST_SPARE) {
        free_transfer(transfer);
        return;
    }
    transfer->next = transport->spare;
    transport->spare = transfer;
    transport->spare_count++;
}

static void add(struct koine__transfer *transfer);

/* Nothing was sent: begins again on a connection of its own. False: it cannot. */
static bool begin_afresh(struct koine__transfer *transfer)
{
    struct curl_transport *transport = transfer->owner;
    transfer->stale = false;
    enter(transport);
    curl_multi_remove_handle(transport->multi, transfer->easy); /* which closes the connection */
    leave(transport);
    transport->running--;
    transfer->step = WAITING;
    if (curl_easy_setopt(transfer->easy, CURLOPT_FRESH_CONNECT, 1L) == CURLE_OK)
        add(transfer);
    return transfer->step == RUNNING || transfer->parked;
}

static void finish(struct koine__transfer *transfer, CURLcode code)
{
    if (transfer->stale && is_listening(transfer) && begin_afresh(transfer))
        return;
    if (is_listening(transfer))
        judge(transfer, code);
    detach(transfer);
    const struct koine__fault *fault =
        transfer->fault->class_number == KOINE_CLASS_NONE ? NULL : transfer->fault;
    if (is_listening(transfer) && transfer->handler.done)
        transfer->handler.done(transfer->arg, fault);
    recycle(transfer);
}

static void unhold(struct koine__transfer *transfer)
{
    struct curl_transport *transport = transfer->owner;
    transfer->held = false;
    enter(transport);
    CURLcode code = curl_easy_pause(transfer->easy, CURLPAUSE_CONT); /* may deliver what curl kept */
    leave(transport);
    if (code != CURLE_OK)
        finish(transfer, code);
}

static bool set_up_multi(struct curl_transport *transport)
{
    CURLM *multi = transport->multi = curl_multi_init();
    return multi && curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket) == CURLM_OK &&
           curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, transport) == CURLM_OK &&
           curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer) == CURLM_OK &&
           curl_multi_setopt(multi, CURLMOPT_TIMERDATA, transport) == CURLM_OK &&
           curl_multi_setopt(multi, CURLMOPT_PIPELINING, (long)CURLPIPE_MULTIPLEX) == CURLM_OK;
}

static void tear_down_multi(struct curl_transport *transport)
{
    enter(transport);
    curl_multi_cleanup(transport->multi);
    leave(transport);
    while (transport->sockets)
        remove_socket(transport->sockets);
    transport->multi = NULL;
}

/* Whether there is a multi handle in good order; a broken one is replaced when nothing runs on it any more.
 */
static bool has_multi(struct curl_transport *transport)
{
    if (transport->broken && transport->running == 0) {
        tear_down_multi(transport);
        transport->broken = !set_up_multi(transport);
    }
    return !transport->broken;
}

/* Of those that nobody listens to, but that have a connection still, the one that had longest to end. */
static struct koine__transfer *find_leaving(struct curl_transport *transport)
{
    struct koine__transfer *oldest = NULL;
    for (struct koine__transfer *at = transport->active; at; at = at->next) {
        if (at->step != RUNNING || is_listening(at))
            continue;
        if (at->cancelled)
            return at;
        if (!oldest || at->drain_timer.due < oldest->drain_timer.due)
            oldest = at;
    }
    return oldest;
}

static void curl_cancel(struct koine__transfer *transfer);

/* Whoever drains is no user of the pool any more: his connection goes as soon as another needs its place. */
static void make_room(struct curl_transport *transport)
{
    size_t limit = limit_of(transport);
    while (limit > 0 && transport->running >= limit) {
        struct koine__transfer *leaving = find_leaving(transport);
        if (!leaving)
            return;
        curl_cancel(leaving);
    }
}

static void add(struct koine__transfer *transfer)
{
    struct curl_transport *transport = transfer->owner;
    if (must_park(transfer)) {
        set_parked(transfer, true);
        return;
    }
    make_room(transport);
    if (!has_multi(transport))
        return;
    enter(transport);
    CURLMcode code = curl_multi_add_handle(transport->multi, transfer->easy);
    leave(transport);
    if (code != CURLM_OK)
        return;
    transfer->step = RUNNING;
    transport->running++;
}

/* curl closes at most one connection for each transfer that ends, by a ceiling that cannot be lowered while
 * it is on the stack. Where many end in one stroke it keeps too many, for ever; then all of them go, for it
 * closes none that it is asked to. */
static void close_surplus(struct curl_transport *transport)
{
    if (transport->running > 0 || transport->queue || transport->broken || waiting(transport) > 0 ||
        transport->open_count <= transport->idle)
        return;
    tear_down_multi(transport);
    transport->broken = !set_up_multi(transport);
}

/* What was asked for while curl was on the stack. */
static void serve(struct koine__transfer *transfer)
{
    if (transfer->step == WAITING && !transfer->cancelled)
        add(transfer);
    if (transfer->step == WAITING && !transfer->parked && !transfer->cancelled)
        fail(transfer, KOINE_CLASS_MEMORY, "out of memory");
    if (transfer->cancelled || transfer->fault->class_number != KOINE_CLASS_NONE)
        finish(transfer, CURLE_OK);
    else if (transfer->held && !transfer->paused)
        unhold(transfer);
}

static void settle(struct curl_transport *transport)
{
    CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(transport->multi, &left))) {
        struct koine__transfer *transfer = NULL;
        CURLcode code = message->data.result;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
        finish(transfer, code);
    }
    /* Handlers may queue more; that is for the next round, or this one would perhaps never end. */
    size_t count = 0;
    for (struct koine__transfer *at = transport->queue; at; at = at->queue_next)
        count++;
    for (; count > 0 && transport->queue; count--) {
        struct koine__transfer *transfer = transport->queue;
        dequeue(transfer);
        serve(transfer);
    }
    if (!transport->queue)
        koine__timer_stop(transport->loop, &transport->kick);
    close_surplus(transport);
}

/* curl is out of memory and does not say for whom. Some transfer is lost to it and would never end, and an
 * entry for its socket may be left behind, on which 7.88 divides by zero when the number comes back. */
static void fail_all(struct curl_transport *transport)
{
    transport->broken = true;
    for (struct koine__transfer *at = transport->active; at; at = at->next) {
        fail(at, KOINE_CLASS_MEMORY, "out of memory");
        enqueue(at);
    }
}

static void perform(struct curl_transport *transport, curl_socket_t fd, int what)
{
    int running;
    enter(transport);
    CURLMcode code = curl_multi_socket_action(transport->multi, fd, what, &running);
    leave(transport);
    if (code != CURLM_OK)
        fail_all(transport);
    settle(transport);
}

static void on_ready(struct koine__watch *watch, bool readable, bool writable)
{
    struct curl_socket *sock = (struct curl_socket *)watch;
    perform(sock->owner, watch->fd, (readable ? CURL_CSELECT_IN : 0) | (writable ? CURL_CSELECT_OUT : 0));
}

static void on_deadline(struct koine__timer *timer)
{
    struct curl_transport *transport =
        (struct curl_transport *)((char *)timer - offsetof(struct curl_transport, timer));
    perform(transport, CURL_SOCKET_TIMEOUT, 0);
}

static void on_kick(struct koine__timer *timer)
{
    struct curl_transport *transport =
        (struct curl_transport *)((char *)timer - offsetof(struct curl_transport, kick));
    settle(transport);
}

/* ---- Preparing a request -------------------------------------------------------------------------- */

static bool is_loopback_v6(const char *bracketed)
{
    char text[INET6_ADDRSTRLEN];
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    size_t len = strcspn(bracketed + 1, "]");
    if (len >= sizeof(text))
        return false;
    memcpy(text, bracketed + 1, len);
    text[len] = '\0';
    return inet_pton(AF_INET6, text, &v6.sin6_addr) == 1 &&
           is_loopback_address((const struct sockaddr *)(const void *)&v6);
}

static bool is_loopback_host(const char *host)
{
    koine_str name = koine__str(host);
    unsigned char v4[4];
    if (*host == '[')
        return is_loopback_v6(host);
    if (inet_pton(AF_INET, host, v4) == 1)
        return v4[0] == 127;
    if (name.len && name.ptr[name.len - 1] == '.')
        name.len--;
    if (name.len > strlen(".localhost")) /* RFC 6761, section 6.3 */
        name = (koine_str){name.ptr + name.len - strlen(".localhost"), strlen(".localhost")};
    return koine__str_is_nocase(name, "localhost") || koine__str_is_nocase(name, ".localhost");
}

static void copy_part(CURLU *url, CURLUPart part, unsigned flags, char *ret, size_t size)
{
    char *text = NULL;
    if (curl_url_get(url, part, &text, flags) != CURLUE_OK)
        return;
    snprintf(ret, size, "%s", text);
    curl_free(text);
}

/* Keeps the URL that was read with its host and port behind it. */
static int keep_url(struct koine__transfer *transfer, const char *text, const char *host, const char *port)
{
    size_t text_size = strlen(text) + 1, host_size = strlen(host) + 1, port_size = strlen(port) + 1;
    char *kept = koine__alloc(text_size + host_size + port_size);
    if (!kept)
        return KOINE_EMEMORY;
    memcpy(kept, text, text_size);
    memcpy(kept + text_size, host, host_size);
    memcpy(kept + text_size + host_size, port, port_size);
    transfer->url = kept;
    transfer->host = kept + text_size;
    transfer->port = transfer->host + host_size;
    return KOINE_OK;
}

static void forget_url(struct koine__transfer *transfer)
{
    koine__dealloc(transfer->url);
    transfer->url = NULL;
    transfer->host = transfer->port = "";
}

/* Reads the URL the way curl will: whether a host is this machine is no question for two parsers. What curl
 * cannot read it refuses itself, later. */
static int read_url(struct koine__transfer *transfer, const char *text, bool *ret_tls)
{
    char scheme[8] = "", host[256] = "", port[8] = "";
    if (transfer->url && strcmp(transfer->url, text) == 0) {
        *ret_tls = transfer->is_tls;
        return KOINE_OK;
    }
    forget_url(transfer);
    CURLU *url = curl_url();
    CURLUcode code = url ? curl_url_set(url, CURLUPART_URL, text, 0) : CURLUE_OUT_OF_MEMORY;
    if (code == CURLUE_OK) {
        copy_part(url, CURLUPART_SCHEME, 0, scheme, sizeof(scheme));
        copy_part(url, CURLUPART_HOST, CURLU_URLDECODE, host, sizeof(host));
        copy_part(url, CURLUPART_PORT, CURLU_DEFAULT_PORT, port, sizeof(port));
    }
    curl_url_cleanup(url);
    if (code == CURLUE_OUT_OF_MEMORY || (code == CURLUE_OK && !*port))
        return KOINE_EMEMORY;
    transfer->loopback = is_loopback_host(host);
    *ret_tls = transfer->is_tls = strcmp(scheme, "https") == 0;
    return code == CURLUE_OK ? keep_url(transfer, text, host, port) : KOINE_OK;
}

static bool has_header(const struct koine__http_request *request, const char *name)
{
    for (size_t i = 0; i < request->header_count; i++)
        if (koine__str_is_nocase(request->headers[i].name, name))
            return true;
    return false;
}

struct line_writer { /* builds curl's list in two pieces of memory, so that the key can be wiped */
    struct koine__transfer *transfer;
    size_t count, used;
};

static void put(struct line_writer *writer, koine_str text)
{
    if (text.len)
        memcpy(writer->transfer->texts + writer->used, text.ptr, text.len);
    writer->used += text.len;
}

static void begin_line(struct line_writer *writer)
{
    struct curl_slist *line = &writer->transfer->lines[writer->count];
    line->data = writer->transfer->texts + writer->used;
    if (writer->count++ > 0)
        line[-1].next = line;
}

static void put_header(struct line_writer *writer, koine_str name, koine_str prefix, koine_str value)
{
    begin_line(writer);
    put(writer, name);
    put(writer, prefix.len + value.len ? KOINE__STR(": ") : KOINE__STR(";")); /* "Name:" would leave it out */
    put(writer, prefix);
    put(writer, value);
    put(writer, KOINE__STR("\0"));
}

static void leave_out(struct line_writer *writer, koine_str name)
{
    begin_line(writer);
    put(writer, name);
    put(writer, KOINE__STR(":\0"));
}

static koine_str secret_of(const struct koine__http_request *request)
{
    koine_str text = {NULL, 0};
    if (request->secret)
        text.ptr = koine__secret_text(request->secret, &text.len);
    return text;
}

static size_t lines_size(const struct koine__http_request *request)
{
    size_t size = sizeof("Expect:") + sizeof("Content-Type:");
    for (size_t i = 0; i < request->header_count; i++)
        size += request->headers[i].name.len + request->headers[i].value.len + strlen(": ") + 1;
    if (request->secret_name)
        size += strlen(request->secret_name) + koine__str(request->secret_prefix).len +
                secret_of(request).len + strlen(": ") + 1;
    return size;
}

static int write_lines(struct koine__transfer *transfer, const struct koine__http_request *request)
{
    struct line_writer writer = {.transfer = transfer};
    transfer->texts_size = lines_size(request);
    transfer->texts = koine__alloc(transfer->texts_size);
    transfer->lines = koine__alloc_array(request->header_count + 3, sizeof(*transfer->lines));
    if (!transfer->texts || !transfer->lines) {
        free_lines(transfer);
        return KOINE_EMEMORY;
    }
    leave_out(&writer, KOINE__STR("Expect")); /* curl would wait up to a second for a 100 */
    if (!has_header(request, "content-type"))
        leave_out(&writer, KOINE__STR("Content-Type"));
    for (size_t i = 0; i < request->header_count; i++)
        put_header(&writer, request->headers[i].name, (koine_str){NULL, 0}, request->headers[i].value);
    if (request->secret_name)
        put_header(&writer, koine__str(request->secret_name), koine__str(request->secret_prefix),
                   secret_of(request));
    return KOINE_OK;
}

/* Options fail for want of memory only: what is set are constants, and texts that curl copies. */
struct options {
    CURL *easy;
    bool failed;
};
#define SET(options, option, value)                                                                          \
    ((options)->failed |= curl_easy_setopt((options)->easy, (option), (value)) != CURLE_OK)

/* What is the same for every request of a handle. */
static int set_for_life(struct koine__transfer *transfer)
{
    struct curl_transport *transport = transfer->owner;
    struct options options = {.easy = transfer->easy};
    SET(&options, CURLOPT_PRIVATE, transfer);
    SET(&options, CURLOPT_ERRORBUFFER, transfer->words);
    SET(&options, CURLOPT_NOSIGNAL, 1L);
    SET(&options, CURLOPT_QUICK_EXIT, 1L); /* or a slow resolver is waited for on cancel */
    SET(&options, CURLOPT_FOLLOWLOCATION, 0L);
    SET(&options, CURLOPT_PROTOCOLS_STR, "http,https");
    SET(&options, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
    SET(&options, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    SET(&options, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    SET(&options, CURLOPT_CAPATH, NULL);
    SET(&options, CURLOPT_CONNECTTIMEOUT_MS, ONE_DAY_MS);
    SET(&options, CURLOPT_BUFFERSIZE, 32768L);
    SET(&options, CURLOPT_UPLOAD_BUFFERSIZE, 65536L);
    SET(&options, CURLOPT_OPENSOCKETFUNCTION, on_open);
    SET(&options, CURLOPT_OPENSOCKETDATA, transfer);
    SET(&options, CURLOPT_CLOSESOCKETFUNCTION, on_close);
    SET(&options, CURLOPT_CLOSESOCKETDATA, transport);
    SET(&options, CURLOPT_PREREQFUNCTION, on_send);
    SET(&options, CURLOPT_PREREQDATA, transfer);
    SET(&options, CURLOPT_HEADERFUNCTION, on_header);
    SET(&options, CURLOPT_HEADERDATA, transfer);
    SET(&options, CURLOPT_WRITEFUNCTION, on_body);
    SET(&options, CURLOPT_WRITEDATA, transfer);
    if (transport->share)
        SET(&options, CURLOPT_SHARE, transport->share->handle);
    return options.failed ? KOINE_EMEMORY : KOINE_OK;
}

static void set_method(struct options *options, const struct koine__http_request *request)
{
    bool is_get = strcmp(request->method, "GET") == 0, is_post = strcmp(request->method, "POST") == 0;
    bool has_body = request->body.ptr || is_post;
    SET(options, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.len);
    SET(options, CURLOPT_POSTFIELDS, has_body && request->body.ptr ? request->body.ptr : ""); /* no copy */
    if (!has_body)
        SET(options, CURLOPT_HTTPGET, 1L);
    SET(options, CURLOPT_NOBODY, strcmp(request->method, "HEAD") == 0 ? 1L : 0L);
    bool implied = has_body ? is_post : is_get;
    SET(options, CURLOPT_CUSTOMREQUEST, implied ? NULL : request->method);
}

/* Only for who asks: curl takes its time to put things into words. */
static int set_for_way(struct koine__transfer *transfer, const struct koine__http_request *request)
{
    struct options options = {.easy = transfer->easy};
    transfer->way = request->way && request->way->step == KOINE__STEP_NONE ? request->way : NULL;
    if (!transfer->way && !transfer->watched)
        return KOINE_OK;
    transfer->watched = transfer->way != NULL;
    transfer->shook = false;
    SET(&options, CURLOPT_VERBOSE, transfer->watched ? 1L : 0L);
    SET(&options, CURLOPT_CERTINFO, transfer->watched ? 1L : 0L);
    SET(&options, CURLOPT_DEBUGFUNCTION, on_words);
    SET(&options, CURLOPT_DEBUGDATA, transfer);
    if (transfer->way && request->proxy && !transfer->loopback)
        note_proxy(transfer->way, koine__str(request->proxy), (koine_str){NULL, 0});
    return options.failed ? KOINE_EMEMORY : KOINE_OK;
}

static int set_for_request(struct koine__transfer *transfer, const struct koine__http_request *request,
                           bool is_tls)
{
    struct options options = {.easy = transfer->easy};
    set_method(&options, request);
    SET(&options, CURLOPT_URL, request->url);
    SET(&options, CURLOPT_FRESH_CONNECT, 0L);
    SET(&options, CURLOPT_FORBID_REUSE, transfer->owner->idle == 0 ? 1L : 0L);
    SET(&options, CURLOPT_HTTPHEADER, transfer->lines);
    SET(&options, CURLOPT_ACCEPT_ENCODING,
        request->stream ? "identity" : ""); /* "": all that curl can read */
    SET(&options, CURLOPT_CAINFO, is_tls ? find_bundle(request) : NULL);
    SET(&options, CURLOPT_HTTP_VERSION, is_tls ? (long)CURL_HTTP_VERSION_2TLS : (long)CURL_HTTP_VERSION_1_1);
    /* While curl waits for another's handshake to tell whether the connection carries several streams, this
     * one's timer runs. That pays only where it will. */
    SET(&options, CURLOPT_PIPEWAIT, is_tls && find_known(transfer) ? 1L : 0L);
    SET(&options, CURLOPT_PROXY, transfer->loopback ? "" : request->proxy); /* NULL: the environment's */
    return options.failed ? KOINE_EMEMORY : KOINE_OK;
}

/* ---- The operations ------------------------------------------------------------------------------- */

static struct koine__transfer *new_transfer(struct curl_transport *transport)
{
    struct koine__transfer *transfer = koine__alloc(sizeof(*transfer));
    if (!transfer)
        return NULL;
    transfer->owner = transport;
    transfer->fault = &koine__no_fault;
    transfer->host = transfer->port = "";
    koine__head_reader_init(&transfer->head);
    transfer->easy = curl_easy_init();
    if (transfer->easy && set_for_life(transfer) == KOINE_OK)
        return transfer;
    free_transfer(transfer);
    return NULL;
}

static void on_drained(struct koine__timer *timer);

static struct koine__transfer *take_transfer(struct curl_transport *transport, size_t header_limit)
{
    struct koine__transfer *transfer = transport->spare;
    if (transfer) {
        transport->spare = transfer->next;
        transport->spare_count--;
    } else {
        transfer = new_transfer(transport);
    }
    if (!transfer)
        return NULL;
    transfer->cancelled = transfer->detached = transfer->paused = transfer->held = transfer->strayed = false;
    transfer->stale = transfer->encoded = transfer->reached = transfer->parked = false;
    transfer->sends = 0;
    transfer->drained = 0;
    koine__fault_drop(&transfer->fault);
    transfer->failures = failures;
    *transfer->words = '\0';
    koine__timer_init(&transfer->drain_timer, on_drained);
    koine__head_reader_reset(&transfer->head, header_limit ? header_limit : HEADER_LIMIT);
    transfer->prev = NULL;
    transfer->next = transport->active;
    if (transfer->next)
        transfer->next->prev = transfer;
    transport->active = transfer;
    return transfer;
}

/* curl must not be asked for more while it is on the stack. */
static int begin(struct koine__transfer *transfer)
{
    transfer->step = WAITING;
    if (transfer->owner->inside)
        enqueue(transfer);
    else
        add(transfer);
    return transfer->step == RUNNING || transfer->queued || transfer->parked ? KOINE_OK : KOINE_EMEMORY;
}

static int curl_start(struct koine__transport *self, const struct koine__http_request *request,
                      const struct koine__handler *handler, void *arg, struct koine__transfer **ret)
{
    struct curl_transport *transport = (struct curl_transport *)self;
    bool is_tls = false;
    if (!koine__http_request_valid(request))
        return KOINE_EARGUMENT;
    struct koine__transfer *transfer = take_transfer(transport, request->header_limit);
    if (!transfer)
        return KOINE_EMEMORY;
    transfer->handler = *handler;
    transfer->arg = arg;
    transfer->body_len = request->body.len;
    if (read_url(transfer, request->url, &is_tls) != KOINE_OK || write_lines(transfer, request) != KOINE_OK ||
        set_for_request(transfer, request, is_tls) != KOINE_OK || set_for_way(transfer, request) != KOINE_OK)
        goto failed;
    transfer->is_tls = is_tls;
    transport->has_tls |= is_tls;
    if (begin(transfer) != KOINE_OK)
        goto failed;
    *ret = transfer;
    return KOINE_OK;
failed:
    detach(transfer);
    recycle(transfer);
    return KOINE_EMEMORY;
}

static void curl_cancel(struct koine__transfer *transfer)
{
    if (transfer->step == ENDING || transfer->step == SPARE)
        return;
    tell_way(transfer); /* whoever asks may be gone before curl is */
    transfer->cancelled = true;
    forbid_reuse(transfer);
    if (transfer->owner->inside) {
        enqueue(transfer);
        return;
    }
    detach(transfer);
    recycle(transfer);
}

static void on_drained(struct koine__timer *timer)
{
    curl_cancel((struct koine__transfer *)((char *)timer - offsetof(struct koine__transfer, drain_timer)));
}

static void curl_resume(struct koine__transfer *transfer)
{
    transfer->paused = false;
    if (transfer->held)
        enqueue(transfer); /* curl may deliver at once, so not here */
}

static bool curl_has_sent(const struct koine__transfer *transfer)
{
    curl_off_t sent = 0;
    curl_easy_getinfo(transfer->easy, CURLINFO_SIZE_UPLOAD_T, &sent);
    return transfer->head.complete && (uint64_t)sent >= transfer->body_len;
}

static void curl_drain(struct koine__transfer *transfer)
{
    struct curl_transport *transport = transfer->owner;
    if (transfer->step == ENDING)
        return;
    if (transfer->step != RUNNING || !curl_has_sent(transfer)) {
        curl_cancel(transfer); /* curl would go on reading the request's body */
        return;
    }
    tell_way(transfer);
    transfer->detached = true;
    koine__timer_set(transport->loop, &transfer->drain_timer, koine__time_add(now_of(transport), DRAIN_TIME));
    curl_resume(transfer);
}

static void curl_pause(struct koine__transfer *transfer)
{
    transfer->paused = true;
}

static void curl_free_transport(struct koine__transport *self)
{
    struct curl_transport *transport = (struct curl_transport *)self;
    while (transport->active)
        curl_cancel(transport->active);
    while (transport->spare) {
        struct koine__transfer *transfer = transport->spare;
        transport->spare = transfer->next;
        free_transfer(transfer);
    }
    tear_down_multi(transport);
    koine__dealloc(transport->open);
    koine__timer_stop(transport->loop, &transport->timer);
    koine__timer_stop(transport->loop, &transport->kick);
    koine__dealloc(transport);
}

static void abandon_transfers(struct koine__transfer *transfer)
{
    while (transfer) {
        struct koine__transfer *next = transfer->next;
        free_lines(transfer);
        koine__fault_drop(&transfer->fault);
        koine__head_reader_release(&transfer->head);
        koine__dealloc(transfer->url);
        koine__dealloc(transfer);
        transfer = next;
    }
}

static bool is_still_open(const struct open_socket *socket)
{
    struct stat info;
    return fstat(socket->fd, &info) == 0 && info.st_dev == socket->device && info.st_ino == socket->inode;
}

/* The connections are the parent's: closing our copies is all that may be done. curl's own memory stays. */
static void curl_abandon(struct koine__transport *self)
{
    struct curl_transport *transport = (struct curl_transport *)self;
    abandon_transfers(transport->active);
    abandon_transfers(transport->spare);
    for (size_t i = 0; i < transport->open_count; i++)
        if (is_still_open(&transport->open[i]))
            close(transport->open[i].fd);
    koine__dealloc(transport->open);
    while (transport->sockets) {
        struct curl_socket *sock = transport->sockets;
        transport->sockets = sock->next;
        koine__dealloc(sock);
    }
    koine__dealloc(transport);
}

static const struct koine__transport_ops curl_ops = {
    .start = curl_start,
    .cancel = curl_cancel,
    .drain = curl_drain,
    .has_sent = curl_has_sent,
    .pause = curl_pause,
    .resume = curl_resume,
    .free = curl_free_transport,
    .abandon = curl_abandon,
};

int koine__transport_curl_new(struct koine__loop *loop, const struct koine__curl_options *options,
                              struct koine__transport **ret)
{
    if (use_curl() != KOINE_OK)
        return KOINE_ESYSTEM;
    struct curl_transport *transport = koine__alloc(sizeof(*transport));
    if (!transport)
        return KOINE_EMEMORY;
    transport->base.ops = &curl_ops;
    transport->loop = loop;
    transport->share = options->share;
    transport->idle = options->idle < INT_MAX ? options->idle : INT_MAX;
    transport->limit = options->limit;
    transport->waiting = options->waiting;
    koine__timer_init(&transport->timer, on_deadline);
    koine__timer_init(&transport->kick, on_kick);
    if (!set_up_multi(transport)) {
        curl_free_transport(&transport->base);
        return KOINE_EMEMORY;
    }
    *ret = &transport->base;
    return KOINE_OK;
}
