/*
 * A program, and a process, as text and as JSON.
 *
 * The JSON is stable: members are added, never renamed or given another
 * meaning; what is not known is left out.
 *
 *   program      the binary's path
 *   script       the script that leads to it
 *   witnesses    [text]: who sees its TLS, as the record's tlswitness.witness
 *   blind        true: nothing of it is seen
 *   reasons      [text]: what is not seen, for a sentence that begins with the path
 *   remedy       what to do about the first of them
 *   kind, architecture, libc, loader
 *   libraries    [{name, file, how: linked|loaded|built-in, through, used}]
 * and for a process also
 *   pid, user, unit, container
 *   recorder     {path, version, replaced, by: LD_PRELOAD|/etc/ld.so.preload,
 *                since: {pid, program}}
 *   settings     {NAME: {value, origin: default|file|environment}}
 *   log, last_record
 */
#include <elf.h>
#include <stdio.h>
#include <string.h>

#include "tools/base/json_writer.h"
#include "tools/base/put.h"
#include "tools/base/terminal.h"
#include "tools/check/check.h"

#define NO_LIMIT 100000

static const char *way_name(enum tls_library_way way)
{
	static const char *const names[] = {"linked", "loaded", "built-in"};

	return names[way];
}

static const char *kind_of(const struct target *target)
{
	if (target->loader[0] == '\0')
		return target->is_go ? "static Go program" : "static program";
	return target->is_go ? "dynamically linked Go program" : "dynamically linked program";
}

static const char *libc_of(const struct target *target)
{
	static const char *const names[] = {"none", "glibc", "musl", "other"};

	return names[target->libc];
}

static const char *preload_name(enum preload_way way)
{
	return way == PRELOAD_ENVIRONMENT ? "LD_PRELOAD" : "/etc/ld.so.preload";
}

/* ---- JSON ---- */

static void write_text(struct json_writer *writer, const char *key, const char *text)
{
	if (text && *text)
		json_text(writer, key, slice_of(text));
}

static void write_elf(struct json_writer *writer, const struct target *target)
{
	const struct tls_libraries *libraries = &target->libraries;

	if (!target->is_elf)
		return;
	write_text(writer, "kind", kind_of(target));
	write_text(writer, "architecture", elf_file_machine_name(target->machine));
	write_text(writer, "libc", libc_of(target));
	write_text(writer, "loader", target->loader);
	json_open(writer, "libraries", '[');
	for (size_t i = 0; i < libraries->count; i++) {
		const struct tls_library_use *use = &libraries->use[i];

		json_open(writer, NULL, '{');
		write_text(writer, "name", use->library->name);
		write_text(writer, "file", use->file);
		write_text(writer, "how", way_name(use->way));
		write_text(writer, "through", use->through);
		json_boolean(writer, "used", use->is_nearest);
		json_close(writer, '}');
	}
	json_close(writer, ']');
}

static void write_seen(struct json_writer *writer, const struct target *target, bool blind,
		       const char *reason, const char *remedy)
{
	json_open(writer, "witnesses", '[');
	for (size_t i = 0; !blind && i < target->witness_count; i++)
		json_text(writer, NULL, slice_of(target->witness[i]));
	json_close(writer, ']');
	json_boolean(writer, "blind", blind);
	json_open(writer, "reasons", '[');
	write_text(writer, NULL, reason);
	for (size_t i = 0; i < target->reason_count; i++) {
		if (!reason || strcmp(reason, target->reason[i].text) != 0)
			write_text(writer, NULL, target->reason[i].text);
	}
	json_close(writer, ']');
	write_text(writer, "remedy", remedy);
}

static const char *remedy_of(const struct target *target)
{
	const struct target_reason *first = target_blindness(target);

	if (!first && target->reason_count > 0)
		first = &target->reason[0];
	return first ? first->remedy : NULL;
}

static void write_target(struct json_writer *writer, const struct target *target)
{
	json_open(writer, NULL, '{');
	write_text(writer, "program", target->path);
	write_text(writer, "script", target->script);
	write_seen(writer, target, target_blindness(target) != NULL, NULL, remedy_of(target));
	write_elf(writer, target);
	json_close(writer, '}');
}

static void write_recorder(struct json_writer *writer, const struct process *process)
{
	if (!process->is_mapped)
		return;
	json_open(writer, "recorder", '{');
	write_text(writer, "path", process->recorder);
	write_text(writer, "version", process->version);
	json_boolean(writer, "replaced", process->is_replaced);
	if (process->way != PRELOAD_UNKNOWN)
		write_text(writer, "by", preload_name(process->way));
	if (process->since > 0) {
		json_open(writer, "since", '{');
		json_number(writer, "pid", (uint64_t)process->since);
		write_text(writer, "program", process->since_executable);
		json_close(writer, '}');
	}
	json_close(writer, '}');
	json_open(writer, "settings", '{');
	for (size_t i = 0; i < process->setting_count; i++) {
		if (process->setting[i].value[0] == '\0')
			continue;
		json_open(writer, process->setting[i].name, '{');
		write_text(writer, "value", process->setting[i].value);
		write_text(writer, "origin", setting_origin_name(process->setting[i].origin));
		json_close(writer, '}');
	}
	json_close(writer, '}');
	write_text(writer, "log", process->log);
	write_text(writer, "last_record", process->last_record);
}

