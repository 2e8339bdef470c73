/* SPDX-License-Identifier: MIT */
/*
 * The QEMU machine: a CPU of a system emulator that runs our walker firmware,
 * which makes real accesses through the tested tables.
 *
 * Nothing is started before the first probe; after a fork each process starts its
 * own. A QEMU that dies is started anew and asked again. One that hangs is killed;
 * the access that it hung on is left unanswered and told of (wp_machine.hung_by),
 * for that is a quirk and not a finding.
 */
#include "qemu.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../scratch.h"

/* As often is the same batch asked before the access at hand is blamed. */
#define DEATHS 3

/* So many hangs are told of on standard error, in a line each. */
#define HANGS_TOLD 8u

static const struct wp_qemu_arch *const archs[WP_ARCHS] = {
	[WP_X86_64] = &wp_qemu_x86_64,
	[WP_AARCH64] = &wp_qemu_aarch64,
	[WP_RISCV64] = &wp_qemu_riscv64,
	[WP_LOONGARCH64] = &wp_qemu_loongarch64,
};

/* --- one order --- */

/* What the firmware had replaced in guest memory as it died. */
static void restore_patch(struct wp_qemu *qemu, const struct wp_mailbox *mailbox)
{
	uint8_t *bytes;

	if (mailbox->patched_bytes == 0 || mailbox->patched_bytes > sizeof mailbox->patched_saved)
		return;
	bytes = wp_memory_at(qemu->machine.memory, mailbox->patched_pa, mailbox->patched_bytes);
	if (bytes != NULL)
		memcpy(bytes, &mailbox->patched_saved, mailbox->patched_bytes);
}

static bool is_running(const struct wp_qemu_process *process)
{
	return process->pid > 0 && process->owner == getpid();
}

/* The QEMU of the regime's CPU model; NULL: it can't be started, which is said once. */
static struct wp_qemu_process *ready(struct wp_qemu *qemu)
{
	struct wp_qemu_process *process = &qemu->processes[qemu->model];
	char why[400];

	if (is_running(process))
		return process;
	if (qemu->broken)
		return NULL;
	if (!wp_qemu_start(qemu, qemu->model, why, sizeof why)) {
		fprintf(stderr, "no answers from QEMU from now on: %s\n", why);
		qemu->broken = true;
		return NULL;
	}
	snprintf(qemu->machine.version, sizeof qemu->machine.version, "%s", process->version);
	qemu->stale = false;
	if (qemu->arch->examine != NULL && (qemu->examined >> qemu->model & 1) == 0) {
		qemu->examined |= 1u << qemu->model;
		qemu->arch->examine(qemu);
	}
	/* one that died of being examined isn't again */
	return is_running(process) ? process : ready(qemu);
}

/* The order's own fields are in the mailbox. */
static enum wp_qemu_end give(struct wp_qemu *qemu, struct wp_qemu_process *process,
                             enum wp_order order)
{
	enum wp_qemu_end end;

	process->mailbox->order = order;
	qemu->arch->set(qemu, process->mailbox->setting);
	end = wp_qemu_exchange(process);
	if (end != WP_QEMU_DONE)
		restore_patch(qemu, process->mailbox);
	return end;
}

bool wp_qemu_trial(struct wp_qemu *qemu, const uint64_t parameters[4], uint64_t outcome[8])
{
	struct wp_qemu_process *process = ready(qemu);

	if (process == NULL)
		return false;
	memcpy(process->mailbox->parameter, parameters, sizeof process->mailbox->parameter);
	if (give(qemu, process, WP_ORDER_TRIAL) != WP_QEMU_DONE)
		return false;
	memcpy(outcome, process->mailbox->outcome, sizeof process->mailbox->outcome);
	return true;
}

/* --- probes --- */

/* A batch, and of each of its probes the kinds that are still to be asked. */
struct batch {
	const struct wp_probe *probes;
	struct wp_answer *answers;
	size_t count;
	uint32_t flags;
};

