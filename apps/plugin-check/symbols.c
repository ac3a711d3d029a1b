/* symbols: one table of what no provider needs. */
#include "apps/plugin-check/symbols.h"

#include "apps/plugin-check/object.h"

#include <koine/provider.h>
#include <stdio.h>
#include <string.h>

struct forbidden {
    enum rule rule;
    const char *does;  /* "reads or writes a file or stream" */
    const char *names; /* words; one that ends in * stands for all that begin so */
};

/* Fortified (__read_chk), 64-bit (open64) and older internal names (__open_2) are found by what they are
 * names of. */
static const struct forbidden table[] = {
    {RULE_SYMBOLS_IO, "opens, makes, moves or looks at files",
     "open openat creat open_by_handle_at close close_range dup dup2 dup3 fcntl ioctl access faccessat stat "
     "fstat lstat "
     "fstatat statx __xstat __fxstat __lxstat __fxstatat statfs fstatfs statvfs fstatvfs truncate ftruncate "
     "rename renameat "
     "renameat2 link linkat symlink symlinkat unlink unlinkat remove mkdir mkdirat mkfifo mknod rmdir chmod "
     "fchmod fchmodat chown "
     "fchown lchown fchownat chdir fchdir chroot getcwd get_current_dir_name readlink readlinkat realpath "
     "canonicalize_file_name "
     "opendir fdopendir readdir readdir_r closedir scandir ftw nftw glob wordexp mkstemp mkstemps mkostemp "
     "mkdtemp tmpfile tmpnam tempnam "
     "mktemp mount umount umount2 flock lockf utime utimes utimensat futimens inotify_* fanotify_* "
     "memfd_create shm_open shm_unlink"},
    {RULE_SYMBOLS_IO, "reads or writes a descriptor",
     "read write pread pwrite readv writev preadv pwritev preadv2 pwritev2 sendfile splice tee vmsplice "
     "copy_file_range lseek fsync "
     "fdatasync sync pipe pipe2 eventfd signalfd mmap mmap64 msync aio_* io_* select pselect poll ppoll "
     "epoll_* dprintf vdprintf syscall isatty ttyname"},
    {RULE_SYMBOLS_IO, "reads or writes a stream",
     "fopen fdopen freopen fclose fflush fread fwrite fgetc fgets fputc fputs getc getchar gets getline "
     "getdelim putc "
     "putchar puts ungetc fprintf vfprintf printf vprintf scanf vscanf fscanf vfscanf fseek fseeko ftell "
     "ftello rewind "
     "fileno setbuf setvbuf perror stdin stdout stderr *_unlocked _IO_getc _IO_putc syslog vsyslog openlog "
     "psignal err errx warn warnx "
     "verr vwarn error wprintf fwprintf _ZSt4cout _ZSt4cerr _ZSt4clog _ZSt3cin _ZNSt8ios_base4InitC1Ev"},
    {RULE_SYMBOLS_NETWORK, "uses the network",
     "socket socketpair bind listen accept accept4 connect shutdown send sendto sendmsg sendmmsg recv "
     "recvfrom recvmsg "
     "recvmmsg getsockopt setsockopt getsockname getpeername getaddrinfo getnameinfo gethostbyname* "
     "gethostbyaddr* "
     "gethostname getservbyname getifaddrs res_* if_nametoindex curl_* SSL_* BIO_*"},
    {RULE_SYMBOLS_THREADS, "starts threads, or takes locks that others may hold",
     "pthread_* thrd_* mtx_* cnd_* tss_* call_once sem_* futex clone clone3 sched_yield membarrier "
     "_ZNSt6thread* "
     "_ZNSt18condition_variable* omp_* GOMP_*"},
    {RULE_SYMBOLS_CLOCK, "reads a clock, or waits",
     "time clock clock_gettime clock_getres clock_nanosleep clock_settime gettimeofday settimeofday ftime "
     "times "
     "timespec_get nanosleep sleep usleep pause alarm ualarm getitimer setitimer timer_* timerfd_* adjtimex "
     "getrusage "
     "_ZNSt6chrono*"},
    {RULE_SYMBOLS_ENVIRONMENT, "reads what the user or the machine has set",
     "getenv secure_getenv setenv unsetenv putenv clearenv environ __environ _environ getpwnam* getpwuid* "
     "getgrnam* getgrgid* "
     "getlogin* getuid geteuid getgid getegid getpid getppid gettid uname sysconf confstr sysinfo getauxval "
     "localtime "
     "localtime_r mktime tzset timezone daylight tzname ctime ctime_r getopt getopt_long "
     "program_invocation_name "
     "program_invocation_short_name getrlimit getpagesize"},
    {RULE_SYMBOLS_RANDOM, "asks for random numbers",
     "rand rand_r srand random random_r srandom initstate setstate drand48 erand48 lrand48 nrand48 mrand48 "
     "jrand48 "
     "srand48 arc4random* getrandom getentropy _ZNSt13random_device*"},
    {RULE_SYMBOLS_PROCESS, "starts, ends, signals or changes the process",
     "fork vfork execl execle execlp execv execve execveat execvp execvpe fexecve posix_spawn* system popen "
     "pclose wait "
     "wait3 wait4 waitpid waitid kill killpg raise tkill tgkill signal sigaction sigprocmask sigsuspend "
     "sigaltstack "
     "sigqueue exit _exit _Exit quick_exit at_quick_exit atexit on_exit abort setjmp _setjmp sigsetjmp "
     "longjmp siglongjmp "
     "getcontext setcontext makecontext swapcontext ptrace prctl setrlimit setuid setgid setsid setpgid nice "
     "setpriority umask daemon reboot mprotect"},
    {RULE_SYMBOLS_LOAD, "loads or looks up code",
     "dlopen dlmopen dlsym dlvsym dlclose dladdr dladdr1 dlinfo dl_iterate_phdr"},
    {RULE_SYMBOLS_LOCALE, "changes or asks for a locale",
     "setlocale newlocale uselocale duplocale freelocale localeconv nl_langinfo nl_langinfo_l bindtextdomain "
     "textdomain"},
};

