/* SPDX-License-Identifier: MIT */
/* A run on damaged tables, between damage.c and damage_*.c. */
#ifndef WP_DAMAGE_PRIVATE_H
#define WP_DAMAGE_PRIVATE_H

#include "damage.h"

#define WP_DAMAGED_ADDRESSES 64

/* A run from the damage on. */
struct wp_damaged {
	struct wp_runner *runner;
	const struct wp_program *program;
	struct wp_result *result;
	struct wp_damage_stats *stats;
	struct wp_random random;
	const char *name; /* of the call at hand, and what it did: */
	uint64_t stores, flushes, frees;
	size_t count[WP_MODEL_TABLES];   /* addresses that are damaged, or were changed since */
	size_t holes;                    /* LoongArch: the frames that holes lead to... */
	uint64_t hole[WP_MODEL_TABLES];  /* ...as entries that lead back to them */
	size_t damaged[WP_MODEL_TABLES]; /* of these the first */
	uint64_t va[WP_MODEL_TABLES][WP_DAMAGED_ADDRESSES];
};

/* As `before`, but that it tells `d` what a call does. */
struct pt_platform wp_damage_platform(struct wp_damaged *d, const struct pt_platform *before);

/* An operation of a program, if it is one that is run on damaged tables. */
void wp_damage_operate(struct wp_damaged *d, const struct wp_call *asked);

/* Operations at an address that is damaged; harvest() is none. */
void wp_damage_aim(struct wp_damaged *d, unsigned table, uint64_t va);
void wp_damage_aim_harvest(struct wp_damaged *d, unsigned table, uint64_t va);

/* A call with a status; judged, with the addresses at both of its ends. */
void wp_damage_call(struct wp_damaged *d, const struct wp_call *call);

/* query() as the paper machine has it; true: they agree. */
bool wp_damage_agree(struct wp_damaged *d, unsigned table, uint64_t va);

/* Every fast machine about all addresses of a table. */
void wp_damage_ask(struct wp_damaged *d, unsigned table);

/* Turns bits in tables that are in use, and remembers the addresses below them. */
void wp_damage_tables(struct wp_damaged *d);

/*
 * LoongArch: whether a call that followed a damaged entry into the frame of all holes
 * has changed it. Then the CPU and query() part for every hole, and no more is said.
 */
bool wp_damage_reached_holes(const struct wp_damaged *d);

#endif
