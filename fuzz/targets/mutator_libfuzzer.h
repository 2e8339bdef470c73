/* SPDX-License-Identifier: MIT */
/* The names are libFuzzer's. */
#ifndef WP_MUTATOR_LIBFUZZER_H
#define WP_MUTATOR_LIBFUZZER_H

#include <stddef.h>
#include <stdint.h>

/* The engine's own mutator, of bytes; not every engine has one. */
__attribute__((weak)) size_t LLVMFuzzerMutate(uint8_t *bytes, size_t size, size_t max_size);

/* What an engine calls instead. Both return a size of at most `max_size`. */
size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t size, size_t max_size, unsigned seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size,
                                 uint8_t *out, size_t max_size, unsigned seed);

#endif
