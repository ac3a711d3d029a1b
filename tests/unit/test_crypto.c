/* crypto: secrets and their fingerprints, digests against published values, randomness that differs. */
#include "core/base/crypto.h"

#include "tests/unit/failalloc.h"
#include "tests/unit/suite.h"
#include <pthread.h>
#include <string.h>

static void *init_again(void *arg)
{
    *(int *)arg = koine__crypto_init();
    return NULL;
}

static void test_init_from_many_threads(void)
{
    pthread_t threads[8];
    int results[8];
    for (size_t i = 0; i < 8; i++)
        ASSERT_INT(pthread_create(&threads[i], NULL, init_again, &results[i]), 0);
    for (size_t i = 0; i < 8; i++) {
        pthread_join(threads[i], NULL);
        ASSERT_INT(results[i], 0);
    }
}

static void test_secret(void)
{
    size_t len;
    char key[] = "sk-0123456789";
    struct koine__secret *secret = koine__secret_new(key, strlen(key));
    CU_ASSERT_PTR_NOT_NULL_FATAL(secret);
    koine__wipe(key, sizeof(key));
    ASSERT_STR(koine__secret_text(secret, &len), "sk-0123456789");
    ASSERT_INT(len, 13);
    CU_ASSERT_PTR_EQUAL(koine__secret_ref(secret), secret);
    koine__secret_unref(secret);
    ASSERT_STR(koine__secret_text(secret, &len), "sk-0123456789");
    koine__secret_unref(secret);
    koine__secret_unref(NULL);
}

static void test_secret_of_nothing(void)
{
    size_t len;
    struct koine__secret *secret = koine__secret_new(NULL, 0);
    CU_ASSERT_PTR_NOT_NULL_FATAL(secret);
    ASSERT_STR(koine__secret_text(secret, &len), "");
    ASSERT_INT(len, 0);
    koine__secret_unref(secret);
    CU_ASSERT_PTR_NULL(koine__secret_new("x", (size_t)-1));
}

static void test_fingerprints(void)
{
    struct koine__secret *a = koine__secret_new("key one", 7);
    struct koine__secret *b = koine__secret_new("key one", 7);
    struct koine__secret *c = koine__secret_new("key two", 7);
    CU_ASSERT_TRUE_FATAL(a && b && c);
    CU_ASSERT_EQUAL(koine__secret_fingerprint(a), koine__secret_fingerprint(b));
    CU_ASSERT_NOT_EQUAL(koine__secret_fingerprint(a), koine__secret_fingerprint(c));
    koine__secret_unref(a);
    koine__secret_unref(b);
    koine__secret_unref(c);
}

/* 80 MB of address space are given back by and by: a leak of guarded pages would show here as a failure. */
static void test_many_secrets(void)
{
    for (int i = 0; i < 5000; i++) {
        struct koine__secret *secret = koine__secret_new("k", 1);
        CU_ASSERT_PTR_NOT_NULL_FATAL(secret);
        koine__secret_unref(secret);
    }
}

static void test_no_memory(void)
{
    failalloc_begin(1);
    CU_ASSERT_PTR_NULL(koine__secret_new("x", 1));
    CU_ASSERT_TRUE(failalloc_end());
    CU_ASSERT_PTR_NULL(koine__secret_new("x", (size_t)1 << 60));
}

static void test_digests(void)
{
    char hex[65];
    koine__hash_hex(NULL, 0, hex);
    ASSERT_STR(hex, "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8");
    koine__hash_hex("abc", 3, hex);
    ASSERT_STR(hex, "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319");
}

/* FIPS 180-4 and its examples: nothing, "abc", 448 bits, and a million times "a" in odd pieces. */
static void test_sha256(void)
{
    struct koine__sha256 hash;
    char hex[KOINE__SHA256_HEX], piece[999];
    koine__sha256_begin(&hash);
    koine__sha256_end(&hash, hex);
    ASSERT_STR(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    koine__sha256_begin(&hash);
    koine__sha256_add(&hash, "a", 1);
    koine__sha256_add(&hash, "bc", 2);
    koine__sha256_end(&hash, hex);
    ASSERT_STR(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    koine__sha256_begin(&hash);
    koine__sha256_add(&hash, "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56);
    koine__sha256_end(&hash, hex);
    ASSERT_STR(hex, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    memset(piece, 'a', sizeof(piece));
    koine__sha256_begin(&hash);
    for (size_t left = 1000000; left > 0; left -= left < sizeof(piece) ? left : sizeof(piece))
        koine__sha256_add(&hash, piece, left < sizeof(piece) ? left : sizeof(piece));
    koine__sha256_end(&hash, hex);
    ASSERT_STR(hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

static void test_random(void)
{
    unsigned char a[32] = {0}, b[32] = {0};
    koine__crypto_random(a, sizeof(a));
    koine__crypto_random(b, sizeof(b));
    CU_ASSERT_TRUE(memcmp(a, b, sizeof(a)) != 0);
    CU_ASSERT_NOT_EQUAL(koine__crypto_seed(), koine__crypto_seed());
}

/* RFC 4231, test case 2; then a secret in the notation of the Standard Webhooks, and one that only looks so.
 */
static void test_hmac(void)
{
    static const struct {
        const char *key, *text, *digest;
    } cases[] = {
        {"Jefe", "what do ya want for nothing?", "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM="},
        {"whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=", "msg_1.1700000000.{}",
         "2c4VI0bO4Wd5svqP2unEA9pCk0dTAXr/elrHCJ+/efk="},
        {"0123456789abcdef0123456789abcdef", "msg_1.1700000000.{}",
         "2c4VI0bO4Wd5svqP2unEA9pCk0dTAXr/elrHCJ+/efk="},
        {"whsec_no*base64", "x", "oVTC9w/PQBFNrqIntRKv+a/yajEuiXv22OFuB3mHEh4="},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct koine__secret *key = koine__secret_new(cases[i].key, strlen(cases[i].key));
        size_t len = strlen(cases[i].text);
        char digest[KOINE__HMAC_BASE64];
        CU_ASSERT_PTR_NOT_NULL_FATAL(key);
        for (size_t cut = 0; cut <= len; cut++) {
            koine_str pieces[2] = {{cases[i].text, cut}, {cases[i].text + cut, len - cut}};
            koine__hmac_base64(key, pieces, 2, digest);
            ASSERT_STR(digest, cases[i].digest);
        }
        koine__secret_unref(key);
    }
}

static void test_wipe(void)
{
    char text[] = "secret";
    koine__wipe(text, 0);
    ASSERT_STR(text, "secret");
    koine__wipe(text, 3);
    ASSERT_MEM(text, 6, "\0\0\0ret");
}

SUITE_MAIN("crypto", {"init from many threads", test_init_from_many_threads}, {"secret", test_secret},
           {"secret of nothing", test_secret_of_nothing}, {"fingerprints", test_fingerprints},
           {"many secrets", test_many_secrets}, {"no memory", test_no_memory}, {"digests", test_digests},
           {"sha256", test_sha256}, {"hmac", test_hmac}, {"random", test_random}, {"wipe", test_wipe})