static void tell_hang(struct wp_qemu *qemu, const char *what)
{
	qemu->machine.hangs++;
	snprintf(qemu->machine.hung_by, sizeof qemu->machine.hung_by, "%s %s under %s hung on %s",
	         qemu->arch->program, qemu->machine.version, qemu->regime->name, what);
	if (qemu->machine.hangs <= HANGS_TOLD)
		fprintf(stderr, "quirk: %s\n", qemu->machine.hung_by);
}

/* The access at hand is to blame: it is told of, and left out. */
static void blame(struct wp_qemu *qemu, struct batch *batch, uint32_t at)
{
	const size_t index = at / 8 < batch->count ? at / 8 : 0;
	const unsigned kind = at % 8 < WP_KINDS ? at % 8 : 0;
	struct wp_answer *answer = &batch->answers[index];
	char what[80];

	snprintf(what, sizeof what, "a %s at %#" PRIx64 ", which is left unanswered",
	         wp_kind_name(kind), batch->probes[index].va);
	tell_hang(qemu, what);
	/* never again the same one, even if `at` was no access of this batch */
	if ((answer->answered >> kind & 1) != 0)
		answer->answered &= (uint8_t)~(1u << kind);
	else
		answer->answered = 0;
}

static bool anything_left(const struct batch *batch)
{
	for (size_t i = 0; i < batch->count; i++) {
		if (batch->answers[i].answered != 0)
			return true;
	}
	return false;
}

static void write_questions(struct wp_mailbox *mailbox, const struct batch *batch)
{
	mailbox->flags = batch->flags;
	mailbox->count = (uint32_t)batch->count;
	mailbox->at = 0;
	for (size_t i = 0; i < batch->count; i++) {
		mailbox->questions[i].va = batch->probes[i].va;
		mailbox->questions[i].kinds = batch->answers[i].answered;
	}
}

static void read_replies(const struct wp_qemu *qemu, const struct wp_mailbox *mailbox,
                         struct batch *batch)
{
	for (size_t i = 0; i < batch->count; i++) {
		const struct wp_reply *reply = &mailbox->replies[i];
		struct wp_answer *answer = &batch->answers[i];

		answer->answered &= reply->answered;
		answer->allowed = reply->allowed & answer->answered;
		answer->level = 0xff;
		if (answer->answered == 0)
			continue;
		answer->pa_unknown = answer->allowed != 0 && reply->located == 0;
		answer->pa = answer->allowed != 0 && reply->located != 0 ? reply->pa : 0;
		qemu->arch->decode(qemu, &batch->probes[i], reply, answer);
	}
}

/* answers[].answered is what to ask. */
static void ask_batch(struct wp_qemu *qemu, struct batch *batch)
{
	unsigned deaths = 0;

	while (anything_left(batch)) {
		struct wp_qemu_process *process = ready(qemu);
		enum wp_qemu_end end;

		if (process == NULL) {
			for (size_t i = 0; i < batch->count; i++)
				batch->answers[i].answered = 0;
			return;
		}
		write_questions(process->mailbox, batch);
		end = give(qemu, process, WP_ORDER_PROBE);
		if (end == WP_QEMU_DONE) {
			read_replies(qemu, process->mailbox, batch);
			return;
		}
		if (end == WP_QEMU_HUNG || ++deaths == DEATHS) {
			blame(qemu, batch, process->mailbox->at);
			deaths = 0;
		}
	}
}

/* Splits what can't be asked in one batch. */
static void ask(struct wp_qemu *qemu, struct batch batch)
{
	const size_t half = batch.count / 2;

	if (batch.count > WP_MAILBOX_BATCH ||
	    (qemu->arch->prepare != NULL &&
	     !qemu->arch->prepare(qemu, batch.probes, batch.count))) {
		if (half == 0) {
			batch.answers[0].answered = 0;
			return;
		}
		ask(qemu, (struct batch){batch.probes, batch.answers, half, batch.flags});
		ask(qemu, (struct batch){batch.probes + half, batch.answers + half,
		                         batch.count - half, batch.flags});
		return;
	}
	ask_batch(qemu, &batch);
	if (qemu->arch->restore != NULL)
		qemu->arch->restore(qemu);
}

static void probe_with(struct wp_qemu *qemu, const struct wp_probe *probes,
                       struct wp_answer *answers, size_t count, uint32_t flags)
{
	uint8_t served;

