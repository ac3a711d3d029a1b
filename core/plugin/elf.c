/* elf: headers and bounds (System V ABI, chapter 4). What is inside the segments is the C library's to judge.
 */
#include "core/plugin/elf.h"

#include <elf.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#if __SIZEOF_POINTER__ == 8
typedef Elf64_Ehdr elf_header;
typedef Elf64_Phdr elf_segment;
typedef Elf64_Dyn elf_entry;
#else
typedef Elf32_Ehdr elf_header;
typedef Elf32_Phdr elf_segment;
typedef Elf32_Dyn elf_entry;
#endif

#define MOST_SEGMENTS 512
#define MOST_ENTRIES  4096 /* of a dynamic section */
#define MOST_NEEDED   64
#define LONGEST_NAME  256

/* The header of the object that this code is in, from the linker: whatever this machine is, that is right for
 * it. */
extern const elf_header __ehdr_start __attribute__((visibility("hidden")));

static bool read_at(int fd, void *ret, size_t size, uint64_t offset)
{
    char *to = ret;
    while (size > 0) {
        ssize_t n = pread(fd, to, size, (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        to += n;
        offset += (uint64_t)n;
        size -= (size_t)n;
    }
    return true;
}

static const char *check_magic(int fd, uint64_t size)
{
    char magic[8] = {0};
    if (size == 0)
        return "is empty";
    if (!read_at(fd, magic, size < sizeof(magic) ? (size_t)size : sizeof(magic), 0))
        return "cannot be read";
    if (memcmp(magic, "#!", 2) == 0)
        return "is a script, not a shared object";
    if (memcmp(magic, "!<arch>\n", 8) == 0)
        return "is a static archive, not a shared object";
    if (memcmp(magic, ELFMAG, SELFMAG) != 0)
        return "is not a shared object: it has no ELF header";
    return NULL;
}

static const char *check_machine(const elf_header *header)
{
    const elf_header *own = &__ehdr_start;
    if (header->e_ident[EI_CLASS] != own->e_ident[EI_CLASS])
        return own->e_ident[EI_CLASS] == ELFCLASS64 ? "is not for a 64-bit machine, which this is"
                                                    : "is not for a 32-bit machine, which this is";
    if (header->e_ident[EI_DATA] != own->e_ident[EI_DATA] || header->e_machine != own->e_machine)
        return "was built for another kind of processor";
    if (header->e_type != ET_DYN)
        return "is an ELF file, but not a shared object";
    return NULL;
}

static bool is_inside(uint64_t offset, uint64_t length, uint64_t size)
{
    return offset <= size && length <= size - offset;
}

static const char *check_segments(int fd, const elf_header *header, uint64_t size)
{
    static const char truncated[] = "is truncated";
    bool loads = false;
    if (header->e_phentsize != sizeof(elf_segment) || header->e_phnum > MOST_SEGMENTS)
        return "is damaged: its program headers make no sense";
    if (!is_inside(header->e_phoff, (uint64_t)header->e_phnum * sizeof(elf_segment), size))
        return truncated;
    for (unsigned i = 0; i < header->e_phnum; i++) {
        elf_segment segment;
        if (!read_at(fd, &segment, sizeof(segment), header->e_phoff + i * sizeof(segment)))
            return "cannot be read";
        if (segment.p_type != PT_LOAD && segment.p_type != PT_DYNAMIC)
            continue;
        if (!is_inside(segment.p_offset, segment.p_filesz, size))
            return truncated;
        if (segment.p_filesz > segment.p_memsz)
            return "is damaged: its program headers make no sense";
        loads = loads || segment.p_type == PT_LOAD;
    }
    return loads ? NULL : "has nothing to load";
}

const char *koine__elf_check(int fd, uint64_t size)
{
    elf_header header;
    const char *reason = check_magic(fd, size);
    if (reason)
        return reason;
    if (size < sizeof(header))
        return "is truncated";
    if (!read_at(fd, &header, sizeof(header), 0))
        return "cannot be read";
    reason = check_machine(&header);
    if (reason)
        return reason;
    if (!is_inside(header.e_shoff, (uint64_t)header.e_shnum * header.e_shentsize, size))
        return "is truncated";
    return check_segments(fd, &header, size);
}

/* ---- What it needs --------------------------------------------------------------------------------- */

struct needs {
    int fd;
    elf_header header;
    uint64_t names[MOST_NEEDED]; /* offsets into the table of strings */
    size_t count;
    uint64_t strings; /* where that lies in memory; 0: not told */
};

/* The n-th segment of a kind; false: there is none. */
static bool find_segment(const struct needs *needs, uint32_t type, unsigned n, elf_segment *ret)
{
    for (unsigned i = 0; i < needs->header.e_phnum; i++) {
        if (!read_at(needs->fd, ret, sizeof(*ret), needs->header.e_phoff + i * sizeof(*ret)))
            return false;
        if (ret->p_type == type && n-- == 0)
            return true;
    }
    return false;
}

static void read_dynamic(struct needs *needs, const elf_segment *dynamic)
{
    uint64_t count = dynamic->p_filesz / sizeof(elf_entry);
    for (uint64_t i = 0; i < count && i < MOST_ENTRIES; i++) {
        elf_entry entry;
        if (!read_at(needs->fd, &entry, sizeof(entry), dynamic->p_offset + i * sizeof(entry)) ||
            entry.d_tag == DT_NULL)
            return;
        if (entry.d_tag == DT_STRTAB)
            needs->strings = entry.d_un.d_ptr;
        else if (entry.d_tag == DT_NEEDED && needs->count < MOST_NEEDED)
            needs->names[needs->count++] = entry.d_un.d_val;
    }
}

/* Where an address will be, in the file; false: in no segment. */
static bool find_offset(const struct needs *needs, uint64_t address, uint64_t *ret)
{
    elf_segment segment;
    for (unsigned n = 0; find_segment(needs, PT_LOAD, n, &segment); n++)
        if (address >= segment.p_vaddr && address - segment.p_vaddr < segment.p_filesz) {
            *ret = segment.p_offset + (address - segment.p_vaddr);
            return true;
        }
    return false;
}

static bool read_name(int fd, uint64_t offset, char ret[LONGEST_NAME])
{
    ssize_t got = pread(fd, ret, LONGEST_NAME, (off_t)offset);
    return got > 0 && memchr(ret, '\0', (size_t)got) && *ret && !strchr(ret, '/');
}

void koine__elf_needed(int fd, void (*each)(const char *name))
{
    struct needs needs = {.fd = fd};
    elf_segment dynamic;
    uint64_t strings;
    char name[LONGEST_NAME];
    if (!read_at(fd, &needs.header, sizeof(needs.header), 0) ||
        !find_segment(&needs, PT_DYNAMIC, 0, &dynamic))
        return;
    read_dynamic(&needs, &dynamic);
    if (!find_offset(&needs, needs.strings, &strings))
        return;
    for (size_t i = 0; i < needs.count; i++)
        if (needs.names[i] < UINT32_MAX && read_name(fd, strings + needs.names[i], name))
            each(name);
}
