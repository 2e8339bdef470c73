/* SPDX-License-Identifier: MIT */
/* What flags mean, from the contract's "What flags mean to the CPU" alone. */
#include "machine.h"
#include "model.h"

/* What each architecture can't express, and who may execute what. */
struct rule {
	pt_flags needs_read;   /* each of these can't be without READ */
	bool kernel_runs_user; /* the kernel may execute an executable USER page */
	pt_uses records;       /* by itself, in leaves */
};

static const struct rule rules[] = {
	/* SDM vol. 3, 4.6.1: SMEP stops the kernel's fetches. 4.8: A and D. */
	[WP_X86_64] = {PT_WRITE | PT_EXECUTE, false, PT_ACCESSED | PT_DIRTY},
	/* Arm ARM D8.4: AP has no encoding without read; PXN stops EL1's fetches. HA = HD = 0. */
	[WP_AARCH64] = {PT_WRITE | PT_EXECUTE, false, 0},
	/* Privileged ISA, "Addressing and Memory Protection": W without R is reserved; U; A, D. */
	[WP_RISCV64] = {PT_WRITE, false, PT_ACCESSED | PT_DIRTY},
	/* Manual vol. 1, 5.4.4: with RPLV = 0 a lower PLV passes, and only NX stops a fetch. */
	[WP_LOONGARCH64] = {0, true, 0},
	/* SDM vol. 3C, 28.3.3.1: write without read is a misconfiguration; no USER. 28.3.5. */
	[WP_X86_EPT] = {PT_WRITE, false, PT_ACCESSED | PT_DIRTY},
};
_Static_assert(sizeof rules / sizeof rules[0] == WP_ARCHS, "Which flags can't the new one say?");

bool wp_flags_expressible(const struct wp_regime *regime, pt_flags flags)
{
	const pt_flags memory_type = PT_DEVICE | PT_UNCACHED;

	if (flags & ~PT_FLAGS_ALL || (flags & memory_type) == memory_type)
		return false;
	if (flags & PT_USER && regime->one_privilege)
		return false;
	return flags & PT_READ || !(flags & rules[regime->arch].needs_read);
}

uint8_t wp_flags_allowed(const struct wp_regime *regime, pt_flags flags)
{
	static const struct {
		pt_flags flag;
		uint8_t kernel, user;
	} rights[] = {
		{PT_READ, 1 << WP_KERNEL_READ, 1 << WP_USER_READ},
		{PT_WRITE, 1 << WP_KERNEL_WRITE, 1 << WP_USER_WRITE},
		{PT_EXECUTE, 1 << WP_KERNEL_EXECUTE, 1 << WP_USER_EXECUTE},
	};
	uint8_t allowed = 0;

	for (size_t i = 0; i < sizeof rights / sizeof rights[0]; i++) {
		if (flags & rights[i].flag)
			allowed |= (uint8_t)(rights[i].kernel | rights[i].user);
	}
	if (!(flags & PT_USER))
		return allowed & WP_KERNEL_KINDS;
	if (!rules[regime->arch].kernel_runs_user)
		allowed &= (uint8_t)~(1u << WP_KERNEL_EXECUTE);
	return allowed;
}

pt_uses wp_uses_recorded(const struct wp_regime *regime)
{
	return rules[regime->arch].records;
}
