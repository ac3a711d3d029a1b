/* wild: a provider of chat completions that does what the model's name says, at the place it says:
 * "crash@frame", "loop@request", "exit@fault", "abort@cost", "huge@request", "talk@frame", "forge@request".
 * "escape@request" tries everything that an isolated plugin must not do, and says what became of it instead
 * of writing a request. */
#include <koine/chat.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

extern char **environ;

static const koine_chat_traits traits = {
    .size = sizeof(traits),
    .flags = KOINE_CHAT_STREAM_USAGE,
    .path = "/chat/completions",
    .models_path = "/models",
    .max_tokens = "max_tokens",
};
static koine_exchange generate;
static const koine_dialect *chat;

/* ---- What it does ---------------------------------------------------------------------------------- */

static int does(koine_str model, const char *what, const char *where)
{
    char wanted[64];
    snprintf(wanted, sizeof(wanted), "%s@%s", what, where);
    return model.len >= strlen(wanted) && memmem(model.ptr, model.len, wanted, strlen(wanted)) != NULL;
}

static void misbehave(koine_str model, const char *where)
{
    static volatile int turns;
    if (does(model, "crash", where))
        *(volatile int *)NULL = 1;
    if (does(model, "abort", where))
        abort();
    if (does(model, "exit", where))
        exit(7);
    if (does(model, "forge", where) && write(3, "\xFF\xFF\xFF\xFF\x01", 5) == 5)
        turns++;
    while (does(model, "loop", where))
        turns++;
}

static void overflow(koine_out *out)
{
    static char line[1 << 20];
    memset(line, 'x', sizeof(line));
    out->open(out, NULL, '[');
    for (int i = 0; i < 200; i++)
        out->str(out, NULL, (koine_str){line, sizeof(line)});
    out->close(out);
}

static int say(char *words, size_t size, int used, const char *what, long result)
{
    int n = snprintf(words + used, size - (size_t)used, "%s%s: %s", used ? ", " : "", what,
                     result >= 0 ? "done" : strerrorname_np(errno));
    return used + n;
}

static int32_t escape(koine_out *out)
{
    char words[512];
    int n = 0;
    char *const nothing[] = {NULL};
    n = say(words, sizeof(words), n, "read a file", open("/etc/passwd", O_RDONLY));
    n = say(words, sizeof(words), n, "write a file", open("/tmp/koine-wild", O_WRONLY | O_CREAT, 0600));
    n = say(words, sizeof(words), n, "socket", socket(AF_INET, SOCK_STREAM, 0));
    n = say(words, sizeof(words), n, "fork", fork());
    n = say(words, sizeof(words), n, "exec", execve("/bin/true", nothing, nothing));
    n = say(words, sizeof(words), n, "signal", kill(getppid(), 0));
    n = say(words, sizeof(words), n, "code", mprotect(words, 1, PROT_READ | PROT_EXEC));
    n = say(words, sizeof(words), n, "privileges", prctl(PR_SET_DUMPABLE, 1));
    errno = EPERM;
    n = say(words, sizeof(words), n, "environment", environ && environ[0] ? 0 : -1);
    out->fail(out, (koine_str){words, (size_t)n});
    return KOINE_INVALID;
}

static void talk(const koine_host *host)
{
    for (int i = 0; i < 2000; i++)
        host->log(host, 1, (koine_str){"a word", 6});
}

/* ---- The provider ---------------------------------------------------------------------------------- */

static int32_t request(const koine_ask *ask, koine_out *out)
{
    misbehave(ask->model, "request");
    if (does(ask->model, "escape", "request"))
        return escape(out);
    if (does(ask->model, "huge", "request"))
        overflow(out);
    return chat->generate->request(ask, out);
}

static int32_t frame(const koine_read *read, koine_sink *sink)
{
    misbehave(read->model, "frame");
    if (does(read->model, "talk", "frame"))
        talk(read->host);
    return chat->generate->frame(read, sink);
}

static int32_t fault(const koine_read *read, koine_sink *sink)
{
    misbehave(read->model, "fault");
    return chat->fault(read, sink);
}

static int32_t calculate_cost(const koine_cost_query *query, koine_provider_cost *ret)
{
    misbehave(query->asked, "cost");
    return chat->calculate_cost(query, ret);
}

static const void *extension(const char *id)
{
    return koine_chat_extension(id, &traits);
}

static koine_provider provider = {
    .size = sizeof(provider),
    .id = "wild",
    .version = "1.0.0",
    .base_url = "https://127.0.0.1:1/v1",
    .key_variable = "WILD_API_KEY",
    .extension = extension,
};

const koine_provider *KOINE_ENTRY(const koine_host *host, uint32_t index)
{
    if (!koine_chat_entry(&provider, host, index))
        return NULL;
    chat = host->extension(host, KOINE_CHAT);
    generate = *chat->generate;
    generate.request = request;
    generate.frame = frame;
    provider.generate = &generate;
    provider.fault = fault;
    provider.calculate_cost = calculate_cost;
    return &provider;
}
