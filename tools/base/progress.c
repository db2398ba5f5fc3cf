/*
 * Knows terminals and time; must not know what is worked on.
 */
#include "tools/base/progress.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/base/put.h"
#include "tools/base/timestamp.h"

#define FIRST_AFTER (MICROSECONDS_PER_SECOND / 2)
#define INTERVAL    (MICROSECONDS_PER_SECOND / 10)
#define BAR_WIDTH   24

#define ERASE_LINE "\r\x1b[K"

static const int ending_signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

/* Async-signal-safe: one write, and the end that the signal would have been. */
static void erase_and_end(int number)
{
	ssize_t ignored = write(STDERR_FILENO, ERASE_LINE, sizeof(ERASE_LINE) - 1);

	(void)ignored;
	(void)raise(number);
}

static void catch_signals(void)
{
	/* Reset before the handler runs, so that it can raise the signal again. */
	struct sigaction action = {.sa_handler = erase_and_end, .sa_flags = (int)SA_RESETHAND};

	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < sizeof(ending_signals) / sizeof(ending_signals[0]); i++) {
		struct sigaction before;

		if (sigaction(ending_signals[i], NULL, &before) == 0 &&
		    before.sa_handler == SIG_DFL)
			(void)sigaction(ending_signals[i], &action, NULL);
	}
}

static void release_signals(void)
{
	for (size_t i = 0; i < sizeof(ending_signals) / sizeof(ending_signals[0]); i++) {
		struct sigaction now;

		if (sigaction(ending_signals[i], NULL, &now) == 0 &&
		    now.sa_handler == erase_and_end)
			(void)signal(ending_signals[i], SIG_DFL);
	}
}

void progress_begin(struct progress *progress)
{
	const char *terminal = getenv("TERM");

	*progress = (struct progress){.start = timestamp_now()};
	progress->next = progress->start + FIRST_AFTER;
	progress->wanted = isatty(STDERR_FILENO) == 1 && terminal && strcmp(terminal, "dumb") != 0;
}

static void put_bar(uint64_t done, uint64_t total)
{
	unsigned percent = done < total ? (unsigned)((double)done / (double)total * 100) : 100;
	unsigned full = percent * BAR_WIDTH / 100;

	put_text(stderr, "[");
	for (unsigned i = 0; i < BAR_WIDTH; i++)
		put_byte(stderr, i < full ? '#' : '.');
	put_format(stderr, "] %3u %%", percent);
}

/* True if a line is due; then the last one is erased. `now` becomes the time. */
static bool begin_line(struct progress *progress, int64_t *now)
{
	if (!progress->wanted)
		return false;
	*now = timestamp_now();
	if (*now < progress->next)
		return false;
	if (!progress->shown)
		catch_signals();
	progress->shown = true;
	progress->next = *now + INTERVAL;
	put_text(stderr, ERASE_LINE);
	return true;
}

void progress_show(struct progress *progress, uint64_t done, uint64_t total)
{
	int64_t now = 0;

	if (!begin_line(progress, &now))
		return;
	put_text(stderr, "reading ");
	if (total > 0)
		put_bar(done, total);
	put_format(stderr, " %" PRIu64 " MB, %.0f MB/s", done / 1000000,
		   (double)done / (double)(now - progress->start));
	(void)fflush(stderr);
}

void progress_count(struct progress *progress, const char *noun, uint64_t done, uint64_t total)
{
	int64_t now = 0;

	if (!begin_line(progress, &now))
		return;
	put_bar(done, total);
	put_format(stderr, " %" PRIu64 " of %" PRIu64 " %s", done, total, noun);
	(void)fflush(stderr);
}

void progress_end(struct progress *progress)
{
	if (!progress->shown)
		return;
	put_text(stderr, ERASE_LINE);
	(void)fflush(stderr);
	release_signals();
	progress->shown = false;
}
