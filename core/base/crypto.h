/* crypto: the one file that knows libsodium: secrets in guarded memory, system randomness, fingerprints. */
#ifndef KOINE_CORE_BASE_CRYPTO_H
#define KOINE_CORE_BASE_CRYPTO_H

#include <koine/provider.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

int koine__crypto_init(void); /* once per process, any thread; 0, or KOINE_ESYSTEM */
void koine__crypto_random(void *ret, size_t size);
uint64_t koine__crypto_seed(void);

/* A key in memory: locked where the system allows it, never in a core dump, wiped when freed.
 * Reference-counted. */
struct koine__secret;
struct koine__secret *koine__secret_new(const char *text, size_t len); /* NULL: no memory */
struct koine__secret *koine__secret_ref(struct koine__secret *secret);
void koine__secret_unref(struct koine__secret *secret); /* NULL is fine */
const char *koine__secret_text(const struct koine__secret *secret, size_t *ret_len);
bool koine__secret_is_shared(const struct koine__secret *secret); /* somebody else holds it, too */
/* Words shorter than this are no keys, and would be masked where they mean something else. */
#define KOINE__SHORTEST_KEY 8
/* The same for equal keys of this process, tells nothing about the key: what state is shared by. */
uint64_t koine__secret_fingerprint(const struct koine__secret *secret);

void koine__wipe(void *ptr, size_t size);
/* BLAKE2b-256 of the bytes as 64 hex digits and NUL: names for cache files and digests. */
void koine__hash_hex(const void *ptr, size_t size, char ret[65]);

/* SHA-256 (FIPS 180-4) of bytes that come in pieces, as 64 lower-case hex digits and NUL. */
#define KOINE__SHA256_HEX 65
struct koine__sha256 {
    uint64_t opaque[16];
};
void koine__sha256_begin(struct koine__sha256 *hash);
void koine__sha256_add(struct koine__sha256 *hash, const void *ptr, size_t size);
void koine__sha256_end(struct koine__sha256 *hash, char ret[KOINE__SHA256_HEX]);

/* HMAC-SHA256 (RFC 2104) of pieces, one after another, in base64 and NUL. The key is the secret's text, or
 * what its base64 stands for where it begins with "whsec_", as secrets of the Standard Webhooks do. */
#define KOINE__HMAC_BASE64 45
void koine__hmac_base64(const struct koine__secret *key, const koine_str *pieces, size_t count,
                        char ret[KOINE__HMAC_BASE64]);

#endif
