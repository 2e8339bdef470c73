/* SPDX-License-Identifier: MIT */
/*
 * Mutations of memory programs, by recipes. Recipes have meaning through each other:
 * one's frame is where another's pointer leads. So operands are often those of another.
 */
#include "memory_mutate.h"

#include <string.h>

#include "swarm.h"

/* Where a recipe has what; see struct recipe in memory_program.c. */
enum {
	AT_OPCODE = 0,
	AT_FRAME = 1,
	AT_INDEX = 2,
	AT_TARGET = 4,
	AT_LEVEL = 5,
	AT_TURNED = 6,
	AT_VALUE = 8,
};

struct recipes {
	struct wp_random *random;
	uint8_t regime;
	size_t count;
	uint8_t recipe[WP_MEMORY_RECIPES][WP_MEMORY_RECORD];
};

/* A recipe that the end cuts off goes on with zeros, as in decoding. */
static void take(struct recipes *recipes, const uint8_t *bytes, size_t size)
{
	recipes->regime = size > 0 ? bytes[0] : 0;
	recipes->count = wp_memory_recipes(size);
	memset(recipes->recipe, 0, sizeof recipes->recipe);
	if (size > WP_MEMORY_BYTES)
		size = WP_MEMORY_BYTES;
	if (size > 1)
		memcpy(recipes->recipe, bytes + 1, size - 1);
}

/* Whole recipes only; the last ones are dropped if there isn't room. */
static size_t put(const struct recipes *recipes, uint8_t *bytes, size_t capacity)
{
	size_t count = recipes->count;

	if (capacity == 0)
		return 0;
	if (count > (capacity - 1) / WP_MEMORY_RECORD)
		count = (capacity - 1) / WP_MEMORY_RECORD;
	bytes[0] = recipes->regime;
	memcpy(bytes + 1, recipes->recipe, count * WP_MEMORY_RECORD);
	return 1 + count * WP_MEMORY_RECORD;
}

size_t wp_memory_recipes(size_t size)
{
	const size_t whole = size > 1 ? (size - 1 + WP_MEMORY_RECORD - 1) / WP_MEMORY_RECORD : 0;

	return whole < WP_MEMORY_RECIPES ? whole : WP_MEMORY_RECIPES;
}

static uint8_t *pick(struct recipes *recipes)
{
	return recipes->recipe[wp_random_below(recipes->random, recipes->count)];
}

static bool insert(struct recipes *recipes, size_t at, const uint8_t *from, size_t count)
{
	if (count > WP_MEMORY_RECIPES - recipes->count)
		count = WP_MEMORY_RECIPES - recipes->count;
	memmove(recipes->recipe[at + count], recipes->recipe[at],
	        (recipes->count - at) * WP_MEMORY_RECORD);
	memcpy(recipes->recipe[at], from, count * WP_MEMORY_RECORD);
	recipes->count += count;
	return count > 0;
}

static void drop(struct recipes *recipes, size_t first, size_t count)
{
	memmove(recipes->recipe[first], recipes->recipe[first + count],
	        (recipes->count - first - count) * WP_MEMORY_RECORD);
	recipes->count -= count;
}

/* ---- the mutations; there is at least one recipe ---- */

/* One of a fresh program, or all of them. */
static bool mutate_insert(struct recipes *recipes)
{
	uint8_t fresh[WP_MEMORY_BYTES];
	const size_t size = wp_memory_program_random(recipes->random, 0, fresh);
	const size_t count = wp_chance(recipes->random, 16) ? wp_memory_recipes(size) : 1;

	return insert(recipes, wp_random_index(recipes->random, recipes->count + 1), fresh + 1,
	              count);
}

static bool mutate_delete(struct recipes *recipes)
{
	const size_t first = wp_random_index(recipes->random, recipes->count);
	size_t count = 1 + wp_small(recipes->random, 7);

	if (count > recipes->count - first)
		count = recipes->count - first;
	drop(recipes, first, count);
	return true;
}

static bool mutate_duplicate(struct recipes *recipes)
{
	uint8_t copy[WP_MEMORY_RECORD];

	memcpy(copy, pick(recipes), sizeof copy);
	return insert(recipes, wp_random_index(recipes->random, recipes->count + 1), copy, 1);
}

static bool mutate_move(struct recipes *recipes)
{
	uint8_t copy[WP_MEMORY_RECORD];
	const size_t from = wp_random_index(recipes->random, recipes->count);

	memcpy(copy, recipes->recipe[from], sizeof copy);
	drop(recipes, from, 1);
	return insert(recipes, wp_random_index(recipes->random, recipes->count + 1), copy, 1);
}

static bool mutate_retype(struct recipes *recipes)
{
	pick(recipes)[AT_OPCODE] = (uint8_t)wp_below(recipes->random, 7);
	return true;
}

