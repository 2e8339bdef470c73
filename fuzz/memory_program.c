/* SPDX-License-Identifier: MIT */
#include "memory_program.h"

#include <string.h>

/* A recipe: WP_MEMORY_RECORD bytes, every one of which may be anything. */
struct recipe {
	uint8_t opcode;
	uint8_t frame;
	uint16_t index;
	uint8_t target; /* frame of a pointer; flags of a leaf */
	uint8_t level;  /* of a leaf */
	uint8_t turned[2];
	uint64_t value;
};

enum {
	POINTER,
	LEAF,
	CHAIN,
	PROBE,
	RAW,
	WILD_POINTER, /* to any address */
	NOISY_LEAF,   /* with random bits where there is no address */
	RECIPES,
};

/* A program as it grows; where walks go is known from what was written. */
struct builder {
	struct wp_memory_program *program;
	const struct wp_memory_shapes *shapes;
	uint64_t first;
};

/* Turns the bits that a recipe names; most bytes name none. */
static uint64_t turn(uint64_t entry, const uint8_t turned[2])
{
	for (unsigned i = 0; i < 2; i++) {
		if (turned[i] >= 192)
			entry ^= (uint64_t)1 << turned[i] % 64;
	}
	return entry;
}

static uint64_t address_bits(const struct wp_memory_shapes *shapes, uint64_t pa)
{
	return pa >> shapes->address_shift;
}

static uint64_t pointer_to(const struct builder *builder, uint64_t pa)
{
	return builder->shapes->table ^ address_bits(builder->shapes, pa);
}

static uint64_t frame_pa(const struct builder *builder, unsigned frame)
{
	return builder->first + frame % WP_MEMORY_FRAMES * wp_regime_page(builder->program->regime);
}

static void write(struct builder *builder, unsigned frame, unsigned index, uint64_t entry)
{
	struct wp_memory_program *program = builder->program;
	const size_t entries = wp_regime_entries(program->regime, frame % WP_MEMORY_FRAMES);

	if (program->writes == WP_MEMORY_WRITES)
		return;
	program->write[program->writes++] = (struct wp_memory_write){
		.frame = (uint8_t)(frame % WP_MEMORY_FRAMES),
		.index = (uint16_t)(index % entries),
		.entry = entry,
	};
}

/*
 * A leaf as the library makes it. Bits of `value` have it misaligned, or far up in
 * physical memory, where some machines have none.
 */
static uint64_t leaf_entry(const struct builder *builder, unsigned level, uint8_t flags,
                           uint64_t value)
{
	const struct wp_regime *regime = builder->program->regime;
	const unsigned bits = (value >> 60 & 3) == 3 ? regime->pa_bits : 39;
	uint64_t pa = value & (((uint64_t)1 << bits) - WP_FRAME_SIZE);

	if (value >> 62 != 3)
		pa &= ~(((uint64_t)1 << wp_regime_shift(regime, level)) - 1);
	return builder->shapes->leaves[level][flags & PT_FLAGS_ALL] ^
	       address_bits(builder->shapes, pa);
}

/* The frame that an entry would lead to as a pointer; WP_MEMORY_FRAMES: none. */
static unsigned frame_behind(const struct builder *builder, uint64_t entry)
{
	const uint64_t pa = (entry << builder->shapes->address_shift) & 0x0000fffffffff000u;
	const uint64_t frame = (pa - builder->first) >> builder->program->regime->granule_shift;

	return frame < WP_MEMORY_FRAMES ? (unsigned)frame : WP_MEMORY_FRAMES;
}

/* Which of a frame's written entries `choice` picks; NULL: none, or none of these. */
static const struct wp_memory_write *written(const struct builder *builder, unsigned frame,
                                             unsigned choice)
{
	const struct wp_memory_program *program = builder->program;
	const struct wp_memory_write *found[8];
	size_t count = 0;

	if (choice >= 240)
		return NULL;
	/* the latest first: an earlier one may have been overwritten */
	for (size_t i = program->writes; i > 0 && count < 8; i--) {
		if (program->write[i - 1].frame == frame)
			found[count++] = &program->write[i - 1];
	}
	return count == 0 ? NULL : found[choice % count];
}

