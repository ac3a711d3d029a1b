#include "core/plugin/elf.h"

#include "tests/unit/scratch.h"
#include "tests/unit/suite.h"
#include <elf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#if __SIZEOF_POINTER__ == 8
typedef Elf64_Ehdr elf_header;
typedef Elf64_Phdr elf_segment;
#else
typedef Elf32_Ehdr elf_header;
typedef Elf32_Phdr elf_segment;
#endif

static const char *check(const char *ptr, size_t len)
{
    int fd = memfd_create("elf", MFD_CLOEXEC);
    CU_ASSERT_TRUE_FATAL(fd >= 0);
    CU_ASSERT_TRUE_FATAL(write(fd, ptr, len) == (ssize_t)len);
    const char *reason = koine__elf_check(fd, len);
    close(fd);
    return reason;
}

static void no_elf(void)
{
    ASSERT_STR(check("", 0), "is empty");
    ASSERT_STR(check("#!/bin/sh\n", 10), "is a script, not a shared object");
    ASSERT_STR(check("#!", 2), "is a script, not a shared object");
    ASSERT_STR(check("!<arch>\n", 8), "is a static archive, not a shared object");
    ASSERT_STR(check("x", 1), "is not a shared object: it has no ELF header");
    ASSERT_STR(check("INPUT(libx.so)", 14), "is not a shared object: it has no ELF header");
    ASSERT_STR(check("\177ELF", 4), "is truncated");
    ASSERT_STR(koine__elf_check(-1, 10), "cannot be read");
}

/* The section headers stand at the very end, so a single missing byte shows. */
static void every_truncation(void)
{
    size_t len;
    char *bytes = scratch_plugin_bytes("good", &len);
    if (!bytes)
        return;
    ASSERT_STR(check(bytes, len), NULL);
    int fd = memfd_create("elf", MFD_CLOEXEC);
    CU_ASSERT_TRUE_FATAL(write(fd, bytes, len) == (ssize_t)len);
    while (len-- > 0) {
        CU_ASSERT_EQUAL_FATAL(ftruncate(fd, (off_t)len), 0);
        CU_ASSERT_PTR_NOT_NULL(koine__elf_check(fd, len));
        /* The size may be a lie, too: the file shrank after it was asked. */
        if (len < sizeof(elf_header))
            CU_ASSERT_PTR_NOT_NULL(koine__elf_check(fd, len + sizeof(elf_header)));
    }
    close(fd);
    free(bytes);
}

/* Runs `change` on a copy of the header and of the first PT_LOAD, and gives the verdict. */
static const char *changed(void (*change)(elf_header *header, elf_segment *load))
{
    size_t len;
    elf_header header;
    char *bytes = scratch_plugin_bytes("good", &len);
    if (!bytes)
        return NULL;
    memcpy(&header, bytes, sizeof(header));
    elf_segment load;
    char *at = bytes + header.e_phoff;
    memcpy(&load, at, sizeof(load));
    while (load.p_type != PT_LOAD) {
        at += sizeof(load);
        memcpy(&load, at, sizeof(load));
    }
    change(&header, &load);
    memcpy(at, &load, sizeof(load));
    memcpy(bytes, &header, sizeof(header));
    const char *reason = check(bytes, len);
    free(bytes);
    return reason;
}

static void other_class(elf_header *header, elf_segment *load)
{
    (void)load;
    header->e_ident[EI_CLASS] = header->e_ident[EI_CLASS] == ELFCLASS64 ? ELFCLASS32 : ELFCLASS64;
}

static void other_order(elf_header *header, elf_segment *load)
{
    (void)load;
    header->e_ident[EI_DATA] = header->e_ident[EI_DATA] == ELFDATA2LSB ? ELFDATA2MSB : ELFDATA2LSB;
}

static void other_machine(elf_header *header, elf_segment *load)
{
    (void)load;
    header->e_machine = header->e_machine == EM_S390 ? EM_ARM : EM_S390;
}

static void no_shared_object(elf_header *header, elf_segment *load)
{
    (void)load;
    header->e_type = ET_REL;
}

static void other_segment_size(elf_header *header, elf_segment *load)
{
    (void)load;
    header->e_phentsize = 1;
}

