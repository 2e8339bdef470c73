/* SPDX-License-Identifier: MIT */
/* L7, judged: which pairs of what query() says and what a CPU does are a finding. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "laws/arbitrary.h"

#define VA 0x5234u
#define PA 0x7000234u
#define KR (1u << WP_KERNEL_READ)
#define KW (1u << WP_KERNEL_WRITE)
#define KX (1u << WP_KERNEL_EXECUTE)
#define UR (1u << WP_USER_READ)
#define UW (1u << WP_USER_WRITE)
#define UX (1u << WP_USER_EXECUTE)
#define R  PT_READ
#define W  PT_WRITE
#define X  PT_EXECUTE
#define U  PT_USER

/* Says a 4 KiB page at VA -> PA with `flags` of a CPU that allows `allowed`. */
static const char *judge_open(const char *regime, pt_flags flags, uint8_t allowed, uint8_t open)
{
	const struct pt_mapping mapping = {
		.vaddr = {VA}, .paddr = {PA}, .size = PT_4K, .flags = flags};
	const struct wp_answer paper = {
		.answered = WP_ALL_KINDS,
		.allowed = allowed,
		.open = open,
		.memory_type = WP_TYPE_NORMAL,
		.pa = PA,
		.size = PT_4K,
	};
	struct wp_finding finding = {0};

	wp_judge_arbitrary_query(wp_regime_find(regime), VA, PT_OK, &mapping, &paper, &finding);
	assert_true(!finding.found || finding.law == WP_LAW_ARBITRARY_MEMORY);
	return finding.found ? finding.kind : "fine";
}

static const char *judge(const char *regime, pt_flags flags, uint8_t allowed)
{
	return judge_open(regime, flags, allowed, 0);
}

static const char *judge_status(const char *regime, uint64_t va, pt_status status, uint8_t allowed,
                                uint8_t open)
{
	const struct pt_mapping mapping = {0};
	const struct wp_answer paper = {WP_ALL_KINDS, allowed, open, .pa = PA, .size = PT_4K};
	struct wp_finding finding = {0};

	wp_judge_arbitrary_query(wp_regime_find(regime), va, status, &mapping, &paper, &finding);
	return finding.found ? finding.kind : "fine";
}

static void rights_must_be_those_of_the_cpu(void **state)
{
	(void)state;
	assert_string_equal(judge("x86_64", R | W, KR | KW), "fine");
	assert_string_equal(judge("x86_64", R, KR | KW), "query-flags");
	assert_string_equal(judge("x86_64", R | W, KR), "query-flags");
	assert_string_equal(judge("x86_64", R | U, KR), "query-flags");
	assert_string_equal(judge("x86_64", R, KR | UR), "query-flags");
	assert_string_equal(judge("x86_64", R | X | U, KR | UR | UX), "fine");
	assert_string_equal(judge("x86_64", R | X | U, KR | KX | UR | UX), "query-flags");
	assert_string_equal(judge("riscv64_sv39", X | U, UX), "fine");
	assert_string_equal(judge("riscv64_sv39", X | U, UX | KX), "query-flags");
}

static void aarch64_compares_no_execution_by_the_other_privilege(void **state)
{
	(void)state;
	assert_string_equal(judge("aarch64_low", R, KR | UX), "fine");
	assert_string_equal(judge("aarch64_low", R, KR | KX), "query-flags");
	assert_string_equal(judge("aarch64_low", R | U, KR | UR | KX), "fine");
	assert_string_equal(judge("aarch64_low", R | U, KR | UR | UX), "query-flags");
	assert_string_equal(judge("aarch64_low", X | U, KR | UX), "query-form");
	assert_string_equal(judge("aarch64_el2", R, KR | UX), "query-flags");
	assert_string_equal(judge("aarch64_el2", R | U, KR | UR), "query-form");
}

static void loongarch_gives_the_kernel_all_of_a_user_page_or_nothing(void **state)
{
	const uint8_t kernel = KR | KW, user = UR | UW;

	(void)state;
	assert_string_equal(judge("loongarch64_low", R | W | U, kernel | user), "fine");
	assert_string_equal(judge("loongarch64_low", R | W | U, user), "fine");
	assert_string_equal(judge("loongarch64_low", R | W | U, user | KR), "query-flags");
	assert_string_equal(judge("loongarch64_low", R | U, user), "query-flags");
	assert_string_equal(judge("loongarch64_low", R | W, user), "query-flags");
}

