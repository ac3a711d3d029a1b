/* Verifies a notice that came to a webhook:
 *
 *     verify SECRET ID TIMESTAMP SIGNATURE < body && echo "it is from Koine"
 *
 * with what the headers webhook-id, webhook-timestamp and webhook-signature said. Exit status 0: it is
 * genuine, and not older than five minutes. Builds with: cc webhook.c $(pkg-config --cflags --libs libsodium)
 * -o verify
 */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define OLDEST 300 /* seconds: so a notice that somebody recorded is of no use later */

/* "whsec_…" is base64; any other secret is its own bytes. */
static size_t read_key(const char *secret, unsigned char *ret, size_t size)
{
    size_t length = strlen(secret);
    if (strncmp(secret, "whsec_", 6) == 0 &&
        sodium_base642bin(ret, size, secret + 6, length - 6, NULL, &length, NULL,
                          sodium_base64_VARIANT_ORIGINAL) == 0)
        return length;
    memcpy(ret, secret, length < size ? length : size);
    return length < size ? length : size;
}

/* Adds the bytes of the body exactly as they came: never what a JSON parser made of them. */
static void add_body(crypto_auth_hmacsha256_state *state, FILE *body)
{
    unsigned char bytes[4096];
    size_t got;
    while ((got = fread(bytes, 1, sizeof(bytes), body)) > 0)
        crypto_auth_hmacsha256_update(state, bytes, got);
}

int main(int argc, char **argv)
{
    crypto_auth_hmacsha256_state state;
    unsigned char key[512], digest[crypto_auth_hmacsha256_BYTES];
    char expected[64] = "v1,", signed_head[512];
    if (argc != 5 || sodium_init() < 0)
        return 2;
    int length = snprintf(signed_head, sizeof(signed_head), "%s.%s.", argv[2], argv[3]);
    if (length < 0 || (size_t)length >= sizeof(signed_head))
        return 1;
    crypto_auth_hmacsha256_init(&state, key, read_key(argv[1], key, sizeof(key)));
    crypto_auth_hmacsha256_update(&state, (unsigned char *)signed_head, (size_t)length);
    add_body(&state, stdin);
    crypto_auth_hmacsha256_final(&state, digest);
    sodium_bin2base64(expected + 3, sizeof(expected) - 3, digest, sizeof(digest),
                      sodium_base64_VARIANT_ORIGINAL);
    if (strlen(argv[4]) != strlen(expected) || sodium_memcmp(argv[4], expected, strlen(expected)) != 0)
        return 1;
    return labs((long)time(NULL) - atol(argv[3])) <= OLDEST ? 0 : 1;
}
