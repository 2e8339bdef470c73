/* SPDX-License-Identifier: MIT */
/*
 * What every flag set means to every CPU: the contract's "What flags mean to the
 * CPU", written out by hand and apart from all code that computes it.
 */
#ifndef FLAG_MEANINGS_H
#define FLAG_MEANINGS_H

#include "machine.h"

/*
 * Kinds that are allowed, kernel's and user's, by the flags' letters; NULL: refused.
 * EXECUTE is for the page's own privilege, but the kernel executes a USER page on
 * LoongArch, where nothing can deny it.
 */
struct meaning {
	const char *flags;
	const char *x86_64, *aarch64, *el2, *riscv64, *loongarch64, *ept;
};
static const struct meaning meanings[16] = {
	{"----", "--- ---", "--- ---", "--- ---", "--- ---", "--- ---", "--- ---"},
	{"r---", "r-- ---", "r-- ---", "r-- ---", "r-- ---", "r-- ---", "r-- ---"},
	{"-w--", NULL, NULL, NULL, NULL, "-w- ---", NULL},
	{"rw--", "rw- ---", "rw- ---", "rw- ---", "rw- ---", "rw- ---", "rw- ---"},
	{"--x-", NULL, NULL, NULL, "--x ---", "--x ---", "--x ---"},
	{"r-x-", "r-x ---", "r-x ---", "r-x ---", "r-x ---", "r-x ---", "r-x ---"},
	{"-wx-", NULL, NULL, NULL, NULL, "-wx ---", NULL},
	{"rwx-", "rwx ---", "rwx ---", "rwx ---", "rwx ---", "rwx ---", "rwx ---"},
	{"---u", "--- ---", "--- ---", NULL, "--- ---", "--- ---", NULL},
	{"r--u", "r-- r--", "r-- r--", NULL, "r-- r--", "r-- r--", NULL},
	{"-w-u", NULL, NULL, NULL, NULL, "-w- -w-", NULL},
	{"rw-u", "rw- rw-", "rw- rw-", NULL, "rw- rw-", "rw- rw-", NULL},
	{"--xu", NULL, NULL, NULL, "--- --x", "--x --x", NULL},
	{"r-xu", "r-- r-x", "r-- r-x", NULL, "r-- r-x", "r-x r-x", NULL},
	{"-wxu", NULL, NULL, NULL, NULL, "-wx -wx", NULL},
	{"rwxu", "rw- rwx", "rw- rwx", NULL, "rw- rwx", "rwx rwx", NULL},
};

static inline const char *meaning_of(const struct wp_regime *regime, pt_flags flags)
{
	const struct meaning *meaning = &meanings[flags & 15];

	if ((flags & PT_DEVICE) && (flags & PT_UNCACHED))
		return NULL;
	switch (regime->arch) {
	case WP_X86_64:
		return meaning->x86_64;
	case WP_AARCH64:
		return regime->one_privilege ? meaning->el2 : meaning->aarch64;
	case WP_RISCV64: /* a G-stage has no USER, as EL2 */
		return regime->one_privilege && (flags & PT_USER) ? NULL : meaning->riscv64;
	case WP_X86_EPT:
		return meaning->ept;
	case WP_LOONGARCH64:
		return meaning->loongarch64;
	case WP_ARCHS:
		break;
	}
	return NULL;
}

static inline uint8_t kinds_of(const char *meaning)
{
	static const enum wp_kind kinds[] = {WP_KERNEL_READ, WP_KERNEL_WRITE, WP_KERNEL_EXECUTE,
	                                     WP_KINDS,       WP_USER_READ,    WP_USER_WRITE,
	                                     WP_USER_EXECUTE};
	uint8_t set = 0;

	for (unsigned i = 0; i < 7; i++) {
		if (meaning[i] != '-' && meaning[i] != ' ')
			set |= (uint8_t)(1u << kinds[i]);
	}
	return set;
}

/* Without attributes in the entry the CPU takes RISC-V memory for what it is. */
static inline enum wp_memory_type type_of(const struct wp_regime *regime, pt_flags flags)
{
	if (regime->arch == WP_RISCV64 && regime->attributes == WP_ATTR_SOFTWARE)
		return WP_TYPE_NORMAL;
	if (flags & PT_DEVICE)
		return WP_TYPE_DEVICE;
	return flags & PT_UNCACHED ? WP_TYPE_UNCACHED : WP_TYPE_NORMAL;
}

#endif
