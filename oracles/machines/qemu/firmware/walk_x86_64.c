/* SPDX-License-Identifier: MIT */
/*
 * The x86_64 part of the walker: the tested root is the CR3 of an SVM guest, which
 * makes the accesses (guest_x86_64.h) behind nested tables (nested_x86_64.h). "APM"
 * is AMD's Architecture Programmer's Manual, vol. 2.
 */
#include "guest_x86_64.h"
#include "nested_x86_64.h"
#include "svm_x86_64.h"
#include "x86_64.h"

/* APM, appendix C; 15.25.6 for what a nested page fault says. */
#define EXIT_VMMCALL    0x81u
#define NPF_OF_THE_WALK ((uint64_t)1 << 33)
#define ERROR_WRITE     2u
#define ERROR_FETCH     16u

#define FRAME 4096u

struct wp_mailbox *walker_mailbox(void)
{
	return (struct wp_mailbox *)(uintptr_t)WP_MAILBOX_OFFSET;
}

/* --- jobs and replies --- */

static unsigned kind_of(const struct job *job)
{
	return job->at % 8;
}

static void deny(struct wp_reply *reply, unsigned kind, uint32_t code)
{
	reply->answered |= (uint8_t)(1u << kind);
	reply->code[kind] = code;
}

/* Two places for one address: the second one counts as denied. */
static void allow_at(struct wp_reply *reply, unsigned kind, uint64_t pa)
{
	const uint8_t bit = (uint8_t)(1u << kind);

	if (reply->located != 0 && reply->pa != pa) {
		deny(reply, kind, WP_X86_64_EXIT_NPF << WP_X86_64_EXIT_SHIFT);
		return;
	}
	reply->pa = pa;
	reply->answered |= bit;
	reply->allowed |= bit;
	reply->located |= bit;
}

/* What the guest has noted in a job that it went through with alone. */
static void take_over(struct wp_mailbox *mailbox, const struct job *job)
{
	struct wp_reply *reply = &mailbox->replies[job->at / 8];
	const unsigned kind = kind_of(job);
	const uint8_t bit = (uint8_t)(1u << kind);

	if (job->outcome == 0) {
		reply->answered |= bit;
		reply->allowed |= bit;
		return;
	}
	/* of another address: the guest itself faults, which is no answer */
	if (job->outcome >> WP_X86_64_EXIT_SHIFT == WP_X86_64_EXIT_PF && job->cr2 != job->va)
		return;
	deny(reply, kind, job->outcome);
}

/* Whether a nested page fault of the access itself says that it was this one. */
static bool is_of_kind(unsigned kind, uint64_t error)
{
	static const uint8_t errors[] = {0, ERROR_WRITE, ERROR_FETCH};

	return (error & (ERROR_WRITE | ERROR_FETCH)) == errors[kind % 3];
}

/* --- a list of jobs --- */

/* `done` is up to where replies have been written. */
struct list {
	struct wp_mailbox *mailbox;
	uint64_t stub;
	struct job *done;
	bool only_new; /* what is let in was so in this batch */
};

static struct job *at_hand(const struct list *list)
{
	const uint64_t offset = guest_data.job - (list->stub + GUEST_JOBS * FRAME);

	return &guest_jobs[offset / JOB_SIZE % GUEST_MOST_JOBS];
}

static void write_replies(struct list *list, const struct job *end)
{
	for (; list->done < end; list->done++)
		take_over(list->mailbox, list->done);
}

/* The job at hand is done with, without what the guest would note. */
static void skip(struct list *list)
{
	guest_data.job += JOB_SIZE;
	guest_data.store = 0;
	list->done++;
}

/* The other kinds of the same question need not exit to show where they lead. */
static void mark_located(struct job *job)
{
	const uint32_t question = job->at / 8;

	for (; job->at / 8 == question && kind_of(job) != JOB_END; job++)
		job->flags |= JOB_LOCATED;
}

/* The read before a write stands for nothing: on to the write. */
static bool was_before_a_write(const struct job *job)
{
	if ((job->flags & JOB_WRITES) == 0 || guest_data.store != 0)
		return false;
	guest_data.store = 1;
	guest_data.byte = 0;
	return true;
}