static uint64_t canonical(const struct wp_regime *regime, uint64_t va)
{
	uint64_t first[2], last[2];
	const size_t ranges = wp_regime_ranges(regime, first, last);
	const uint64_t length = last[0] - first[0] + 1;

	if (ranges == 2)
		return va & length ? va | (0 - length) : va & (length - 1);
	return first[0] | (va & (length - 1));
}

/* Follows what was written from the root down, one choice a level. */
static uint64_t address_of(const struct builder *builder, const uint8_t choices[5])
{
	const struct wp_regime *regime = builder->program->regime;
	unsigned frame = 0;
	uint64_t va = 0;

	for (unsigned level = 0; level < regime->levels; level++) {
		const struct wp_memory_write *to = written(builder, frame, choices[level]);
		const uint64_t index = to ? to->index : choices[level] * 2u;

		va |= (index & (wp_regime_entries(regime, level) - 1))
		      << wp_regime_shift(regime, level);
		frame = to ? frame_behind(builder, to->entry) : WP_MEMORY_FRAMES;
	}
	return canonical(regime, va);
}

static void add_probe(struct builder *builder, uint64_t va)
{
	struct wp_memory_program *program = builder->program;

	if (program->probes < WP_MEMORY_PROBES)
		program->probe[program->probes++] = va;
}

/* ---- the recipes ---- */

static void make_pointer(struct builder *builder, const struct recipe *recipe)
{
	write(builder, recipe->frame, recipe->index,
	      turn(pointer_to(builder, frame_pa(builder, recipe->target)), recipe->turned));
}

static void make_wild_pointer(struct builder *builder, const struct recipe *recipe)
{
	write(builder, recipe->frame, recipe->index,
	      turn(pointer_to(builder, recipe->value & 0x00fffffffffff000u), recipe->turned));
}

static void make_leaf(struct builder *builder, const struct recipe *recipe)
{
	const unsigned level = recipe->level % builder->program->regime->levels;

	write(builder, recipe->frame, recipe->index,
	      turn(leaf_entry(builder, level, recipe->target, recipe->value), recipe->turned));
}

static void make_noisy_leaf(struct builder *builder, const struct recipe *recipe)
{
	const unsigned level = recipe->level % builder->program->regime->levels;
	const uint64_t noise = recipe->value * 0x9e3779b97f4a7c15u;

	write(builder, recipe->frame, recipe->index,
	      leaf_entry(builder, level, recipe->target, recipe->value) ^
	              (noise & 0xfff0000000000fffu));
}

static void make_raw(struct builder *builder, const struct recipe *recipe)
{
	write(builder, recipe->frame, recipe->index, recipe->value);
}

/* From the root by one index a level, through frames from `frame` on, to a leaf. */
static void make_chain(struct builder *builder, const struct recipe *recipe)
{
	const struct wp_regime *regime = builder->program->regime;
	const unsigned last = recipe->level % regime->levels;
	unsigned frame = 0;
	uint64_t va = 0, entry;

	for (unsigned level = 0; level < last; level++) {
		const unsigned next = 1 + (recipe->frame + level) % (WP_MEMORY_FRAMES - 1);
		const unsigned index = (unsigned)(recipe->value >> 12 * level &
		                                  (wp_regime_entries(regime, level) - 1));

		/* one of the pointers, and not the leaf, may be damaged */
		entry = pointer_to(builder, frame_pa(builder, next));
		if (level == recipe->index % 8)
			entry = turn(entry, recipe->turned);
		write(builder, frame, index, entry);
		va |= (uint64_t)index << wp_regime_shift(regime, level);
		frame = next;
	}
	entry = leaf_entry(builder, last, recipe->target, recipe->value);
	if (recipe->index % 8 > last)
		entry = turn(entry, recipe->turned);
	write(builder, frame, recipe->index, entry);
	va |= (recipe->index & (wp_regime_entries(regime, last) - 1))
	      << wp_regime_shift(regime, last);
	add_probe(builder, canonical(regime, va | (recipe->value & (wp_regime_page(regime) - 1))));
}

