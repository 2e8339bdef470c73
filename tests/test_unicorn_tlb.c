/* SPDX-License-Identifier: MIT */
#include "unicorn_fixture.h"

/*
 * Leaves of random rights in the last table, half of them into the window, where
 * the TLB keeps them; asked at once, in an order with repetitions, and singly.
 */
static void a_batch_answers_what_single_probes_answer(void **state)
{
	static const char *const regimes[] = {
		"x86_64",      "x86_64_la57",  "aarch64_low",        "aarch64_high",
		"aarch64_el2", "riscv64_sv39", "riscv64_sv57_svpbmt"};
	enum { COUNT = 300 };
	struct fixture *fixture = *state;
	struct wp_probe probes[COUNT];
	struct wp_answer answers[COUNT];
	uint32_t random = 12345;

	for (size_t r = 0; r < sizeof regimes / sizeof regimes[0]; r++) {
		struct wp_scratch scratch;
		struct wp_machine *machine;
		uint64_t *last;

		open_scratch(&scratch, fixture, regimes[r]);
		machine = scratch.machine;
		last = wp_memory_at(&fixture->memory, scratch.frame[scratch.regime->levels - 1],
		                    WP_FRAME_SIZE);
		for (size_t i = 0; i < 512; i++) {
			random = random * 1664525 + 1013904223;
			wp_scratch_map(&scratch, i % 2 ? scratch.page : 0x5a5a5000,
			               PT_READ | (random >> 20 & PT_FLAGS_ALL));
			last[i] = *wp_scratch_last(&scratch);
			if (random >> 28 == 0)
				last[i] = 0;
		}
		for (size_t i = 0; i < COUNT; i++) {
			random = random * 1664525 + 1013904223;
			probes[i].va = (scratch.va & ~(uint64_t)0x1fffff) |
			               (random >> 16 & 127) << 12 | (random >> 10 & 63);
			probes[i].kinds = (uint8_t)(i % 3 ? WP_ALL_KINDS : random >> 24 & 0x3f);
		}
		machine->probe(machine, probes, answers, COUNT);
		for (size_t i = 0; i < COUNT; i++) {
			const struct wp_answer single = ask(machine, probes[i].va, probes[i].kinds);

			assert_int_equal(single.answered, answers[i].answered);
			assert_int_equal(single.allowed, answers[i].allowed);
			assert_int_equal(single.fault, answers[i].fault);
			assert_true(single.pa == answers[i].pa);
		}
		wp_scratch_close(&scratch);
	}
}

static void a_batch_sees_what_was_stored_since_the_last_one(void **state)
{
	static const char *const regimes[] = {"x86_64", "aarch64_low", "aarch64_el2",
	                                      "riscv64_sv48"};
	struct fixture *fixture = *state;

	for (size_t r = 0; r < sizeof regimes / sizeof regimes[0]; r++) {
		struct wp_scratch scratch;
		struct wp_machine *machine;

		open_scratch(&scratch, fixture, regimes[r]);
		machine = scratch.machine;
		for (int i = 0; i < 3; i++) {
			wp_scratch_map(&scratch, scratch.page, PT_READ | PT_WRITE);
			assert_int_equal(ask(machine, scratch.va, WP_ALL_KINDS).allowed, KR | KW);
			wp_scratch_map(&scratch, scratch.frame[1], PT_READ);
			assert_int_equal(ask(machine, scratch.va, WP_ALL_KINDS).allowed, KR);
			assert_true(ask(machine, scratch.va, WP_ALL_KINDS).pa == scratch.frame[1]);
			*wp_scratch_last(&scratch) = 0;
			assert_int_equal(ask(machine, scratch.va, WP_ALL_KINDS).allowed, 0);
		}
		wp_scratch_close(&scratch);
	}
}

static void a_load_drops_what_the_last_root_left(void **state)
{
	static const char *const regimes[] = {"x86_64", "aarch64_high", "aarch64_el2",
	                                      "riscv64_sv39"};
	struct fixture *fixture = *state;

	for (size_t r = 0; r < sizeof regimes / sizeof regimes[0]; r++) {
		struct wp_scratch empty, mapped;
		struct wp_machine *machine;

		open_scratch(&empty, fixture, regimes[r]);
		open_scratch(&mapped, fixture, regimes[r]);
		machine = mapped.machine;
		wp_scratch_map(&mapped, mapped.page, PT_READ);
		assert_int_equal(ask(machine, mapped.va, WP_ALL_KINDS).allowed, KR);
		machine->load(machine, empty.regime, empty.frame[0]);
		assert_int_equal(ask(machine, mapped.va, WP_ALL_KINDS).allowed, 0);
		wp_scratch_close(&mapped);
		wp_scratch_close(&empty);
	}
}