/* The frame, or the pointer's target, that another recipe names as either. */
static bool mutate_link(struct recipes *recipes)
{
	static const uint8_t places[2] = {AT_FRAME, AT_TARGET};
	const uint8_t frame = pick(recipes)[places[wp_below(recipes->random, 2)]];

	pick(recipes)[places[wp_below(recipes->random, 2)]] = frame;
	return true;
}

/* The slot next to it, or the one that another recipe fills. */
static bool mutate_index(struct recipes *recipes)
{
	uint8_t *recipe = pick(recipes);
	unsigned index = recipe[AT_INDEX] | (unsigned)recipe[AT_INDEX + 1] << 8;

	if (wp_chance(recipes->random, 128)) {
		memcpy(recipe + AT_INDEX, pick(recipes) + AT_INDEX, 2);
		return true;
	}
	index += wp_chance(recipes->random, 128) ? 1 : 511;
	recipe[AT_INDEX] = (uint8_t)index;
	recipe[AT_INDEX + 1] = (uint8_t)(index >> 8);
	return true;
}

/* A bit of the entry is turned, or no longer. */
static bool mutate_turn(struct recipes *recipes)
{
	uint8_t *turned = pick(recipes) + AT_TURNED + wp_below(recipes->random, 2);

	*turned = (uint8_t)(*turned >= 192 && wp_chance(recipes->random, 128)
	                            ? 0
	                            : 192 + wp_below(recipes->random, 64));
	return true;
}

static bool mutate_level(struct recipes *recipes)
{
	uint8_t *level = pick(recipes) + AT_LEVEL;

	*level = (uint8_t)(*level + 1 + wp_below(recipes->random, 4));
	return true;
}

/* A bit of the value, or of the flags. */
static bool mutate_bit(struct recipes *recipes)
{
	const unsigned bit = wp_below(recipes->random, 64 + 8);
	uint8_t *recipe = pick(recipes);

	if (bit < 64)
		recipe[AT_VALUE + bit / 8] ^= (uint8_t)(1u << bit % 8);
	else
		recipe[AT_TARGET] ^= (uint8_t)(1u << bit % 8);
	return true;
}

static bool mutate_value(struct recipes *recipes)
{
	const uint64_t value = wp_random_next(recipes->random) >> wp_below(recipes->random, 64);
	uint8_t *recipe = pick(recipes);

	if (wp_chance(recipes->random, 96))
		memcpy(recipe + AT_VALUE, pick(recipes) + AT_VALUE, 8);
	else
		memcpy(recipe + AT_VALUE, &value, 8);
	return true;
}

static bool mutate_regime(struct recipes *recipes)
{
	struct wp_scope all;
	size_t index;

	wp_scope_of(&all, "");
	index = (size_t)(wp_scope_regime(&all, recipes->regime) - wp_regimes);
	index = (index + 1 + wp_below(recipes->random, (unsigned)wp_regime_count - 1)) %
	        wp_regime_count;
	recipes->regime = wp_scope_byte(&all, &wp_regimes[index]);
	return true;
}

static const struct {
	const char *name;
	bool (*apply)(struct recipes *recipes);
} mutations[WP_MEMORY_MUTATIONS] = {
	{"insert", mutate_insert}, {"delete", mutate_delete}, {"duplicate", mutate_duplicate},
	{"move", mutate_move},     {"retype", mutate_retype}, {"link", mutate_link},
	{"index", mutate_index},   {"turn", mutate_turn},     {"level", mutate_level},
	{"bit", mutate_bit},       {"value", mutate_value},   {"regime", mutate_regime},
};

const char *wp_memory_mutation_name(unsigned kind)
{
	return mutations[kind].name;
}

size_t wp_memory_mutate(const uint8_t *bytes, size_t size, uint8_t *out, size_t capacity,
                        struct wp_random *random, uint32_t *made)
{
	struct recipes recipes = {.random = random};
	const unsigned rounds = 1 + wp_small(random, 5);

	take(&recipes, bytes, size);
	*made = 0;
	for (unsigned i = 0; i < rounds; i++) {
		/* from nothing there is only one way */
		const unsigned kind = recipes.count > 0 ? wp_below(random, WP_MEMORY_MUTATIONS) : 0;

		if (mutations[kind].apply(&recipes))
			*made |= 1u << kind;
	}
	return put(&recipes, out, capacity);
}

size_t wp_memory_cross(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size,
                       uint8_t *out, size_t capacity, struct wp_random *random)
{
	struct recipes child = {.random = random}, other;
	size_t at, first;

	take(&child, a, a_size);
	take(&other, b, b_size);
	at = wp_random_index(random, child.count + 1);
	first = wp_random_index(random, other.count + 1);
	if (wp_chance(random, 128))
		child.count = at;
	insert(&child, at, other.recipe[first], other.count - first);
	return put(&child, out, capacity);
}

size_t wp_memory_without(const uint8_t *bytes, size_t size, size_t first, size_t count,
                         uint8_t *out, size_t capacity)
{
	struct recipes recipes;

	take(&recipes, bytes, size);
	drop(&recipes, first, count);
	return put(&recipes, out, capacity);
}
