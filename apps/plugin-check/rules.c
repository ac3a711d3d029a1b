/* rules: the table. */
#include "apps/plugin-check/rules.h"

#include <koine/provider.h>
#include <string.h>

static const struct rule_row rows[RULES] = {
    [RULE_FILE] = {"file", STAGE_FILE,
                   "the file is a whole shared object for this machine, with its section headers"},
    [RULE_SYMBOLS_ENTRY] = {"symbols.entry", STAGE_FILE, "it exports the function " KOINE_ENTRY_NAME},
    [RULE_SYMBOLS_EXPORTED] = {"symbols.exported", STAGE_FILE,
                               "it exports nothing else: compile with -fvisibility=hidden"},
    [RULE_SYMBOLS_IO] = {"symbols.io", STAGE_FILE,
                         "it reads and writes no file, stream or descriptor: frames and documents are handed "
                         "to it, and host->log is there for words"},
    [RULE_SYMBOLS_NETWORK] = {"symbols.network", STAGE_FILE,
                              "it opens no socket and resolves no name: the core does the HTTP"},
    [RULE_SYMBOLS_THREADS] = {"symbols.threads", STAGE_FILE,
                              "it starts no thread and takes no lock: what is not shared needs none, and "
                              "state belongs into read->state"},
    [RULE_SYMBOLS_CLOCK] =
        {"symbols.clock", STAGE_FILE,
         "it reads no clock and never waits: the core keeps time, and a cost query says its own"},
    [RULE_SYMBOLS_ENVIRONMENT] = {"symbols.environment", STAGE_FILE,
                                  "it reads no variable, user or time zone: what can be set is an option in "
                                  "its table, and the key never comes into its hands"},
    [RULE_SYMBOLS_RANDOM] = {"symbols.random", STAGE_FILE,
                             "the same input gives the same output: it asks nobody for random numbers, and "
                             "the core makes the ids that are missing"},
    [RULE_SYMBOLS_PROCESS] =
        {"symbols.process", STAGE_FILE,
         "it starts, ends and signals no process and jumps out of no call: a failure is a result"},
    [RULE_SYMBOLS_LOAD] =
        {"symbols.load", STAGE_FILE,
         "it loads and looks up no code at run time: what it may use it gets from the host"},
    [RULE_SYMBOLS_LOCALE] = {"symbols.locale", STAGE_FILE, "it leaves the locale of the process alone"},
    [RULE_SYMBOLS_LIBRARIES] =
        {"symbols.libraries", STAGE_FILE,
         "it needs no library but those of its language: the C library, libm, libgcc_s, libstdc++"},
    [RULE_LOAD] = {"load", STAGE_LOAD,
                   "the core loads it: nobody else can change the file, every symbol is found, the entry has "
                   "the right version"},
    [RULE_ENTRY_END] = {"entry.end", STAGE_LOAD,
                        "the entry gives its providers by index and NULL past the last; there are 1 to 64"},
    [RULE_ENTRY_IDS] = {"entry.ids", STAGE_LOAD, "each provider of a plugin has an id of its own"},
    [RULE_TABLE_SIZE] =
        {"table.size", STAGE_LOAD,
         "the table says its size: sizeof(koine_provider) of a header that this core knows or a later one"},
    [RULE_TABLE_ID] = {"table.id", STAGE_LOAD,
                       "the id consists of a-z, 0-9, _ and -, and of 64 characters at most"},
    [RULE_TABLE_VERSION] = {"table.version", STAGE_LOAD,
                            "the version is one short printable word: \"1.0.0\""},
    [RULE_TABLE_BASE_URL] =
        {"table.base_url", STAGE_LOAD,
         "the base URL begins with https:// or http://, names a host, and ends without a slash"},
    [RULE_TABLE_KEY_VARIABLE] = {"table.key_variable", STAGE_LOAD,
                                 "the key variable is the name of a variable, or NULL"},
    [RULE_TABLE_OPTIONS] =
        {"table.options", STAGE_LOAD,
         "options have distinct names, known types, and defaults of their type; the list ends with NULL"},
    [RULE_TABLE_GENERATE] = {"table.generate", STAGE_LOAD,
                             "generate says its size, has request and frame, and at most 64 kB of state"},
    [RULE_TABLE_LIST_MODELS] =
        {"table.list_models", STAGE_LOAD,
         "list_models says its size, has request and frame, and at most 64 kB of state"},
    [RULE_TABLE_CALCULATE_COST] = {"table.calculate_cost", STAGE_LOAD, "calculate_cost is there"},
    [RULE_TABLE_EXTENSION] = {"table.extension", STAGE_LOAD,
                              "extension gives NULL for a name that it does not know"},
    [RULE_CASE_FILE] = {"case.file", STAGE_CASES,
                        "every file in the folder of cases is a case as tests/vendor/README.md has it", true},
    [RULE_CASE_REQUEST] = {"case.request", STAGE_CASES,
                           "the document becomes the request that the case expects", true},
    [RULE_CASE_NOTICES] = {"case.notices", STAGE_CASES,
                           "what did not travel as written is told by the notices that the case expects",
                           true},
    [RULE_CASE_EVENTS] = {"case.events", STAGE_CASES, "the answer becomes the events that the case expects",
                          true},
    [RULE_CASE_SPLIT] =
        {"case.split", STAGE_CASES,
         "the events are the same however the bytes arrive: cut in two anywhere, or one by one", true},
    [RULE_CASE_EARLY] = {"case.early", STAGE_CASES,
                         "an answer that ends early, if cleanly, gives the same events up to there, and then "
                         "a fault or KOINE_PROTOCOL",
                         true},
    [RULE_CASE_CUT] =
        {"case.cut", STAGE_CASES,
         "an answer that is cut off gives the same events up to there, and then a fault or KOINE_PROTOCOL",
         true},
    [RULE_CASE_NEXT] = {"case.next", STAGE_CASES,
                        "the request of the next step is the one that the case expects", true},
    [RULE_CASE_COST] = {"case.cost", STAGE_CASES, "the usage of the events costs what the case expects",
                        true},
    [RULE_CASE_RESULT] = {"case.result", STAGE_CASES,
                          "what the application is told of the answer in the end is what the case expects, "
                          "also of one that is cut off",
                          true},
    [RULE_HOSTILE_MALFORMED] = {"hostile.malformed", STAGE_HOSTILE,
                                "an answer with a piece that is not JSON is no answer: KOINE_PROTOCOL or a "
                                "fault, never a stop with text missing",
                                true},
    [RULE_HOSTILE_NOTHING] =
        {"hostile.nothing", STAGE_HOSTILE,
         "an answer that says nothing is not taken for one: no stop without an end that the vendor told"},
    [RULE_UNKNOWN_MEMBER] = {"unknown.member", STAGE_UNKNOWN,
                             "a member of the document that nobody has heard of travels on in its own bytes, "
                             "or a notice says that it did not"},
    [RULE_UNKNOWN_KOINE] = {"unknown.koine", STAGE_UNKNOWN, "the document's member koine stays at home"},
    [RULE_UNKNOWN_ANSWER] = {"unknown.answer", STAGE_UNKNOWN,
                             "a member of the answer that nobody has heard of changes nothing", true},
    [RULE_UNKNOWN_NUMBER] = {"unknown.number", STAGE_UNKNOWN,
                             "a frame of a kind that nobody has heard of is ignored, and a framing of "
                             "another number refuses or asks for a whole answer"},
    [RULE_UNKNOWN_SIZE] = {"unknown.size", STAGE_UNKNOWN,
                           "structs of a later core, which are larger, change nothing: a size is compared "
                           "with >=, never with =="},
    [RULE_ALLOC_FAIL] = {"alloc.fail", STAGE_ALLOC,
                         "where host->alloc or host->parse finds no memory, the call returns "
                         "KOINE_NO_MEMORY, or does without and gives the same"},
    [RULE_INTERLEAVE] = {"interleave", STAGE_INTERLEAVE,
                         "two exchanges whose calls alternate do not know of each other: what an exchange "
                         "must remember is in its state, not in a variable"},
    [RULE_INTERLEAVE_WITHIN] = {"interleave.within", STAGE_INTERLEAVE,
                                "another exchange may run between two steps of one call, as on another "
                                "thread: nothing static is written to"},
    [RULE_THREADS] = {"threads", STAGE_THREADS,
                      "eight threads at once, each with exchanges of its own, give what one gives"},
    [RULE_COST_STATE] = {"cost.state", STAGE_COST,
                         "calculate_cost returns 0 and one of the three states, with a cost that is not "
                         "negative, or a negative number"},
    [RULE_COST_UNKNOWN] = {"cost.unknown", STAGE_COST,
                           "what nobody has a price for is KOINE_PRICE_UNKNOWN, never a known cost of zero"},
    [RULE_COST_SIZE] = {"cost.size", STAGE_COST,
                        "nothing is written past the size of the result, and the size stays as it was"},
    [RULE_COST_PURE] = {"cost.pure", STAGE_COST, "the same query gives the same cost"},
    [RULE_TIME_BUDGET] =
        {"time.budget", STAGE_BUDGET,
         "one call takes at most half a second of processor time, also for long texts and lists: work "
         "grows with the input, not with its square"},
    [RULE_MEMORY_BUDGET] = {"memory.budget", STAGE_BUDGET,
                            "one call asks host->alloc for at most 1 MB and 32 times its input"},
    [RULE_MEMORY_KEPT] = {"memory.kept", STAGE_BUDGET,
                          "an exchange that has ended has kept no memory: what lives longer than a call is "
                          "in its state, and the rest comes from host->alloc"},
    [RULE_CRASH] = {"crash", STAGE_ALL, "no input ends the process"},
    [RULE_TIME_LOOP] = {"time.loop", STAGE_ALL, "every call comes to its end"},
    [RULE_RESULT] = {"result", STAGE_ALL,
                     "each function returns what the header has for it: request and frame their results, "
                     "frame alone KOINE_MORE"},
    [RULE_RESULT_MEMORY] = {"result.memory", STAGE_ALL,
                            "KOINE_NO_MEMORY says that the host had none, and nothing else"},
    [RULE_REQUEST_BROKEN] =
        {"request.broken", STAGE_ALL,
         "a request that is not refused is a whole one: a path, HTTP headers of one line, one JSON value"},
    [RULE_REQUEST_WORDS] = {"request.words", STAGE_ALL,
                            "a document that is refused is told why, with out->fail"},
    [RULE_EVENT_SIZE] = {"event.size", STAGE_ALL, "an event, and the usage or model in it, says its size"},
    [RULE_EVENT_KIND] = {"event.kind", STAGE_ALL,
                         "an event is of a kind that the header has, and of choice 0"},
    [RULE_EVENT_TEXT] = {"event.text", STAGE_ALL,
                         "a text of some length has a pointer, and a text, tool call or extra says what the "
                         "header has for it"},
    [RULE_EVENT_UTF8] = {"event.utf8", STAGE_ALL, "what is told as text is UTF-8, whatever the server sent"},
    [RULE_EVENT_CODE] = {"event.code", STAGE_ALL,
                         "the code of a stop is one of KOINE_STOP_, of a fault one of KOINE_FAULT_"},
    [RULE_EVENT_USAGE] =
        {"event.usage", STAGE_ALL,
         "an event of usage has one, whose counts are -1 where they are not told, and never less"},
    [RULE_EVENT_MODEL] = {"event.model", STAGE_ALL,
                          "an entry of list_models has an id, and numbers of at least -1"},
    [RULE_EVENT_JSON] = {"event.json", STAGE_ALL, "what an extra holds is JSON"},
    [RULE_EVENT_PLACE] =
        {"event.place", STAGE_ALL,
         "models come from list_models and from nowhere else, and fault tells faults and nothing else"},
    [RULE_INVARIANT_ONE_STOP] = {"invariant.one-stop", STAGE_ALL,
                                 "an answer has at most one stop or fault, and nothing after it"},
    [RULE_INVARIANT_MORE] = {"invariant.more", STAGE_ALL,
                             "KOINE_MORE comes before any content: what is delivered has no next step"},
    [RULE_INVARIANT_STATE] = {"invariant.state", STAGE_ALL,
                              "frame writes within state_size, and request does not write to the state"},
    [RULE_INVARIANT_TABLE] = {"invariant.table", STAGE_ALL, "the table stays as the entry gave it"},
};

