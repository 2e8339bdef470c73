/* SPDX-License-Identifier: MIT */
#include "codecs.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "machine.h"
#include "subject.h"

/* Written at build time: one CODEC(...) for each backend. */
#define CODEC(name) extern const struct wp_codec wp_codec_##name;
#include "codec_list.h"
#undef CODEC

static const struct wp_codec *const codecs[] = {
#define CODEC(name) &wp_codec_##name,
#include "codec_list.h"
#undef CODEC
};
#define CODECS (sizeof codecs / sizeof codecs[0])

const struct wp_codec *wp_codec_find(const char *name)
{
	const struct wp_regime *regime = wp_regime_find(name);
	const char *backend = regime != NULL ? wp_library_backend(regime)->name : name;

	for (size_t i = 0; i < CODECS; i++) {
		if (strcmp(codecs[i]->name, backend) == 0)
			return codecs[i];
	}
	return NULL;
}

size_t wp_codec_regimes(const char *name, const struct wp_regime *regimes[], size_t most)
{
	size_t count = 0;

	for (size_t i = 0; i < wp_regime_count && count < most; i++) {
		if (strcmp(wp_regimes[i].name, name) == 0 ||
		    strcmp(wp_library_backend(&wp_regimes[i])->name, name) == 0)
			regimes[count++] = &wp_regimes[i];
	}
	return count;
}

void wp_codec_names(char *text, size_t size)
{
	size_t at = 0;

	text[0] = '\0';
	for (size_t i = 0; i < CODECS && at < size; i++)
		at += (size_t)snprintf(text + at, size - at, "%s%s", i > 0 ? ", " : "",
		                       codecs[i]->name);
}

/* The first function that is missing; NULL: none. */
static const char *lacks(const struct wp_codec *codec)
{
	const struct {
		bool there;
		const char *name;
	} functions[] = {
		{codec->level, "level"},
		{codec->accessed, "accessed"},
		{codec->dirty, "dirty"},
		{codec->expresses, "expresses"},
		{codec->leaf_bits, "leaf_bits"},
		{codec->leaf, "leaf"},
		{codec->table, "table"},
		{codec->is_table, "is_table"},
		{codec->is_leaf, "is_leaf"},
		{codec->table_paddr, "table_paddr"},
		{codec->leaf_paddr, "leaf_paddr"},
		{codec->leaf_flags, "leaf_flags"},
		{codec->is_valid, "is_valid"},
		{codec->rights_below, "rights_below"},
		{codec->rights_are_whole, "rights_are_whole"},
		{codec->must_break, "must_break"},
		{codec->link, "link"},
		{codec->link_paddr, "link_paddr"},
		{codec->name, "name"},
	};

	for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
		if (!functions[i].there)
			return functions[i].name;
	}
	return NULL;
}

bool wp_codec_load(const char *path, const struct wp_codec **exported, char *why, size_t why_size)
{
	/* a path without a slash would be looked for where libraries are */
	char *full = realpath(path, NULL);
	void *object = full != NULL ? dlopen(full, RTLD_NOW | RTLD_LOCAL) : NULL;
	const struct wp_codec *codec;
	const char *lacking;

	*exported = NULL;
	if (object == NULL) {
		snprintf(why, why_size, "%s", full != NULL ? dlerror() : "no such file");
		free(full);
		return false;
	}
	free(full);
	codec = dlsym(object, WP_CODEC_SYMBOL);
	if (codec == NULL)
		return true;
	if (codec->version != WP_CODEC_VERSION || codec->bytes < sizeof *codec) {
		snprintf(why, why_size,
		         "its " WP_CODEC_SYMBOL " has version %u and %u bytes, not %u and %zu: "
		         "build it with this walkproof/codec.h",
		         codec->version, codec->bytes, WP_CODEC_VERSION, sizeof *codec);
		return false;
	}
	lacking = lacks(codec);
	if (lacking != NULL) {
		snprintf(why, why_size, "its " WP_CODEC_SYMBOL " lacks %s", lacking);
		return false;
	}
	*exported = codec;
	return true;
}
