/* SPDX-License-Identifier: MIT */
/* ---- a CPU: it walks the tables as the manual says ---- */

enum memory_type { NORMAL, DEVICE, UNCACHED, OTHER };
enum meaning { FAULT, TABLE, LEAF };

#define KERNEL(r, w, x) ((unsigned)(r) | (unsigned)(w) << 1 | (unsigned)(x) << 2)
#define USER(r, w, x)   (KERNEL(r, w, x) << 3)

/* What a walk comes to. */
struct walk {
	unsigned
		allowed; /* rwx of the kernel in bits 0 to 2, of the user in 3 to 5; 0: it faults */
	uint64_t pa, size;
	enum memory_type type;
	bool global;
	bool lost; /* it left memory */
	unsigned depth;
	uint64_t tables[5], *entries[5];
};
