/* SPDX-License-Identifier: MIT */
/*
 * Probes in batches that the mailbox holds, asked again of a new QEMU when one dies of
 * them, and the flushes between them, put off until something is probed warm.
 */
#include "qemu.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

/* As often is the same batch asked before the access at hand is blamed. */
#define DEATHS 3

/* So many hangs are told of on standard error, in a line each. */
#define HANGS_TOLD 8u

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
		struct wp_qemu_process *process = wp_qemu_ready(qemu);
		enum wp_qemu_end end;

		if (process == NULL) {
			for (size_t i = 0; i < batch->count; i++)
				batch->answers[i].answered = 0;
			return;
		}
		write_questions(process->mailbox, batch);
		end = wp_qemu_give(qemu, process, WP_ORDER_PROBE);
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

void wp_qemu_probe(struct wp_machine *machine, const struct wp_probe *probes,
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

	if (wp_qemu_is_running(process) && wp_qemu_give(qemu, process, order) == WP_QEMU_HUNG)
		tell_hang(qemu, "a flush");
}

/* The flushes by address that were asked for since the last warm probe. */
static void make_flushes(struct wp_qemu *qemu)
{
	struct wp_qemu_process *process = &qemu->processes[qemu->model];

	if (qemu->flushes == 0)
		return;
	if (wp_qemu_is_running(process)) {
		process->mailbox->count = qemu->flushes;
		for (unsigned i = 0; i < qemu->flushes; i++)
			process->mailbox->questions[i].va = qemu->flush[i];
	}
	qemu->flushes = 0;
	give_flush(qemu, WP_ORDER_FLUSH_ADDRESSES);
}

void wp_qemu_flush(struct wp_machine *machine, const uint64_t *va)
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

void wp_qemu_probe_warm(struct wp_machine *machine, const struct wp_probe *probes,
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
