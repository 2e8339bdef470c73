/* SPDX-License-Identifier: MIT */
/* A finding: a law broken, in one sentence with the numbers. */
#ifndef WP_FINDING_H
#define WP_FINDING_H

#include <stdbool.h>
#include <stdint.h>

#include <walkproof/pt.h>

/* L0 is a status or an output that differs from the contract's; 1 to 8 are its laws. */
enum wp_law {
	WP_LAW_STATUS = 0,
	WP_LAW_FAITHFUL = 1,
	WP_LAW_ALL_OR_NOTHING = 2,
	WP_LAW_NO_STALE_WALK = 3,
	WP_LAW_WALKABLE_STORES = 4,
	WP_LAW_READING_WRITES_NOTHING = 5,
	WP_LAW_NOTHING_LOST = 6,
	WP_LAW_ARBITRARY_MEMORY = 7,
	WP_LAW_USES_TOLD = 8,
};

struct wp_finding {
	bool found;
	enum wp_law law;
	const char *kind; /* last part of the key: short, such as "pa", "status" */
	char sentence[400];
};

/* The first finding stays. `format` as printf's. */
void wp_found(struct wp_finding *finding, enum wp_law law, const char *kind, const char *format,
              ...) __attribute__((format(printf, 4, 5)));

const char *wp_law_name(enum wp_law law);

/* As the library names it; "FAILED": it is none of the contract's. */
const char *wp_status_text(pt_status status);

/* "rw-u--": READ, WRITE, EXECUTE, USER, DEVICE, UNCACHED; `text` has room for 7. */
const char *wp_flags_text(pt_flags flags, char text[8]);

#endif
