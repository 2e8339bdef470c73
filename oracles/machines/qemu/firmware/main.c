/* SPDX-License-Identifier: MIT */
/* The loop that takes orders, the same on every architecture. */
#include <stddef.h>

#include "walker.h"

/* What compilers emit calls of. */
void *memset(void *to, int byte, size_t size)
{
	unsigned char *at = to;

	while (size-- > 0)
		*at++ = (unsigned char)byte;
	return to;
}

void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
	unsigned char *at = to;
	const unsigned char *source = from;

	while (size-- > 0)
		*at++ = *source++;
	return to;
}

static void obey(struct wp_mailbox *mailbox)
{
	switch ((enum wp_order)mailbox->order) {
	case WP_ORDER_PROBE:
		walker_probe(mailbox);
		break;
	case WP_ORDER_FLUSH_ALL:
		walker_flush_all(mailbox);
		break;
	case WP_ORDER_FLUSH_ADDRESSES:
		for (uint32_t i = 0; i < mailbox->count; i++)
			walker_flush_address(mailbox, mailbox->questions[i].va);
		break;
	case WP_ORDER_TRIAL:
		walker_trial(mailbox);
		break;
	}
}

void walker_main(void)
{
	struct wp_mailbox *mailbox = walker_mailbox();
	uint32_t done = 0;

	walker_start(mailbox);
	__atomic_store_n(&mailbox->magic, WP_MAILBOX_MAGIC, __ATOMIC_RELEASE);
	for (;;) {
		const uint32_t asked = __atomic_load_n(&mailbox->asked, __ATOMIC_ACQUIRE);

		if (asked == done)
			continue;
		obey(mailbox);
		done = asked;
		__atomic_store_n(&mailbox->done, done, __ATOMIC_RELEASE);
	}
}
