/* SPDX-License-Identifier: MIT */
/* The mutator from bytes to bytes. */
#include "mutator_fixture.h"

#define ROUNDS 4000

/* Any bytes: noise, noise that starts as a program does, text and half a text. */
static size_t any_bytes(struct wp_random *random, uint8_t *bytes, size_t most)
{
	static const char text[] = "walkproof 1\nregime x86_64\nmap t0 va=hot0 pa=hot0 size=4K";
	size_t size = wp_random_below(random, most + 1) >> wp_random_below(random, 8);

	for (size_t i = 0; i < size; i++)
		bytes[i] = (uint8_t)wp_random_next(random);
	if (size > 0 && wp_random_below(random, 4) == 0)
		bytes[0] = WP_PROGRAM_VERSION;
	if (wp_random_below(random, 8) == 0) {
		size = wp_random_below(random, sizeof text);
		memcpy(bytes, text, size);
	}
	return size;
}

/* In a block of its own, so that a sanitizer sees a byte too many. */
static uint8_t *copy_of(const uint8_t *bytes, size_t size)
{
	uint8_t *copy = malloc(size > 0 ? size : 1);

	assert_non_null(copy);
	memcpy(copy, bytes, size);
	return copy;
}

static void any_bytes_have_a_valid_mutant_of_any_size_down_to_one(void **state)
{
	static uint8_t bytes[3000];
	struct wp_random random;

	(void)state;
	wp_random_seed(&random, 1);
	for (unsigned i = 0; i < TARGETS * ROUNDS; i++) {
		const size_t target = i % TARGETS;
		const size_t size = any_bytes(&random, bytes, sizeof bytes);
		const size_t capacity = 1 + (wp_random_below(&random, 4000) >>
		                             wp_random_below(&random, 12));
		uint8_t *in = copy_of(bytes, size), *out = malloc(capacity);
		size_t length;

		assert_non_null(out);
		length = wp_mutator_mutate(&mutators[target], in, size, out, capacity);
		assert_in_range(length, 1, capacity);
		assert_valid(target, out, length);
		free(in);
		free(out);
	}
}

static void any_two_have_a_valid_child_of_any_size_down_to_one(void **state)
{
	static uint8_t a[3000], b[3000];
	struct wp_random random;

	(void)state;
	wp_random_seed(&random, 2);
	for (unsigned i = 0; i < TARGETS * ROUNDS; i++) {
		const size_t target = i % TARGETS;
		const size_t a_size = any_bytes(&random, a, sizeof a);
		const size_t b_size = any_bytes(&random, b, sizeof b);
		const size_t capacity = 1 + (wp_random_below(&random, 4000) >>
		                             wp_random_below(&random, 12));
		uint8_t *x = copy_of(a, a_size), *y = copy_of(b, b_size), *out = malloc(capacity);
		size_t length;

		assert_non_null(out);
		length = wp_mutator_cross(&mutators[target], x, a_size, y, b_size, out, capacity);
		assert_in_range(length, 1, capacity);
		assert_valid(target, out, length);
		free(x);
		free(y);
		free(out);
	}
}

/* In place, as libFuzzer wants it, or elsewhere. */
static void the_same_seed_makes_the_same_mutant_in_place_or_not(void **state)
{
	static uint8_t bytes[3000], in_place[4000], out[4000], third[4000];
	struct wp_random random;
	unsigned differ = 0, rounds = 0;

	(void)state;
	wp_random_seed(&random, 3);
	for (unsigned i = 0; i < TARGETS * 500; i++) {
		struct wp_mutator *mutator = &mutators[i % TARGETS];
		const size_t size = any_bytes(&random, bytes, sizeof bytes);
		size_t length, again;

		wp_random_seed(&mutator->random, i);
		length = wp_mutator_mutate(mutator, bytes, size, out, sizeof out);
		memcpy(in_place, bytes, size);
		wp_random_seed(&mutator->random, i);
		again = wp_mutator_mutate(mutator, in_place, size, in_place, sizeof in_place);
		assert_int_equal(length, again);
		assert_memory_equal(out, in_place, length);
		again = wp_mutator_mutate(mutator, bytes, size, third, sizeof third);
		rounds++;
		differ += again != length || memcmp(out, third, length) != 0;
	}
	assert_true(differ > rounds * 9 / 10);
}

static void a_text_has_the_mutants_of_its_program(void **state)
{
	static struct wp_program program;
	static uint8_t bytes[WP_PROGRAM_MAX_BYTES], a[8000], b[8000];
	struct wp_mutator *mutator = &mutators[0];
	struct wp_random random;
	char *text;
	size_t size;

	(void)state;
	wp_random_seed(&random, 4);
	for (unsigned i = 0; i < 500; i++) {
		FILE *file = open_memstream(&text, &size);
		size_t length, other;

		assert_non_null(file);
		wp_program_generate(&program, &mutator->scope, &random);
		wp_program_print(&program, file);
		fclose(file);
		wp_random_seed(&mutator->random, i);
		length = wp_mutator_mutate(mutator, (uint8_t *)text, size, a, sizeof a);
		free(text);
		size = wp_program_encode(&program, &mutator->scope, bytes, sizeof bytes);
		wp_random_seed(&mutator->random, i);
		other = wp_mutator_mutate(mutator, bytes, size, b, sizeof b);
		assert_int_equal(length, other);
		assert_memory_equal(a, b, length);
	}
}

