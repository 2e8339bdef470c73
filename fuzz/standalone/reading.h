/* SPDX-License-Identifier: MIT */
/* ---- query() and walk() write nothing: memory can't be written meanwhile ---- */

static void written(int signal)
{
	static const char text[] = "a call that only reads wrote to a table\n";

	(void)signal;
	if (write(STDOUT_FILENO, text, sizeof text - 1) < 0)
		_exit(2);
	_exit(1);
}

static void only_read(bool only)
{
	signal(SIGSEGV, written);
	if (mprotect(memory, sizeof memory, only ? PROT_READ : PROT_READ | PROT_WRITE) != 0)
		abort();
}
