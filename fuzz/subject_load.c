/* SPDX-License-Identifier: MIT */
/* Opening a shared object as a subject, or saying in one line why it is none. */
#include "subject.h"

#include <dlfcn.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <walkproof/subject.h>

#include "memory.h"
#include "program.h"

/* What of its struct there is; what a newer or older one has beyond is left out. */
static struct wp_subject_calls *read_calls(const struct wp_subject_calls *there)
{
	struct wp_subject_calls *calls = calloc(1, sizeof *calls);

	if (calls != NULL)
		memcpy(calls, there, there->bytes < sizeof *calls ? there->bytes : sizeof *calls);
	return calls;
}

static const char *missing_call(const struct wp_subject_calls *calls)
{
	const struct {
		bool there;
		const char *name;
	} required[] = {
		{calls->create != NULL, "create"}, {calls->destroy != NULL, "destroy"},
		{calls->root != NULL, "root"},     {calls->map != NULL, "map"},
		{calls->unmap != NULL, "unmap"},   {calls->query != NULL, "query"},
	};

	for (size_t i = 0; i < sizeof required / sizeof required[0]; i++) {
		if (!required[i].there)
			return required[i].name;
	}
	return NULL;
}

/* The first of the words that begins no regime's name; empty: each does. */
static void find_unknown_regime(const char *words, char *unknown, size_t size)
{
	struct wp_scope scope;

	while (*words != '\0') {
		const size_t length = strcspn(words, " ");

		snprintf(unknown, size, "%.*s", (int)length, words);
		wp_scope_of(&scope, unknown);
		if (scope.count == 0)
			return;
		words += length;
		words += strspn(words, " ");
	}
	unknown[0] = '\0';
}

/* False: `why` says in what the object differs from what the header asks for. */
static bool check_calls(const char *path, const struct wp_subject_calls *calls, wp_profile *profile,
                        char *why, size_t why_size)
{
	char unknown[64];

	if (missing_call(calls) != NULL) {
		snprintf(why, why_size, "%s: it has no %s(), which no subject can do without", path,
		         missing_call(calls));
		return false;
	}
	if (calls->regimes == NULL || calls->regimes[0] == '\0') {
		snprintf(why, why_size,
		         "%s: it doesn't say which regimes it serves, such as \"x86_64\"", path);
		return false;
	}
	find_unknown_regime(calls->regimes, unknown, sizeof unknown);
	if (unknown[0] != '\0') {
		snprintf(why, why_size,
		         "%s: no regime is '%s' or starts with it: 'walkproof machines' lists them",
		         path, unknown);
		return false;
	}
	if (calls->fixed_offset != 1 && calls->fixed_offset % WP_FRAME_SIZE != 0) {
		snprintf(why, why_size, "%s: fixed_offset %#" PRIx64 " is no multiple of 4096",
		         path, calls->fixed_offset);
		return false;
	}
	if (!wp_profile_parse(calls->deviations != NULL ? calls->deviations : "", profile, unknown,
	                      sizeof unknown)) {
		snprintf(why, why_size,
		         "%s: no deviation is called '%s': 'walkproof check --deviations' lists "
		         "them",
		         path, unknown);
		return false;
	}
	return true;
}

static const struct wp_subject_calls *open_object(const char *path, char *why, size_t why_size)
{
	const struct wp_subject_calls *there;
	const uint32_t least = offsetof(struct wp_subject_calls, protect);
	void *object;

	if (access(path, R_OK) != 0) {
		snprintf(why, why_size, "%s: %s", path, strerror(errno));
		return NULL;
	}
	object = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (object == NULL) {
		snprintf(why, why_size, "not a shared object that can be opened: %s", dlerror());
		return NULL;
	}
	there = dlsym(object, WP_SUBJECT_SYMBOL);
	if (there == NULL)
		snprintf(why, why_size, "%s: it exports no '%s': see <walkproof/subject.h>", path,
		         WP_SUBJECT_SYMBOL);
	else if (there->version != WP_SUBJECT_VERSION)
		snprintf(why, why_size,
		         "%s: it is of version %u of <walkproof/subject.h>, this is version %u",
		         path, there->version, WP_SUBJECT_VERSION);
	else if (there->bytes < least)
		snprintf(why, why_size,
		         "%s: its `bytes` is %u, sizeof(struct wp_subject_calls) is %zu", path,
		         there->bytes, sizeof *there);
	else
		return there;
	dlclose(object);
	return NULL;
}

