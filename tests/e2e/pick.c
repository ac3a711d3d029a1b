/* pick: pick PATH...: reads one JSON value from standard input and prints what stands at each path, one a
 * line: a string as it is, anything else as JSON; "-" where there is nothing. A path is names and numbers
 * with dots between them, and "#" is how many elements or members there are: attempts.0.target, attempts.#
 */
#include <koine/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *read_input(size_t *ret_length)
{
    char *text = NULL, chunk[65536];
    size_t got;
    FILE *to = open_memstream(&text, ret_length);
    if (!to)
        return NULL;
    while ((got = fread(chunk, 1, sizeof(chunk), stdin)) > 0)
        fwrite(chunk, 1, got, to);
    return fclose(to) == 0 ? text : NULL;
}

static const koine_json *step(const koine_json *at, const char *name)
{
    if (koine_json_kind(at) == KOINE_JSON_ARRAY)
        return koine_json_at(at, (size_t)strtoul(name, NULL, 10));
    return koine_json_get(at, name);
}

static void print_node(const koine_json *node)
{
    size_t length = 0;
    const char *string = koine_json_string(node, &length);
    char *text = string || !node ? NULL : koine_json_text(node);
    if (string)
        fwrite(string, 1, length, stdout);
    else
        fputs(text ? text : "-", stdout);
    putchar('\n');
    koine_free(text);
}

static void print_path(const koine_json *at, char *path)
{
    char *rest = path;
    for (const char *name; (name = strsep(&rest, "."));) {
        if (strcmp(name, "#") == 0) {
            printf("%zu\n", koine_json_count(at));
            return;
        }
        at = step(at, name);
    }
    print_node(at);
}

int main(int argc, char **argv)
{
    size_t length = 0;
    koine_json *root = NULL;
    koine_error *error = NULL;
    char *text = read_input(&length);
    if (!text || koine_json_parse(text, length, &root, &error) != KOINE_OK) {
        fprintf(stderr, "pick: %s\n", error ? koine_error_message(error) : "no memory");
        koine_error_free(error);
        free(text);
        return 1;
    }
    for (int i = 1; i < argc; i++)
        print_path(root, argv[i]);
    koine_json_free(root);
    free(text);
    return 0;
}
