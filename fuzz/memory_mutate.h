/* SPDX-License-Identifier: MIT */
/* What mutate.h does, for memory programs. `bytes` and `out` may be the same. */
#ifndef WP_MEMORY_MUTATE_H
#define WP_MEMORY_MUTATE_H

#include "memory_program.h"

#define WP_MEMORY_MUTATIONS 12
const char *wp_memory_mutation_name(unsigned kind);

/* Returns the size, at most `capacity`; `made` are the mutations, as bits. */
size_t wp_memory_mutate(const uint8_t *bytes, size_t size, uint8_t *out, size_t capacity,
                        struct wp_random *random, uint32_t *made);
size_t wp_memory_cross(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size,
                       uint8_t *out, size_t capacity, struct wp_random *random);

/* How many recipes an input of that size has, and the input without some of them. */
size_t wp_memory_recipes(size_t size);
size_t wp_memory_without(const uint8_t *bytes, size_t size, size_t first, size_t count,
                         uint8_t *out, size_t capacity);

#endif
