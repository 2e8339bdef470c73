/* SPDX-License-Identifier: MIT */
/* Between standalone.c, which puts the file together, and standalone_steps.c, its main(). */
#ifndef WP_STANDALONE_PRIVATE_H
#define WP_STANDALONE_PRIVATE_H

#include "standalone.h"

/* What is looked at beside the statuses, which always are. */
enum wp_shown_by {
	WP_BY_CALLS = 0,
	WP_BY_QUERY = 1 << 0,   /* query() after the operation */
	WP_BY_CPU = 1 << 1,     /* walks after it */
	WP_BY_TLB = 1 << 2,     /* what no flush reached */
	WP_BY_STORES = 1 << 3,  /* walks after every store */
	WP_BY_FRAMES = 1 << 4,  /* frames handed out and given back */
	WP_BY_FLUSHES = 1 << 5, /* flushes that a failed call made or recorded */
	WP_BY_READING = 1 << 6, /* memory can't be written meanwhile */
	WP_BY_USES = 1 << 7,    /* what CPUs record in leaves */
	WP_BY_VISITS = 1 << 8,  /* of walk() */
};

#define WP_SHOWN_ADDRESSES 6

struct wp_standalone {
	const struct wp_report *report;
	const struct wp_program *program;
	const struct wp_regime *regime;
	const struct wp_subject *subject;
	FILE *out;
	unsigned by; /* enum wp_shown_by */
	size_t last; /* operation; program->count: at the end */
	bool hangs;
	uint64_t va[WP_SHOWN_ADDRESSES]; /* that the sentence or the last operation names */
	size_t va_count;

	/* as the program goes */
	struct wp_model *model;
	bool batched[WP_MODEL_TABLES];
	bool made[WP_MODEL_TABLES]; /* the table is there for the file */
	bool lent;
	size_t waiting; /* frames that a batch holds back */
	size_t grants;  /* frames until a refusal; SIZE_MAX: none is coming */
	bool once;
};

/* main(), from its first line to its last. */
void wp_standalone_steps(struct wp_standalone *file);

/* --- its parts --- */

/* PT_2M for 0x200000; PT_READ | PT_USER. */
void wp_standalone_size(uint64_t size, FILE *out);
void wp_standalone_flags(pt_flags flags, FILE *out);
void wp_standalone_heading(const struct wp_standalone *file, size_t i, enum wp_opcode opcode);
void wp_standalone_call(const struct wp_standalone *file, const struct wp_call *call);

bool wp_standalone_only_reads(enum wp_opcode opcode);
void wp_standalone_before(const struct wp_standalone *file, const struct wp_call *call, bool last);
/* After the last one, with the model as it is then. */
void wp_standalone_after(const struct wp_standalone *file);
/* What the call told, beside its status. */
void wp_standalone_said(const struct wp_standalone *file, const struct wp_call *call, size_t i,
                        const struct wp_verdict *verdict);
/* What a harvest did to the leaf that is looked at; false: nothing, by what it must do. */
bool wp_standalone_harvested(const struct wp_standalone *file, const struct wp_call *call,
                             pt_status status);
/* `made`: the leaf is another one than before, or there was none. */
void wp_standalone_uses(const struct wp_standalone *file, const struct wp_call *call,
                        pt_status status, bool made);

#endif
