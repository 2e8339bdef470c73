/* SPDX-License-Identifier: MIT */
/* What the tests of the KVM machine share: one window, a machine, and tables for a page. */
#ifndef WP_KVM_FIXTURE_H
#define WP_KVM_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "machines/kvm.h"
#include "machines/scratch.h"

#define FRAMES 64u

#define BIT(kind) (1u << (kind))
#define KR        BIT(WP_KERNEL_READ)
#define KW        BIT(WP_KERNEL_WRITE)
#define KX        BIT(WP_KERNEL_EXECUTE)
#define UR        BIT(WP_USER_READ)
#define UW        BIT(WP_USER_WRITE)
#define UX        BIT(WP_USER_EXECUTE)

#define A  ((uint64_t)0x20)
#define D  ((uint64_t)0x40)
#define XD ((uint64_t)1 << 63)

#define ELSEWHERE 0x5a5a400000u /* no memory */

struct fixture {
	struct wp_memory memory;
	struct wp_machine *machine;
	struct wp_scratch scratch;
};

static inline int open_scratch(void **state)
{
	struct fixture *fixture = calloc(1, sizeof *fixture);
	char why[300] = "";

	*state = fixture;
	if (fixture == NULL || !wp_memory_open(&fixture->memory, WP_WINDOW_BASE, FRAMES))
		return -1;
	fixture->machine = wp_kvm_open(&fixture->memory, WP_X86_64, why, sizeof why);
	if (fixture->machine == NULL ||
	    !wp_scratch_open(&fixture->scratch, fixture->machine, wp_regime_find("x86_64"))) {
		print_error("%s\n", why);
		return -1;
	}
	return 0;
}

static inline int close_scratch(void **state)
{
	struct fixture *fixture = *state;

	if (fixture->machine != NULL) {
		wp_scratch_close(&fixture->scratch);
		fixture->machine->close(fixture->machine);
	}
	wp_memory_close(&fixture->memory);
	free(fixture);
	return 0;
}

static inline struct wp_answer ask(struct fixture *fixture, uint64_t va, unsigned kinds)
{
	const struct wp_probe probe = {va, (uint8_t)kinds};
	struct wp_answer answer;

	memset(&answer, 0xa5, sizeof answer);
	fixture->machine->probe(fixture->machine, &probe, &answer, 1);
	return answer;
}

/* Without a usable KVM, what it says is one line, and the rest is skipped. */
static inline bool is_usable(void)
{
	struct wp_memory memory;
	struct wp_machine *machine;
	char why[300] = "";

	if (!wp_memory_open(&memory, WP_WINDOW_BASE, FRAMES))
		return false;
	machine = wp_kvm_open(&memory, WP_X86_64, why, sizeof why);
	if (machine != NULL)
		machine->close(machine);
	else
		print_message("skipped: %s\n", why);
	wp_memory_close(&memory);
	return machine != NULL;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_scratch, close_scratch)

#endif
