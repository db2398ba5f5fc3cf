/*
 * What `tlswitness report` can read: compressed logs, whole and damaged; lines that
 * syslog, the journal, Docker or a shipper wrapped around a record; and extremes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include "tests/integration/harness.h"

TestSuite(report_inputs, .init = harness_begin, .fini = harness_end);

#define RECORD                                                                                \
	"{\"@timestamp\":\"2026-11-20T10:00:00.000000Z\",\"event.action\":\"tls-handshake\"," \
	"\"destination.domain\":\"old.example\",\"tls.version\":\"1.0\","                     \
	"\"tlswitness.verdict\":\"below-floor\",\"tlswitness.floor\":\"1.2\","                \
	"\"process.executable\":\"/usr/bin/python3.11\",\"tlswitness.script\":\"/srv/a.py\"}"

struct bytes {
	char *start;
	size_t length;
};

static struct program report(const char *const arguments[], const char *input)
{
	struct program program = {
		.argv = join_words(WORDS(tool_path(), "report", "--json"), arguments),
		.env = WORDS("LC_ALL=C.UTF-8"),
		.input = input,
	};

	run_program(&program);
	return program;
}

static void expect_connections(const struct program *program, unsigned long count, const char *what)
{
	cr_expect_eq(program->status, 0, "%s: %s", what, program->err);
	cr_expect_eq(number_after(program->out, "\"connections\": "), count, "%s", what);
}

static const char *binary_file(const char *name, struct bytes content)
{
	const char *path = test_path(name);
	FILE *file = fopen(path, "w");

	cr_assert_not_null(file);
	cr_assert_eq(fwrite(content.start, 1, content.length, file), content.length);
	cr_assert_eq(fclose(file), 0);
	return path;
}

static struct bytes repeated(const char *line, size_t count)
{
	struct bytes bytes = {NULL, 0};
	FILE *out = open_memstream(&bytes.start, &bytes.length);

	for (size_t i = 0; i < count; i++)
		(void)fputs(line, out);
	cr_assert_eq(fclose(out), 0);
	return bytes;
}

/* ---- compressed ---- */

static struct bytes gzipped(struct bytes plain)
{
	z_stream stream = {0};
	struct bytes packed = {malloc(plain.length + 1024), plain.length + 1024};

	cr_assert_eq(deflateInit2(&stream, 6, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY),
		     Z_OK);
	stream.next_in = (Bytef *)plain.start;
	stream.avail_in = (uInt)plain.length;
	stream.next_out = (Bytef *)packed.start;
	stream.avail_out = (uInt)packed.length;
	cr_assert_eq(deflate(&stream, Z_FINISH), Z_STREAM_END);
	packed.length -= stream.avail_out;
	deflateEnd(&stream);
	return packed;
}

static struct bytes zstandard(struct bytes plain)
{
	struct bytes packed = {malloc(ZSTD_compressBound(plain.length)),
			       ZSTD_compressBound(plain.length)};

	/* With a checksum, as the zstd program does: else not all damage is noticed. */
	ZSTD_CCtx *context = ZSTD_createCCtx();

	(void)ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
	packed.length =
		ZSTD_compress2(context, packed.start, packed.length, plain.start, plain.length);
	ZSTD_freeCCtx(context);
	cr_assert_not(ZSTD_isError(packed.length));
	return packed;
}

static struct bytes xzipped(struct bytes plain)
{
	struct bytes packed = {malloc(plain.length + 4096), plain.length + 4096};
	size_t used = 0;

	cr_assert_eq(lzma_easy_buffer_encode(1, LZMA_CHECK_CRC64, NULL, (uint8_t *)plain.start,
					     plain.length, (uint8_t *)packed.start, &used,
					     packed.length),
		     LZMA_OK);
	packed.length = used;
	return packed;
}

static struct bytes joined(struct bytes first, struct bytes second)
{
	struct bytes both = {malloc(first.length + second.length), first.length + second.length};

	memcpy(both.start, first.start, first.length);
	memcpy(both.start + first.length, second.start, second.length);
	return both;
}

static const struct {
	const char *name;
	struct bytes (*pack)(struct bytes plain);
} formats[] = {{"gzip", gzipped}, {"zstd", zstandard}, {"xz", xzipped}};

#define FORMATS (sizeof(formats) / sizeof(formats[0]))

Test(report_inputs, reads_what_is_compressed_whatever_its_name)
{
	for (size_t i = 0; i < FORMATS; i++) {
		struct bytes packed = formats[i].pack(repeated(RECORD "\n", 3000));
		struct program program = report(WORDS(binary_file(formats[i].name, packed)), NULL);

		expect_connections(&program, 3000, formats[i].name);
		cr_expect_eq(program.err_length, 0, "%s", program.err);
		program = (struct program){
			.argv = WORDS("sh", "-c", "exec \"$0\" report --json - <\"$1\"",
				      tool_path(), test_path(formats[i].name)),
		};
		run_program(&program);
		expect_connections(&program, 3000, "from standard input");
	}
}

