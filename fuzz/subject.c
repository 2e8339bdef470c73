/* SPDX-License-Identifier: MIT */
/* Which subjects there are, and what one of them has. */
#include "subject.h"

#include <stdio.h>
#include <string.h>

#include "predict.h"

const struct wp_subject *wp_subject_find(const char *name, char *why, size_t why_size)
{
	if (strchr(name, '/') != NULL)
		return wp_subject_load(name, why, why_size);
	if (strcmp(name, wp_library_subject.name) == 0)
		return &wp_library_subject;
	for (size_t i = 0; i < wp_planted_subject_count; i++) {
		if (strcmp(name, wp_planted_subjects[i]->name) == 0)
			return wp_planted_subjects[i];
	}
	snprintf(why, why_size,
	         "no subject '%s': 'library', one that 'walkproof planted --list' names, or a "
	         "shared object by a path with a '/'",
	         name);
	return NULL;
}

static bool holds(const struct wp_scope *scope, const struct wp_regime *regime)
{
	for (size_t i = 0; i < scope->count; i++) {
		if (scope->regimes[i] == regime)
			return true;
	}
	return false;
}

/* By one of the words: the name of a regime is that one, another word all that start with it. */
static bool is_named(const char *words, const struct wp_regime *regime)
{
	while (*words != '\0') {
		const size_t length = strcspn(words, " ");
		struct wp_scope scope;
		char word[64];

		snprintf(word, sizeof word, "%.*s", (int)length, words);
		if (strcmp(word, regime->name) == 0)
			return true;
		wp_scope_of(&scope, word);
		if (wp_regime_find(word) == NULL && holds(&scope, regime))
			return true;
		words += length;
		words += strspn(words, " ");
	}
	return false;
}

bool wp_subject_serves(const struct wp_subject *subject, const struct wp_regime *regime)
{
	struct wp_scope scope;

	if (subject->calls != NULL)
		return is_named(subject->regimes, regime);
	if (subject->backend != NULL &&
	    strcmp(subject->backend->name, wp_library_backend(regime)->name) != 0)
		return false;
	wp_scope_of(&scope, subject->regimes);
	return holds(&scope, regime);
}

bool wp_subject_offers(const struct wp_subject *subject, unsigned opcode)
{
	switch (opcode) {
	case WP_OP_PROTECT:
		return subject->protect != NULL;
	case WP_OP_REMAP:
		return subject->remap != NULL;
	case WP_OP_MAP_REGION:
		return subject->map_region != NULL;
	case WP_OP_MAP_REGION_WITH:
		return subject->map_region_with != NULL;
	case WP_OP_UNMAP_REGION:
		return subject->unmap_region != NULL;
	case WP_OP_PROTECT_REGION:
		return subject->protect_region != NULL;
	case WP_OP_HARVEST:
		return subject->harvest != NULL;
	case WP_OP_WALK:
		return subject->walk != NULL;
	case WP_OP_COPY_FROM:
	case WP_OP_GIVE_BACK:
		return subject->copy_from != NULL;
	case WP_OP_BATCH:
	case WP_OP_FLUSH:
	case WP_OP_FLUSH_ALL:
	case WP_OP_IGNORE:
		return subject->batch_begin != NULL;
	default:
		return true;
	}
}

struct wp_unasked wp_subject_unasked(const struct wp_subject *subject)
{
	struct wp_unasked unasked = {.profile = subject->profile};

	for (enum wp_opcode opcode = 0; opcode < WP_OPCODES; opcode++) {
		if (!wp_subject_offers(subject, opcode) ||
		    wp_profile_never_asks(subject->profile, opcode))
			unasked.opcodes |= (uint32_t)1 << opcode;
	}
	return unasked;
}
