/* A library for LD_PRELOAD. It counts the system calls of a worker on its store and on the network ("steps"), and kills
 * the worker or fails the call at a given step.
 *
 * APB_SHIM_STORE  regular files whose path contains this text are the store; all internet sockets are counted too
 * APB_SHIM_LOG    log with one line for each step: number, call, descriptor, target, bytes, first bytes
 * APB_SHIM_UNDO   undo log: each write to the store with the bytes it overwrote, until the file is synced. It is a
 *                 file, so that it survives the worker as unsynced writes do. A removed file stays removed.
 * APB_SHIM_KILL   N:how  SIGKILL at step N: `before` it, `after` it, in the middle of it (`torn`), or
 *                 `power`: before it, and writes to the store that were not synced are reverted;
 *                 `eio`, `enospc`: no kill, but writes and syncs of the store fail from then on; `once`: one fails
 *                 With a call before the number (`connect3:power`) only these calls are counted.
 * APB_SHIM_SEED   for `power`: selects which of the unsynced writes are lost (0: all)
 *
 * The original calls are made with syscall(), because the names of libc symbols differ between libraries. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { NOTHING, STORE, NET };
enum { BEFORE, AFTER, TORN, POWER, EIO_ON, ENOSPC_ON, EIO_ONCE };
enum { PASS = -1, FAIL = -2 };

/* An entry of the undo log: a write to the store with the overwritten bytes, or (is_durable) that the file was synced
 * or removed. The bytes follow the entry, padded so that the next entry is aligned. */
struct undo_entry {
    ino_t file;
    off_t offset, size_before;
    size_t length;
    int is_durable;
    char path[256];
};
#define PADDED(length) (((length) + 15) & ~(size_t)15)

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const char *store;
static int log_fd = -1, undo_fd = -1;
static long kill_at = -1, step, counted;
static char kill_call[16];
static int kill_how = BEFORE;
static unsigned long seed;

/* An earlier worker may have been killed while it wrote an entry; the write of a truncated entry was not executed. */
static void drop_torn_entry(void) {
    off_t size = lseek(undo_fd, 0, SEEK_END), whole = 0;
    struct undo_entry entry;
    while (pread(undo_fd, &entry, sizeof entry, whole) == (ssize_t)sizeof entry) {
        off_t end = whole + (off_t)(sizeof entry + PADDED(entry.length));
        if (end > size) break;
        whole = end;
    }
    if (whole < size) syscall(SYS_ftruncate, undo_fd, whole);
}

__attribute__((constructor)) static void start(void) {
    const char *plan = getenv("APB_SHIM_KILL"), *path = getenv("APB_SHIM_LOG"), *seed_text = getenv("APB_SHIM_SEED");
    const char *undo = getenv("APB_SHIM_UNDO");
    store = getenv("APB_SHIM_STORE");
    if (path) log_fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (undo) undo_fd = (int)syscall(SYS_openat, AT_FDCWD, undo, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (undo_fd >= 0) drop_torn_entry();
    if (seed_text) seed = strtoul(seed_text, NULL, 10);
    if (!plan) return;
    size_t letters = strspn(plan, "abcdefghijklmnopqrstuvwxyz");
    char *how;
    if (letters < sizeof kill_call) memcpy(kill_call, plan, letters);
    kill_at = strtol(plan + letters, &how, 10);
    static const char *const manners[] = {":before", ":after", ":torn", ":power", ":eio", ":enospc", ":once"};
    for (int at = 0; at < 7; at++)
        if (!strcmp(how, manners[at])) kill_how = at;
}

static int target(int fd, char *path, size_t room, ino_t *file) {
    struct stat about;
    char link[64];
    int domain = 0;
    socklen_t length = sizeof domain;
    path[0] = 0;
    if (fstat(fd, &about) != 0) return NOTHING;
    if (file) *file = about.st_ino;
    if (S_ISSOCK(about.st_mode)) {
        getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &length);
        return domain == AF_INET || domain == AF_INET6 ? NET : NOTHING;
    }
    if (!S_ISREG(about.st_mode) || !store) return NOTHING;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t got = readlink(link, path, room - 1);
    path[got > 0 ? got : 0] = 0;
    return strstr(path, store) ? STORE : NOTHING;
}

