/* SPDX-License-Identifier: MIT */
#include "last_words.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

void wp_words_open(struct wp_words *words, const struct wp_subject *subject)
{
	words->fd = subject->calls != NULL ? memfd_create("last-words", MFD_CLOEXEC) : -1;
}

void wp_words_close(struct wp_words *words)
{
	if (words->fd >= 0)
		close(words->fd);
	words->fd = -1;
}

void wp_words_redirect(const struct wp_words *words)
{
	wp_words_forget(words);
	if (words->fd >= 0)
		dup2(words->fd, STDERR_FILENO);
}

void wp_words_forget(const struct wp_words *words)
{
	if (words->fd < 0 || lseek(words->fd, 0, SEEK_CUR) <= 0)
		return;
	if (ftruncate(words->fd, 0) == 0)
		lseek(words->fd, 0, SEEK_SET);
}

/* Lines that say how to learn more, and nothing of what happened. */
static bool is_advice(const char *line)
{
	return line[0] == '\0' || strncmp(line, "note: ", 6) == 0;
}

/* The last of the lines in one, as many as fit; earlier ones are what led there. */
static void join_lines(char *said, char *text, size_t size)
{
	char *lines[3] = {NULL};
	size_t count = 0;

	for (char *line = strtok(said, "\n"); line != NULL; line = strtok(NULL, "\n")) {
		if (!is_advice(line))
			lines[count++ % 3] = line;
	}
	text[0] = '\0';
	for (size_t i = count > 3 ? count - 3 : 0; i < count; i++) {
		const size_t used = strlen(text);

		snprintf(text + used, size - used, "%s%s", used > 0 ? " " : "", lines[i % 3]);
	}
}

void wp_words_tell(const struct wp_words *words, struct wp_report *report)
{
	char said[4096], text[240];
	const size_t used = strlen(report->sentence);
	const off_t end = words->fd >= 0 ? lseek(words->fd, 0, SEEK_END) : 0;
	ssize_t length;

	if (end <= 0)
		return;
	length = pread(words->fd, said, sizeof said - 1,
	               end > (off_t)sizeof said - 1 ? end - (off_t)sizeof said + 1 : 0);
	if (length <= 0)
		return;
	said[length] = '\0';
	join_lines(said, text, sizeof text);
	if (text[0] != '\0')
		snprintf(report->sentence + used, sizeof report->sentence - used, "; it says: %s",
		         text);
}
