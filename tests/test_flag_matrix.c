/* SPDX-License-Identifier: MIT */
/*
 * Every regime: 64 flag sets x every page size x read, write, execute x kernel,
 * user. What must be is written down in flag_meanings.h; it is checked through
 * pt_map() and pt_query(), the paper machine, and Unicorn where it serves. What a
 * machine leaves unanswered is counted, and the counts must be what the known
 * quirks make them.
 */
#include <inttypes.h>

#include "finding.h"
#include "model.h"

#include "flag_meanings.h"
#include "machine_bench.h"

/* Kinds asked and answered, and what follows from the table of meanings. */
struct tally {
	unsigned long asked, answered, open, typed;
};

/* A regime's, over a table and all machines that walk it. */
struct matrix {
	struct bench bench;
	struct tally of[WP_MACHINE_KINDS];
	unsigned long mapped, no_access, refused;
};

static void open_matrix(struct matrix *matrix, const struct wp_regime *regime)
{
	memset(matrix, 0, sizeof *matrix);
	bench_open(&matrix->bench, regime);
	bench_create(&matrix->bench);
}

static void close_matrix(struct matrix *matrix)
{
	bench_destroy(&matrix->bench);
	bench_close(&matrix->bench);
}

/* ---- one mapping ---- */

struct one {
	uint64_t va, pa, size;
	pt_flags flags;
	uint8_t allowed;
};

/*
 * Kinds whose outcome the manuals leave open though the flags say it: AArch64 may
 * refuse to execute from DEVICE memory, LoongArch may confine users to the lower half.
 */
static uint8_t left_open(const struct wp_regime *regime, const struct one *one)
{
	const uint8_t execute = 1u << WP_KERNEL_EXECUTE | 1u << WP_USER_EXECUTE;

	if (regime->arch == WP_AARCH64 && (one->flags & PT_DEVICE))
		return one->allowed & execute;
	if (regime->arch == WP_LOONGARCH64 && regime->half == PT_HIGH)
		return one->allowed & WP_USER_KINDS;
	return 0;
}

static void say(const struct bench *bench, const struct one *one, uint64_t at, const char *who,
                const struct wp_answer *answer)
{
	char text[8];

	print_error("%s: %s at %#" PRIx64 " of %#" PRIx64 " bytes at %#" PRIx64 " -> %#" PRIx64
	            " %s: allowed %#x, must be %#x; leads to %#" PRIx64 "\n",
	            bench->regime->name, who, at, one->size, one->va, one->pa,
	            wp_flags_text(one->flags, text), answer->allowed, one->allowed, answer->pa);
}

static void check_query(const struct bench *bench, const struct one *one, uint64_t at)
{
	struct pt_mapping mapping;

	assert_int_equal(pt_query(&bench->table, pt_va(at), &mapping), PT_OK);
	assert_int_equal(mapping.vaddr.value, at);
	assert_int_equal(mapping.paddr.value, one->pa + (at - one->va));
	assert_int_equal(mapping.size, one->size);
	assert_int_equal(mapping.flags, one->flags);
}

static void check_machine(struct matrix *matrix, const struct one *one, uint64_t at, unsigned kind)
{
	const struct wp_probe probe = {at, WP_ALL_KINDS};
	struct bench *bench = &matrix->bench;
	struct wp_machine *machine = *bench_machine(bench, kind);
	const uint8_t open = left_open(bench->regime, one);
	struct tally *tally = &matrix->of[kind];
	struct wp_answer answer;

	machine->load(machine, bench->regime, bench->table.root.value);
	machine->probe(machine, &probe, &answer, 1);
	tally->asked += WP_KINDS;
	tally->answered += (unsigned)__builtin_popcount(answer.answered);
	tally->open += (unsigned)__builtin_popcount(answer.open);
	assert_int_equal(answer.open, kind == WP_PAPER ? open : 0);
	if (((answer.allowed ^ one->allowed) & answer.answered & ~open) != 0 ||
	    (answer.allowed != 0 && !answer.pa_unknown && answer.pa != one->pa + (at - one->va))) {
		say(bench, one, at, machine->name, &answer);
		fail();
	}
	if (answer.allowed == 0)
		return;
	if (kind == WP_PAPER || answer.size != 0)
		assert_int_equal(answer.size, one->size);
	if (kind == WP_PAPER || answer.memory_type != WP_TYPE_UNKNOWN) {
		assert_int_equal(answer.memory_type, type_of(bench->regime, one->flags));
		tally->typed++;
	}
	assert_false(answer.global && (one->flags & PT_USER));
}