	assert(qemu->regime != NULL);
	served = wp_regime_kinds(qemu->regime);
	for (size_t i = 0; i < count; i++)
		answers[i] = (struct wp_answer){
			.answered = probes[i].kinds & served &
		                    qemu->arch->answerable(qemu, probes[i].va),
			.level = 0xff,
		};
	if (count > 0)
		ask(qemu, (struct batch){probes, answers, count, flags});
}

static void probe(struct wp_machine *machine, const struct wp_probe *probes,
                  struct wp_answer *answers, size_t count)
{
	struct wp_qemu *qemu = wp_qemu_of(machine);

	qemu->stale = false;
	qemu->flushes = 0;
	probe_with(qemu, probes, answers, count, 0);
}

/* A flush that fails must not go unseen, though one that died of it has an empty TLB. */
static void give_flush(struct wp_qemu *qemu, enum wp_order order)
{
	struct wp_qemu_process *process = &qemu->processes[qemu->model];

	if (is_running(process) && give(qemu, process, order) == WP_QEMU_HUNG)
		tell_hang(qemu, "a flush");
}

/* The flushes by address that were asked for since the last warm probe. */
static void make_flushes(struct wp_qemu *qemu)
{
	struct wp_qemu_process *process = &qemu->processes[qemu->model];

	if (qemu->flushes == 0)
		return;
	if (is_running(process)) {
		process->mailbox->count = qemu->flushes;
		for (unsigned i = 0; i < qemu->flushes; i++)
			process->mailbox->questions[i].va = qemu->flush[i];
	}
	qemu->flushes = 0;
	give_flush(qemu, WP_ORDER_FLUSH_ADDRESSES);
}

static void flush(struct wp_machine *machine, const uint64_t *va)
{
	struct wp_qemu *qemu = wp_qemu_of(machine);

	assert(qemu->regime != NULL);
	if (va == NULL) {
		qemu->flushes = 0;
		qemu->stale = true; /* all of it, before the next warm probe */
		return;
	}
	if (qemu->stale)
		return;
	if (qemu->flushes == WP_QEMU_FLUSHES)
		make_flushes(qemu);
	qemu->flush[qemu->flushes++] = *va;
}

static void probe_warm(struct wp_machine *machine, const struct wp_probe *probes,
                       struct wp_answer *answers, size_t count)
{
	struct wp_qemu *qemu = wp_qemu_of(machine);

	if (qemu->stale)
		give_flush(qemu, WP_ORDER_FLUSH_ALL);
	else
		make_flushes(qemu);
	qemu->stale = false;
	probe_with(qemu, probes, answers, count, WP_PROBE_WARM);
}

/* --- the rest of the machine --- */

static bool supports(const struct wp_machine *machine, const struct wp_regime *regime)
{
	return regime->arch == machine->arch && archs[machine->arch]->model(regime) >= 0;
}

static void load(struct wp_machine *machine, const struct wp_regime *regime, uint64_t root)
{
	struct wp_qemu *qemu = wp_qemu_of(machine);

	qemu->regime = regime;
	qemu->root = root;
	qemu->model = (unsigned)qemu->arch->model(regime);
	qemu->stale = true;
	qemu->flushes = 0;
}

static void rest(struct wp_machine *machine)
{
	struct wp_qemu *qemu = wp_qemu_of(machine);

	for (unsigned i = 0; i < WP_QEMU_MODELS; i++)
		wp_qemu_rest(&qemu->processes[i]);
}

static void close_machine(struct wp_machine *machine)
{
	struct wp_qemu *qemu = wp_qemu_of(machine);

	for (unsigned i = 0; i < WP_QEMU_MODELS; i++)
		wp_qemu_stop(&qemu->processes[i]);
	free(qemu);
}

/* Which of the quirks this QEMU has: what it then isn't asked for. */
static void try_quirks(struct wp_qemu *qemu)
{
	qemu->quirks_tried = true;
	for (size_t i = 0; i < qemu->arch->quirk_count; i++) {
		if (qemu->arch->quirks[i].still_there(&qemu->machine))
			qemu->shown |= (uint64_t)1 << i;
	}
}

