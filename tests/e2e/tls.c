/* tls: tls DAYS SECONDS FILE: a TLS server on loopback that answers every request with a list of one model.
 * Its certificate is signed by itself, ends in so many days, and is written to the file; its `Date` is so
 * many seconds ahead of the time. Prints its port, and ends when standard input does.
 */
#include "tests/hostile/certificate.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static bool write_certificate(const char *file, X509 *certificate)
{
    FILE *to = fopen(file, "w");
    bool written = to && PEM_write_X509(to, certificate) == 1;
    return to && fclose(to) == 0 && written;
}

static SSL_CTX *make_context(int days, const char *file)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = key ? certificate_make(key, days) : NULL;
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    bool ready = certificate && context && SSL_CTX_use_certificate(context, certificate) == 1 &&
                 SSL_CTX_use_PrivateKey(context, key) == 1 && write_certificate(file, certificate);
    X509_free(certificate);
    EVP_PKEY_free(key);
    return ready ? context : NULL;
}

static int listen_on_loopback(int *ret_port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, size) < 0 || listen(fd, 16) < 0 ||
        getsockname(fd, (struct sockaddr *)&address, &size) < 0)
        return -1;
    *ret_port = ntohs(address.sin_port);
    return fd;
}

static bool read_request(SSL *ssl)
{
    char text[16384];
    size_t len = 0, got = 0;
    while (len < sizeof(text) - 1 && SSL_read_ex(ssl, text + len, sizeof(text) - 1 - len, &got) == 1) {
        len += got;
        text[len] = '\0';
        if (strstr(text, "\r\n\r\n"))
            return true;
    }
    return false;
}

static void answer(SSL *ssl, long ahead)
{
    static const char body[] = "{\"object\":\"list\",\"data\":[{\"id\":\"one\",\"object\":\"model\"}]}";
    char date[64], text[512];
    time_t now = time(NULL) + ahead;
    struct tm utc;
    size_t written;
    gmtime_r(&now, &utc);
    strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", &utc); /* the C locale's names */
    int len = snprintf(text, sizeof(text),
                       "HTTP/1.1 200 OK\r\nDate: %s\r\nContent-Type: application/json\r\n"
                       "Content-Length: %zu\r\nConnection: close\r\n\r\n%s",
                       date, sizeof(body) - 1, body);
    SSL_write_ex(ssl, text, (size_t)len, &written);
    SSL_shutdown(ssl);
}

static void serve(SSL_CTX *context, int listener, long ahead)
{
    static const struct timeval patience = {.tv_sec = 20};
    int fd = accept(listener, NULL, NULL);
    SSL *ssl = SSL_new(context);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    if (fd >= 0 && ssl && SSL_set_fd(ssl, fd) == 1 && SSL_accept(ssl) == 1 && read_request(ssl))
        answer(ssl, ahead);
    SSL_free(ssl);
    close(fd);
}

int main(int argc, char **argv)
{
    int port = 0, listener = listen_on_loopback(&port);
    SSL_CTX *context = argc == 4 ? make_context(atoi(argv[1]), argv[3]) : NULL;
    if (!context || listener < 0) {
        fputs("usage: tls DAYS SECONDS FILE\n", stderr);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    printf("%d\n", port);
    fflush(stdout);
    struct pollfd fds[] = {{.fd = listener, .events = POLLIN}, {.fd = STDIN_FILENO, .events = POLLIN}};
    while (poll(fds, 2, -1) > 0 && fds[1].revents == 0)
        serve(context, listener, atol(argv[2]));
    SSL_CTX_free(context);
    return 0;
}