static void check_mapping(struct matrix *matrix, const struct one *one)
{
	const uint64_t offsets[] = {0, one->size / 2 + 0x123, one->size - 1};

	for (unsigned i = 0; i < 3; i++) {
		check_query(&matrix->bench, one, one->va + offsets[i]);
		for (unsigned kind = 0; kind < WP_MACHINE_KINDS; kind++) {
			if (*bench_machine(&matrix->bench, kind))
				check_machine(matrix, one, one->va + offsets[i], kind);
		}
	}
}

static void check_refused(struct matrix *matrix, const struct one *one)
{
	struct pt_mapping mapping;

	assert_int_equal(pt_map(&matrix->bench.table, pt_va(one->va), pt_pa(one->pa), one->size,
	                        one->flags, NULL),
	                 PT_BAD_FLAGS);
	assert_int_equal(pt_query(&matrix->bench.table, pt_va(one->va), &mapping), PT_NOT_MAPPED);
	matrix->refused++;
}

static void check_one(struct matrix *matrix, struct one one)
{
	const char *meaning = meaning_of(matrix->bench.regime, one.flags);
	struct pt_mapping removed;

	assert_int_equal(wp_flags_expressible(matrix->bench.regime, one.flags), meaning != NULL);
	if (!meaning) {
		check_refused(matrix, &one);
		return;
	}
	one.allowed = kinds_of(meaning);
	assert_int_equal(wp_flags_allowed(matrix->bench.regime, one.flags), one.allowed);
	assert_int_equal(pt_map(&matrix->bench.table, pt_va(one.va), pt_pa(one.pa), one.size,
	                        one.flags, NULL),
	                 PT_OK);
	check_mapping(matrix, &one);
	assert_int_equal(pt_unmap(&matrix->bench.table, pt_va(one.va), &removed, NULL), PT_OK);
	assert_int_equal(removed.flags, one.flags);
	matrix->mapped++;
	matrix->no_access += one.allowed == 0;
}

/* ---- the matrix ---- */

/* In one or the other range, and no index is that of another level. */
static uint64_t address_for(const struct wp_regime *regime, unsigned range, uint64_t size)
{
	uint64_t first[2], last[2], va;
	const size_t ranges = wp_regime_ranges(regime, first, last);

	va = first[range % ranges];
	for (unsigned level = 0; level < regime->levels; level++)
		va += (level + 5) * wp_regime_span(regime, level);
	return va & ~(size - 1);
}

/* All pages lead out of the window: low in physical memory, and at its very top. */
static void run_matrix(struct matrix *matrix)
{
	const struct wp_regime *regime = matrix->bench.regime;

	for (unsigned level = 0; level < regime->levels; level++) {
		const uint64_t size = wp_regime_span(regime, level);
		const uint64_t pas[] = {7 * size, ((uint64_t)1 << regime->pa_bits) - size};

		if (!(regime->leaf_sizes & size))
			continue;
		for (pt_flags flags = 0; flags < 64; flags++) {
			for (unsigned i = 0; i < 2; i++)
				check_one(matrix, (struct one){.va = address_for(regime, i, size),
				                               .pa = pas[i],
				                               .size = size,
				                               .flags = flags});
		}
	}
}

/* Flag sets that can be mapped, of 64: DEVICE with UNCACHED never, so three quarters. */
static unsigned long expressible(const struct wp_regime *regime)
{
	static const unsigned long of[WP_ARCHS] = {
		[WP_X86_64] = 3 * 10,      [WP_AARCH64] = 3 * 10, [WP_RISCV64] = 3 * 12,
		[WP_LOONGARCH64] = 3 * 16, [WP_X86_EPT] = 3 * 12,
	};

	return regime->one_privilege ? of[regime->arch] / 2 : of[regime->arch];
}

/* Without READ, WRITE and EXECUTE: with USER or not, of three memory types. */
static unsigned long without_access(const struct wp_regime *regime)
{
	return regime->one_privilege ? 3 : 6;
}

/*
 * Of the flag sets of one page: on AArch64, of those with DEVICE, r-x and rwx, each
 * with USER and without. On LoongArch a USER page's rights: 12 letters in all eight
 * combinations of r, w and x, of three memory types.
 */
static unsigned long open_kinds(const struct wp_regime *regime)
{
	if (regime->arch == WP_AARCH64)
		return regime->one_privilege ? 2 : 4;
	if (regime->arch == WP_LOONGARCH64 && regime->half == PT_HIGH)
		return 3 * 12;
	return 0;
}

