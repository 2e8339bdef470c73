/* SPDX-License-Identifier: MIT */
/* What the KVM machine answers; nothing where KVM can't be used. */
#include "kvm_fixture.h"

/* The last entry, but for its address, and what must come of it. */
static const struct row {
	uint64_t bits;
	unsigned allowed;
	enum wp_fault fault;
} rows[] = {
	{0x001, KR | KX, WP_FAULT_NONE},
	{0x003, KR | KW | KX, WP_FAULT_NONE},
	{0x001 | XD, KR, WP_FAULT_NONE},
	{0x003 | XD, KR | KW, WP_FAULT_NONE},
	{0x005, KR | UR | UX, WP_FAULT_NONE}, /* CR0.WP, CR4.SMEP */
	{0x007, KR | KW | UR | UW | UX, WP_FAULT_NONE},
	{0x005 | XD, KR | UR, WP_FAULT_NONE},
	{0x007 | XD, KR | KW | UR | UW, WP_FAULT_NONE},
	{0x000, 0, WP_FAULT_NOT_PRESENT},
	{0x006, 0, WP_FAULT_NOT_PRESENT},
	{0x11b, KR | KW | KX, WP_FAULT_NONE}, /* global, uncached */
	{0x7ff0000000000e03, KR | KW | KX, WP_FAULT_NONE},
};
#define ROWS (sizeof rows / sizeof rows[0])

static void check(struct fixture *fixture, const struct row *row, uint64_t pa, unsigned answered)
{
	const uint64_t within = 0x123;
	const struct wp_answer answer = ask(fixture, fixture->scratch.va + within, WP_ALL_KINDS);

	assert_int_equal(answer.answered, answered);
	assert_int_equal(answer.allowed, row->allowed & answered);
	assert_int_equal(answer.fault, row->fault);
	assert_true(answer.pa == (answer.allowed != 0 ? pa + within : 0));
	assert_false(answer.pa_unknown);
}

static void a_page_of_the_window_answers_all_kinds(void **state)
{
	struct fixture *fixture = *state;
	uint64_t *data = wp_memory_at(&fixture->memory, fixture->scratch.page, WP_FRAME_SIZE);

	for (size_t i = 0; i < ROWS; i++) {
		*wp_scratch_last(&fixture->scratch) = fixture->scratch.page | rows[i].bits;
		check(fixture, &rows[i], fixture->scratch.page, WP_ALL_KINDS);
	}
	for (size_t i = 0; i < WP_FRAME_SIZE / sizeof *data; i++)
		assert_true(data[i] == 0);
}

static void a_page_that_is_no_memory_is_read_and_written(void **state)
{
	struct fixture *fixture = *state;

	for (size_t i = 0; i < ROWS; i++) {
		const unsigned executes = rows[i].fault == WP_FAULT_NONE ? KX | UX : 0;

		*wp_scratch_last(&fixture->scratch) = ELSEWHERE | rows[i].bits;
		check(fixture, &rows[i], ELSEWHERE, WP_ALL_KINDS & ~executes);
	}
}

static void a_large_page_leads_to_its_place(void **state)
{
	struct fixture *fixture = *state;
	const uint64_t within = fixture->scratch.va % PT_2M;
	const struct row fine = {0, KR | KW, WP_FAULT_NONE};
	const struct row reserved = {0, 0, WP_FAULT_RESERVED};

	*fixture->scratch.entry[2] = ELSEWHERE | 0x1083; /* PAT */
	check(fixture, &fine, ELSEWHERE + within, KR | KW | UR | UW);
	*fixture->scratch.entry[2] = ELSEWHERE | 0x2083;
	check(fixture, &reserved, 0, WP_ALL_KINDS);
}

static void reserved_bits_and_holes_of_every_level_fault(void **state)
{
	struct fixture *fixture = *state;
	const struct row reserved = {0, 0, WP_FAULT_RESERVED};
	const struct row hole = {0, 0, WP_FAULT_NOT_PRESENT};

	*wp_scratch_last(&fixture->scratch) = ELSEWHERE | 7;
	*fixture->scratch.entry[0] |= 0x80; /* PS of a PML4 entry */
	check(fixture, &reserved, 0, WP_ALL_KINDS);
	*fixture->scratch.entry[0] ^= 0x80;
	for (unsigned level = 0; level < 4; level++) {
		*fixture->scratch.entry[level] ^= 1;
		check(fixture, &hole, 0, WP_ALL_KINDS);
		*fixture->scratch.entry[level] ^= 1;
	}
}

static void an_address_that_is_not_canonical_faults(void **state)
{
	struct fixture *fixture = *state;
	const struct wp_answer answer = ask(fixture, (uint64_t)1 << 47, WP_ALL_KINDS);

	assert_int_equal(answer.answered, WP_ALL_KINDS);
	assert_int_equal(answer.allowed, 0);
	assert_int_equal(answer.fault, WP_FAULT_ADDRESS);
}

/* SDM vol. 3, 4.8. */
static void accessed_and_dirty_are_set(void **state)
{
	struct fixture *fixture = *state;
	uint64_t *last = wp_scratch_last(&fixture->scratch);

	for (unsigned user = 0; user < 2; user++) {
		*last = fixture->scratch.page | 7;
		*fixture->scratch.entry[0] &= ~A;
		assert_true(ask(fixture, fixture->scratch.va, user ? UR : KR).allowed != 0);
		assert_true(*last == (fixture->scratch.page | 7 | A));
		assert_true((*fixture->scratch.entry[0] & A) != 0);
		assert_true(ask(fixture, fixture->scratch.va, user ? UW : KW).allowed != 0);
		assert_true(*last == (fixture->scratch.page | 7 | A | D));
	}
}

