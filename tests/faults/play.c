/* play: see play.h. This file writes configurations. */
#include "tests/faults/play.h"

#include "tests/faults/rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

int64_t play_now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

void play_sleep(const struct play *play, double seconds)
{
    int64_t ns = (int64_t)(seconds * play->scale * 1e9);
    struct timespec time = {.tv_sec = (time_t)(ns / 1000000000), .tv_nsec = (long)(ns % 1000000000)};
    nanosleep(&time, NULL);
}

struct outcome *play_outcome(struct play *play)
{
    if (!play->outcomes)
        play->outcomes = calloc(MOST_CALLS, sizeof(*play->outcomes));
    if (!play->outcomes || play->count == MOST_CALLS)
        return NULL;
    return &play->outcomes[play->count++];
}

enum text play_judge_text(const char *text)
{
    const char *whole = backdrop_answer();
    size_t length = text ? strlen(text) : 0;
    if (length == 0)
        return NOTHING;
    if (strncmp(text, whole, length) != 0)
        return OTHER;
    return length == strlen(whole) ? ALL : PART;
}

/* ---- the configuration ---- */

static FILE *create(const struct play *play, const char *what, char path[PATH_MAX])
{
    snprintf(path, PATH_MAX, "%s/%s-%s", play->folder, play->primary, what);
    FILE *file = fopen(path, "we");
    if (file)
        fchmod(fileno(file), 0644);
    return file;
}

/* The fallback has the larger window, and is dearer. */
static bool write_catalogue(const struct play *play, const char *provider, const char *model, long window,
                            const struct price *price)
{
    char path[PATH_MAX], what[32];
    snprintf(what, sizeof(what), "%s.json", provider);
    FILE *file = create(play, what, path);
    if (!file)
        return false;
    fprintf(file,
            "{\"provider\": \"%s\", \"models\": [{\"id\": \"%s\", \"context\": %ld, \"prices\": "
            "[{\"valid_from\": \"2020-01-01\", \"input\": %d, \"output\": %d}]}]}\n",
            provider, model, window, price->input, price->output);
    return fclose(file) == 0;
}

static int ms(const struct play *play, int milliseconds)
{
    return (int)(milliseconds * play->scale + 0.5);
}

static void write_provider(FILE *file, const struct play *play, const char *name, int first_token)
{
    char token[24] = "off";
    if (first_token > 0)
        snprintf(token, sizeof(token), "%dms", ms(play, first_token));
    fprintf(file, "  %s:\n    base_url: http://127.0.0.1:%d/%s/v1\n    api_key: a-key\n", name, play->port,
            name);
    fprintf(file,
            "    timeouts: {connect: %dms, first_byte: %dms, first_token: %s, idle: %dms, progress: %dms, "
            "total: %dms}\n",
            ms(play, 5000), ms(play, 60000), token, ms(play, 60000), ms(play, 300000), ms(play, 30000));
    fprintf(file,
            "    retry: {max_retries: 2, base_delay: %dms, max_delay: %dms, retry_after_cap: %dms, "
            "move_on_after: %dms}\n",
            ms(play, 1000), ms(play, 60000), ms(play, 60000), ms(play, 5000));
    fprintf(file, "    limits: {window: %dms, slack: %dms, unused_grant: %dms}\n", ms(play, 60000),
            ms(play, 500), ms(play, 250));
    fprintf(file, "    breaker: {window: %dms, open_for: %dms}\n    latch: %dms\n", ms(play, 60000),
            ms(play, 30000), ms(play, 300000));
}

bool play_configure(struct play *play)
{
    FILE *file = write_catalogue(play, "together", play->primary, 8192, &price_primary) &&
                         write_catalogue(play, "openai", play->fallback, 131072, &price_fallback)
                     ? create(play, "koine.yaml", play->config)
                     : NULL;
    const char *commit = play->way == LIVE ? "first_content" : "complete";
    if (!file)
        return false;
    fprintf(file, "plugin_path: [\"%s\"]\n", play->folder);
    fprintf(file, "catalogue: [\"%s/%s-together.json\", \"%s/%s-openai.json\"]\n", play->folder,
            play->primary, play->folder, play->primary);
    fprintf(file, "min_attempt: %dms\nproviders:\n", ms(play, 1000));
    write_provider(file, play, "together", play->row->first_token_ms);
    write_provider(file, play, "openai", 0);
    fprintf(file, "routes:\n");
    fprintf(file, "  default: {targets: [\"together/%s\", \"openai/%s\"], deadline: %dms, commit: %s}\n",
            play->primary, play->fallback, ms(play, 90000), commit);
    fprintf(file, "  fallback: {targets: [\"openai/%s\"], deadline: %dms, commit: %s}\n", play->fallback,
            ms(play, 90000), commit);
    return fclose(file) == 0;
}
