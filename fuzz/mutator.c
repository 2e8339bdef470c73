/* SPDX-License-Identifier: MIT */
#include "mutator.h"

#include <stdlib.h>
#include <string.h>

#include "damage.h"
#include "memory_mutate.h"
#include "mutate.h"
#include "program_edit.h"
#include "swarm.h"

/* An input's form, as the engines' mutators see it. */
struct wp_input_form {
	const char *(*name)(unsigned kind); /* of a bit of `made` */
	size_t (*mutate)(struct wp_mutator *mutator, const uint8_t *bytes, size_t size,
	                 uint8_t *out, size_t capacity);
	size_t (*cross)(struct wp_mutator *mutator, const uint8_t *a, size_t a_size,
	                const uint8_t *b, size_t b_size, uint8_t *out, size_t capacity);
	size_t (*units)(struct wp_mutator *mutator, const uint8_t *bytes, size_t size);
	size_t (*without)(struct wp_mutator *mutator, const uint8_t *bytes, size_t size,
	                  size_t first, size_t count, uint8_t *out, size_t capacity);
};

/* What the last call made, beside the mutations, which have the lower bits. */
#define MADE_CROSS  (1u << 31)
#define MADE_DAMAGE (1u << 30)

/* --------------------------------------------------------------------- programs */

static bool in_scope(const struct wp_scope *scope, const struct wp_regime *regime)
{
	for (size_t i = 0; i < scope->count; i++) {
		if (scope->regimes[i] == regime)
			return true;
	}
	return false;
}

/* A text that can't be read is taken for bytes: any bytes are a program. */
static void read_program(const struct wp_scope *scope, struct wp_program *program,
                         const uint8_t *bytes, size_t size)
{
	bool read = false;
	char why[200];
	char *text;

	if (wp_program_is_text(bytes, size)) {
		text = strndup((const char *)bytes, size);
		read = text && wp_program_parse(program, text, why, sizeof why) &&
		       in_scope(scope, program->regime);
		free(text);
	}
	if (!read)
		wp_program_decode(program, scope, bytes, size);
}

static const char *program_mutation(unsigned kind)
{
	return kind < WP_MUTATIONS ? wp_mutation_name((enum wp_mutation)kind) : "";
}

static size_t mutate_program(struct wp_mutator *mutator, const uint8_t *bytes, size_t size,
                             uint8_t *out, size_t capacity)
{
	read_program(&mutator->scope, &mutator->program, bytes, size);
	mutator->made |= wp_program_mutate(&mutator->program, &mutator->scope, &mutator->random);
	return wp_program_encode(&mutator->program, &mutator->scope, out, capacity);
}

static size_t cross_programs(struct wp_mutator *mutator, const uint8_t *a, size_t a_size,
                             const uint8_t *b, size_t b_size, uint8_t *out, size_t capacity)
{
	read_program(&mutator->scope, &mutator->program, a, a_size);
	read_program(&mutator->scope, &mutator->other, b, b_size);
	wp_program_cross(&mutator->child, &mutator->program, &mutator->other, &mutator->random);
	return wp_program_encode(&mutator->child, &mutator->scope, out, capacity);
}

static size_t program_units(struct wp_mutator *mutator, const uint8_t *bytes, size_t size)
{
	read_program(&mutator->scope, &mutator->program, bytes, size);
	return mutator->program.count;
}

static size_t program_without(struct wp_mutator *mutator, const uint8_t *bytes, size_t size,
                              size_t first, size_t count, uint8_t *out, size_t capacity)
{
	struct wp_program *program = &mutator->program;

	read_program(&mutator->scope, program, bytes, size);
	wp_program_remove(program, first, count);
	return wp_program_encode(program, &mutator->scope, out, capacity);
}

static const struct wp_input_form program_form = {
	program_mutation, mutate_program, cross_programs, program_units, program_without,
};

/* ------------------------------------------------- damage: a head, and a program */

#define HEAD WP_DAMAGE_HEAD

/* The part of an input behind its head. */
static size_t body_size(size_t size)
{
	return size > HEAD ? size - HEAD : 0;
}