/* Reverts a write, if the path still is the same file: SQLite removes and recreates journals under one name. */
static void revert_write(const struct undo_entry *entry) {
    struct stat about;
    int fd = (int)syscall(SYS_openat, AT_FDCWD, entry->path, O_RDWR | O_CLOEXEC, 0);
    if (fd < 0) return;
    if (fstat(fd, &about) == 0 && about.st_ino == entry->file) {
        if (entry->length) syscall(SYS_pwrite64, fd, entry + 1, entry->length, entry->offset);
        syscall(SYS_ftruncate, fd, entry->size_before);
    }
    syscall(SYS_close, fd);
}

/* Reverts the unsynced writes of all workers, newest first; with a seed each with a probability of one half. */
static void lose_power(void) {
    size_t count = 0, files = 0, size = (size_t)lseek(undo_fd, 0, SEEK_END);
    size_t most = size / sizeof(struct undo_entry) + 1;
    char *all = malloc(size + 1);
    const struct undo_entry **entries = malloc(most * sizeof *entries);
    ino_t *durable = malloc(most * sizeof *durable);
    if (!all || !entries || !durable || pread(undo_fd, all, size, 0) != (ssize_t)size) return;
    for (char *at = all; at < all + size; at += sizeof(struct undo_entry) + PADDED(entries[count++]->length))
        entries[count] = (const struct undo_entry *)at;
    while (count--) {
        const struct undo_entry *entry = entries[count];
        size_t known = 0;
        while (known < files && durable[known] != entry->file) known++;
        if (entry->is_durable && known == files) durable[files++] = entry->file;
        if (entry->is_durable || known < files) continue;
        seed = seed ? seed * 6364136223846793005u + 1442695040888963407u : 0;
        if (!(seed >> 63)) revert_write(entry);
    }
    /* The remaining content counts as durable. */
    syscall(SYS_ftruncate, undo_fd, (off_t)0);
}

static void kill_self(void) {
    kill(getpid(), SIGKILL);
    for (;;) pause();
}

static void record_write(int fd, const char *path, ino_t file, off_t offset, size_t length) {
    struct stat about;
    if (undo_fd < 0 || fstat(fd, &about) != 0) return;
    size_t old = offset >= about.st_size ? 0 : (size_t)(about.st_size - offset) < length ? (size_t)(about.st_size - offset) : length;
    struct undo_entry *entry = calloc(1, sizeof *entry + PADDED(old));
    if (!entry) return;
    entry->file = file, entry->offset = offset, entry->size_before = about.st_size;
    snprintf(entry->path, sizeof entry->path, "%s", path);
    if (old && pread(fd, entry + 1, old, offset) == (ssize_t)old) entry->length = old;
    syscall(SYS_write, undo_fd, entry, sizeof *entry + PADDED(entry->length));
    free(entry);
}

static void record_durable(ino_t file) {
    struct undo_entry entry = {.file = file, .is_durable = 1};
    if (undo_fd >= 0) syscall(SYS_write, undo_fd, &entry, sizeof entry);
}

/* Counts a step. Returns PASS to execute it, FAIL, or the number of bytes to execute before the kill. */
static ssize_t begin(const char *call, int fd, int kind, const char *name, const void *bytes, size_t length) {
    char line[300];
    long mine = ++step;
    int counts = !kill_call[0] || !strcmp(kill_call, call);
    if (log_fd >= 0) {
        int used = snprintf(line, 200, "%ld\t%s\t%d\t%s\t%zu\t", mine, call, fd, name, length);
        const char *from = bytes;
        for (size_t at = 0; from && at < length && at < 60 && used < 290; at++)
            line[used++] = from[at] >= ' ' && from[at] < 127 ? from[at] : '.';
        line[used++] = '\n';
        syscall(SYS_write, log_fd, line, used);
    }
    counted += counts;
    if (kill_how >= EIO_ON) {
        int now = kind == STORE && kill_at > 0 && (kill_how == EIO_ONCE ? counted == kill_at : counted >= kill_at);
        /* If the step is one on the network, the next step on the store fails. */
        if (kill_how == EIO_ONCE && counted == kill_at && kind != STORE) kill_at++;
        return now ? FAIL : PASS;
    }
    if (!counts || counted != kill_at) return PASS;
    if (kill_how == POWER) lose_power();
    if (kill_how == BEFORE || kill_how == POWER) kill_self();
    return kill_how == TORN ? (ssize_t)(length / 2) : (ssize_t)length;
}