static void a_supervisor_never_executes_a_user_page_in_the_window(void **state)
{
	struct fixture *fixture = *state;
	struct wp_scratch scratch;

	open_scratch(&scratch, fixture, "riscv64_sv39");
	wp_scratch_map(&scratch, scratch.page, PT_READ | PT_WRITE | PT_EXECUTE | PT_USER);
	for (int i = 0; i < 3; i++) {
		const struct wp_probe probes[] = {{scratch.va, WP_ALL_KINDS},
		                                  {scratch.va + 8, WP_ALL_KINDS}};
		struct wp_answer answers[2];

		scratch.machine->probe(scratch.machine, probes, answers, 2);
		assert_int_equal(answers[0].allowed, WP_ALL_KINDS & ~KX);
		assert_int_equal(answers[1].allowed, WP_ALL_KINDS & ~KX);
	}
	wp_scratch_close(&scratch);
}

static bool warm_read(struct wp_machine *machine, uint64_t va)
{
	const struct wp_probe probe = {va, KR};
	struct wp_answer answer;

	machine->probe_warm(machine, &probe, &answer, 1);
	return answer.allowed != 0;
}

/* So that a wrong address shows; RISC-V can't (rv-sfence-va-flushes-all). */
static void a_flush_of_one_address_leaves_others_alone(void **state)
{
	static const char *const regimes[] = {"x86_64", "x86_64_la57", "aarch64_low",
	                                      "aarch64_high", "aarch64_el2"};
	struct fixture *fixture = *state;

	for (size_t r = 0; r < sizeof regimes / sizeof regimes[0]; r++) {
		struct wp_scratch scratch;
		struct wp_machine *machine;
		uint64_t other, pa;

		open_scratch(&scratch, fixture, regimes[r]);
		machine = scratch.machine;
		other = scratch.va + 7 * PT_4K;
		wp_scratch_map(&scratch, scratch.page, PT_READ);
		wp_scratch_last(&scratch)[7] = *wp_scratch_last(&scratch);
		assert_true(warm_read(machine, other));
		assert_true(wp_scratch_translate(&scratch, WP_KERNEL_READ, &pa));
		wp_scratch_last(&scratch)[0] = 0;
		wp_scratch_last(&scratch)[7] = 0;
		machine->flush(machine, &other);
		assert_false(warm_read(machine, other));
		assert_true(wp_scratch_translate(&scratch, WP_KERNEL_READ, &pa));
		machine->flush(machine, &scratch.va);
		assert_false(wp_scratch_translate(&scratch, WP_KERNEL_READ, &pa));
		wp_scratch_close(&scratch);
	}
}

static void a_probe_sets_accessed_and_dirty_as_a_cpu_does(void **state)
{
	struct fixture *fixture = *state;
	struct wp_scratch scratch;

	open_scratch(&scratch, fixture, "x86_64");
	*wp_scratch_last(&scratch) = 0x5a5a5003;
	ask(scratch.machine, scratch.va, KR);
	assert_true(*wp_scratch_last(&scratch) == 0x5a5a5023);
	ask(scratch.machine, scratch.va, KW);
	assert_true(*wp_scratch_last(&scratch) == 0x5a5a5063);
	wp_scratch_close(&scratch);
	open_scratch(&scratch, fixture, "aarch64_low");
	*wp_scratch_last(&scratch) = 0x5a5a5003;
	assert_int_equal(ask(scratch.machine, scratch.va, WP_ALL_KINDS).allowed, 0);
	assert_true(*wp_scratch_last(&scratch) == 0x5a5a5003);
	wp_scratch_close(&scratch);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_batch_answers_what_single_probes_answer),
		TEST(a_batch_sees_what_was_stored_since_the_last_one),
		TEST(a_load_drops_what_the_last_root_left),
		TEST(a_supervisor_never_executes_a_user_page_in_the_window),
		TEST(a_flush_of_one_address_leaves_others_alone),
		TEST(a_probe_sets_accessed_and_dirty_as_a_cpu_does),
	};

	return cmocka_run_group_tests_name("unicorn: batches and the TLB", tests, NULL, NULL);
}
