/* prelude.h — force-included in crypto/ in place of base/banned.h, which it ends with: OpenSSL's
 * declarations use some of the banned names for their parameters, so they have to come first. */
#ifndef CRYPTO_PRELUDE_H
#define CRYPTO_PRELUDE_H
#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#undef BASE_BANNED_H /* defined by meson.build, so that the usual place of inclusion did nothing   \
		      */
#include "base/banned.h"
#endif