/* ---- Names ---- */

/* Whether the len bytes at `word`, which may begin or end with *, stand for this name. */
static bool stands_for(const char *word, size_t len, const char *name)
{
    size_t name_len = strlen(name);
    if (word[len - 1] == '*')
        return name_len >= len - 1 && strncmp(word, name, len - 1) == 0;
    if (word[0] == '*')
        return name_len >= len - 1 && strncmp(word + 1, name + name_len - (len - 1), len - 1) == 0;
    return name_len == len && strncmp(word, name, len) == 0;
}

static bool holds(const char *words, const char *name)
{
    while (*words) {
        size_t len = strcspn(words, " ");
        if (stands_for(words, len, name))
            return true;
        words += len + (words[len] == ' ');
    }
    return false;
}

/* __read_chk, __open64_2, open64, __clock_gettime64 → read, open, open, clock_gettime */
static void strip(const char *name, char *ret, size_t size)
{
    static const char *const endings[] = {"_chk", "_2", "64"};
    snprintf(ret, size, "%s", name + (strncmp(name, "__", 2) == 0 ? 2 : 0));
    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
        size_t len = strlen(ret), ending = strlen(endings[i]);
        if (len > ending && strcmp(ret + len - ending, endings[i]) == 0)
            ret[len - ending] = '\0';
    }
}

static const struct forbidden *find(const char *name)
{
    char plain[128];
    strip(name, plain, sizeof(plain));
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        if (holds(table[i].names, name) || (*plain && holds(table[i].names, plain)))
            return &table[i];
    return NULL;
}

/* What compilers, sanitizers and linkers put in, never under names like ours; inline parts of C++'s library.
 */
static bool is_of_the_tools(const char *name)
{
    static const char names[] =
        "_init _fini _edata _end __bss_start __odr_asan* __asan_* __ubsan_* __gcov_* __llvm_* "
        "__sanitizer_* _ZNSt* _ZNKSt* _ZSt* _ZTISt* _ZTSSt* _ZTVSt* rust_eh_personality";
    return holds(names, name);
}

static bool is_of_the_language(const char *library)
{
    static const char names[] =
        "libc.so* libm.so* libgcc_s.so* libstdc++.so* libc++.so* libc++abi.so* ld-linux* ld-musl* "
        "libasan.so* libubsan.so*";
    return holds(names, library);
}

/* ---- The stage ---- */

static void add(struct findings *ret, enum rule rule, const char *function, const char *what,
                const char *name, const char *does)
{
    struct finding finding = {.rule = (int32_t)rule};
    snprintf(finding.function, sizeof(finding.function), "%s", function);
    snprintf(finding.seen, sizeof(finding.seen), "%s %s%s%s", what, name, *does ? ", which " : "", does);
    findings_add(ret, &finding);
}

static void check_symbol(const struct object_symbol *symbol, bool *entry, struct findings *ret)
{
    const struct forbidden *forbidden = symbol->defined ? NULL : find(symbol->name);
    if (forbidden)
        add(ret, forbidden->rule, symbol->name, "it uses", symbol->name, forbidden->does);
    if (!symbol->visible || is_of_the_tools(symbol->name))
        return;
    if (strcmp(symbol->name, KOINE_ENTRY_NAME) == 0)
        *entry = true;
    else
        add(ret, RULE_SYMBOLS_EXPORTED, symbol->name, "it exports", symbol->name, "");
}

static void check_symbols(const struct object *object, struct findings *ret)
{
    struct object_symbol symbol;
    bool entry = false;
    for (size_t i = 0; object_symbol(object, i, &symbol); i++)
        if (*symbol.name)
            check_symbol(&symbol, &entry, ret);
    if (!entry)
        add(ret, RULE_SYMBOLS_ENTRY, "entry", "it does not export", KOINE_ENTRY_NAME, "");
}

static void check_libraries(const struct object *object, struct findings *ret)
{
    const char *name;
    for (size_t i = 0; (name = object_library(object, i)); i++)
        if (!is_of_the_language(name))
            add(ret, RULE_SYMBOLS_LIBRARIES, "", "it needs", name, "");
}

bool symbols_check(const char *path, struct findings *ret)
{
    struct object object;
    const char *reason = object_read(&object, path);
    if (reason)
        add(ret, RULE_FILE, "", "the file", reason, "");
    else {
        check_symbols(&object, ret);
        check_libraries(&object, ret);
    }
    object_release(&object);
    return !reason;
}