static const struct {
    const char *name, *does;
} stages[STAGES] = {
    [STAGE_FILE] = {"file", "The file is read, not loaded."},
    [STAGE_LOAD] = {"load",
                    "The file is loaded as the core loads it, its entry is asked, its tables are read."},
    [STAGE_CASES] = {"cases", "Every case is played whole, cut in two at every byte, byte by byte, and ended "
                              "early at every byte."},
    [STAGE_HOSTILE] =
        {"hostile",
         "Every value of every document and answer is replaced by values of every type; answers are cut, "
         "garbled and nested; names of models hold what they should not. What is watched are the rules of "
         "the last table."},
    [STAGE_UNKNOWN] = {"unknown", "Members, numbers and sizes that a later core or vendor may have."},
    [STAGE_ALLOC] = {"alloc", "Every allocation of the host fails once, and every look into a document."},
    [STAGE_INTERLEAVE] = {"interleave",
                          "Two exchanges at once on one thread, call by call, and one within the other."},
    [STAGE_THREADS] = {"threads", "Eight threads play all cases at once."},
    [STAGE_COST] = {"cost", "calculate_cost is asked with every kind of usage and of price."},
    [STAGE_BUDGET] = {"budget", "Long texts and long lists, with a stopwatch; every case many times over."},
    [STAGE_ALL] = {"always", "Watched in every stage that calls the plugin."},
};