static void make_probe(struct builder *builder, const struct recipe *recipe)
{
	const uint8_t choices[5] = {recipe->frame, recipe->target, recipe->level,
	                            (uint8_t)recipe->index, (uint8_t)(recipe->index >> 8)};
	const uint64_t page = wp_regime_page(builder->program->regime);
	uint64_t va = address_of(builder, choices) | (recipe->value & (page - 1));

	/* now and then an address that isn't canonical */
	if (recipe->turned[0] >= 224)
		va ^= (uint64_t)1 << (32 + recipe->turned[0] % 32);
	add_probe(builder, va);
}

static void (*const make[RECIPES])(struct builder *, const struct recipe *) = {
	[POINTER] = make_pointer,       [LEAF] = make_leaf, [CHAIN] = make_chain,
	[PROBE] = make_probe,           [RAW] = make_raw,   [WILD_POINTER] = make_wild_pointer,
	[NOISY_LEAF] = make_noisy_leaf,
};

/* A recipe that the end of the input cuts off goes on with zeros. */
static struct recipe read_recipe(const uint8_t *bytes, size_t size)
{
	uint8_t all[WP_MEMORY_RECORD] = {0};
	struct recipe recipe;

	memcpy(all, bytes, size < sizeof all ? size : sizeof all);
	recipe = (struct recipe){
		.opcode = all[0] % RECIPES,
		.frame = all[1],
		.index = (uint16_t)(all[2] | all[3] << 8),
		.target = all[4],
		.level = all[5],
		.turned = {all[6], all[7]},
	};
	for (unsigned i = 0; i < 8; i++)
		recipe.value |= (uint64_t)all[8 + i] << 8 * i;
	return recipe;
}

void wp_memory_program_decode(struct wp_memory_program *program, const struct wp_scope *scope,
                              const struct wp_memory_shapes *shapes, uint64_t first,
                              const uint8_t *bytes, size_t size)
{
	static const uint8_t simplest[5];
	struct builder builder = {program, NULL, first};
	size_t at = 1;

	program->regime = wp_scope_regime(scope, size > 0 ? bytes[0] : 0);
	program->writes = 0;
	program->probes = 0;
	builder.shapes = &shapes[program->regime - wp_regimes];
	for (size_t i = 0; i < WP_MEMORY_RECIPES && at < size; i++, at += WP_MEMORY_RECORD) {
		const struct recipe recipe = read_recipe(bytes + at, size - at);

		make[recipe.opcode](&builder, &recipe);
	}
	add_probe(&builder, address_of(&builder, simplest));
}

size_t wp_memory_program_random(struct wp_random *random, uint8_t regime, uint8_t *bytes)
{
	/* chains and probes most, so that walks go deep and are asked about */
	static const uint8_t opcodes[] = {CHAIN, CHAIN,   CHAIN, POINTER,    POINTER,      LEAF,
	                                  LEAF,  PROBE,   PROBE, PROBE,      PROBE,        PROBE,
	                                  RAW,   POINTER, LEAF,  NOISY_LEAF, WILD_POINTER, CHAIN};
	const size_t recipes = 2 + wp_random_index(random, 22);
	/* few frames and indices: recipes meet */
	const uint64_t frames = 1 + wp_random_below(random, WP_MEMORY_FRAMES);
	const bool damaged = wp_random_below(random, 2) != 0;

	bytes[0] = regime;
	for (size_t i = 0; i < recipes; i++) {
		uint8_t *record = bytes + 1 + i * WP_MEMORY_RECORD;

		for (unsigned half = 0; half < 2; half++) {
			const uint64_t word = wp_random_next(random);

			memcpy(record + 8 * half, &word, 8);
		}
		record[0] = opcodes[wp_random_below(random, sizeof opcodes)];
		if (record[0] == PROBE)
			continue;
		record[1] = (uint8_t)wp_random_below(random, frames);
		if (record[0] == POINTER)
			record[4] = (uint8_t)wp_random_below(random, frames);
		if (!damaged)
			record[6] = record[7] = 0;
	}
	return 1 + recipes * WP_MEMORY_RECORD;
}
