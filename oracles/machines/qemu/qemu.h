/* SPDX-License-Identifier: MIT */
/*
 * Private to the QEMU machine: what its files, one per architecture, share.
 *
 * A QEMU has two memories: the firmware's own, with the mailbox in it, and the
 * guest memory window, which is the library's and every other machine's too.
 */
#ifndef WP_QEMU_H
#define WP_QEMU_H

#include <sys/types.h>

#include "../../machine.h"
#include "mailbox.h"

#define WP_QEMU_FLUSHES 1024u
#define WP_QEMU_MODELS  2 /* CPU models that one architecture may need */

struct wp_qemu;

struct wp_firmware {
	const uint8_t *start, *end; /* an image, as `option` takes it; empty: not built */
};

/* What there is to say about one architecture. */
struct wp_qemu_arch {
	const char *program;      /* qemu-system-... */
	const char *package;      /* that has it, on Debian and Ubuntu */
	const char *board;        /* -M */
	const char *const *cpus;  /* -cpu for each model; NULL ends it */
	const char *option;       /* takes the firmware: -kernel or -bios */
	const char *const *extra; /* more arguments; NULL ends them */
	uint64_t ram_size;
	bool window_is_dimm; /* or else the second NUMA node */
	bool core_per_node;  /* the board wants one */
	size_t spoils_end;   /* bytes at the end of the window, as the board starts */
	bool keeps_tlb;      /* WP_PROBE_WARM works */
	const struct wp_firmware *firmware;
	const struct wp_quirk *quirks;
	size_t quirk_count;

	/* The CPU model that walks tables of this regime; negative: none does. */
	int (*model)(const struct wp_regime *regime);

	/* qemu->regime and qemu->root, as the firmware wants them. */
	void (*set)(const struct wp_qemu *qemu, uint64_t setting[12]);

	/*
	 * The kinds that can be asked at `va` and, unless the machine is incautious, that
	 * this QEMU answers as the manual says; see wp_qemu_shown().
	 */
	uint8_t (*answerable)(const struct wp_qemu *qemu, uint64_t va);

	/* A reply as an answer; `answer` is all zero but for `answered` and `allowed`. */
	void (*decode)(const struct wp_qemu *qemu, const struct wp_probe *probe,
	               const struct wp_reply *reply, struct wp_answer *answer);

	/*
	 * NULL, or called around each batch: for a root that must be lent to the firmware.
	 * False: not with all of these probes in one batch.
	 */
	bool (*prepare)(struct wp_qemu *qemu, const struct wp_probe *probes, size_t count);
	void (*restore)(struct wp_qemu *qemu);

	/* NULL, or called as the first QEMU of each model has started: finds out what it is. */
	void (*examine)(struct wp_qemu *qemu);
};

/* One QEMU. Nothing runs until something is asked. */
struct wp_qemu_process {
	pid_t pid;   /* 0: not running */
	pid_t owner; /* who started it: after a fork, not this process */
	int control; /* QMP */
	int memory;  /* the firmware's, a memory file */
	struct wp_mailbox *mailbox;
	bool resting; /* stopped by SIGSTOP */
	char version[48];
};

struct wp_qemu {
	struct wp_machine machine; /* first: a machine is cast to this */
	const struct wp_qemu_arch *arch;
	char program[512];              /* path */
	const struct wp_regime *regime; /* loaded; NULL: none yet */
	uint64_t root;
	unsigned model; /* for the regime */
	struct wp_qemu_process processes[WP_QEMU_MODELS];
	bool stale;       /* the root is a new one: the TLB may hold another one's */
	unsigned flushes; /* by address, to be made before the next warm probe */
	uint64_t flush[WP_QEMU_FLUSHES];
	bool broken;       /* it can't be started: said once */
	unsigned examined; /* a bit for each model */
	uint64_t starts;
	uint64_t shown;    /* a bit for each quirk that was seen on this QEMU */
	bool quirks_tried; /* at the first self-test */
	uint64_t notes[8]; /* the architecture's own: what examine() found, what prepare() lent */
};

extern const struct wp_qemu_arch wp_qemu_x86_64;
extern const struct wp_qemu_arch wp_qemu_aarch64;
extern const struct wp_qemu_arch wp_qemu_riscv64;
extern const struct wp_qemu_arch wp_qemu_loongarch64;

extern const struct wp_firmware wp_firmware_x86_64;
extern const struct wp_firmware wp_firmware_aarch64;
extern const struct wp_firmware wp_firmware_riscv64;
extern const struct wp_firmware wp_firmware_loongarch64;

static inline struct wp_qemu *wp_qemu_of(struct wp_machine *machine)
{
	return (struct wp_qemu *)machine;
}

enum wp_qemu_end {
	WP_QEMU_DONE,
	WP_QEMU_DIED,
	WP_QEMU_HUNG,
};

/* --- qemu_process.c --- */

/* False: `why` is one sentence, with what QEMU said. */
bool wp_qemu_start(struct wp_qemu *qemu, unsigned model, char *why, size_t why_size);

/* The order is in the mailbox. After DIED and HUNG it no longer runs. */
enum wp_qemu_end wp_qemu_exchange(struct wp_qemu_process *process);

/* Sleeps until the next exchange. */
void wp_qemu_rest(struct wp_qemu_process *process);

/* Asks it to quit, and kills it if it doesn't. */
void wp_qemu_stop(struct wp_qemu_process *process);

/* --- qemu_order.c --- */

bool wp_qemu_is_running(const struct wp_qemu_process *process);

/* The QEMU of the regime's CPU model; NULL: it can't be started, which is said once. */
struct wp_qemu_process *wp_qemu_ready(struct wp_qemu *qemu);

/* The order's own fields are in the mailbox. */
enum wp_qemu_end wp_qemu_give(struct wp_qemu *qemu, struct wp_qemu_process *process,
                              enum wp_order order);

/*
 * An order of the architecture's own, for quirks and examine(): starts QEMU if
 * need be, and fills in `outcome`. False: it died or hung.
 */
bool wp_qemu_trial(struct wp_qemu *qemu, const uint64_t parameters[4], uint64_t outcome[8]);

/* --- qemu_probe.c --- */

/* As in struct wp_machine. */
void wp_qemu_probe(struct wp_machine *machine, const struct wp_probe *probes,
                   struct wp_answer *answers, size_t count);
void wp_qemu_probe_warm(struct wp_machine *machine, const struct wp_probe *probes,
                        struct wp_answer *answers, size_t count);
void wp_qemu_flush(struct wp_machine *machine, const uint64_t *va);

/* --- qemu.c --- */

/* Whether quirk `index` was seen on the QEMU at hand, so that its input isn't asked for. */
static inline bool wp_qemu_shown(const struct wp_qemu *qemu, unsigned index)
{
	return (qemu->shown >> index & 1) != 0;
}

#endif
