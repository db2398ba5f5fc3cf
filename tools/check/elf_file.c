/*
 * Reads ELF by libelf; keeps the file open, since its texts are read in place.
 */
#include "tools/check/elf_file.h"

#include <elf.h>
#include <gelf.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* glibc 2.31 (Debian 11) has not heard of it. */
#ifndef EM_LOONGARCH
#define EM_LOONGARCH 258
#endif

/* What the Go linker puts before the description of the build (cmd/internal/buildinfo). */
static const char go_magic[] = "\xff Go buildinf:";

/* The section of this type (name NULL) or name; NULL if there is none. */
static Elf_Scn *find_section(const struct elf_file *file, const char *name, unsigned type,
			     GElf_Shdr *header)
{
	Elf_Scn *section = NULL;
	size_t strings;

	if (name && elf_getshdrstrndx(file->elf, &strings) != 0)
		return NULL;
	while ((section = elf_nextscn(file->elf, section)) != NULL) {
		const char *found;

		if (!gelf_getshdr(section, header))
			continue;
		if (!name && header->sh_type == type)
			return section;
		if (!name)
			continue;
		found = elf_strptr(file->elf, strings, header->sh_name);
		if (found && strcmp(found, name) == 0)
			return section;
	}
	return NULL;
}

static void read_program_headers(struct elf_file *file)
{
	size_t count = 0;
	size_t size = 0;
	const char *bytes = elf_rawfile(file->elf, &size);

	if (elf_getphdrnum(file->elf, &count) != 0 || !bytes)
		return;
	for (size_t i = 0; i < count; i++) {
		GElf_Phdr header;

		if (!gelf_getphdr(file->elf, (int)i, &header))
			continue;
		if (header.p_type == PT_DYNAMIC)
			file->has_dynamic = true;
		if (header.p_type != PT_INTERP || header.p_offset >= size ||
		    header.p_filesz > size - header.p_offset)
			continue;
		(void)snprintf(file->loader, sizeof(file->loader), "%.*s", (int)header.p_filesz,
			       bytes + header.p_offset);
	}
}

static void read_dynamic_section(struct elf_file *file)
{
	GElf_Shdr header;
	Elf_Scn *section = find_section(file, NULL, SHT_DYNAMIC, &header);
	Elf_Data *data = section ? elf_getdata(section, NULL) : NULL;
	GElf_Dyn entry;

	for (int i = 0; data && gelf_getdyn(data, i, &entry) && entry.d_tag != DT_NULL; i++) {
		const char *text = elf_strptr(file->elf, header.sh_link, entry.d_un.d_val);

		if (entry.d_tag == DT_RUNPATH)
			file->run_path = text;
		else if (entry.d_tag == DT_RPATH)
			file->old_run_path = text;
		else if (entry.d_tag == DT_NEEDED && text &&
			 file->needed_count < sizeof(file->needed) / sizeof(file->needed[0]))
			file->needed[file->needed_count++] = text;
	}
}

bool elf_file_open(struct elf_file *file, int fd)
{
	GElf_Ehdr header;

	memset(file, 0, sizeof(*file));
	file->fd = fd;
	if (fd < 0)
		return false;
	elf_version(EV_CURRENT);
	file->elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
	if (!file->elf || elf_kind(file->elf) != ELF_K_ELF || !gelf_getehdr(file->elf, &header)) {
		elf_file_close(file);
		return false;
	}
	file->machine = header.e_machine;
	file->word_class = gelf_getclass(file->elf);
	read_program_headers(file);
	read_dynamic_section(file);
	/* The magic too: a section's name can be stripped away. */
	file->is_go = elf_file_section(file, ".go.buildinfo", &(size_t){0}) ||
		      elf_file_holds(file, go_magic);
	return true;
}

void elf_file_close(struct elf_file *file)
{
	if (file->elf)
		elf_end(file->elf);
	if (file->fd >= 0)
		close(file->fd);
	file->elf = NULL;
	file->fd = -1;
}

const char *elf_file_machine_name(int machine)
{
	static const struct {
		int machine;
		const char *name;
	} names[] = {
		{EM_X86_64, "x86-64"}, {EM_386, "x86"},      {EM_AARCH64, "AArch64"},
		{EM_ARM, "ARM"},       {EM_RISCV, "RISC-V"}, {EM_PPC64, "PowerPC 64"},
		{EM_S390, "s390x"},    {EM_MIPS, "MIPS"},    {EM_LOONGARCH, "LoongArch"},
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (names[i].machine == machine)
			return names[i].name;
	}
	return "another";
}

