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
#else
typedef Elf32_Ehdr elf_header;
typedef Elf32_Phdr elf_segment;
#endif

#define MOST_SEGMENTS 512

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
