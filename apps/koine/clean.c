/* clean: a terminal obeys what it is sent, so nothing that a model or a vendor wrote reaches it unread. */
#include "apps/koine/clean.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int sequence_length(unsigned char first, uint32_t *ret_bits, uint32_t *ret_least)
{
    static const struct {
        unsigned char mask, value;
        uint32_t least;
    } kinds[] = {{0x80, 0x00, 0}, {0xE0, 0xC0, 0x80}, {0xF0, 0xE0, 0x800}, {0xF8, 0xF0, 0x10000}};
    for (int i = 0; i < 4; i++) {
        if ((first & kinds[i].mask) != kinds[i].value)
            continue;
        *ret_bits = (uint32_t)first & ~(uint32_t)kinds[i].mask;
        *ret_least = kinds[i].least;
        return i + 1;
    }
    return -1;
}

int utf8_next(const char *text, size_t length, uint32_t *ret_character)
{
    if (length == 0)
        return 0;
    const unsigned char *bytes = (const unsigned char *)text;
    uint32_t character = 0, least = 0;
    int need = sequence_length(bytes[0], &character, &least);
    for (int i = 1; i < need; i++) {
        if ((size_t)i >= length)
            return 0;
        if ((bytes[i] & 0xC0) != 0x80)
            return -1;
        character = character << 6 | (bytes[i] & 0x3F);
    }
    if (need < 0 || character < least || character > 0x10FFFF || (character >= 0xD800 && character <= 0xDFFF))
        return -1;
    *ret_character = character;
    return need;
}

bool utf8_is_valid(const char *text, size_t length)
{
    while (length > 0) {
        uint32_t character;
        int step = utf8_next(text, length, &character);
        if (step <= 0)
            return false;
        text += step;
        length -= (size_t)step;
    }
    return true;
}

size_t utf8_count(const char *text)
{
    size_t count = 0;
    for (; *text != '\0'; text++)
        count += ((unsigned char)*text & 0xC0) != 0x80;
    return count;
}

static void put_character(FILE *to, const char *text, int step, uint32_t character)
{
    if (character < 0x20 && character != '\n' && character != '\t')
        fprintf(to, "^%c", (char)(character + '@'));
    else if (character == 0x7F)
        fputs("^?", to);
    else if (character >= 0x80 && character < 0xA0)
        fprintf(to, "<U+%04X>", (unsigned)character);
    else
        fwrite(text, 1, (size_t)step, to);
}

static void put_all(FILE *to, struct clean *clean, const char *text, size_t length)
{
    while (length > 0) {
        uint32_t character = 0;
        int step = utf8_next(text, length, &character);
        if (step == 0) { /* at most three bytes: the next piece ends them */
            memcpy(clean->pending, text, length);
            clean->pending_length = length;
            return;
        }
        if (step < 0)
            fputc('?', to);
        else
            put_character(to, text, step, character);
        size_t used = step < 0 ? 1 : (size_t)step;
        text += used;
        length -= used;
    }
}

/* Adds bytes of the piece to the character that was cut, until it is whole or broken; says how many it took.
 */
static size_t finish_pending(FILE *to, struct clean *clean, const char *text, size_t length)
{
    size_t used = 0;
    while (clean->pending_length > 0 && used < length) {
        clean->pending[clean->pending_length++] = (unsigned char)text[used++];
        uint32_t character = 0;
        int step = utf8_next((const char *)clean->pending, clean->pending_length, &character);
        if (step == 0)
            continue;
        clean->pending_length = 0;
        if (step > 0) {
            put_character(to, (const char *)clean->pending, step, character);
            return used;
        }
        fputc('?', to);
        return used - 1; /* the byte that did not fit may begin something else */
    }
    return used;
}

char *clean_text(struct clean *clean, const char *text, size_t length, size_t *ret_length)
{
    char *result = NULL;
    FILE *to = open_memstream(&result, ret_length);
    if (to == NULL)
        return NULL;
    size_t used = finish_pending(to, clean, text, length);
    put_all(to, clean, text + used, length - used);
    bool bad = ferror(to) != 0;
    if (fclose(to) != 0 || bad) {
        free(result);
        return NULL;
    }
    return result;
}