Test(report_inputs, reads_one_member_behind_the_other)
{
	for (size_t i = 0; i < FORMATS; i++) {
		/* The line that one begins the other ends. */
		struct bytes first = formats[i].pack(repeated(RECORD "\n{\"@timestamp\":", 1));
		struct bytes second = formats[i].pack(
			(struct bytes){(char *)RECORD "\n" + strlen("{\"@timestamp\":"),
				       strlen(RECORD "\n") - strlen("{\"@timestamp\":")});
		struct program program =
			report(WORDS(binary_file(formats[i].name, joined(first, second))), NULL);

		expect_connections(&program, 2, formats[i].name);
		cr_expect_eq(program.err_length, 0, "%s", program.err);
	}
}

/* Lines that do not compress to nothing, so that half of the bytes are about half of them. */
static struct bytes varied(size_t count)
{
	struct bytes bytes = {NULL, 0};
	FILE *out = open_memstream(&bytes.start, &bytes.length);
	unsigned state = 1;

	for (size_t i = 0; i < count; i++) {
		(void)fputs(
			"{\"@timestamp\":\"2026-11-20T10:00:00.000000Z\",\"event.action\":\"tls-"
			"handshake\",\"event.reason\":\"",
			out);
		for (int k = 0; k < 400; k++) {
			state = state * 1103515245U + 12345U;
			(void)fputc("0123456789abcdefghijklmnopqrstuv"[(state >> 16) % 32], out);
		}
		(void)fputs("\"}\n", out);
	}
	cr_assert_eq(fclose(out), 0);
	return bytes;
}

Test(report_inputs, counts_what_can_be_read_of_a_cut_file_and_says_where_it_ends)
{
	for (size_t i = 0; i < FORMATS; i++) {
		struct bytes packed = formats[i].pack(varied(2000));
		const char *path = NULL;
		struct program program;
		unsigned long counted = 0;

		packed.length /= 2;
		path = binary_file(formats[i].name, packed);
		program = report(WORDS(path), NULL);
		counted = number_after(program.out, "\"connections\": ");
		cr_expect_eq(program.status, 0);
		cr_expect(counted > 500 && counted < 1500, "%s: %lu", formats[i].name, counted);
		cr_expect(strstr(program.err, text("%s: cut short: the %s data end at byte %zu\n",
						   path, formats[i].name, packed.length)),
			  "%s", program.err);
		/* Nothing can be had of this. */
		packed.length = 20;
		path = binary_file(formats[i].name, packed);
		program = report(WORDS(path), NULL);
		cr_expect_eq(program.status, 2);
		cr_expect(strstr(program.err, "cut short"), "%s", program.err);
	}
}

Test(report_inputs, says_where_compressed_data_are_damaged)
{
	for (size_t i = 0; i < FORMATS; i++) {
		struct bytes packed = formats[i].pack(varied(2000));
		struct program program;

		memset(packed.start + packed.length / 2, 0xff, 64);
		program = report(WORDS(binary_file(formats[i].name, packed)), NULL);
		cr_expect_eq(program.status, 0, "%s: %s", formats[i].name, program.err);
		cr_expect(strstr(program.err, text("damaged %s data at byte ", formats[i].name)),
			  "%s", program.err);
	}
}

/* ---- wrapped ---- */

Test(report_inputs, finds_the_record_in_what_others_wrapped_around_it)
{
	static const char quoted[] =
		"{\\\"@timestamp\\\":\\\"2026-11-20T10:00:00.000000Z\\\",\\\"event.action\\\":"
		"\\\"tls-handshake\\\",\\\"tls.version\\\":\\\"1.0\\\"}";
	const char *const lines[] = {
		RECORD "\r\n",
		"\xef\xbb\xbf" RECORD "\n",
		"Nov 23 13:05:07 web1 tlswitness: " RECORD "\n",
		"Nov 23 13:05:07 web1 python3[4711]: " RECORD "\n",
		"<22>Nov 23 13:05:07 tlswitness: " RECORD "\n",
		"<22>1 2026-11-23T13:05:07.1Z web1 tlswitness 4711 - [a@1 b=\"{\"] "
		"\xef\xbb\xbf" RECORD "\n",
		text("{\"__CURSOR\":\"s=1\",\"MESSAGE\":\"%s\",\"_PID\":\"1\"}\n", quoted),
		text("{\"log\":\"%s\\n\",\"stream\":\"stderr\"}\n", quoted),
		text("{\"@timestamp\":\"2026-11-23T13:00:00Z\",\"message\":\"%s\"}\n", quoted),
		text("{\"message\":\"Nov 23 13:05:07 web1 tlswitness: %s\"}\n", quoted),
		"__CURSOR=s=1\n__REALTIME_TIMESTAMP=1\nMESSAGE=" RECORD "\n_PID=1\n\n",
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct program program = report(WORDS("-"), lines[i]);

		expect_connections(&program, 1, lines[i]);
		cr_expect_eq(number_after(program.out, "\"1.0\": "), 1, "%s", lines[i]);
		cr_expect_eq(program.err_length, 0, "%s: %s", lines[i], program.err);
	}
}