const struct rule_row *rule_row(enum rule rule)
{
    return &rows[rule];
}

enum rule rule_find(const char *id)
{
    int i = 0;
    while (i < RULES && strcmp(rows[i].id, id) != 0)
        i++;
    return (enum rule)i;
}

const char *stage_name(enum stage stage)
{
    return stages[stage].name;
}

static const char introduction[] =
    "# The plugin checker\n"
    "\n"
    "`koine plugin check FILE.so [--cases DIR] [--json | --tap] [--skip RULE]` says whether a plugin keeps "
    "the rules of\n"
    "`koine/provider.h`. It needs no network and no key. The file is looked at before it is loaded; every "
    "later stage runs in a\n"
    "process of its own, with limits on memory and time, so that a crash or a loop is a finding like any "
    "other: the checker\n"
    "names the rule, the function that was running, the case, what was seen, and what would be right.\n"
    "\n"
    "`--cases` names a folder of cases (`tests/vendor/README.md` has the format). Without one only documents "
    "and answers that\n"
    "the checker brings along are played: it cannot know what the events should be, but still watches the "
    "rules of every event.\n"
    "\n"
    "`--skip RULE` leaves a rule out, or with a dot at its end a group (`--skip symbols.`). The exit status "
    "is 0 where every\n"
    "rule is kept, 1 where one is not, 2 where the checker was not used rightly.\n"
    "\n"
    "This page is printed by `koine plugin check --rules`.\n";

void rules_page(FILE *to)
{
    fputs(introduction, to);
    for (int stage = 0; stage < STAGES; stage++) {
        fprintf(to, "\n## %s\n\n%s\n\n| rule | what is right |\n| --- | --- |\n", stages[stage].name,
                stages[stage].does);
        for (int i = 0; i < RULES; i++)
            if (rows[i].stage == (enum stage)stage)
                fprintf(to, "| `%s` | %s |\n", rows[i].id, rows[i].right);
    }
}
