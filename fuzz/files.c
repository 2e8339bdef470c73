/* SPDX-License-Identifier: MIT */
#include "files.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* No program is larger, in either form, with many comments. */
#define MAX_FILE_BYTES ((size_t)1 << 20)

/* ---- loading ---- */

static bool read_all(const char *path, char *bytes, size_t *size, char *why, size_t why_size)
{
	FILE *file = fopen(path, "rb");
	bool failed;

	if (file == NULL) {
		snprintf(why, why_size, "%s", strerror(errno));
		return false;
	}
	*size = fread(bytes, 1, MAX_FILE_BYTES + 1, file);
	failed = ferror(file) != 0;
	if (failed)
		snprintf(why, why_size, "%s", strerror(errno));
	fclose(file);
	if (failed)
		return false;
	if (*size > MAX_FILE_BYTES)
		snprintf(why, why_size, "larger than 1 MiB: this is no program");
	return *size <= MAX_FILE_BYTES;
}

static bool parse(const char *text, size_t size, struct wp_program *program, char *why,
                  size_t why_size)
{
	if (strlen(text) == size)
		return wp_program_parse(program, text, why, why_size);
	snprintf(why, why_size, "damaged: a zero byte at offset %zu of a text program",
	         strlen(text));
	return false;
}

static bool load(char *bytes, const char *path, const char *scope, struct wp_program *program,
                 char *why, size_t why_size)
{
	struct wp_scope regimes;
	size_t size;

	if (!read_all(path, bytes, &size, why, why_size))
		return false;
	bytes[size] = '\0';
	if (wp_program_is_text((const uint8_t *)bytes, size))
		return parse(bytes, size, program, why, why_size);
	if (scope == NULL && size == 0) {
		snprintf(why, why_size,
		         "empty: there is no program in it; with --scope it is read as a target "
		         "reads it");
		return false;
	}
	if (scope == NULL && bytes[0] != WP_PROGRAM_VERSION) {
		snprintf(why, why_size,
		         "neither a text program (its first line would be 'walkproof 1') nor a "
		         "binary one; with --scope any bytes are read as binary");
		return false;
	}
	wp_scope_of(&regimes, scope != NULL ? scope : "");
	wp_program_decode(program, &regimes, (const uint8_t *)bytes, size);
	return true;
}

bool wp_file_load(const char *path, const char *scope, struct wp_program *program, char *why,
                  size_t why_size)
{
	char *bytes = malloc(MAX_FILE_BYTES + 2);
	bool loaded;

	if (bytes == NULL) {
		snprintf(why, why_size, "out of memory");
		return false;
	}
	loaded = load(bytes, path, scope, program, why, why_size);
	free(bytes);
	return loaded;
}

bool wp_file_damage(const char *path, struct wp_damage *damage)
{
	FILE *file = fopen(path, "r");
	char line[256];
	bool damaged = false;

	if (file == NULL)
		return false;
	while (!damaged && fgets(line, sizeof line, file) != NULL)
		damaged = sscanf(line, "# damage %zu:%" SCNu64, &damage->at, &damage->seed) == 2;
	fclose(file);
	return damaged;
}

/* ---- saving ---- */

/* FNV-1a of the text: the same program always has the same name. */
static uint32_t hash_of(const struct wp_program *program)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	uint32_t hash = 2166136261u;

	if (out == NULL)
		return 0;
	wp_program_print(program, out);
	if (fclose(out) == 0) {
		for (size_t i = 0; i < size; i++)
			hash = (hash ^ (uint8_t)text[i]) * 16777619u;
	}
	free(text);
	return hash;
}

void wp_file_print(const struct wp_program *program, const struct wp_file_notes *notes,
                   const char *path, FILE *out)
{
	fprintf(out, "# %s\n# breaks %s\n# %s\n# walkproof replay %s%s%s%s\n", notes->key,
	        notes->law, notes->sentence, notes->subject != NULL ? "--subject " : "",
	        notes->subject != NULL ? notes->subject : "", notes->subject != NULL ? " " : "",
	        path);
	if (notes->damage != NULL)
		fprintf(out, "# damage %zu:%" PRIu64 "\n", notes->damage->at, notes->damage->seed);
	wp_program_print(program, out);
}

bool wp_file_save(const char *directory, const struct wp_program *program,
                  const struct wp_file_notes *notes, char *path, size_t path_size, char *why,
                  size_t why_size)
{
	FILE *file;
	bool written;

	snprintf(path, path_size, "%s/%s-%08" PRIx32 ".wp", directory, notes->key,
	         hash_of(program));
	if (mkdir(directory, 0777) != 0 && errno != EEXIST) {
		snprintf(why, why_size, "can't create the directory %s: %s", directory,
		         strerror(errno));
		return false;
	}
	file = fopen(path, "w");
	if (file == NULL) {
		snprintf(why, why_size, "can't write %s: %s", path, strerror(errno));
		return false;
	}
	wp_file_print(program, notes, path, file);
	written = !ferror(file);
	if (fclose(file) == 0 && written)
		return true;
	snprintf(why, why_size, "can't write %s: %s", path, strerror(errno));
	unlink(path); /* half a program would replay as another one */
	return false;
}
