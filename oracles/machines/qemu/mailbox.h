/* SPDX-License-Identifier: MIT */
/*
 * What the host and the walker firmware say to each other, in memory that both
 * see. The host writes an order with its questions and then `asked`; the firmware
 * replies and then copies that number to `done`. Both compile this file.
 */
#ifndef WP_MAILBOX_H
#define WP_MAILBOX_H

#include <stdint.h>

/* Where it lies in the firmware's own memory, and how long it may be. */
#define WP_MAILBOX_OFFSET 0x300000u
#define WP_MAILBOX_ROOM   0x100000u

#define WP_MAILBOX_BATCH 4096u
#define WP_MAILBOX_MAGIC 0x70776f726b696e67u

enum wp_order {
	WP_ORDER_PROBE,
	WP_ORDER_FLUSH_ALL,
	WP_ORDER_FLUSH_ADDRESSES, /* the first `count` of `questions` */
	WP_ORDER_TRIAL,           /* of the architecture's own, by its parameters */
};

/* Flags of WP_ORDER_PROBE. */
#define WP_PROBE_WARM 1u /* no flush, neither before nor within */

/* Kinds are numbered as in machine.h: kernel read, write, execute, then user. */
#define WP_MAILBOX_KINDS 6u

struct wp_question {
	uint64_t va;
	uint64_t kinds; /* a bit for each */
};

/*
 * If two allowed kinds lead to different places, the first one's is `pa` and the
 * other counts as denied, so that the judge sees a difference.
 */
struct wp_reply {
	uint64_t pa;      /* if `located` is not 0 */
	uint64_t raw;     /* what the architecture shows of the translation, such as PAR_EL1 */
	uint8_t answered; /* a subset of those asked */
	uint8_t allowed;
	uint8_t located;   /* kinds whose access showed where it leads */
	uint8_t level;     /* where the walk ended; 0xff: unknown */
	uint8_t size_log2; /* of the leaf; 0: unknown */
	uint8_t spare[3];
	uint32_t code[WP_MAILBOX_KINDS]; /* of each denied kind, the architecture's own */
	uint64_t spare_word;
};

struct wp_mailbox {
	uint64_t magic;    /* written last as the firmware starts */
	uint64_t found[7]; /* what the CPU is, for the architecture's host file */
	uint32_t asked;    /* the host's */
	uint32_t line1[15];
	uint32_t done; /* the firmware's */
	uint32_t at;   /* the probe at hand: 8 * question + kind; whom to blame for a hang */
	uint32_t line2[14];

	uint32_t order; /* enum wp_order */
	uint32_t flags;
	uint32_t count; /* of questions */
	uint32_t spare;
	uint64_t setting[12];  /* registers of the regime, as the architecture's host file has it */
	uint64_t parameter[4]; /* of an order */
	uint64_t outcome[8];   /* of a trial */
	uint64_t panic[4];     /* an exception in the firmware itself; [0] is not 0 then */

	/*
	 * Bytes of guest memory that the firmware has replaced for a moment: the host
	 * puts them back if QEMU dies in between. Written before the bytes are.
	 */
	uint64_t patched_pa;
	uint64_t patched_bytes; /* how many, up to 8; 0: none */
	uint64_t patched_saved;

	struct wp_question questions[WP_MAILBOX_BATCH] __attribute__((aligned(4096)));
	struct wp_reply replies[WP_MAILBOX_BATCH] __attribute__((aligned(4096)));
};

_Static_assert(sizeof(struct wp_reply) == 56, "the same for both");
enum { WP_MAILBOX_SIZE = sizeof(struct wp_mailbox) };
_Static_assert(WP_MAILBOX_SIZE <= WP_MAILBOX_ROOM, "it has room");

#endif