static void take_head(uint8_t head[HEAD], const uint8_t *bytes, size_t size)
{
	memset(head, 0, HEAD);
	memcpy(head, bytes, size < HEAD ? size : HEAD);
}

/* The body is in its place already. */
static size_t put_head(const uint8_t head[HEAD], uint8_t *out, size_t capacity, size_t body)
{
	memcpy(out, head, capacity < HEAD ? capacity : HEAD);
	return capacity < HEAD ? capacity : HEAD + body;
}

/* Other bits, one bit less or more in what draws them, or another place. */
static void mutate_head(struct wp_random *random, uint8_t head[HEAD])
{
	switch (wp_below(random, 4)) {
	case 0:
		for (unsigned i = 1; i < HEAD; i++)
			head[i] = (uint8_t)wp_random_next(random);
		break;
	case 1:
		head[1 + wp_below(random, HEAD - 1)] ^= (uint8_t)(1u << wp_below(random, 8));
		break;
	case 2:
		head[0] = (uint8_t)(head[0] + (wp_chance(random, 128) ? 1 : -1));
		break;
	default:
		head[0] = (uint8_t)wp_below(random, 32);
	}
}

static size_t mutate_damage(struct wp_mutator *mutator, const uint8_t *bytes, size_t size,
                            uint8_t *out, size_t capacity)
{
	const uint8_t *body = size > HEAD ? bytes + HEAD : bytes;
	uint8_t head[HEAD];
	size_t length = 0;

	take_head(head, bytes, size);
	if (wp_chance(&mutator->random, 96)) {
		mutate_head(&mutator->random, head);
		mutator->made |= MADE_DAMAGE;
	}
	read_program(&mutator->scope, &mutator->program, body, body_size(size));
	if (!mutator->made || wp_chance(&mutator->random, 64))
		mutator->made |= wp_program_mutate(&mutator->program, &mutator->scope,
		                                   &mutator->random);
	if (capacity > HEAD)
		length = wp_program_encode(&mutator->program, &mutator->scope, out + HEAD,
		                           capacity - HEAD);
	return put_head(head, out, capacity, length);
}

/* The damage of one of the two. */
static size_t cross_damages(struct wp_mutator *mutator, const uint8_t *a, size_t a_size,
                            const uint8_t *b, size_t b_size, uint8_t *out, size_t capacity)
{
	uint8_t head[HEAD];
	size_t length = 0;

	if (wp_chance(&mutator->random, 128))
		take_head(head, a, a_size);
	else
		take_head(head, b, b_size);
	if (capacity > HEAD)
		length = cross_programs(mutator, a_size > HEAD ? a + HEAD : a, body_size(a_size),
		                        b_size > HEAD ? b + HEAD : b, body_size(b_size), out + HEAD,
		                        capacity - HEAD);
	return put_head(head, out, capacity, length);
}

static size_t damage_units(struct wp_mutator *mutator, const uint8_t *bytes, size_t size)
{
	return size > HEAD ? program_units(mutator, bytes + HEAD, size - HEAD) : 0;
}

/* The damage stays between the same two operations. */
static size_t damage_without(struct wp_mutator *mutator, const uint8_t *bytes, size_t size,
                             size_t first, size_t count, uint8_t *out, size_t capacity)
{
	uint8_t head[HEAD];
	size_t before, length;

	take_head(head, bytes, size);
	before = head[0] > first ? head[0] - first : 0;
	head[0] = (uint8_t)(head[0] - (before < count ? before : count));
	if (capacity <= HEAD)
		return put_head(head, out, capacity, 0);
	length = program_without(mutator, bytes + HEAD, size - HEAD, first, count, out + HEAD,
	                         capacity - HEAD);
	return put_head(head, out, capacity, length);
}

static const char *damage_mutation(unsigned kind)
{
	return 1u << kind == MADE_DAMAGE ? "damage" : program_mutation(kind);
}

static const struct wp_input_form damage_form = {
	damage_mutation, mutate_damage, cross_damages, damage_units, damage_without,
};