/* Its frame is both table and data: nothing may be written there to be executed. */
static void a_table_that_leads_to_itself_is_walked(void **state)
{
	struct fixture *fixture = *state;
	const struct wp_scratch *scratch = &fixture->scratch;
	const uint64_t index = scratch->va >> 39 & 511;
	const uint64_t va = index << 39 | index << 30 | index << 21 | index << 12;
	struct wp_answer answer;

	*scratch->entry[0] = scratch->frame[0] | 3;
	answer = ask(fixture, va + 8, WP_ALL_KINDS);
	assert_int_equal(answer.answered, WP_ALL_KINDS & ~(KX | UX));
	assert_int_equal(answer.allowed, KR | KW);
	assert_true(answer.pa == scratch->frame[0] + 8);
}

/* Wherever a probe is in the root, there is another entry to lend. */
static void a_batch_over_the_whole_root_is_answered(void **state)
{
	struct fixture *fixture = *state;
	const struct wp_scratch *scratch = &fixture->scratch;
	uint64_t *root = wp_memory_at(&fixture->memory, scratch->frame[0], WP_FRAME_SIZE);
	static struct wp_probe probes[512];
	static struct wp_answer answers[512];

	*wp_scratch_last(scratch) = ELSEWHERE | 3;
	for (uint64_t i = 0; i < 512; i++) {
		const uint64_t sign = i >= 256 ? UINT64_MAX << 48 : 0;

		root[i] = scratch->frame[1] | 3 | A;
		probes[i] = (struct wp_probe){
			sign | i << 39 | (scratch->va & (((uint64_t)1 << 39) - 1)), KR};
	}
	fixture->machine->probe(fixture->machine, probes, answers, 512);
	for (size_t i = 0; i < 512; i++) {
		assert_int_equal(answers[i].allowed, KR);
		assert_true(answers[i].pa == ELSEWHERE);
		assert_true(root[i] == (scratch->frame[1] | 3 | A));
	}
}

/* An entry that changes between two batches is not remembered by anything. */
static void a_changed_entry_is_seen(void **state)
{
	struct fixture *fixture = *state;

	for (unsigned i = 0; i < 4; i++) {
		wp_scratch_map(&fixture->scratch, fixture->scratch.page,
		               PT_READ | PT_WRITE | PT_USER);
		assert_int_equal(ask(fixture, fixture->scratch.va, UR | UW).allowed, UR | UW);
		*wp_scratch_last(&fixture->scratch) = 0;
		assert_int_equal(ask(fixture, fixture->scratch.va, UR | UW).allowed, 0);
	}
}

static void probe_without_flush(struct wp_machine *machine, const struct wp_probe *probes,
                                struct wp_answer *answers, size_t count)
{
	wp_kvm_of(machine)->vm.empty = true;
	wp_kvm_probe(machine, probes, answers, count);
}

/* The user reads where the stub's code was for the batch before. */
static bool lent_entry_is_forgotten(struct fixture *fixture)
{
	const uint64_t last_slot = UINT64_MAX << 39;
	struct wp_answer answer;

	(void)ask(fixture, fixture->scratch.va, WP_ALL_KINDS);
	answer = ask(fixture, last_slot + WP_FRAME_SIZE, UR);
	return answer.answered == UR && answer.allowed == 0;
}

static void what_was_lent_is_not_remembered(void **state)
{
	struct fixture *fixture = *state;

	for (unsigned i = 0; i < 4; i++)
		assert_true(lent_entry_is_forgotten(fixture));
	if (!wp_kvm_of(fixture->machine)->pvm)
		return; /* silicon may forget by chance: what follows would show nothing */
	fixture->machine->probe = probe_without_flush;
	assert_false(lent_entry_is_forgotten(fixture));
}

static void probes_that_reach_the_stub_are_left_out(void **state)
{
	struct fixture *fixture = *state;

	wp_scratch_map(&fixture->scratch, WP_KVM_STUB_PA, PT_READ);
	assert_int_equal(ask(fixture, fixture->scratch.va, WP_ALL_KINDS).answered, 0);
	*fixture->scratch.entry[1] = wp_scratch_table_entry(&fixture->scratch, WP_KVM_STUB_PA);
	assert_int_equal(ask(fixture, fixture->scratch.va, WP_ALL_KINDS).answered, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_page_of_the_window_answers_all_kinds),
		TEST(a_page_that_is_no_memory_is_read_and_written),
		TEST(a_large_page_leads_to_its_place),
		TEST(reserved_bits_and_holes_of_every_level_fault),
		TEST(an_address_that_is_not_canonical_faults),
		TEST(accessed_and_dirty_are_set),
		TEST(a_table_that_leads_to_itself_is_walked),
		TEST(a_batch_over_the_whole_root_is_answered),
		TEST(a_changed_entry_is_seen),
		TEST(what_was_lent_is_not_remembered),
		TEST(probes_that_reach_the_stub_are_left_out),
	};

	if (!is_usable())
		return 0;
	return cmocka_run_group_tests_name("kvm answers", tests, NULL, NULL);
}