/* What it lacks, or has half of, is left out. */
static struct wp_subject subject_of(const struct wp_subject_calls *calls)
{
	const bool stores = (calls->offers & WP_OFFERS_STORES) != 0;
	const bool flushes = (calls->offers & WP_OFFERS_FLUSHES) != 0;
	const bool uses = (calls->offers & WP_OFFERS_USES) != 0 && flushes && calls->harvest &&
	                  calls->unmap_region && calls->unmap_region_with;
	struct wp_subject subject = wp_foreign_subject;

	subject.what = calls->what != NULL ? calls->what : "";
	subject.regimes = calls->regimes;
	subject.calls = calls;
	subject.reports_stores = stores;
	subject.reports_flushes = flushes;
	if (!calls->protect)
		subject.protect = NULL;
	if (!calls->remap)
		subject.remap = NULL;
	if (!calls->map_region)
		subject.map_region = NULL;
	if (!calls->map_region_with)
		subject.map_region_with = NULL;
	if (!calls->unmap_region)
		subject.unmap_region = NULL;
	if (!calls->protect_region)
		subject.protect_region = NULL;
	if (!calls->walk)
		subject.walk = NULL;
	if (!calls->copy_from || !calls->give_back)
		subject.copy_from = NULL;
	if (!calls->batch_begin || !calls->batch_end)
		subject.batch_begin = NULL;
	if (!uses)
		subject.harvest = NULL;
	return subject;
}

const char *wp_subject_title(const struct wp_subject *subject)
{
	return subject->calls != NULL && subject->calls->name != NULL ? subject->calls->name
	                                                              : subject->name;
}

/* Of a name such as "./my.so,no-reclaim", unless a file is called so, the words after the path. */
static char *split_words(char *name)
{
	char *file = strrchr(name, '/');
	char *words = access(name, F_OK) == 0 ? NULL : strchr(file != NULL ? file : name, ',');

	if (words == NULL)
		return NULL;
	*words++ = '\0';
	for (char *at = words; *at != '\0'; at++)
		*at = *at == ',' ? ' ' : *at;
	return words;
}

/* NULL: `why` says what is wrong. `name` is kept. */
static struct wp_subject *make_subject(const char *name, const char *path,
                                       struct wp_subject_calls *calls, char *why, size_t why_size)
{
	struct wp_subject *subject;
	wp_profile profile;

	if (!check_calls(path, calls, &profile, why, why_size))
		return NULL;
	subject = malloc(sizeof *subject);
	if (subject == NULL) {
		snprintf(why, why_size, "out of memory");
		return NULL;
	}
	*subject = subject_of(calls);
	subject->profile = profile;
	subject->name = name;
	if (calls->fixed_offset != 0)
		subject->window = WP_WINDOW_BASE +
		                  (calls->fixed_offset == 1 ? 0 : calls->fixed_offset);
	return subject;
}

/* Objects stay open: whoever has been given one may keep it. */
struct wp_subject *wp_subject_load(const char *name, char *why, size_t why_size)
{
	char *path = strdup(name);
	const char *words = path != NULL ? split_words(path) : NULL;
	const struct wp_subject_calls *there = NULL;
	struct wp_subject_calls *calls = NULL;
	struct wp_subject *subject = NULL;

	snprintf(why, why_size, "out of memory");
	if (path != NULL)
		there = open_object(path, why, why_size);
	if (there != NULL)
		calls = read_calls(there);
	if (calls != NULL && words != NULL)
		calls->deviations = words;
	if (calls != NULL)
		subject = make_subject(name, path, calls, why, why_size);
	if (subject == NULL)
		free(calls);
	else if (words != NULL)
		calls->deviations = strdup(words);
	free(path);
	return subject;
}
