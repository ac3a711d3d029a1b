/* crypto: the one file that knows libsodium. Key bytes live in its guarded pages, which do not come from
 * mem.h. */
#include "core/base/crypto.h"

#include "core/base/mem.h"
#include <koine/koine.h>
#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <string.h>

struct koine__secret {
    atomic_uint references;
    size_t len;
    uint64_t fingerprint;
    char *text; /* sodium_malloc, read-only, NUL-terminated */
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int init_result = KOINE_ESYSTEM;
static unsigned char fingerprint_key[crypto_shorthash_KEYBYTES]; /* of this process, never written anywhere */

static void init(void)
{
    if (sodium_init() < 0)
        return;
    randombytes_buf(fingerprint_key, sizeof(fingerprint_key));
    init_result = KOINE_OK;
}

int koine__crypto_init(void)
{
    pthread_once(&once, init);
    return init_result;
}

void koine__crypto_random(void *ret, size_t size)
{
    randombytes_buf(ret, size);
}

uint64_t koine__crypto_seed(void)
{
    uint64_t seed;
    randombytes_buf(&seed, sizeof(seed));
    return seed;
}

static uint64_t fingerprint_of(const char *text, size_t len)
{
    unsigned char hash[crypto_shorthash_BYTES];
    uint64_t value;
    _Static_assert(sizeof(hash) == sizeof(value), "a fingerprint is one hash");
    crypto_shorthash(hash, (const unsigned char *)text, len, fingerprint_key);
    memcpy(&value, hash, sizeof(value));
    return value;
}

struct koine__secret *koine__secret_new(const char *text, size_t len)
{
    if (koine__crypto_init() || len >= SIZE_MAX / 2)
        return NULL;
    struct koine__secret *secret = koine__alloc(sizeof(*secret));
    if (!secret)
        return NULL;
    secret->text = sodium_malloc(len + 1);
    if (!secret->text) {
        koine__dealloc(secret);
        return NULL;
    }
    if (len)
        memcpy(secret->text, text, len);
    secret->text[len] = '\0';
    secret->len = len;
    secret->fingerprint = fingerprint_of(secret->text, len);
    sodium_mprotect_readonly(secret->text);
    atomic_init(&secret->references, 1);
    return secret;
}

struct koine__secret *koine__secret_ref(struct koine__secret *secret)
{
    atomic_fetch_add_explicit(&secret->references, 1, memory_order_relaxed);
    return secret;
}

void koine__secret_unref(struct koine__secret *secret)
{
    if (!secret || atomic_fetch_sub_explicit(&secret->references, 1, memory_order_acq_rel) != 1)
        return;
    sodium_free(secret->text); /* wipes */
    koine__dealloc(secret);
}

const char *koine__secret_text(const struct koine__secret *secret, size_t *ret_len)
{
    *ret_len = secret->len;
    return secret->text;
}

bool koine__secret_is_shared(const struct koine__secret *secret)
{
    return atomic_load_explicit(&secret->references, memory_order_relaxed) > 1;
}

uint64_t koine__secret_fingerprint(const struct koine__secret *secret)
{
    return secret->fingerprint;
}

void koine__wipe(void *ptr, size_t size)
{
    if (size)
        sodium_memzero(ptr, size);
}

void koine__hash_hex(const void *ptr, size_t size, char ret[65])
{
    unsigned char hash[32];
    crypto_generichash(hash, sizeof(hash), ptr, size, NULL, 0);
    sodium_bin2hex(ret, 65, hash, sizeof(hash));
}

_Static_assert(sizeof(crypto_hash_sha256_state) <= sizeof(struct koine__sha256), "libsodium's state fits");

static crypto_hash_sha256_state *state_of(struct koine__sha256 *hash)
{
    return (crypto_hash_sha256_state *)(void *)hash->opaque;
}

void koine__sha256_begin(struct koine__sha256 *hash)
{
    crypto_hash_sha256_init(state_of(hash));
}

void koine__sha256_add(struct koine__sha256 *hash, const void *ptr, size_t size)
{
    crypto_hash_sha256_update(state_of(hash), ptr, size);
}

void koine__sha256_end(struct koine__sha256 *hash, char ret[KOINE__SHA256_HEX])
{
    unsigned char digest[crypto_hash_sha256_BYTES];
    crypto_hash_sha256_final(state_of(hash), digest);
    sodium_bin2hex(ret, KOINE__SHA256_HEX, digest, sizeof(digest));
}

/* ---- HMAC ---- */

#define KEY_PREFIX  "whsec_"
#define LONGEST_KEY 512 /* of one in base64 */

/* Bytes of the key behind the prefix; 0: it is no base64, or too long. */
static size_t read_key(const struct koine__secret *secret, unsigned char ret[LONGEST_KEY])
{
    size_t prefix = sizeof(KEY_PREFIX) - 1, len = 0;
    const char *end;
    if (secret->len <= prefix || memcmp(secret->text, KEY_PREFIX, prefix) != 0)
        return 0;
    if (sodium_base642bin(ret, LONGEST_KEY, secret->text + prefix, secret->len - prefix, NULL, &len, &end,
                          sodium_base64_VARIANT_ORIGINAL) != 0 ||
        end != secret->text + secret->len)
        return 0;
    return len;
}

void koine__hmac_base64(const struct koine__secret *key, const koine_str *pieces, size_t count,
                        char ret[KOINE__HMAC_BASE64])
{
    crypto_auth_hmacsha256_state state;
    unsigned char digest[crypto_auth_hmacsha256_BYTES], bytes[LONGEST_KEY];
    size_t len = read_key(key, bytes);
    if (len > 0)
        crypto_auth_hmacsha256_init(&state, bytes, len);
    else
        crypto_auth_hmacsha256_init(&state, (const unsigned char *)key->text, key->len);
    for (size_t i = 0; i < count; i++)
        crypto_auth_hmacsha256_update(&state, (const unsigned char *)pieces[i].ptr, pieces[i].len);
    crypto_auth_hmacsha256_final(&state, digest);
    sodium_bin2base64(ret, KOINE__HMAC_BASE64, digest, sizeof(digest), sodium_base64_VARIANT_ORIGINAL);
    sodium_memzero(bytes, sizeof(bytes));
    sodium_memzero(&state, sizeof(state));
}