static bool has_symbol(const struct elf_file *file, const char *symbol, bool defined)
{
	GElf_Shdr header;
	Elf_Scn *section = find_section(file, NULL, SHT_DYNSYM, &header);
	Elf_Data *data = section ? elf_getdata(section, NULL) : NULL;
	GElf_Sym entry;

	for (int i = 1; data && gelf_getsym(data, i, &entry); i++) {
		const char *name = elf_strptr(file->elf, header.sh_link, entry.st_name);

		if (name && (entry.st_shndx != SHN_UNDEF) == defined && strcmp(name, symbol) == 0)
			return true;
	}
	return false;
}

bool elf_file_exports(const struct elf_file *file, const char *symbol)
{
	return has_symbol(file, symbol, true);
}

bool elf_file_imports(const struct elf_file *file, const char *symbol)
{
	return has_symbol(file, symbol, false);
}

bool elf_file_holds(const struct elf_file *file, const char *text)
{
	size_t size = 0;
	const char *bytes = elf_rawfile(file->elf, &size);

	return bytes && memmem(bytes, size, text, strlen(text)) != NULL;
}

bool elf_file_holds_word(const struct elf_file *file, const char *word)
{
	size_t size = 0;
	const char *bytes = elf_rawfile(file->elf, &size);
	size_t length = strlen(word);
	const char *at = bytes;

	while (at && (at = memmem(at, size - (size_t)(at - bytes), word, length)) != NULL) {
		if (at > bytes && at[-1] == '\0' && at + length < bytes + size &&
		    at[length] == '\0')
			return true;
		at++;
	}
	return false;
}

const char *elf_file_section(const struct elf_file *file, const char *name, size_t *length)
{
	GElf_Shdr header;
	Elf_Scn *section = find_section(file, name, 0, &header);
	Elf_Data *data = section ? elf_getdata(section, NULL) : NULL;

	if (!data || !data->d_buf)
		return NULL;
	*length = data->d_size;
	return data->d_buf;
}

bool elf_file_build_id(const struct elf_file *file, char digits[129])
{
	size_t length = 0;
	const char *note = elf_file_section(file, ".note.gnu.build-id", &length);
	size_t at = sizeof(Elf32_Nhdr) + 4; /* behind the header and the name "GNU" */

	if (!note || length <= at || length - at > 64)
		return false;
	for (size_t i = 0; at + i < length; i++)
		(void)snprintf(digits + 2 * i, 3, "%02x", (unsigned char)note[at + i]);
	return true;
}

void elf_file_needed_versions(const struct elf_file *file,
			      void (*visit)(void *context, const char *version), void *context)
{
	GElf_Shdr header;
	Elf_Scn *section = find_section(file, NULL, SHT_GNU_verneed, &header);
	Elf_Data *data = section ? elf_getdata(section, NULL) : NULL;
	GElf_Verneed need;
	int at = 0;

	while (data && gelf_getverneed(data, at, &need)) {
		GElf_Vernaux version;
		int next = at + (int)need.vn_aux;

		while (gelf_getvernaux(data, next, &version)) {
			const char *name = elf_strptr(file->elf, header.sh_link, version.vna_name);

			if (name)
				visit(context, name);
			if (version.vna_next == 0)
				break;
			next += (int)version.vna_next;
		}
		if (need.vn_next == 0)
			break;
		at += (int)need.vn_next;
	}
}

bool elf_file_defines_version(const struct elf_file *file, const char *version)
{
	GElf_Shdr header;
	Elf_Scn *section = find_section(file, NULL, SHT_GNU_verdef, &header);
	Elf_Data *data = section ? elf_getdata(section, NULL) : NULL;
	GElf_Verdef definition;
	int at = 0;

	while (data && gelf_getverdef(data, at, &definition)) {
		GElf_Verdaux name;
		const char *found = NULL;

		if (gelf_getverdaux(data, at + (int)definition.vd_aux, &name))
			found = elf_strptr(file->elf, header.sh_link, name.vda_name);
		if (found && strcmp(found, version) == 0)
			return true;
		if (definition.vd_next == 0)
			break;
		at += (int)definition.vd_next;
	}
	return false;
}
