/* exchange: reads the recorded traffic. */
#include "tests/corpus/exchange.h"

#include <stdio.h>
#include <stdlib.h>

#define BODY_LIMIT ((size_t)1 << 26)

bool corpus_open(struct corpus_file *file, const char *folder, const char *name)
{
    char path[1024];
    long size = -1;
    *file = (struct corpus_file){.text = NULL};
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *stream = fopen(path, "rb");
    if (!stream)
        return false;
    if (fseek(stream, 0, SEEK_END) == 0)
        size = ftell(stream);
    rewind(stream);
    file->text = size >= 0 ? malloc((size_t)size + 1) : NULL;
    bool ok = file->text && fread(file->text, 1, (size_t)size, stream) == (size_t)size;
    fclose(stream);
    if (ok)
        file->rest = (koine_str){file->text, (size_t)size};
    return ok;
}

void corpus_close(struct corpus_file *file)
{
    free(file->text);
}

const koine_node *corpus_next(struct corpus_file *file, struct koine__arena *arena)
{
    const koine_node *root = NULL;
    koine_str line = koine__str_trim(koine__str_cut(&file->rest, '\n'));
    if (line.len > 0)
        koine__json_read(line, arena, &root, NULL);
    return root;
}

void corpus_case(const koine_node *exchange, struct vendor_case *ret)
{
    const koine_node *headers = koine__node_get(exchange, "headers");
    koine_str body = koine__node_str(koine__node_get(exchange, "body"));
    *ret = (struct vendor_case){.model = "recorded"};
    ret->answered = true;
    ret->stream = koine__node_truth(koine__node_get(exchange, "stream")) == 1;
    ret->status = (int)koine__node_num(koine__node_get(exchange, "status"), 0);
    for (size_t i = 0; i < koine__node_count(headers) && ret->header_count < VENDOR_HEADERS; i++) {
        struct vendor_header *header = &ret->headers[ret->header_count++];
        header->name = koine__node_key(headers, i);
        header->value = koine__node_str(koine__node_at(headers, i));
    }
    koine__buf_init(&ret->body, BODY_LIMIT);
    koine__buf_add(&ret->body, body.ptr ? body.ptr : "", body.len);
}

/* ---- What is expected ---- */

static size_t lines_of(koine_str text)
{
    size_t lines = 0;
    for (size_t i = 0; i < text.len; i++)
        lines += text.ptr[i] == '\n';
    return lines + 1;
}

bool corpus_expected_open(struct corpus_expected *expected, const char *folder)
{
    *expected = (struct corpus_expected){.count = 0};
    koine__arena_init(&expected->arena, 0);
    if (!corpus_open(&expected->file, folder, "expected.jsonl"))
        return false;
    expected->entries = calloc(lines_of(expected->file.rest), sizeof(*expected->entries));
    if (!expected->entries)
        return false;
    for (const koine_node *node; (node = corpus_next(&expected->file, &expected->arena));)
        expected->entries[expected->count++] =
            (struct corpus_entry){koine__node_str(koine__node_get(node, "id")), node};
    return expected->count > 0;
}

void corpus_expected_close(struct corpus_expected *expected)
{
    free(expected->entries);
    corpus_close(&expected->file);
    koine__arena_release(&expected->arena);
}

const koine_node *corpus_expected_find(const struct corpus_expected *expected, koine_str id)
{
    for (size_t i = 0; i < expected->count; i++)
        if (koine__str_eq(expected->entries[i].id, id))
            return expected->entries[i].node;
    return NULL;
}