/* ----------------------------------------------------------------------- memory */

static const char *memory_mutation(unsigned kind)
{
	return kind < WP_MEMORY_MUTATIONS ? wp_memory_mutation_name(kind) : "";
}

static size_t mutate_memory(struct wp_mutator *mutator, const uint8_t *bytes, size_t size,
                            uint8_t *out, size_t capacity)
{
	return wp_memory_mutate(bytes, size, out, capacity, &mutator->random, &mutator->made);
}

static size_t cross_memories(struct wp_mutator *mutator, const uint8_t *a, size_t a_size,
                             const uint8_t *b, size_t b_size, uint8_t *out, size_t capacity)
{
	return wp_memory_cross(a, a_size, b, b_size, out, capacity, &mutator->random);
}

static size_t memory_units(struct wp_mutator *mutator, const uint8_t *bytes, size_t size)
{
	(void)mutator;
	(void)bytes;
	return wp_memory_recipes(size);
}

static size_t memory_without(struct wp_mutator *mutator, const uint8_t *bytes, size_t size,
                             size_t first, size_t count, uint8_t *out, size_t capacity)
{
	(void)mutator;
	return wp_memory_without(bytes, size, first, count, out, capacity);
}

static const struct wp_input_form memory_form = {
	memory_mutation, mutate_memory, cross_memories, memory_units, memory_without,
};

/* ---------------------------------------------------------------- for the engines */

static const struct {
	const char *target;
	const struct wp_input_form *form;
} forms[] = {
	{"fuzz_damage", &damage_form},
	{"fuzz_memory", &memory_form},
};

bool wp_mutator_open(struct wp_mutator *mutator, const char *target)
{
	const char *prefix = "";

	mutator->form = NULL;
	mutator->made = 0;
	for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
		if (strcmp(target, forms[i].target) == 0)
			mutator->form = forms[i].form;
	}
	if (mutator->form == NULL) {
		if (strncmp(target, "fuzz_", 5) != 0 || target[5] == '\0')
			return false;
		mutator->form = &program_form;
		prefix = target + 5;
	}
	wp_scope_of(&mutator->scope, prefix);
	wp_random_seed(&mutator->random, 0);
	return mutator->scope.count > 0;
}

bool wp_mutator_asked_for(const char *mode)
{
	const char *asked = getenv("WALKPROOF_MUTATOR");

	return asked != NULL && strcmp(asked, mode) == 0;
}

size_t wp_mutator_mutate(struct wp_mutator *mutator, const uint8_t *bytes, size_t size,
                         uint8_t *out, size_t capacity)
{
	mutator->made = 0;
	return mutator->form->mutate(mutator, bytes, size, out, capacity);
}

size_t wp_mutator_cross(struct wp_mutator *mutator, const uint8_t *a, size_t a_size,
                        const uint8_t *b, size_t b_size, uint8_t *out, size_t capacity)
{
	mutator->made = MADE_CROSS;
	return mutator->form->cross(mutator, a, a_size, b, b_size, out, capacity);
}

size_t wp_mutator_units(struct wp_mutator *mutator, const uint8_t *bytes, size_t size)
{
	return mutator->form->units(mutator, bytes, size);
}

size_t wp_mutator_without(struct wp_mutator *mutator, const uint8_t *bytes, size_t size,
                          size_t first, size_t count, uint8_t *out, size_t capacity)
{
	return mutator->form->without(mutator, bytes, size, first, count, out, capacity);
}

void wp_mutator_describe(const struct wp_mutator *mutator, char *text, size_t text_size)
{
	size_t length = 0;

	if (text_size == 0)
		return;
	text[0] = '\0';
	for (unsigned kind = 0; kind < 32; kind++) {
		const char *name = 1u << kind == MADE_CROSS ? "cross" : mutator->form->name(kind);

		if (!(mutator->made >> kind & 1) || length + strlen(name) + 2 > text_size)
			continue;
		length += (size_t)snprintf(text + length, text_size - length, "%s%s",
		                           length > 0 ? "-" : "", name);
	}
}