static bool self_test(struct wp_machine *machine, const struct wp_regime *regime, char *why,
                      size_t why_size)
{
	struct wp_qemu *qemu = wp_qemu_of(machine);

	if (supports(machine, regime)) {
		load(machine, regime, machine->memory->base);
		if (ready(qemu) == NULL) {
			snprintf(why, why_size, "%s does not start", qemu->program);
			return false;
		}
		if (!qemu->quirks_tried)
			try_quirks(qemu);
	}
	return wp_machine_self_test(machine, regime, why, why_size);
}

/* --- finding it --- */

static const char *chosen;

void wp_qemu_choose(const char *path)
{
	chosen = path;
}

static bool runs(const char *path)
{
	struct stat stat_of;

	return access(path, X_OK) == 0 && stat(path, &stat_of) == 0 && S_ISREG(stat_of.st_mode);
}

/* False: the path chosen is of no use to this architecture. */
static bool find_chosen(struct wp_qemu *qemu)
{
	const char *program = qemu->arch->program;
	const char *base = strrchr(chosen, '/');

	snprintf(qemu->program, sizeof qemu->program, "%s/%s", chosen, program);
	if (runs(qemu->program))
		return true;
	if (strcmp(base != NULL ? base + 1 : chosen, program) != 0 || !runs(chosen))
		return false;
	snprintf(qemu->program, sizeof qemu->program, "%s", chosen);
	return true;
}

static bool find(struct wp_qemu *qemu)
{
	const char *path = getenv("PATH");

	if (chosen != NULL && find_chosen(qemu))
		return true;
	while (path != NULL && *path != '\0') {
		const size_t length = strcspn(path, ":");

		snprintf(qemu->program, sizeof qemu->program, "%.*s/%s", (int)length, path,
		         qemu->arch->program);
		if (runs(qemu->program))
			return true;
		path += length + (path[length] == ':');
	}
	return false;
}

static bool serves(struct wp_qemu *qemu, char *why, size_t why_size)
{
	const struct wp_memory *memory = qemu->machine.memory;

	if (qemu->arch->firmware->start == qemu->arch->firmware->end)
		snprintf(why, why_size,
		         "built without the walker firmware for QEMU: run scripts/setup, "
		         "and build anew");
	else if (memory->base != WP_WINDOW_BASE || memory->frames % 256 != 0 ||
	         memory->frames > WP_WINDOW_FRAMES)
		snprintf(why, why_size,
		         "QEMU needs the guest memory window at %#x, up to 16 whole MiB",
		         WP_WINDOW_BASE);
	else if (!find(qemu))
		snprintf(why, why_size, "no %s: install %s, or name it with --qemu PATH",
		         qemu->arch->program, qemu->arch->package);
	else
		return true;
	return false;
}

struct wp_machine *wp_qemu_open(struct wp_memory *memory, enum wp_arch arch, char *why,
                                size_t why_size)
{
	struct wp_qemu *qemu;

	if (archs[arch] == NULL) {
		snprintf(why, why_size, "QEMU emulates nothing that walks %s", wp_arch_name(arch));
		return NULL;
	}
	qemu = calloc(1, sizeof *qemu);
	if (qemu == NULL) {
		snprintf(why, why_size, "out of memory");
		return NULL;
	}
	qemu->arch = archs[arch];
	for (unsigned i = 0; i < WP_QEMU_MODELS; i++) {
		qemu->processes[i].control = -1;
		qemu->processes[i].memory = -1;
	}
	qemu->machine = (struct wp_machine){
		.name = "qemu",
		.arch = arch,
		.memory = memory,
		.quirks = qemu->arch->quirks,
		.quirk_count = qemu->arch->quirk_count,
		.slow = true,
		.quirks_vary = true,
		.records = true,
		.supports = supports,
		.load = load,
		.probe = probe,
		.probe_warm = qemu->arch->keeps_tlb ? probe_warm : NULL,
		.flush = flush,
		.rest = rest,
		.self_test = self_test,
		.close = close_machine,
	};
	if (!serves(qemu, why, why_size)) {
		free(qemu);
		return NULL;
	}
	return &qemu->machine;
}
