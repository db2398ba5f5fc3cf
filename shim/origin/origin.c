/*
 * A stack of script frames, and the rule which of them is the application's
 * own code. Pure: knows paths, but no file system and no interpreter.
 */
#include "shim/origin/origin.h"

#include <string.h>

/* The longest strings that are kept. */
#define FILE_MAX     512
#define FUNCTION_MAX 160

/*
 * The application's own frame may lie under many frames of libraries: so much
 * of the text is kept free for it until it has been found.
 */
#define TEXT_RESERVED (FILE_MAX + 1 + FUNCTION_MAX + 1)

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A piece of a path between two slashes. */
struct component {
	const char *start;
	size_t length;
};

static bool is(struct component component, const char *name)
{
	return component.length == strlen(name) &&
	       memcmp(component.start, name, component.length) == 0;
}

static bool begins(struct component text, const char *prefix)
{
	size_t length = strlen(prefix);

	return text.length >= length && memcmp(text.start, prefix, length) == 0;
}

static bool ends(struct component text, const char *suffix)
{
	size_t length = strlen(suffix);

	return text.length >= length &&
	       memcmp(text.start + text.length - length, suffix, length) == 0;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* "3.1.0", "5.36": digits with dots between, at least `dots` of them. */
static bool is_version(struct component component, unsigned dots)
{
	unsigned found = 0;

	if (component.length == 0 || !is_digit(component.start[0]))
		return false;
	for (size_t i = 0; i < component.length; i++) {
		if (component.start[i] == '.')
			found++;
		else if (!is_digit(component.start[i]))
			return false;
	}
	return found >= dots;
}

/* "python3.11", "python3.13t", and "python311.zip". */
static bool is_python_library(struct component component)
{
	size_t digits = strlen("python3.");

	if (begins(component, "python3") && ends(component, ".zip"))
		return true;
	return begins(component, "python3.") && component.length > digits &&
	       is_digit(component.start[digits]);
}

/* "net-smtp-0.3.1": a name, a hyphen and a version, as gem unpacks them. */
static bool is_gem(struct component component)
{
	for (size_t i = 1; i + 1 < component.length; i++) {
		if (component.start[i] == '-' && is_digit(component.start[i + 1]))
			return true;
	}
	return false;
}

static struct component next_component(const char **position, const char *end)
{
	const char *start = *position;
	const char *slash = memchr(start, '/', (size_t)(end - start));
	struct component component = {start, (size_t)((slash ? slash : end) - start)};

	*position = slash ? slash + 1 : end;
	return component;
}

static bool is_library_directory(struct component component)
{
	return is(component, "lib") || is(component, "lib64") || is(component, "share");
}

/*
 * Composer's vendor/: vendor/ORGANISATION/PACKAGE/…, vendor/autoload.php and
 * vendor/composer/. A module of the application's own that is called "vendor"
 * is shallower, or not written in PHP.
 */
static bool is_composer(struct component path, const char *below)
{
	const char *end = path.start + path.length;
	struct component first = next_component(&below, end);
	unsigned depth = 1;

	if (!ends(path, ".php") && !ends(path, ".inc") && !ends(path, "eval()'d code"))
		return false;
	if (is(first, "autoload.php") || is(first, "composer") || is(first, "bin"))
		return true;
	for (; below < end; depth++)
		next_component(&below, end);
	return depth >= 3;
}

/* Directories whose whole content was put there by a package manager. */
static const char *const package_directories[] = {
	"site-packages", "dist-packages", "__pypackages__", /* Python */
	"site_ruby",     "vendor_ruby",   "rubygems-integration", "site_perl",
	"vendor_perl",   "wp-includes", /* WordPress itself, as seen from its plugins */
};

/* Where PHP's own packages lie: Debian's, and those of PHP's own images. */
static const char *const package_prefixes[] = {
	"phar://",
	"/usr/share/php/",
	"/usr/share/pear/",
	"/usr/local/lib/php/",
	"/usr/local/share/php/",
	"/usr/local/share/pear/",
	"/etc/perl/",
};

static bool is_package_directory(struct component component)
{
	for (size_t i = 0; i < COUNT(package_directories); i++) {
		if (is(component, package_directories[i]))
			return true;
	}
	return ends(component, ".egg");
}

/* Three components in a row: what `at` means lies in what it stands between. */
struct window {
	struct component before;
	struct component at;
	struct component after;
};

static bool window_is_package(const struct window *window)
{
	if (is_package_directory(window->at))
		return true;
	if (is(window->at, "gems"))
		return is(window->before, "bundler") || is_gem(window->after);
	/* /usr/share/perl5, ~/perl5/lib/perl5; but not ~/perl5/script.pl */
	return is(window->at, "perl5") &&
	       (is_library_directory(window->before) || is_version(window->after, 1));
}

static bool window_is_standard_library(const struct window *window)
{
	if (is(window->at, "perl-base"))
		return true;
	if (is(window->at, "perl"))
		return is_version(window->after, 1);
	if (is(window->at, "ruby")) /* …/lib/ruby/3.1.0 */
		return is_version(window->after, 2);
	if (!is(window->at, "lib") && !is(window->at, "lib64"))
		return false;
	/* perlbrew has …/lib/5.36.0 */
	return is_python_library(window->after) ||
	       (begins(window->after, "5.") && is_version(window->after, 2));
}

static bool any_window(struct component path, bool (*match)(const struct window *window))
{
	const char *position = path.start;
	const char *end = path.start + path.length;
	struct component at = {"", 0};
	struct component after = next_component(&position, end);

	do {
		const struct window window = {at, after, next_component(&position, end)};

		/* The last component is the file itself, never a directory. */
		if (window.after.length > 0 && match(&window))
			return true;
		at = window.at;
		after = window.after;
	} while (position < end);
	return false;
}

static bool has_composer(struct component path)
{
	const char *position = path.start;
	const char *end = path.start + path.length;

	while (position < end) {
		if (is(next_component(&position, end), "vendor") && is_composer(path, position))
			return true;
	}
	return false;
}

bool origin_is_package(const char *path, size_t length)
{
	const struct component whole = {path, length};

	for (size_t i = 0; i < COUNT(package_prefixes); i++) {
		if (begins(whole, package_prefixes[i]))
			return true;
	}
	return any_window(whole, window_is_package) || has_composer(whole);
}

bool origin_is_installed(const char *path, size_t length)
{
	const struct component whole = {path, length};

	/* What Python and Ruby were built with. */
	if (begins(whole, "<frozen ") || begins(whole, "<internal:"))
		return true;
	return any_window(whole, window_is_standard_library) || origin_is_package(path, length);
}

/*
 * Code that was handed over as a string: "<string>", "(eval 3)", PHP's
 * "a.php(3) : eval()'d code". What somebody typed is his own.
 */
static bool lies_in_no_file(struct component file)
{
	if (file.length == 0 || ends(file, " : eval()'d code"))
		return true;
	if (begins(file, "<stdin") || begins(file, "<console") || begins(file, "<ipython"))
		return false;
	return memchr(file.start, '/', file.length) == NULL &&
	       (file.start[0] == '<' || begins(file, "(eval"));
}

void origin_copy(struct origin *to, const struct origin *from)
{
	memcpy(to, from, offsetof(struct origin, frame));
	memcpy(to->text, from->text, from->text_used);
	for (unsigned i = 0; i < from->count; i++) {
		to->frame[i].file = to->text + (from->frame[i].file - from->text);
		to->frame[i].function = to->text + (from->frame[i].function - from->text);
		to->frame[i].line = from->frame[i].line;
	}
}

void origin_init(struct origin *origin)
{
	origin->count = 0;
	origin->own = 0;
	origin->own_found = false;
	origin->own_provisional = false;
	origin->full = false;
	origin->text_used = 0;
}

bool origin_is_complete(const struct origin *origin)
{
	return origin->own_found && !origin->own_provisional &&
	       (origin->full || origin->count == ORIGIN_FRAMES_MAX);
}

/* Cutting in the middle of a UTF-8 sequence would leave bytes that are none. */
static bool continues_sequence(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

static struct component keep_end(const char *text, size_t length, size_t most)
{
	struct component kept = {text, length};

	if (length <= most)
		return kept;
	kept.start += length - most;
	kept.length = most;
	for (int i = 0; i < 3 && continues_sequence(kept.start[0]); i++) {
		kept.start++;
		kept.length--;
	}
	return kept;
}

static struct component keep_beginning(const char *text, size_t length, size_t most)
{
	struct component kept = {text, length};

	if (length <= most)
		return kept;
	kept.length = most;
	for (int i = 0; i < 3 && continues_sequence(text[kept.length]); i++)
		kept.length--;
	return kept;
}

/* Most stacks stay in one file for several frames: its name is kept once. */
static const char *find_file(const struct origin *origin, struct component file)
{
	for (size_t i = origin->count; i > 0; i--) {
		const char *known = origin->frame[i - 1].file;

		if (strlen(known) == file.length && memcmp(known, file.start, file.length) == 0)
			return known;
	}
	return NULL;
}

/* The record has strings that end in NUL: one inside ends it earlier. */
static const char *keep_text(struct origin *origin, struct component text)
{
	char *copy = origin->text + origin->text_used;

	memcpy(copy, text.start, text.length);
	copy[text.length] = '\0';
	origin->text_used = (uint16_t)(origin->text_used + text.length + 1);
	return copy;
}

static bool has_room(const struct origin *origin, size_t length, bool own)
{
	size_t room = ORIGIN_TEXT_MAX;

	if (own)
		return length <= room - origin->text_used;
	if (!origin->own_found || origin->own_provisional)
		room -= TEXT_RESERVED;
	return !origin->full && origin->count < ORIGIN_FRAMES_MAX &&
	       origin->text_used + length <= room;
}

/*
 * The innermost own frame that lies in a file, for that is the place to change;
 * only where there is none, one that was evaluated.
 */
static bool becomes_own(const struct origin *origin, bool installed, bool placeless)
{
	if (installed)
		return false;
	return !origin->own_found || (origin->own_provisional && !placeless);
}

void origin_add(struct origin *origin, const char *file, size_t file_length, const char *function,
		size_t function_length, uint32_t line, bool installed)
{
	const struct component path = keep_end(file, file_length, FILE_MAX);
	const struct component name = keep_beginning(function, function_length, FUNCTION_MAX);
	const bool placeless = lies_in_no_file(path);
	const bool own = becomes_own(origin, installed, placeless);
	const char *known = find_file(origin, path);
	const size_t length = (known ? 0 : path.length + 1) + name.length + 1;
	uint8_t index;

	if (!has_room(origin, length, own && !placeless)) {
		origin->full = true;
		return;
	}
	index = origin->count < ORIGIN_FRAMES_MAX ? origin->count : ORIGIN_FRAMES_MAX - 1;
	origin->frame[index].file = known ? known : keep_text(origin, path);
	origin->frame[index].function = keep_text(origin, name);
	origin->frame[index].line = line;
	origin->count = (uint8_t)(index + 1);
	if (!own)
		return;
	origin->own = index;
	origin->own_found = true;
	origin->own_provisional = placeless;
}
