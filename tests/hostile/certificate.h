/* certificate: of a TLS server of the tests. */
#ifndef KOINE_TESTS_HOSTILE_CERTIFICATE_H
#define KOINE_TESTS_HOSTILE_CERTIFICATE_H

#include <openssl/evp.h>
#include <openssl/x509.h>

/* For 127.0.0.1, signed by itself, from two days ago on, for so many days and an hour from now (below 0: it
 * has ended). NULL: none. */
X509 *certificate_make(EVP_PKEY *key, int days);

#endif