static void assert_counts(struct matrix *matrix)
{
	const struct wp_regime *regime = matrix->bench.regime;
	const unsigned long pages = 2 * (unsigned long)__builtin_popcountll(regime->leaf_sizes);
	const unsigned long mapped = pages * expressible(regime);
	const unsigned kinds = regime->one_privilege ? 3 : 6;
	/*
	 * At EL2 nothing stops a fetch from a device: the two pages below the window aren't
	 * asked. In a G-stage nothing stops anything: all three kinds of the two pages among
	 * the devices aren't, nor a fetch from the low one of 1 GiB.
	 */
	const unsigned long left_out = regime->stage_2 ? 2 * 3 + 1 : regime->one_privilege ? 2 : 0;
	const unsigned long unfetched = left_out * 3 *
	                                (expressible(regime) - without_access(regime));
	/* x86-pa40: Unicorn's x86 has 40 physical address bits; half the pages are above */
	const unsigned long unanswered =
		regime->arch == WP_X86_64
			? pages / 2 * (expressible(regime) - without_access(regime))
			: 0;

	assert_int_equal(matrix->mapped, mapped);
	assert_int_equal(matrix->refused, pages * 64 - mapped);
	assert_int_equal(matrix->no_access, pages * without_access(regime));
	assert_int_equal(matrix->of[WP_PAPER].asked, mapped * 3 * 6);
	assert_int_equal(matrix->of[WP_PAPER].answered, mapped * 3 * kinds);
	assert_int_equal(matrix->of[WP_PAPER].open, pages * 3 * open_kinds(regime));
	if (*bench_machine(&matrix->bench, WP_UNICORN_MACHINE))
		assert_int_equal(matrix->of[WP_UNICORN_MACHINE].answered,
		                 (mapped - unanswered) * 3 * kinds);
	if (*bench_machine(&matrix->bench, WP_QEMU_MACHINE))
		assert_int_equal(matrix->of[WP_QEMU_MACHINE].answered,
		                 mapped * 3 * kinds - unfetched);
	if (*bench_machine(&matrix->bench, WP_KVM_MACHINE))
		assert_true(matrix->of[WP_KVM_MACHINE].answered > mapped);
}

static void print_counts(const struct matrix *matrix)
{
	print_message("%-21s %3lu mapped (%lu no-access), %3lu refused; paper answers %lu of %lu",
	              matrix->bench.regime->name, matrix->mapped, matrix->no_access,
	              matrix->refused, matrix->of[WP_PAPER].answered, matrix->of[WP_PAPER].asked);
	if (matrix->of[WP_PAPER].open)
		print_message(" (%lu open)", matrix->of[WP_PAPER].open);
	for (unsigned kind = WP_PAPER + 1; kind < WP_MACHINE_KINDS; kind++) {
		if (matrix->of[kind].asked > 0)
			print_message(", %s %lu", wp_machine_kinds[kind].name,
			              matrix->of[kind].answered);
		if (matrix->of[kind].typed > 0)
			print_message(" (%lu with memory type)", matrix->of[kind].typed);
	}
	print_message("\n");
}

static void every_flag_set_means_to_each_cpu_what_the_contract_says(void **state)
{
	(void)state;
	for (size_t i = 0; i < wp_regime_count; i++) {
		struct matrix matrix;

		open_matrix(&matrix, &wp_regimes[i]);
		run_matrix(&matrix);
		print_counts(&matrix);
		assert_counts(&matrix);
		close_matrix(&matrix);
	}
}

static void a_flag_that_does_not_exist_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < wp_regime_count; i++) {
		const uint64_t page = wp_regime_page(&wp_regimes[i]);
		struct matrix matrix;

		open_matrix(&matrix, &wp_regimes[i]);
		for (unsigned bit = 6; bit < 32; bit++)
			check_refused(&matrix,
			              &(struct one){.va = address_for(&wp_regimes[i], 0, page),
			                            .pa = 7 * page,
			                            .size = page,
			                            .flags = PT_READ | 1u << bit});
		close_matrix(&matrix);
	}
}

/* The letters in the table of meanings are those of the flags. */
static void the_table_of_meanings_is_in_order(void **state)
{
	(void)state;
	for (pt_flags flags = 0; flags < 16; flags++) {
		char text[8];

		assert_memory_equal(meanings[flags].flags, wp_flags_text(flags, text), 4);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_table_of_meanings_is_in_order),
		cmocka_unit_test(every_flag_set_means_to_each_cpu_what_the_contract_says),
		cmocka_unit_test(a_flag_that_does_not_exist_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
