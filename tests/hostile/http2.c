/* http2: see http2.h. */
#include "tests/hostile/http2.h"

#include "tests/hostile/certificate.h"
#include "tests/hostile/server.h"
#include "tests/hostile/text.h"
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define MOST_STREAMS 64
#define FRAME_LIMIT  ((size_t)16384)
#define HANG_MS      20000 /* no timer of a test is that long */
#define WINDOW       65535 /* until somebody says something else */

struct stream {
    uint32_t id;       /* 0: free */
    bool whole, reset; /* the request is there; the client took it back */
    int64_t window;    /* what may be sent */
    size_t len;
    char text[8192]; /* the request's body */
};

struct http2 {
    SSL *ssl;
    int fd;
    int64_t window, first_window;
    uint32_t newest;
    struct stream streams[MOST_STREAMS];
};

static SSL_CTX *context;

/* ---- Bytes ---- */

static uint32_t read_number(const unsigned char *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static void write_number(unsigned char *at, uint32_t number)
{
    for (int i = 0; i < 4; i++)
        at[i] = (unsigned char)(number >> (24 - 8 * i));
}

static bool write_all(struct http2 *http2, const void *ptr, size_t len)
{
    size_t written = 0;
    if (len > 0 && SSL_write_ex(http2->ssl, ptr, len, &written) != 1)
        return false;
    server_count_bytes(len);
    return true;
}

static bool read_all(struct http2 *http2, unsigned char *ret, size_t len)
{
    size_t got = 0;
    for (; len > 0; ret += got, len -= got)
        if (SSL_read_ex(http2->ssl, ret, len, &got) != 1)
            return false;
    return true;
}

static bool has_bytes(const struct http2 *http2, int ms)
{
    struct pollfd fd = {.fd = http2->fd, .events = POLLIN};
    return SSL_pending(http2->ssl) > 0 || poll(&fd, 1, ms) > 0;
}

/* ---- What the client says ---- */

static struct stream *find_stream(struct http2 *http2, uint32_t id)
{
    for (size_t i = 0; id && i < MOST_STREAMS; i++)
        if (http2->streams[i].id == id)
            return &http2->streams[i];
    return NULL;
}

static bool open_stream(struct http2 *http2, uint32_t id)
{
    for (size_t i = 0; i < MOST_STREAMS; i++) {
        struct stream *stream = &http2->streams[i];
        if (stream->id != 0)
            continue;
        *stream = (struct stream){.id = id, .window = http2->first_window};
        http2->newest = id;
        server_count_request();
        return true;
    }
    return false;
}

static void add_text(struct stream *stream, const unsigned char *ptr, size_t len)
{
    if (len > sizeof(stream->text) - 1 - stream->len)
        len = sizeof(stream->text) - 1 - stream->len;
    memcpy(stream->text + stream->len, ptr, len);
    stream->len += len;
}

static void take_settings(struct http2 *http2, const unsigned char *ptr, size_t len)
{
    for (; len >= 6; ptr += 6, len -= 6) {
        int64_t value = read_number(ptr + 2);
        if (ptr[0] != 0 || ptr[1] != 4) /* SETTINGS_INITIAL_WINDOW_SIZE */
            continue;
        for (size_t i = 0; i < MOST_STREAMS; i++)
            http2->streams[i].window += value - http2->first_window;
        http2->first_window = value;
    }
}

static bool take_frame(struct http2 *http2, const unsigned char *head, const unsigned char *ptr, size_t len)
{
    static const unsigned char settings_ack[] = {0, 0, 0, SETTINGS, ACK, 0, 0, 0, 0};
    uint32_t id = read_number(head + 5) & 0x7FFFFFFF;
    struct stream *stream = find_stream(http2, id);
    if (head[3] == HEADERS && !stream && !open_stream(http2, id))
        return false;
    stream = find_stream(http2, id);
    if (head[3] == DATA && stream)
        add_text(stream, ptr, len);
    if ((head[3] == DATA || head[3] == HEADERS) && stream && head[4] & END_STREAM)
        stream->whole = true;
    if (head[3] == RST_STREAM && stream)
        stream->reset = true;
    if (head[3] == WINDOW_UPDATE && len == 4 && id == 0)
        http2->window += read_number(ptr);
    if (head[3] == WINDOW_UPDATE && len == 4 && stream)
        stream->window += read_number(ptr);
    if (head[3] != SETTINGS || head[4] & ACK)
        return true;
    take_settings(http2, ptr, len);
    return write_all(http2, settings_ack, sizeof(settings_ack));
}

static bool read_frame(struct http2 *http2)
{
    unsigned char head[9], body[FRAME_LIMIT];
    if (!read_all(http2, head, sizeof(head)))
        return false;
    size_t len = (size_t)head[0] << 16 | (size_t)head[1] << 8 | head[2];
    return len <= sizeof(body) && read_all(http2, body, len) && take_frame(http2, head, body, len);
}

/* Requests are small: their bodies fit the window that every connection begins with, but many do not. */
static bool give_window(const struct turn *turn, size_t len)
{
    unsigned char bytes[4];
    write_number(bytes, (uint32_t)len);
    return len == 0 || http2_frame(turn, WINDOW_UPDATE, 0, 0, bytes, sizeof(bytes));
}

/* ---- Sending ---- */

bool http2_bytes(const struct turn *turn, const void *ptr, size_t len)
{
    return write_all(turn->connection, ptr, len);
}

bool http2_frame(const struct turn *turn, int type, int flags, uint32_t stream, const void *ptr, size_t len)
{
    unsigned char frame[9 + 65536] = {(unsigned char)(len >> 16), (unsigned char)(len >> 8),
                                      (unsigned char)len, (unsigned char)type, (unsigned char)flags};
    write_number(frame + 5, stream);
    if (len > sizeof(frame) - 9)
        return false;
    if (len > 0)
        memcpy(frame + 9, ptr, len);
    return write_all(turn->connection, frame, 9 + len); /* one record: the client reads it in one piece */
}

bool http2_data(const struct turn *turn, const void *ptr, size_t len, int flags)
{
    struct http2 *http2 = turn->connection;
    const char *at = ptr;
    do {
        struct stream *stream = find_stream(http2, turn->stream);
        while (stream && !stream->reset &&
               ((len > 0 && (http2->window <= 0 || stream->window <= 0)) || has_bytes(http2, 0)))
            if (!read_frame(http2))
                return false;
        if (!stream || stream->reset)
            return false;
        size_t most = len < FRAME_LIMIT ? len : FRAME_LIMIT;
        if ((int64_t)most > http2->window)
            most = (size_t)http2->window;
        if ((int64_t)most > stream->window)
            most = (size_t)stream->window;
        if (!http2_frame(turn, DATA, most == len ? flags : 0, turn->stream, at, most))
            return false;
        http2->window -= (int64_t)most;
        stream->window -= (int64_t)most;
        at += most;
        len -= most;
    } while (len > 0);
    return true;
}

bool http2_reset(const struct turn *turn, uint32_t code)
{
    unsigned char bytes[4];
    write_number(bytes, code);
    return http2_frame(turn, RST_STREAM, 0, turn->stream, bytes, sizeof(bytes));
}

bool http2_goaway(const struct turn *turn, uint32_t last, uint32_t code)
{
    unsigned char bytes[8];
    write_number(bytes, last);
    write_number(bytes + 4, code);
    return http2_frame(turn, GOAWAY, 0, 0, bytes, sizeof(bytes));
}

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

bool http2_wait(const struct turn *turn, int ms)
{
    int64_t end = now_ms() + ms;
    for (int64_t left = ms; left > 0; left = end - now_ms()) {
        const struct stream *stream = find_stream(turn->connection, turn->stream);
        if (!stream || stream->reset)
            return true; /* nobody waits for this answer any more */
        if (has_bytes(turn->connection, (int)left) && !read_frame(turn->connection))
            return false;
    }
    return true;
}

size_t http2_waiting(const struct turn *turn)
{
    size_t count = 0;
    for (size_t i = 0; i < MOST_STREAMS; i++)
        count += turn->connection->streams[i].id && turn->connection->streams[i].whole;
    return count;
}

static void block_add_text(struct block *block, const char *text)
{
    size_t len = strlen(text);
    unsigned char *at = block->bytes + block->len;
    if (block->len + len + 4 > sizeof(block->bytes))
        return;
    if (len < 127) {
        *at++ = (unsigned char)len;
    } else { /* RFC 7541, section 5.1, up to 16 kB */
        *at++ = 127;
        *at++ = (unsigned char)((len - 127) % 128 | 128);
        *at++ = (unsigned char)((len - 127) / 128);
    }
    memcpy(at, text, len);
    block->len = (size_t)(at - block->bytes) + len;
}

void block_add(struct block *block, const char *name, const char *value)
{
    block->bytes[block->len++] = 0; /* literal, without indexing, with a new name */
    block_add_text(block, name);
    block_add_text(block, value);
}

/* ---- Connections ---- */

static struct stream *next_request(struct http2 *http2)
{
    for (;;) {
        for (size_t i = 0; i < MOST_STREAMS; i++) {
            struct stream *stream = &http2->streams[i];
            if (stream->id && stream->reset)
                stream->id = 0;
            if (stream->id && stream->whole)
                return stream;
        }
        if (!read_frame(http2))
            return NULL;
    }
}

static void serve_requests(struct http2 *http2)
{
    struct stream *stream;
    while ((stream = next_request(http2))) {
        char name[64];
        struct turn turn = {http2, stream->id, asked_stream(stream->text)};
        const struct act2 *act = asked_act(stream->text, name, sizeof(name)) ? act2_find(name) : NULL;
        if (!give_window(&turn, stream->len) || !act || !act->play(&turn, act))
            return;
        stream->id = 0;
    }
}

/* The client's preface and ours. */
static bool greet(struct http2 *http2)
{
    static const char wanted[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    static const unsigned char settings[] = {0, 0, 0, SETTINGS, 0, 0, 0, 0, 0};
    unsigned char got[sizeof(wanted) - 1];
    const unsigned char *protocol = NULL;
    unsigned len = 0;
    SSL_get0_alpn_selected(http2->ssl, &protocol, &len);
    return len == 2 && memcmp(protocol, "h2", 2) == 0 && read_all(http2, got, sizeof(got)) &&
           memcmp(got, wanted, sizeof(got)) == 0 && write_all(http2, settings, sizeof(settings));
}

static atomic_int hanging;

void http2_hang(int count)
{
    atomic_store(&hanging, count);
}

static bool hangs(void)
{
    return atomic_load(&hanging) > 0 && atomic_fetch_sub(&hanging, 1) > 0;
}

static void serve(int fd)
{
    struct http2 *http2 = calloc(1, sizeof(*http2));
    int little = 4096; /* what the client answers to a flood is soon too much */
    if (!http2)
        return;
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &little, sizeof(little));
    http2->fd = fd;
    http2->window = http2->first_window = WINDOW;
    http2->ssl = SSL_new(context);
    if (hangs())
        server_wait(fd, HANG_MS);
    else if (http2->ssl && SSL_set_fd(http2->ssl, fd) == 1 && SSL_accept(http2->ssl) == 1 && greet(http2))
        serve_requests(http2);
    SSL_free(http2->ssl);
    ERR_clear_error();
    free(http2);
}

/* ---- The certificate ---- */

static int select_protocol(SSL *ssl, const unsigned char **ret, unsigned char *ret_len,
                           const unsigned char *offered, unsigned len, void *arg)
{
    static const unsigned char only[] = "\2h2";
    unsigned char *chosen = NULL;
    (void)ssl, (void)arg;
    if (SSL_select_next_proto(&chosen, ret_len, only, 3, offered, len) != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *ret = chosen;
    return SSL_TLSEXT_ERR_OK;
}

static void put_certificate(struct scratch *scratch, X509 *certificate)
{
    char *text = NULL;
    BIO *out = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(out, certificate);
    long len = BIO_get_mem_data(out, &text);
    scratch_write(scratch, HTTP2_CA_FILE, text, (size_t)len);
    BIO_free(out);
}

int http2_start(struct scratch *scratch)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = key ? certificate_make(key, 1) : NULL;
    context = SSL_CTX_new(TLS_server_method());
    bool ready = certificate && context && SSL_CTX_use_certificate(context, certificate) == 1 &&
                 SSL_CTX_use_PrivateKey(context, key) == 1;
    if (ready) {
        SSL_CTX_set_alpn_select_cb(context, select_protocol, NULL);
        put_certificate(scratch, certificate);
    }
    X509_free(certificate);
    EVP_PKEY_free(key);
    return ready ? server_start(serve) : 0;
}