/* How many of the mutations that there are occur in descriptions; `names` has room for all. */
static size_t count_names(size_t target, char names[64][24])
{
	static uint8_t bytes[8000], out[8000];
	struct wp_random random;
	size_t count = 0;

	wp_random_seed(&random, 5);
	for (unsigned i = 0; i < ROUNDS; i++) {
		const size_t size = generate(target, &random, bytes, sizeof bytes);
		char text[200], *rest = text, *name;
		size_t known = 0;

		wp_mutator_mutate(&mutators[target], bytes, size, out, sizeof out);
		wp_mutator_describe(&mutators[target], text, sizeof text);
		while ((name = strsep(&rest, "-")) != NULL) {
			for (known = 0; known < count && strcmp(names[known], name) != 0;)
				known++;
			if (known == count && *name != '\0')
				snprintf(names[count++], sizeof names[0], "%s", name);
		}
	}
	return count;
}

static void every_mutation_of_every_form_is_made_and_told(void **state)
{
	char names[64][24];

	(void)state;
	assert_int_equal(count_names(0, names), 20);
	assert_int_equal(count_names(DAMAGE, names), 21);
	assert_int_equal(count_names(MEMORY, names), WP_MEMORY_MUTATIONS);
}

static void a_description_fits_and_ends_with_a_name(void **state)
{
	char text[24];

	(void)state;
	mutators[0].made = ~0u >> 12;
	for (size_t size = 1; size <= sizeof text; size++) {
		memset(text, 'x', sizeof text);
		wp_mutator_describe(&mutators[0], text, size);
		assert_true(strlen(text) < size);
		assert_true(*text == '\0' || text[strlen(text) - 1] != '-');
	}
}

/* Whether each recipe of one is among those of the other as often, or more often. */
static bool has_all(const uint8_t *bytes, size_t size, const uint8_t *of, size_t of_size)
{
	for (size_t k = 1; k < of_size; k += WP_MEMORY_RECORD) {
		size_t here = 0, there = 0;

		for (size_t m = 1; m < size; m += WP_MEMORY_RECORD)
			here += memcmp(of + k, bytes + m, WP_MEMORY_RECORD) == 0;
		for (size_t m = 1; m < of_size; m += WP_MEMORY_RECORD)
			there += memcmp(of + k, of + m, WP_MEMORY_RECORD) == 0;
		if (here < there)
			return false;
	}
	return true;
}

/* Whether recipes differ between these of their bytes only, and do. */
static bool differ_between(const uint8_t *a, const uint8_t *b, size_t size, size_t first,
                           size_t last)
{
	bool inside = false;

	for (size_t i = 1; i < size; i++) {
		const size_t place = (i - 1) % WP_MEMORY_RECORD;

		if (a[i] == b[i])
			continue;
		if (place < first || place > last)
			return false;
		inside = true;
	}
	return inside && a[0] == b[0];
}

static bool has_done(const char *name, const uint8_t *bytes, size_t size, const uint8_t *out,
                     size_t length)
{
	static const struct {
		const char *name;
		size_t first, last; /* byte of a recipe that it may change */
	} fields[] = {
		{"retype", 0, 0}, {"link", 1, 4}, {"index", 2, 3},  {"turn", 6, 7},
		{"level", 5, 5},  {"bit", 4, 15}, {"value", 8, 15},
	};

	if (strcmp(name, "insert") == 0)
		return length > size && has_all(out, length, bytes, size);
	if (strcmp(name, "duplicate") == 0)
		return length > size && has_all(out, length, bytes, size);
	if (strcmp(name, "delete") == 0)
		return length < size && has_all(bytes, size, out, length);
	if (strcmp(name, "move") == 0)
		return length == size && has_all(out, length, bytes, size);
	if (strcmp(name, "regime") == 0)
		return length == size && bytes[0] != out[0] &&
		       memcmp(bytes + 1, out + 1, size - 1) == 0;
	for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
		if (strcmp(name, fields[i].name) == 0)
			return length == size &&
			       differ_between(bytes, out, size, fields[i].first, fields[i].last);
	}
	return false;
}