static void what_faults_on_every_access_is_no_mapping(void **state)
{
	(void)state;
	assert_string_equal(judge("x86_64", R, 0), "query-faults");
	assert_string_equal(judge("x86_64", 0, 0), "fine");
	assert_string_equal(judge("x86_64", U, 0), "fine");
	assert_string_equal(judge("x86_64", 0, KR), "query-flags");
	assert_string_equal(judge_status("x86_64", VA, PT_NOT_MAPPED, 0, 0), "fine");
	assert_string_equal(judge_status("x86_64", VA, PT_MALFORMED, 0, 0), "fine");
	assert_string_equal(judge_status("x86_64", VA, PT_ALREADY_MAPPED, 0, 0), "query-status");
	assert_string_equal(judge_status("x86_64", VA, PT_NOT_MAPPED, KR, 0), "query-status");
	assert_string_equal(judge_status("x86_64", VA, PT_MALFORMED, UR, 0), "query-status");
}

static void where_the_manual_is_free_either_is_fine(void **state)
{
	(void)state;
	assert_string_equal(judge_open("aarch64_low", R | X, KR | KX, KX), "fine");
	assert_string_equal(judge_open("aarch64_low", R, KR | KX, KX), "fine");
	assert_string_equal(judge_open("aarch64_low", R | W, KR | KX, KX), "query-flags");
	assert_string_equal(judge_open("aarch64_low", R, KR, WP_ALL_KINDS), "fine");
	assert_string_equal(judge_open("aarch64_low", R | W, KR, WP_ALL_KINDS), "query-flags");
	assert_string_equal(judge_open("aarch64_low", R, 0, WP_ALL_KINDS), "query-faults");
	assert_string_equal(judge_status("aarch64_low", VA, PT_MALFORMED, KR, WP_ALL_KINDS),
	                    "fine");
	assert_string_equal(judge_status("aarch64_low", VA, PT_MALFORMED, KR | KX, KX),
	                    "query-status");
}

static void bad_address_is_said_of_all_others_and_of_no_canonical_one(void **state)
{
	const uint64_t gap = (uint64_t)1 << 50;

	(void)state;
	assert_string_equal(judge_status("x86_64", VA, PT_BAD_ADDRESS, 0, 0), "query-status");
	assert_string_equal(judge_status("x86_64", gap, PT_NOT_MAPPED, 0, 0), "query-status");
	assert_string_equal(judge_status("x86_64", gap, PT_BAD_ADDRESS, 0, 0), "fine");
	assert_string_equal(judge_status("x86_64_la57", gap, PT_NOT_MAPPED, 0, 0), "fine");
	assert_string_equal(judge_status("aarch64_high", VA, PT_NOT_MAPPED, 0, 0), "query-status");
}

/* One thing changed in what is otherwise right. */
static const char *judge_changed(struct pt_mapping mapping, uint8_t memory_type)
{
	const struct wp_answer paper = {WP_ALL_KINDS, KR, .memory_type = memory_type, .pa = PA,
	                                .size = PT_4K};
	struct wp_finding finding = {0};

	wp_judge_arbitrary_query(wp_regime_find("x86_64"), VA, PT_OK, &mapping, &paper, &finding);
	return finding.found ? finding.kind : "fine";
}

static void address_size_and_memory_type_must_be_those_of_the_cpu(void **state)
{
	const struct pt_mapping right = {.vaddr = {VA}, .paddr = {PA}, .size = PT_4K, .flags = R};
	struct pt_mapping mapping = right;

	(void)state;
	assert_string_equal(judge_changed(mapping, WP_TYPE_NORMAL), "fine");
	assert_string_equal(judge_changed(mapping, WP_TYPE_OTHER), "fine");
	assert_string_equal(judge_changed(mapping, WP_TYPE_DEVICE), "query-memory-type");
	mapping.paddr.value += PT_4K;
	assert_string_equal(judge_changed(mapping, WP_TYPE_NORMAL), "query-pa");
	mapping.paddr.value = PA + 1;
	assert_string_equal(judge_changed(mapping, WP_TYPE_NORMAL), "query-form");
	mapping = right;
	mapping.size = 0;
	assert_string_equal(judge_changed(mapping, WP_TYPE_NORMAL), "query-form");
	mapping = right;
	mapping.flags |= PT_DEVICE;
	assert_string_equal(judge_changed(mapping, WP_TYPE_NORMAL), "query-memory-type");
	assert_string_equal(judge_changed(mapping, WP_TYPE_DEVICE), "fine");
}

static const char *judge_machine(uint8_t answered, uint8_t allowed, uint64_t pa, uint8_t open)
{
	const struct wp_answer paper = {WP_ALL_KINDS, KR | UR, open, .pa = PA};
	const struct wp_answer answer = {answered, allowed, .pa = pa};
	struct wp_finding finding = {0};

	wp_judge_arbitrary_answer(VA, &answer, "other", &paper, &finding);
	return finding.found ? finding.kind : "fine";
}