Test(report_inputs, is_not_taken_in_by_other_lines)
{
	static const char *const lines[] = {
		"Nov 23 13:05:07 web1 sshd[1]: session opened\n",
		"Nov 23 13:05:07 web1 app: {\"a\":1}\n",
		"Nov 23 13:05:07 web1 app: {\"a\":\n",
		"{\"MESSAGE\":\"session opened\",\"_PID\":\"1\"}\n",
		"{\"MESSAGE\":[123,34,64],\"_PID\":\"1\"}\n",
		"{\"MESSAGE\":{\"event.action\":\"tls-handshake\"}}\n",
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct program program = report(WORDS("-"), lines[i]);

		cr_expect_eq(program.status, 2, "%s", lines[i]);
		cr_expect(strstr(program.err, "-: 1 line is no record: line 1 ("), "%s: %s",
			  lines[i], program.err);
	}
}

/* ---- extremes ---- */

Test(report_inputs, survives_binary_junk_between_records)
{
	struct bytes junk = {malloc(300000), 300000};
	struct bytes record = repeated("\n" RECORD "\n", 1);
	struct program program;
	unsigned state = 7;

	for (size_t i = 0; i < junk.length; i++) {
		state = state * 1103515245U + 12345U;
		junk.start[i] = (char)(state >> 16);
	}
	/* No magic number. */
	junk.start[0] = 'x';
	program = report(
		WORDS(binary_file("junk", joined(joined(junk, record), joined(junk, record)))),
		NULL);
	expect_connections(&program, 2, "junk");
	program = report(WORDS(binary_file("junk", junk)), NULL);
	cr_expect_eq(program.status, 2);
}

static size_t lines_of(const char *content)
{
	size_t lines = 0;

	while ((content = strchr(content, '\n'))) {
		lines++;
		content++;
	}
	return lines;
}

/*
 * 100,000 records of as many programs and destinations, with rubbish, long lines and
 * carriage returns in between: the same with any number of threads, by file, by stream
 * and from what is compressed.
 */
Test(report_inputs, gives_the_same_on_every_path_however_many_names_there_are)
{
	struct bytes log = {NULL, 0};
	FILE *out = open_memstream(&log.start, &log.length);
	const char *files[3];
	const char *first = NULL;
	static const char *const threads[] = {"1", "2", "5"};

	for (int i = 0; i < 100000; i++) {
		(void)fprintf(
			out,
			"{\"@timestamp\":\"2026-11-%02dT10:00:00.%06dZ\",\"event.action\":\"tls-"
			"handshake\",\"destination.domain\":\"mx%d.example\",\"tls.version\":\"1.%"
			"d\","
			"\"tlswitness.verdict\":\"%s\",\"tlswitness.script\":\"/srv/%d.py\"}%s\n",
			1 + i % 28, i, i * 7 % 100000, i % 4, i % 4 < 2 ? "below-floor" : "ok", i,
			i % 3 ? "" : "\r");
		if (i % 20000 == 0) {
			(void)fputs(
				"rubbish\n{\"event\":{\"action\":\"smtp-session\"},\"@timestamp\":"
				"\"2026-11-01T00:00:00Z\",\"x\":\"",
				out);
			for (int k = 0; k < 1 << 20; k++)
				(void)fputc('x', out);
			(void)fputs("\"}\n", out);
		}
	}
	(void)fputs("{\"@timestamp\":\"2026-11-20T1", out);
	cr_assert_eq(fclose(out), 0);
	files[0] = binary_file("plain", log);
	files[1] = binary_file("gzip", gzipped(log));
	files[2] = binary_file("zstd", zstandard(log));
	for (size_t file = 0; file < 3; file++) {
		for (size_t i = 0; i < 3; i++) {
			struct program program = {
				.argv = WORDS(tool_path(), "report", "--csv", "--threads",
					      threads[i], i == 1 ? "-" : files[file]),
				.input = i == 1 && file == 0 ? log.start : NULL,
			};

			if (i == 1 && file > 0)
				continue;
			run_program(&program);
			cr_assert_eq(program.status, 0);
			if (!first)
				first = program.out;
			cr_expect_str_eq(program.out, first, "%s, %s threads", files[file],
					 threads[i]);
		}
	}
	/* A heading, a row for each name, and one for what has none. */
	cr_expect_eq(lines_of(first), 100002);
}