static void write_process(struct json_writer *writer, const struct process *process)
{
	bool blind = process->reason[0] != '\0';

	json_open(writer, NULL, '{');
	write_text(writer, "program", process->executable);
	json_number(writer, "pid", (uint64_t)process->pid);
	json_number(writer, "user", process->user);
	write_text(writer, "unit", process->unit);
	write_text(writer, "container", process->container);
	write_seen(writer, &process->target, blind, process->reason, process->remedy);
	write_recorder(writer, process);
	write_elf(writer, &process->target);
	json_close(writer, '}');
}

/* ---- text ---- */

static void put_label(const char *label)
{
	put_format(stdout, "  %-14s", label);
}

/* A path or an environment may hold anything. */
static void put_safe(const char *text)
{
	terminal_put(stdout, slice_of(text), NO_LIMIT, false, terminal_utf8());
}

static void put_line(const char *label, const char *text)
{
	if (!text || !*text)
		return;
	put_label(label);
	put_safe(text);
	put_byte(stdout, '\n');
}

static void put_libraries(const struct target *target)
{
	for (size_t i = 0; i < target->libraries.count; i++) {
		const struct tls_library_use *use = &target->libraries.use[i];

		put_label(i == 0 ? "TLS libraries" : "");
		put_format(stdout, "%s (", use->library->name);
		if (use->way == TLS_LIBRARY_BUILT_IN) {
			put_text(stdout, "built in");
		} else {
			put_safe(use->file);
			put_format(stdout, ", %s", way_name(use->way));
		}
		if (use->through[0]) {
			put_text(stdout, ", through ");
			put_safe(use->through);
		}
		put_format(stdout, "%s)\n", use->is_nearest ? "" : ", behind a nearer one");
	}
}

static void put_seen(const struct target *target, bool blind, const char *reason)
{
	put_label("seen by");
	for (size_t i = 0; !blind && i < target->witness_count; i++)
		put_format(stdout, "%s%s", i ? ", " : "", target->witness[i]);
	put_text(stdout, blind ? "nobody\n" : "\n");
	put_line("not seen", reason);
	for (size_t i = 0; i < target->reason_count; i++) {
		if (!reason || strcmp(reason, target->reason[i].text) != 0)
			put_line(target->reason[i].blinds ? "not seen" : "but",
				 target->reason[i].text);
	}
}

static void put_elf(const struct target *target)
{
	if (!target->is_elf)
		return;
	put_label("kind");
	put_format(stdout, "%s, %s, libc %s\n", kind_of(target),
		   elf_file_machine_name(target->machine), libc_of(target));
	put_libraries(target);
}

static void put_target(const struct target *target)
{
	put_safe(target->path);
	put_byte(stdout, '\n');
	put_line("script", target->script);
	put_elf(target);
	put_seen(target, target_blindness(target) != NULL, NULL);
	put_line("remedy", remedy_of(target));
}

static void put_recorder(const struct process *process)
{
	if (!process->is_mapped)
		return;
	put_label("recorder");
	put_safe(process->recorder);
	put_format(stdout, ", %s%s\n", process->version[0] ? process->version : "of no version",
		   process->is_replaced ? "; the file is another one by now: restart it" : "");
	if (process->way != PRELOAD_UNKNOWN) {
		put_label("preloaded by");
		put_text(stdout, preload_name(process->way));
		if (process->since > 0) {
			put_format(stdout, ", since process %d, ", (int)process->since);
			put_safe(process->since_executable);
		}
		put_byte(stdout, '\n');
	}
	for (size_t i = 0; i < process->setting_count; i++) {
		const struct process_setting *setting = &process->setting[i];

		if (setting->value[0] == '\0')
			continue;
		put_label(setting->name);
		put_safe(setting->value);
		put_format(stdout, " (%s)\n", setting_origin_name(setting->origin));
	}
	put_line("last record",
		 process->last_record[0] ? process->last_record : "none that can be read");
}

static void put_process(const struct process *process)
{
	put_safe(process->executable);
	put_format(stdout, ", process %d\n", (int)process->pid);
	put_line("unit", process->unit);
	put_line("container", process->container);
	put_elf(&process->target);
	put_seen(&process->target, process->reason[0] != '\0', process->reason);
	put_line("remedy", process->remedy);
	put_recorder(process);
}

int check_show_target(const struct target *target, bool json)
{
	struct json_writer writer = {.out = stdout};

	if (json)
		write_target(&writer, target);
	else
		put_target(target);
	if (!put_end(stdout))
		return 2;
	return target_blindness(target) ? 1 : 0;
}

int check_show_process(const struct process *process, bool json)
{
	struct json_writer writer = {.out = stdout};

	if (json)
		write_process(&writer, process);
	else
		put_process(process);
	if (!put_end(stdout))
		return 2;
	return process->reason[0] ? 1 : 0;
}