static void too_many_segments(elf_header *header, elf_segment *load)
{
    (void)load;
    header->e_phnum = 0xffff;
}

static void no_segments(elf_header *header, elf_segment *load)
{
    (void)load;
    header->e_phnum = 0;
}

static void segments_far_away(elf_header *header, elf_segment *load)
{
    (void)load;
    header->e_phoff = (__typeof__(header->e_phoff))-8;
}

static void sections_far_away(elf_header *header, elf_segment *load)
{
    (void)load;
    header->e_shoff = (__typeof__(header->e_shoff))-8;
}

static void load_past_the_end(elf_header *header, elf_segment *load)
{
    (void)header;
    load->p_filesz = load->p_memsz = (__typeof__(load->p_filesz))-1;
}

static void load_that_wraps(elf_header *header, elf_segment *load)
{
    (void)header;
    load->p_offset = (__typeof__(load->p_offset))-4096;
}

static void load_larger_than_memory(elf_header *header, elf_segment *load)
{
    (void)header;
    load->p_memsz = load->p_filesz - 1;
}

static void damaged(void)
{
    size_t len;
    char *bytes = scratch_plugin_bytes("good", &len);
    if (!bytes)
        return;
    free(bytes);
    ASSERT_STR(changed(other_class), sizeof(void *) == 8 ? "is not for a 64-bit machine, which this is"
                                                         : "is not for a 32-bit machine, which this is");
    ASSERT_STR(changed(other_order), "was built for another kind of processor");
    ASSERT_STR(changed(other_machine), "was built for another kind of processor");
    ASSERT_STR(changed(no_shared_object), "is an ELF file, but not a shared object");
    ASSERT_STR(changed(other_segment_size), "is damaged: its program headers make no sense");
    ASSERT_STR(changed(too_many_segments), "is damaged: its program headers make no sense");
    ASSERT_STR(changed(no_segments), "has nothing to load");
    ASSERT_STR(changed(segments_far_away), "is truncated");
    ASSERT_STR(changed(sections_far_away), "is truncated");
    ASSERT_STR(changed(load_past_the_end), "is truncated");
    ASSERT_STR(changed(load_that_wraps), "is truncated");
    ASSERT_STR(changed(load_larger_than_memory), "is damaged: its program headers make no sense");
}

/* ---- What it needs --------------------------------------------------------------------------------- */

static size_t named, libc;

static void on_name(const char *name)
{
    named++;
    libc += strcmp(name, "libc.so.6") == 0;
    CU_ASSERT_PTR_NULL(strchr(name, '/'));
    CU_ASSERT_TRUE(strlen(name) < 256);
}

static void needed(void)
{
    size_t len;
    char *bytes = scratch_plugin_bytes("wild", &len);
    int fd = memfd_create("elf", MFD_CLOEXEC);
    if (bytes) {
        named = libc = 0;
        CU_ASSERT_TRUE_FATAL(write(fd, bytes, len) == (ssize_t)len);
        koine__elf_needed(fd, on_name);
        ASSERT_INT(libc, 1);
        CU_ASSERT_TRUE(named < 8); /* libc, and what a sanitizer brings */
        /* Bytes changed one after the other, where the headers and the dynamic section are and elsewhere: it
         * names something or nothing, and never ends badly. */
        for (size_t at = 0; at < len; at += at < 1024 ? 1 : 61) {
            char changed = (char)(bytes[at] ^ (at % 2 ? 0x80 : 0x01));
            CU_ASSERT_EQUAL(pwrite(fd, &changed, 1, (off_t)at), 1);
            named = 0;
            koine__elf_needed(fd, on_name);
            CU_ASSERT_TRUE(named <= 64);
            CU_ASSERT_EQUAL(pwrite(fd, &bytes[at], 1, (off_t)at), 1);
        }
    }
    named = 0;
    koine__elf_needed(-1, on_name);
    ASSERT_INT(named, 0);
    close(fd);
    free(bytes);
}

SUITE_MAIN("elf", {"no ELF", no_elf}, {"every truncation", every_truncation}, {"damaged", damaged},
           {"needed", needed})