/* Of mutants with one kind of mutation, most; the rest drew what was there. */
static void each_mutation_of_memories_does_what_its_name_says(void **state)
{
	static uint8_t bytes[WP_MEMORY_BYTES], out[WP_MEMORY_BYTES];
	unsigned alone[WP_MEMORY_MUTATIONS] = {0}, kept[WP_MEMORY_MUTATIONS] = {0};
	struct wp_random random;

	(void)state;
	wp_random_seed(&random, 6);
	for (unsigned i = 0; i < 4 * ROUNDS; i++) {
		const size_t size = generate(MEMORY, &random, bytes, sizeof bytes);
		const size_t length = wp_mutator_mutate(&mutators[MEMORY], bytes, size, out,
		                                        sizeof out);
		const uint32_t made = mutators[MEMORY].made;
		const unsigned kind = made ? (unsigned)__builtin_ctz(made) : 0;

		if (made != 1u << kind)
			continue;
		alone[kind]++;
		kept[kind] += has_done(wp_memory_mutation_name(kind), bytes, size, out, length);
	}
	for (unsigned kind = 0; kind < WP_MEMORY_MUTATIONS; kind++) {
		print_message("%-9s keeps its word in %3u%% of %u\n", wp_memory_mutation_name(kind),
		              100 * kept[kind] / alone[kind], alone[kind]);
		assert_in_range(100 * kept[kind] / alone[kind], 60, 100);
	}
}

static void a_child_of_memories_has_recipes_of_both(void **state)
{
	static uint8_t a[WP_MEMORY_BYTES], b[WP_MEMORY_BYTES], out[WP_MEMORY_BYTES];
	struct wp_random random;
	size_t both = 0;

	(void)state;
	wp_random_seed(&random, 7);
	for (unsigned i = 0; i < ROUNDS; i++) {
		size_t a_size = generate(MEMORY, &random, a, sizeof a), from_a = 0, from_b = 0;
		size_t b_size = generate(MEMORY, &random, b, sizeof b);
		size_t size = wp_mutator_cross(&mutators[MEMORY], a, a_size, b, b_size, out,
		                               sizeof out);

		for (size_t k = 1; k < size; k += WP_MEMORY_RECORD) {
			bool in_a = false, in_b = false;

			for (size_t m = 1; m < a_size; m += WP_MEMORY_RECORD)
				in_a |= memcmp(a + m, out + k, WP_MEMORY_RECORD) == 0;
			for (size_t m = 1; m < b_size; m += WP_MEMORY_RECORD)
				in_b |= memcmp(b + m, out + k, WP_MEMORY_RECORD) == 0;
			assert_true(in_a || in_b);
			from_a += in_a && !in_b;
			from_b += in_b && !in_a;
		}
		both += from_a > 0 && from_b > 0;
	}
	assert_true(both > ROUNDS / 2);
}

static void a_damage_stays_where_it_is_when_operations_go(void **state)
{
	static uint8_t bytes[8000], out[8000];
	struct wp_mutator *mutator = &mutators[DAMAGE];
	struct wp_random random;
	size_t size, units;

	(void)state;
	wp_random_seed(&random, 8);
	size = generate(DAMAGE, &random, bytes, sizeof bytes); /* after 6 operations */
	units = wp_mutator_units(mutator, bytes, size);
	assert_true(units >= 12);
	wp_mutator_without(mutator, bytes, size, 8, 3, out, sizeof out);
	assert_int_equal(out[0], 6);
	wp_mutator_without(mutator, bytes, size, 1, 3, out, sizeof out);
	assert_int_equal(out[0], 3);
	size = wp_mutator_without(mutator, bytes, size, 4, 5, out, sizeof out);
	assert_int_equal(out[0], 4);
	assert_int_equal(wp_mutator_units(mutator, out, size), units - 5);
	assert_memory_equal(out + 1, bytes + 1, WP_DAMAGE_HEAD - 1);
}

static void there_is_no_mutator_for_a_target_that_there_is_not(void **state)
{
	static struct wp_mutator mutator;

	(void)state;
	assert_false(wp_mutator_open(&mutator, "fuzz_z80"));
	assert_false(wp_mutator_open(&mutator, "fuzz_"));
	assert_false(wp_mutator_open(&mutator, "x86_64"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_bytes_have_a_valid_mutant_of_any_size_down_to_one),
		cmocka_unit_test(any_two_have_a_valid_child_of_any_size_down_to_one),
		cmocka_unit_test(the_same_seed_makes_the_same_mutant_in_place_or_not),
		cmocka_unit_test(a_text_has_the_mutants_of_its_program),
		cmocka_unit_test(every_mutation_of_every_form_is_made_and_told),
		cmocka_unit_test(a_description_fits_and_ends_with_a_name),
		cmocka_unit_test(each_mutation_of_memories_does_what_its_name_says),
		cmocka_unit_test(a_child_of_memories_has_recipes_of_both),
		cmocka_unit_test(a_damage_stays_where_it_is_when_operations_go),
		cmocka_unit_test(there_is_no_mutator_for_a_target_that_there_is_not),
	};

	return cmocka_run_group_tests(tests, open_all, NULL);
}