static void machines_must_agree_on_what_both_answer_and_is_certain(void **state)
{
	(void)state;
	assert_string_equal(judge_machine(WP_ALL_KINDS, KR | UR, PA, 0), "fine");
	assert_string_equal(judge_machine(WP_ALL_KINDS, KR, PA, 0), "user read");
	assert_string_equal(judge_machine(WP_ALL_KINDS, KR | UR | KW, PA, 0), "kernel write");
	assert_string_equal(judge_machine(WP_ALL_KINDS, KR | UR | KW, PA, KW), "fine");
	assert_string_equal(judge_machine(KR, KR, PA, 0), "fine");
	assert_string_equal(judge_machine(0, 0, 0, 0), "fine");
	assert_string_equal(judge_machine(KR, KR, PA + 1, 0), "pa");
	assert_string_equal(judge_machine(KR, KR, PA + 1, WP_ALL_KINDS), "fine");
}

/* The same, between two CPUs: open to them is nothing. */
static void cpus_must_agree_where_the_manual_is_free_too(void **state)
{
	const struct wp_answer a = {WP_ALL_KINDS, KR | UR, .level = 0xff, .pa = PA};
	const struct wp_answer hole = {WP_ALL_KINDS, .fault = WP_FAULT_NOT_PRESENT};
	const struct wp_answer bus = {WP_ALL_KINDS, .fault = WP_FAULT_BUS};
	struct wp_answer b = a;
	struct wp_finding finding = {0};

	(void)state;
	wp_judge_arbitrary_pair(VA, &b, "qemu", &a, "unicorn", &finding);
	assert_false(finding.found);
	b.pa_unknown = true;
	b.pa = 0;
	wp_judge_arbitrary_pair(VA, &a, "kvm", &b, "qemu", &finding);
	wp_judge_arbitrary_pair(VA, &bus, "qemu", &hole, "unicorn", &finding);
	wp_judge_arbitrary_pair(VA, &hole, "kvm", &bus, "qemu", &finding);
	assert_false(finding.found);
	b.allowed |= KW;
	wp_judge_arbitrary_pair(VA, &b, "qemu", &a, "unicorn", &finding);
	assert_string_equal(finding.sentence,
	                    "qemu allows a kernel write at 0x5234, and unicorn denies it: "
	                    "permission");
}

static const char *judge_reason(enum wp_fault said, enum wp_fault paper_says)
{
	const struct wp_answer answer = {.answered = WP_ALL_KINDS, .fault = (uint8_t)said};
	const struct wp_answer paper = {.answered = WP_ALL_KINDS, .fault = (uint8_t)paper_says};
	static struct wp_finding finding;

	finding.found = false;
	wp_judge_arbitrary_answer(VA, &answer, "other", &paper, &finding);
	return finding.found ? finding.kind : "fine";
}

static void machines_must_agree_on_why_every_access_is_denied(void **state)
{
	(void)state;
	assert_string_equal(judge_reason(WP_FAULT_RESERVED, WP_FAULT_RESERVED), "fine");
	assert_string_equal(judge_reason(WP_FAULT_NOT_PRESENT, WP_FAULT_RESERVED), "reason");
	assert_string_equal(judge_reason(WP_FAULT_PERMISSION, WP_FAULT_NOT_PRESENT), "reason");
	assert_string_equal(judge_reason(WP_FAULT_NOT_PRESENT, WP_FAULT_BUS), "fine");
	assert_string_equal(judge_reason(WP_FAULT_BUS, WP_FAULT_NOT_PRESENT), "reason");
	assert_string_equal(judge_reason(WP_FAULT_BUS, WP_FAULT_RESERVED), "reason");
	assert_string_equal(judge_reason(WP_FAULT_UNKNOWN, WP_FAULT_ADDRESS), "fine");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rights_must_be_those_of_the_cpu),
		cmocka_unit_test(aarch64_compares_no_execution_by_the_other_privilege),
		cmocka_unit_test(loongarch_gives_the_kernel_all_of_a_user_page_or_nothing),
		cmocka_unit_test(what_faults_on_every_access_is_no_mapping),
		cmocka_unit_test(where_the_manual_is_free_either_is_fine),
		cmocka_unit_test(bad_address_is_said_of_all_others_and_of_no_canonical_one),
		cmocka_unit_test(address_size_and_memory_type_must_be_those_of_the_cpu),
		cmocka_unit_test(machines_must_agree_on_what_both_answer_and_is_certain),
		cmocka_unit_test(cpus_must_agree_where_the_manual_is_free_too),
		cmocka_unit_test(machines_must_agree_on_why_every_access_is_denied),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
