/* SPDX-License-Identifier: MIT */
#include "program.h"

/* xoshiro256** of Blackman and Vigna, seeded by splitmix64, as they recommend. */
void wp_random_seed(struct wp_random *random, uint64_t seed)
{
	for (unsigned i = 0; i < 4; i++) {
		uint64_t z = seed += 0x9e3779b97f4a7c15u;

		z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
		z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
		random->state[i] = z ^ (z >> 31);
	}
	random->unswarmed = false;
}

static uint64_t rotate_left(uint64_t value, unsigned bits)
{
	return value << bits | value >> (64 - bits);
}

uint64_t wp_random_next(struct wp_random *random)
{
	uint64_t *s = random->state;
	const uint64_t result = rotate_left(s[1] * 5, 7) * 9;
	const uint64_t shifted = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= shifted;
	s[3] = rotate_left(s[3], 45);
	return result;
}

/* The high half of a product, by halves: not every machine has a type for the whole. */
static uint64_t multiply_high(uint64_t a, uint64_t b)
{
	const uint64_t a_low = (uint32_t)a, a_high = a >> 32;
	const uint64_t b_low = (uint32_t)b, b_high = b >> 32;
	const uint64_t middle = a_high * b_low + (a_low * b_low >> 32); /* below 2^64 - 2^32 */
	const uint64_t carried = a_low * b_high + (uint32_t)middle;     /* too, at most */

	return a_high * b_high + (middle >> 32) + (carried >> 32);
}

uint64_t wp_random_below(struct wp_random *random, uint64_t bound)
{
	/* No division; the bias is below bound / 2^64. */
	return multiply_high(wp_random_next(random), bound);
}
