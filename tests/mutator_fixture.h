/* SPDX-License-Identifier: MIT */
/* The mutators of all targets, their inputs, and when one is valid. */
#ifndef MUTATOR_FIXTURE_H
#define MUTATOR_FIXTURE_H

#include "program_fixture.h"

#include "../fuzz/damage.h"
#include "../fuzz/memory_mutate.h"
#include "../fuzz/mutator.h"

static const char *const targets[] = {
	"fuzz_x86_64",       "fuzz_aarch64",        "fuzz_riscv64_sv39", "fuzz_riscv64_sv48",
	"fuzz_riscv64_sv57", "fuzz_riscv64_sv39x4", "fuzz_loongarch64",  "fuzz_x86_ept",
	"fuzz_damage",       "fuzz_memory",
};
#define TARGETS (sizeof targets / sizeof targets[0])
#define MEMORY  (TARGETS - 1)
#define DAMAGE  (TARGETS - 2)

static struct wp_mutator mutators[TARGETS];

static inline int open_all(void **state)
{
	(void)state;
	for (size_t i = 0; i < TARGETS; i++)
		assert_true(wp_mutator_open(&mutators[i], targets[i]));
	return 0;
}

/* As the encoder writes it: decoding and encoding again changes nothing. */
static inline void assert_canonical(const struct wp_scope *scope, const uint8_t *bytes, size_t size)
{
	static struct wp_program program;
	static uint8_t again[WP_PROGRAM_MAX_BYTES];

	if (size < 2)
		return;
	wp_program_decode(&program, scope, bytes, size);
	assert_int_equal(wp_program_encode(&program, scope, again, sizeof again), size);
	assert_memory_equal(bytes, again, size);
}

static inline void assert_valid(size_t target, const uint8_t *bytes, size_t size)
{
	if (target == MEMORY)
		assert_true(size == 0 || (size - 1) % WP_MEMORY_RECORD == 0);
	else if (target == DAMAGE)
		assert_canonical(&mutators[target].scope,
		                 bytes + (size > WP_DAMAGE_HEAD ? WP_DAMAGE_HEAD : size),
		                 size > WP_DAMAGE_HEAD ? size - WP_DAMAGE_HEAD : 0);
	else
		assert_canonical(&mutators[target].scope, bytes, size);
}

/* A generated input of the target. */
static inline size_t generate(size_t target, struct wp_random *random, uint8_t *bytes,
                              size_t capacity)
{
	static struct wp_program program;

	if (target == MEMORY)
		return wp_memory_program_random(random, 3, bytes);
	do
		wp_program_generate(&program, &mutators[target].scope, random);
	while (program.count < 12);
	if (target != DAMAGE)
		return wp_program_encode(&program, &mutators[target].scope, bytes, capacity);
	for (unsigned i = 0; i < WP_DAMAGE_HEAD; i++)
		bytes[i] = (uint8_t)(6 + i);
	return WP_DAMAGE_HEAD + wp_program_encode(&program, &mutators[target].scope,
	                                          bytes + WP_DAMAGE_HEAD,
	                                          capacity - WP_DAMAGE_HEAD);
}

#endif
