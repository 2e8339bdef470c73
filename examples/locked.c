/* SPDX-License-Identifier: MIT */
/*
 * The naive mapper with a lock, as a kernel with more than one core has it. Built with
 * -DFORGETS it has a bug that is easily made: the way out of an error leaves it locked.
 */
#define walkproof_subject naive_subject
#include "naive_glue.c"
#undef walkproof_subject

#include <stdatomic.h>

static atomic_flag lock = ATOMIC_FLAG_INIT;

static void acquire(void)
{
	while (atomic_flag_test_and_set(&lock))
		;
}

static void release(void)
{
	atomic_flag_clear(&lock);
}

static wp_status locked_map(void *t, uint64_t va, uint64_t pa, uint64_t size, wp_flags flags)
{
	wp_status status;

	acquire();
	status = map_page(t, va, pa, size, flags);
#ifdef FORGETS
	if (status != WP_OK)
		return status;
#endif
	release();
	return status;
}

static wp_status locked_unmap(void *t, uint64_t va, struct wp_leaf *removed)
{
	wp_status status;

	acquire();
	status = unmap_page(t, va, removed);
	release();
	return status;
}

static wp_status locked_query(void *t, uint64_t va, struct wp_leaf *leaf)
{
	wp_status status;

	acquire();
	status = query(t, va, leaf);
	release();
	return status;
}

const struct wp_subject_calls walkproof_subject = {
	.version = WP_SUBJECT_VERSION,
	.bytes = sizeof walkproof_subject,
	.name = "locked",
	.what = "the naive mapper under a spin lock",
	.regimes = "x86_64",
	.offers = WP_OFFERS_FLUSHES,
	.deviations = "no-1g no-reclaim partial-tables own-status no-no-access no-memory-types "
		      "truncates-addresses assumes-aligned assumes-sizes approximates-flags "
                      "trusts-tables",
	.create = create,
	.destroy = destroy,
	.root = root,
	.map = locked_map,
	.unmap = locked_unmap,
	.query = locked_query,
};
