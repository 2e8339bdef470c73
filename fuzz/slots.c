/* SPDX-License-Identifier: MIT */
#include "slots.h"

#include <string.h>

static struct wp_slot *slot_for(struct wp_worker *worker, const char *key)
{
	for (size_t i = 0; i < WP_WORKER_FINDINGS; i++) {
		struct wp_slot *slot = &worker->slots[i];

		if (slot->state == WP_SLOT_FREE || strcmp(slot->report.key, key) == 0)
			return slot;
	}
	return NULL;
}

struct wp_slot *wp_slots_new(struct wp_worker *worker, const char *key)
{
	struct wp_slot *slot = slot_for(worker, key);

	if (slot == NULL) {
		worker->unlisted++;
		return NULL;
	}
	slot->programs++;
	if (slot->state != WP_SLOT_FREE)
		return NULL;
	slot->row = worker->row;
	slot->number = worker->next;
	return slot;
}

void wp_slots_know(struct wp_worker *worker, const char (*keys)[96], size_t count)
{
	for (size_t i = 0; i < count && i < WP_WORKER_FINDINGS; i++) {
		struct wp_slot *slot = &worker->slots[i];

		snprintf(slot->report.key, sizeof slot->report.key, "%s", keys[i]);
		slot->state = WP_SLOT_TOLD;
	}
}

bool wp_slots_left(struct wp_worker *worker)
{
	for (size_t i = 0; i < WP_WORKER_FINDINGS; i++) {
		struct wp_slot *slot = &worker->slots[i];

		if (slot->state != WP_SLOT_SHRINKING && slot->state != WP_SLOT_CONTAINED)
			continue;
		worker->next += slot->state == WP_SLOT_SHRINKING; /* that program is dealt with */
		slot->state = slot->state == WP_SLOT_SHRINKING ? WP_SLOT_ENDS : WP_SLOT_READY;
		return true;
	}
	return false;
}

bool wp_slots_to_shrink(const struct wp_worker *worker)
{
	for (size_t i = 0; i < WP_WORKER_FINDINGS; i++) {
		if (worker->slots[i].state == WP_SLOT_ENDS)
			return true;
	}
	return false;
}

bool wp_slots_keep_death(const struct wp_campaign *campaign, struct wp_worker *worker, int status,
                         bool hung)
{
	static struct wp_program program;
	static struct wp_report report;
	struct wp_slot *slot;

	wp_campaign_program(campaign, worker->row, worker->next, &program);
	if (worker->varied)
		program = worker->variant;
	wp_report_death(&report, &program, &worker->result, status, hung ? campaign->patience : 0);
	if (!hung)
		wp_words_tell(&worker->words, &report);
	wp_report_damage(&report, worker->damaged ? &worker->damage : NULL);
	slot = wp_slots_new(worker, report.key);
	worker->next++;
	if (slot == NULL)
		return false;
	slot->report = report;
	slot->state = campaign->as_found ? WP_SLOT_READY : WP_SLOT_ENDS;
	return true;
}

void wp_slots_settle(struct wp_worker *worker)
{
	for (size_t i = 0; i < WP_WORKER_FINDINGS; i++) {
		struct wp_slot *slot = &worker->slots[i];

		if (slot->state != WP_SLOT_FREE && slot->state != WP_SLOT_TOLD)
			slot->state = WP_SLOT_READY;
	}
}
