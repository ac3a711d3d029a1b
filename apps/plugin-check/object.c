/* object: ELF (System V ABI, chapters 4 and 5), every offset checked: the file may be anything. */
#include "apps/plugin-check/object.h"

#include "core/plugin/elf.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#if __SIZEOF_POINTER__ == 8
typedef Elf64_Ehdr elf_header;
typedef Elf64_Shdr elf_section;
typedef Elf64_Sym elf_symbol;
typedef Elf64_Dyn elf_dynamic;
#else
typedef Elf32_Ehdr elf_header;
typedef Elf32_Shdr elf_section;
typedef Elf32_Sym elf_symbol;
typedef Elf32_Dyn elf_dynamic;
#endif

#define LARGEST ((size_t)256 << 20)

static bool copy(const struct object *self, uint64_t offset, void *ret, size_t size)
{
    if (offset > self->size || size > self->size - offset)
        return false;
    memcpy(ret, self->bytes + offset, size);
    return true;
}

static bool is_inside(const struct object *self, const elf_section *section)
{
    return section->sh_offset <= self->size && section->sh_size <= self->size - section->sh_offset;
}

static bool section_at(const struct object *self, const elf_header *header, size_t index, elf_section *ret)
{
    return index < header->e_shnum && header->e_shentsize == sizeof(*ret) &&
           copy(self, header->e_shoff + index * sizeof(*ret), ret, sizeof(*ret));
}

/* The strings must end, so that a name never runs out of the file. */
static bool take_names(struct object *self, const elf_header *header, size_t index)
{
    elf_section section;
    if (!section_at(self, header, index, &section) || !is_inside(self, &section) || section.sh_size == 0 ||
        self->bytes[section.sh_offset + section.sh_size - 1] != '\0')
        return false;
    self->names = section.sh_offset;
    self->names_size = section.sh_size;
    return true;
}

static const char *take_sections(struct object *self)
{
    elf_header header;
    elf_section section;
    if (!copy(self, 0, &header, sizeof(header)))
        return "is truncated";
    for (size_t i = 0; section_at(self, &header, i, &section); i++) {
        if (!is_inside(self, &section))
            continue; /* .bss and its like have no bytes */
        if (section.sh_type == SHT_DYNSYM && take_names(self, &header, section.sh_link)) {
            self->symbols = section.sh_offset;
            self->symbol_count = section.sh_size / sizeof(elf_symbol);
        } else if (section.sh_type == SHT_DYNAMIC) {
            self->dynamic = section.sh_offset;
            self->dynamic_count = section.sh_size / sizeof(elf_dynamic);
        }
    }
    return self->symbol_count ? NULL : "has no table of dynamic symbols: what it uses cannot be seen";
}

static const char *read_bytes(struct object *self, int fd)
{
    size_t got = 0;
    self->bytes = malloc(self->size + 1);
    while (self->bytes && got < self->size) {
        ssize_t n = read(fd, self->bytes + got, self->size - got);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return "cannot be read";
        got += (size_t)n;
    }
    return self->bytes ? NULL : "cannot be read: there is no memory for it";
}

const char *object_read(struct object *self, const char *path)
{
    struct stat state;
    *self = (struct object){.bytes = NULL};
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return errno == ENOENT ? "is not there" : "cannot be opened";
    const char *reason = "is no regular file, or too large";
    if (fstat(fd, &state) == 0 && S_ISREG(state.st_mode) && (uint64_t)state.st_size <= LARGEST) {
        self->size = (size_t)state.st_size;
        reason = koine__elf_check(fd, self->size);
        if (!reason)
            reason = read_bytes(self, fd);
    }
    close(fd);
    return reason ? reason : take_sections(self);
}

void object_release(struct object *self)
{
    free(self->bytes);
    self->bytes = NULL;
}

static const char *name_at(const struct object *self, size_t offset)
{
    return offset < self->names_size ? self->bytes + self->names + offset : "";
}

bool object_symbol(const struct object *self, size_t index, struct object_symbol *ret)
{
    elf_symbol symbol;
    if (index >= self->symbol_count ||
        !copy(self, self->symbols + index * sizeof(symbol), &symbol, sizeof(symbol)))
        return false;
    unsigned visibility = symbol.st_other & 3, binding = symbol.st_info >> 4;
    ret->name = name_at(self, symbol.st_name);
    ret->defined = symbol.st_shndx != SHN_UNDEF;
    ret->visible = ret->defined && symbol.st_shndx != SHN_ABS && binding != STB_LOCAL &&
                   (visibility == STV_DEFAULT || visibility == STV_PROTECTED);
    return true;
}

const char *object_library(const struct object *self, size_t index)
{
    elf_dynamic entry;
    for (size_t i = 0; i < self->dynamic_count; i++) {
        if (!copy(self, self->dynamic + i * sizeof(entry), &entry, sizeof(entry)) || entry.d_tag == DT_NULL)
            return NULL;
        if (entry.d_tag == DT_NEEDED && index-- == 0)
            return name_at(self, entry.d_un.d_val);
    }
    return NULL;
}
