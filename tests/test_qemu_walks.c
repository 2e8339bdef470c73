/* SPDX-License-Identifier: MIT */
/* What one architecture alone does on QEMU, that no table of the other tests shows. */
#include "qemu_fixture.h"

#include <stdio.h>

#include "machines/qemu/firmware/loongarch64.h"

/* The firmware compares what its loads find there with what LDDIR and LDPTE make of it. */
static void where_0_holds_zeros_a_loongarch_walk_goes_there_and_finds_nothing(void **state)
{
	struct wp_scratch scratch;
	const struct wp_qemu *qemu;
	const uint64_t *found;
	uint64_t compared, differences;

	(void)state;
	if (!open_page(&scratch, "loongarch64_low"))
		return;
	qemu = wp_qemu_of(scratch.machine);
	for (unsigned level = 0; level < 3; level++) {
		const uint64_t table = *scratch.entry[level];
		struct wp_answer answer;

		*scratch.entry[level] = 0;
		answer = wp_scratch_ask(&scratch, WP_KERNEL_READ);
		assert_int_equal(answer.answered, 1u << WP_KERNEL_READ);
		assert_int_equal(answer.fault, WP_FAULT_BUS);
		found = qemu->processes[qemu->model].mailbox->found;
		compared = found[WP_LA_COMPARED];
		differences = found[WP_LA_DIFFERENCES];
		memory.zeros_at_0 = true;
		answer = wp_scratch_ask(&scratch, WP_KERNEL_READ);
		memory.zeros_at_0 = false;
		assert_int_equal(answer.allowed, 0);
		assert_int_equal(answer.fault, WP_FAULT_NOT_PRESENT);
		assert_int_equal(answer.level, level + 1);
		assert_true(found[WP_LA_COMPARED] > compared);
		assert_int_equal(found[WP_LA_DIFFERENCES], differences);
		*scratch.entry[level] = table;
	}
	close_page(&scratch);
}

/* Versions that are known to hang aren't asked; this one is, once. */
static void executing_the_last_byte_of_the_address_space_hangs_x86_64_and_is_not_asked(void **state)
{
	const struct wp_probe probe = {UINT64_MAX, 1u << WP_KERNEL_EXECUTE | 1u << WP_KERNEL_READ};
	struct wp_scratch scratch;
	struct wp_answer answer;
	unsigned major = 0;
	char why[300];

	(void)state;
	if (!open_page(&scratch, "x86_64"))
		return;
	assert_true(scratch.machine->self_test(scratch.machine, scratch.regime, why, sizeof why));
	scratch.machine->load(scratch.machine, scratch.regime, scratch.frame[0]);
	for (unsigned level = 0; level < 4; level++) {
		uint64_t *table = wp_memory_at(&memory, scratch.frame[level], WP_FRAME_SIZE);

		table[511] = level < 3 ? wp_scratch_table_entry(&scratch, scratch.frame[level + 1])
		                       : wp_scratch_leaf_entry(&scratch, level, scratch.page,
		                                               PT_READ | PT_EXECUTE);
	}
	scratch.machine->probe(scratch.machine, &probe, &answer, 1);
	assert_int_equal(scratch.machine->hangs, 0);
	assert_int_equal(answer.allowed, answer.answered);
	sscanf(scratch.machine->version, "%u", &major);
	if (major < 8) {
		assert_int_equal(answer.answered, 1u << WP_KERNEL_READ);
		scratch.machine->incautious = true;
		scratch.machine->probe(scratch.machine, &probe, &answer, 1);
		assert_int_equal(scratch.machine->hangs, 1);
		assert_int_equal(answer.answered, 1u << WP_KERNEL_READ);
	}
	close_page(&scratch);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			executing_the_last_byte_of_the_address_space_hangs_x86_64_and_is_not_asked),
		cmocka_unit_test(where_0_holds_zeros_a_loongarch_walk_goes_there_and_finds_nothing),
	};

	return cmocka_run_group_tests(tests, open_memory, close_memory);
}
