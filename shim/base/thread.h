/*
 * What one thread has under way in this library. Initial-exec storage, there
 * from the thread's start: no allocation, and safe in signal handlers.
 */
#ifndef TLSWITNESS_THREAD_H
#define TLSWITNESS_THREAD_H

#include <stdbool.h>
#include <stdint.h>

struct thread_state {
	uint8_t library_depth;     /* calls into a TLS library that are watched, nested */
	uint32_t hello_connection; /* the connection whose ClientHello passed inside the
				      innermost of them: its number + 1; 0: none */
	bool walks;                /* looks through the loader's list: no signals to hold back */
	bool loads_deeply;         /* its last dlopen was one with RTLD_DEEPBIND */
	const void *caller;        /* the return address of the TLS library's hook entered last */
	const void *session;       /* the TLS library's object used last */
	/* A context's method whose place in the script can't be asked for yet. */
	struct {
		const char *call; /* NULL: none */
		const char *method;
		const void *context;
		const void *caller;
	} unplaced;
};

extern __thread struct thread_state thread_state __attribute__((visibility("hidden")));

#endif