#define TAIL(path) (strrchr(path, '/') ? strrchr(path, '/') + 1 : path)

/* The body of an intercepted call. `how` is the original call, with `n` bytes. */
#define STEP(call, fd, bytes, length, offset, writes, how)                                  \
    char path[512];                                                                         \
    ino_t file = 0;                                                                         \
    size_t n = (length);                                                                    \
    int kind = target(fd, path, sizeof path, &file);                                        \
    if (kind == NOTHING) return how;                                                        \
    pthread_mutex_lock(&lock);                                                              \
    ssize_t allowed = begin(call, fd, kind, kind == NET ? "net" : TAIL(path), bytes, n);    \
    if (allowed == FAIL) {                                                                  \
        pthread_mutex_unlock(&lock);                                                        \
        errno = kill_how == ENOSPC_ON ? ENOSPC : EIO;                                       \
        return -1;                                                                          \
    }                                                                                       \
    if (kind == STORE && (writes)) record_write(fd, path, file, offset, n);                 \
    if (allowed >= 0) n = (size_t)allowed;                                                  \
    pthread_mutex_unlock(&lock);                                                            \
    ssize_t done = how;                                                                     \
    if (allowed >= 0) kill_self();

ssize_t write(int fd, const void *bytes, size_t length) {
    off_t offset = lseek(fd, 0, SEEK_CUR);
    STEP("write", fd, bytes, length, offset, 1, syscall(SYS_write, fd, bytes, n))
    return done;
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t offset) {
    STEP("pwrite", fd, bytes, length, offset, 1, syscall(SYS_pwrite64, fd, bytes, n, offset))
    return done;
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t offset) { return pwrite64(fd, bytes, length, offset); }

ssize_t writev(int fd, const struct iovec *parts, int count) {
    /* `torn` sends the first part only; otherwise all parts are sent. */
    STEP("writev", fd, count ? parts[0].iov_base : NULL, count ? parts[0].iov_len : 0, 0, 0,
         syscall(SYS_writev, fd, parts, n == (count ? parts[0].iov_len : 0) ? count : 1))
    return done;
}

ssize_t sendto(int fd, const void *bytes, size_t length, int flags, const struct sockaddr *to, socklen_t size) {
    STEP("send", fd, bytes, length, 0, 0, syscall(SYS_sendto, fd, bytes, n, flags, to, size))
    return done;
}

ssize_t send(int fd, const void *bytes, size_t length, int flags) { return sendto(fd, bytes, length, flags, NULL, 0); }

ssize_t recvfrom(int fd, void *bytes, size_t length, int flags, struct sockaddr *from, socklen_t *size) {
    STEP("recv", fd, NULL, length, 0, 0, syscall(SYS_recvfrom, fd, bytes, n, flags, from, size))
    return done;
}

ssize_t recv(int fd, void *bytes, size_t length, int flags) { return recvfrom(fd, bytes, length, flags, NULL, NULL); }

int connect(int fd, const struct sockaddr *to, socklen_t size) {
    STEP("connect", fd, NULL, 0, 0, 0, (n = 0, syscall(SYS_connect, fd, to, size)))
    return (int)done;
}

static int sync_file(const char *call, int fd, long number) {
    STEP(call, fd, NULL, 0, 0, 0, (n = 0, syscall(number, fd)))
    if (done == 0) {
        pthread_mutex_lock(&lock);
        record_durable(file);
        pthread_mutex_unlock(&lock);
    }
    return (int)done;
}

int fsync(int fd) { return sync_file("fsync", fd, SYS_fsync); }
int fdatasync(int fd) { return sync_file("fdatasync", fd, SYS_fdatasync); }

int unlink(const char *path) {
    struct stat about;
    int ours = store && strstr(path, store) && stat(path, &about) == 0;
    int done = (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
    if (ours && done == 0) {
        pthread_mutex_lock(&lock);
        record_durable(about.st_ino);
        pthread_mutex_unlock(&lock);
    }
    return done;
}

int ftruncate64(int fd, off64_t length) {
    struct stat about;
    off_t cut = fstat(fd, &about) == 0 && about.st_size > length ? about.st_size - length : 0;
    STEP("ftruncate", fd, NULL, (size_t)cut, length, 1, syscall(SYS_ftruncate, fd, length))
    return (int)done;
}

int ftruncate(int fd, off_t length) { return ftruncate64(fd, length); }
