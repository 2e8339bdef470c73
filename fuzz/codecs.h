/* SPDX-License-Identifier: MIT */
/* The backends' codecs: those of this build, and one from a shared object. */
#ifndef WP_CODECS_H
#define WP_CODECS_H

#include <stdbool.h>
#include <stddef.h>

#include <walkproof/codec.h>

#include "regime.h"

/* A backend's name, or a regime's that it serves; NULL: there is none. */
const struct wp_codec *wp_codec_find(const char *name);

/* The regimes that a backend of this build serves, or the one of that name. */
size_t wp_codec_regimes(const char *name, const struct wp_regime *regimes[], size_t most);

/* "x86_64, x86_64_la57, ..." */
void wp_codec_names(char *text, size_t size);

/*
 * The codec that the object at `path` exports, NULL if it exports none; it stays loaded.
 * False: `why` says what is wrong with the object, or with its codec.
 */
bool wp_codec_load(const char *path, const struct wp_codec **exported, char *why, size_t why_size);

#endif
