/* SPDX-License-Identifier: MIT */
/*
 * What the parts of the AArch64 walker share: see walk_aarch64.c. "D8" and such are
 * chapters of the Arm ARM, DDI 0487.
 */
#ifndef WP_AARCH64_H
#define WP_AARCH64_H

#include <stdbool.h>
#include <stddef.h>

#include "walker.h"

/* mailbox->setting: see qemu_aarch64.c. */
enum {
	SET_EL2,
	SET_TTBR0,
	SET_TTBR1,
	SET_TCR,
	SET_MAIR,
	SET_STUBS, /* where the tested EL sees our page of stubs; 0: nowhere */
	SET_STUBS_IPA,
	SET_WINDOW,
	SET_WINDOW_SIZE,
	SETTINGS,
};

#define PAGE_SIZE      4096u
#define OUTPUT_ADDRESS 0x0000fffffffff000u

/* From the stubs to the page behind them, which stage 2 lacks: for the vectors of EL1. */
#define NOWHERE 0x1000u

/* D17 "ESR_EL2": EC, and of the ISS of an abort S1PTW and the fault status. */
enum exception_class {
	EC_ILLEGAL_STATE = 0x0e,
	EC_FETCH_LOWER_EL = 0x20,
	EC_FETCH_SAME_EL = 0x21,
	EC_DATA_LOWER_EL = 0x24,
	EC_DATA_SAME_EL = 0x25,
};
#define ESR_S1PTW    ((uint64_t)1 << 7)
#define ESR_FSC      0x3fu
#define FSC_EXTERNAL 0x10u /* and not on a walk */

/* C5.2 "SPSR_EL3" */
#define PSTATE_EL0T 0x3c0u
#define PSTATE_EL1H 0x3c5u
#define PSTATE_EL2H 0x3c9u
#define PSTATE_IL   ((uint64_t)1 << 20)

#define PAR_F       ((uint64_t)1 << 0)
#define PAR_STAGE_2 ((uint64_t)3 << 8) /* PTW, S: if F = 1 */

#define read_register(name)                                                                        \
	({                                                                                         \
		uint64_t value_;                                                                   \
		__asm__ volatile("mrs %0, " #name : "=r"(value_)::"memory");                       \
		value_;                                                                            \
	})
#define write_register(name, value)                                                                \
	__asm__ volatile("msr " #name ", %0" ::"r"((uint64_t)(value)) : "memory")

/* --- start_aarch64.S --- */

extern const char stubs[], stub_load[], stub_load_el0[];
extern const char stub_rewrite[], stub_rewrite_el0[], stub_store[], stub_store_el0[];

/* How a lower EL came back. */
struct end {
	uint64_t esr_el3; /* of its SMC */
	uint64_t read;    /* if a stub's access went through */
};
struct end wp_enter(uint64_t pstate, uint64_t pc, uint64_t x1);

uint64_t wp_at_s1e1r(uint64_t va);
uint64_t wp_at_s1e1w(uint64_t va);
uint64_t wp_at_s1e0r(uint64_t va);
uint64_t wp_at_s1e0w(uint64_t va);
uint64_t wp_at_s1e2r(uint64_t va);
uint64_t wp_at_s1e2w(uint64_t va);

/* --- regime_aarch64.c --- */

extern uint64_t wp_now[SETTINGS]; /* what the registers hold */

void wp_regime_start(void);

/* Follows mailbox->setting. */
void wp_regime_configure(const struct wp_mailbox *mailbox);

/* The tested regime, or one address of it. */
void wp_regime_flush(void);
void wp_regime_flush_shared(void);
void wp_regime_flush_address(uint64_t va);

/*
 * Where EL2 sees our stubs, for a while: nothing that led elsewhere may be found in
 * the TLB for it, nor what leads there later.
 */
void wp_regime_forget_stubs(void);

static inline bool wp_in_window(uint64_t pa)
{
	return pa - wp_now[SET_WINDOW] < wp_now[SET_WINDOW_SIZE];
}

/* --- access_aarch64.c --- */

/* A real access to a doubleword, for a kind that doesn't fetch. A write changes nothing. */
struct end wp_access(unsigned kind, uint64_t address);

/* Where an access that went through led to; false: that isn't known. */
bool wp_find_target(unsigned kind, uint64_t va, uint64_t *pa);

/* Where `va` leads, which the TLB may still hold later. */
void wp_note_target(uint64_t va, uint64_t pa);

/* --- walk_aarch64.c --- */

/* By AT, as PAR_EL1; a fetch is asked for as a read. */
uint64_t wp_translate(unsigned kind, uint64_t va);

_Noreturn void wp_aarch64_panic(uint64_t esr, uint64_t pc, uint64_t address, uint64_t pstate);

static inline bool wp_is_user(unsigned kind)
{
	return kind >= 3;
}

static inline bool wp_is_write(unsigned kind)
{
	return kind % 3 == 1;
}

static inline bool wp_is_fetch(unsigned kind)
{
	return kind % 3 == 2;
}

static inline enum exception_class wp_class_of(uint64_t esr)
{
	return (enum exception_class)(esr >> 26 & 0x3f);
}

/* The stubs say with SMC #1 that the access went through, and the vectors SMC #0. */
static inline bool wp_went_through(struct end end)
{
	return (end.esr_el3 & 0xffff) != 0;
}

#endif