static void nested_fault_of_walk(struct list *list, struct job *job, uint64_t pa)
{
	nested_remove_stand_in();
	if (nested_let_in(pa) || was_before_a_write(job))
		return;
	deny(&list->mailbox->replies[job->at / 8], kind_of(job),
	     WP_X86_64_EXIT_NPF << WP_X86_64_EXIT_SHIFT);
	skip(list);
}

static void nested_fault_of_access(struct list *list, struct job *job, const struct svm_exit *exit)
{
	nested_remove_stand_in();
	if (was_before_a_write(job))
		return;
	if (is_of_kind(kind_of(job), exit->info1)) {
		allow_at(&list->mailbox->replies[job->at / 8], kind_of(job), exit->info2);
		nested_stand_in(exit->info2);
		mark_located(job);
	}
	skip(list);
}

/*
 * An access that went through without showing where: to a page that still stands in
 * for another address's, to a frame that was a table in an earlier batch, or else
 * to a table.
 */
static void allowed_somewhere(struct list *list, struct job *job)
{
	bool again = nested_remove_stand_in();

	if (!list->only_new) {
		nested_let_none_in();
		list->only_new = true;
		again = true;
	}
	if (again) {
		guest_data.store = 0;
		return;
	}
	take_over(list->mailbox, job);
	skip(list);
}

static void run(struct list *list, const struct job *end)
{
	guest_data.job = list->stub + GUEST_JOBS * FRAME;
	guest_data.store = 0;
	list->done = guest_jobs;
	for (;;) {
		const struct svm_exit exit = svm_run();
		struct job *job = at_hand(list);

		write_replies(list, job);
		if (job == end)
			return;
		if (exit.code == EXIT_VMMCALL)
			allowed_somewhere(list, job);
		else if (exit.code != WP_X86_64_EXIT_NPF)
			skip(list); /* no answer: a CPU that refuses to run such a guest */
		else if ((exit.info1 & NPF_OF_THE_WALK) != 0)
			nested_fault_of_walk(list, job, exit.info2);
		else
			nested_fault_of_access(list, job, &exit);
	}
}

/* --- orders --- */

static struct job *add_question(struct job *job, uint32_t index, const struct wp_question *question)
{
	for (unsigned kind = 0; kind < WP_MAILBOX_KINDS; kind++) {
		if ((question->kinds >> kind & 1) != 0)
			*job++ = (struct job){
				.va = question->va,
				.at = 8 * index + kind,
				.flags = kind % 3 == 1 ? JOB_WRITES : 0,
			};
	}
	return job;
}

static void prepare(const struct wp_mailbox *mailbox)
{
	const uint64_t *setting = mailbox->setting;

	svm_place(setting[WP_X86_64_CR3], setting[WP_X86_64_LA57] != 0, setting[WP_X86_64_STUB]);
	nested_set_window(setting[WP_X86_64_WINDOW], setting[WP_X86_64_WINDOW_SIZE]);
	nested_remove_stand_in();
}

void walker_probe(struct wp_mailbox *mailbox)
{
	struct list list = {.mailbox = mailbox, .stub = mailbox->setting[WP_X86_64_STUB]};
	uint32_t i = 0;

	prepare(mailbox);
	while (i < mailbox->count) {
		struct job *job = guest_jobs;

		/* one is kept for the end */
		while (i < mailbox->count &&
		       job + WP_MAILBOX_KINDS < guest_jobs + GUEST_MOST_JOBS) {
			mailbox->replies[i] = (struct wp_reply){.level = 0xff};
			job = add_question(job, i, &mailbox->questions[i]);
			i++;
		}
		*job = (struct job){.at = 8 * i + JOB_END};
		run(&list, job);
	}
}

/* There are none: what the quirks look for is in the replies. */
void walker_trial(struct wp_mailbox *mailbox)
{
	(void)mailbox;
}

/* No translation outlives a batch: VMRUN is told to begin with none. */
void walker_flush_all(struct wp_mailbox *mailbox)
{
	(void)mailbox;
}

void walker_flush_address(struct wp_mailbox *mailbox, uint64_t va)
{
	(void)mailbox;
	(void)va;
}

void walker_start(struct wp_mailbox *mailbox)
{
	(void)mailbox;
	svm_start(nested_start());
}
