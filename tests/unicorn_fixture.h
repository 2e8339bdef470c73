/* SPDX-License-Identifier: MIT */
/* What the tests of the Unicorn machine share: one window and a machine for each CPU. */
#ifndef WP_UNICORN_FIXTURE_H
#define WP_UNICORN_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "machines/unicorn.h"

#define BASE   0x80000000u
#define FRAMES 64u

static const enum wp_arch served[] = {WP_X86_64, WP_AARCH64, WP_RISCV64};
#define SERVED (sizeof served / sizeof served[0])

/* Kinds as sets. */
#define BIT(kind) (1u << (kind))
#define KR        BIT(WP_KERNEL_READ)
#define KW        BIT(WP_KERNEL_WRITE)
#define KX        BIT(WP_KERNEL_EXECUTE)
#define UR        BIT(WP_USER_READ)
#define UW        BIT(WP_USER_WRITE)
#define UX        BIT(WP_USER_EXECUTE)

struct fixture {
	struct wp_memory memory;
	struct wp_machine *machine[SERVED]; /* in the order of `served` */
};

static inline int open_all(void **state)
{
	struct fixture *fixture = calloc(1, sizeof *fixture);
	char why[200] = "";

	*state = fixture;
	if (fixture == NULL || !wp_memory_open(&fixture->memory, BASE, FRAMES))
		return -1;
	for (size_t i = 0; i < SERVED; i++) {
		fixture->machine[i] = wp_unicorn_open(&fixture->memory, served[i], why, sizeof why);
		if (fixture->machine[i] == NULL) {
			print_error("%s\n", why);
			return -1;
		}
	}
	return 0;
}

static inline int close_all(void **state)
{
	struct fixture *fixture = *state;

	for (size_t i = 0; i < SERVED; i++) {
		if (fixture->machine[i] != NULL)
			fixture->machine[i]->close(fixture->machine[i]);
	}
	wp_memory_close(&fixture->memory);
	free(fixture);
	return 0;
}

static inline struct wp_machine *machine_for(struct fixture *fixture,
                                             const struct wp_regime *regime)
{
	for (size_t i = 0; i < SERVED; i++) {
		if (served[i] == regime->arch)
			return fixture->machine[i];
	}
	return NULL;
}

static inline struct wp_answer ask(struct wp_machine *machine, uint64_t va, uint8_t kinds)
{
	const struct wp_probe probe = {va, kinds};
	struct wp_answer answer;

	memset(&answer, 0xa5, sizeof answer);
	machine->probe(machine, &probe, &answer, 1);
	return answer;
}

static inline void open_scratch(struct wp_scratch *scratch, struct fixture *fixture,
                                const char *regime)
{
	const struct wp_regime *found = wp_regime_find(regime);

	assert_true(wp_scratch_open(scratch, machine_for(fixture, found), found));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_all, close_all)

#endif
