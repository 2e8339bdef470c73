/* SPDX-License-Identifier: MIT */
/* Programs in files: text or binary in, text out. */
#ifndef WP_FILES_H
#define WP_FILES_H

#include "damage.h"
#include "program.h"

/*
 * Text if the file says so. Anything else is binary, in the scope that `scope`
 * (a prefix of regimes' names) stands for, and an empty file the simplest program, as to
 * a target; NULL: all regimes, and then the version byte must be right, as a damaged text
 * must not pass for a program. False: `why` says what is wrong, without the file's name.
 */
bool wp_file_load(const char *path, const char *scope, struct wp_program *program, char *why,
                  size_t why_size);

/*
 * Of a finding on damaged tables a text has a comment of its own, `# damage AT:SEED`, as
 * the damage is no operation. False: there is none.
 */
bool wp_file_damage(const char *path, struct wp_damage *damage);

/* What goes above the program, one comment line each. */
struct wp_file_notes {
	const char *key;
	const char *law;
	const char *sentence;
	const char *subject;            /* NULL: the library */
	const struct wp_damage *damage; /* NULL: none */
};

/*
 * Writes DIRECTORY/KEY-HASH.wp, and creates the directory if it is missing.
 * `path` tells the name also when it fails; then `why` says what is wrong, and
 * nothing is left behind.
 */
bool wp_file_save(const char *directory, const struct wp_program *program,
                  const struct wp_file_notes *notes, char *path, size_t path_size, char *why,
                  size_t why_size);

/* The same text, to a stream. */
void wp_file_print(const struct wp_program *program, const struct wp_file_notes *notes,
                   const char *path, FILE *out);

#endif
