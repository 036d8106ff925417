/* Preloaded into a worker: counts what it does to its store and to the network, and ends it there.
 *
 * APB_SHIM_STORE  only regular files whose path contains this text count, and all internet sockets
 * APB_SHIM_LOG    file that gets one line for each step: number, call, target, bytes, first bytes
 * APB_SHIM_KILL   N:how  SIGKILL at step N: `before` it, `after` it, in the middle of it (`torn`), or
 *                 `power`: before it, and what was never synced to the store is gone as well
 * APB_SHIM_SEED   for `power`: which of the unsynced writes are lost (0: all)
 *
 * The calls are made directly, so that nothing here depends on how a libc spells its symbols. */
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
enum { BEFORE, AFTER, TORN, POWER };

/* What a write to the store has overwritten, until a sync makes the write last. */
struct undo {
    struct undo *older;
    ino_t file;
    off_t offset, size_before;
    size_t length;
    char path[512];
    char bytes[];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const char *store;
static int log_fd = -1;
static long kill_at = -1, step;
static int kill_how = BEFORE;
static unsigned long seed;
static struct undo *undone;

__attribute__((constructor)) static void start(void) {
    const char *plan = getenv("APB_SHIM_KILL"), *path = getenv("APB_SHIM_LOG"), *chance = getenv("APB_SHIM_SEED");
    store = getenv("APB_SHIM_STORE");
    if (path) log_fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (chance) seed = strtoul(chance, NULL, 10);
    if (!plan) return;
    char *how;
    kill_at = strtol(plan, &how, 10);
    kill_how = !strcmp(how, ":after") ? AFTER : !strcmp(how, ":torn") ? TORN : !strcmp(how, ":power") ? POWER : BEFORE;
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

/* Loses what was not synced, newest first; each write for itself when a seed is given. */
static void cut_the_power(void) {
    for (struct undo *one = undone; one; one = one->older) {
        seed = seed ? seed * 6364136223846793005u + 1442695040888963407u : 0;
        if (seed >> 63) continue;
        int fd = (int)syscall(SYS_openat, AT_FDCWD, one->path, O_RDWR | O_CLOEXEC, 0);
        if (fd < 0) continue;
        if (one->length) syscall(SYS_pwrite64, fd, one->bytes, one->length, one->offset);
        syscall(SYS_ftruncate, fd, one->size_before);
        syscall(SYS_close, fd);
    }
}

static void die(void) {
    kill(getpid(), SIGKILL);
    for (;;) pause();
}

static void keep(int fd, const char *path, ino_t file, off_t offset, size_t length) {
    struct stat about;
    if (kill_how != POWER || fstat(fd, &about) != 0) return;
    size_t old = offset >= about.st_size ? 0 : (size_t)(about.st_size - offset) < length ? (size_t)(about.st_size - offset) : length;
    struct undo *one = malloc(sizeof *one + old);
    if (!one) return;
    ssize_t got = old ? pread(fd, one->bytes, old, offset) : 0;
    one->older = undone, one->file = file, one->offset = offset, one->size_before = about.st_size;
    one->length = got > 0 ? (size_t)got : 0;
    snprintf(one->path, sizeof one->path, "%s", path);
    undone = one;
}

static void synced(ino_t file) {
    for (struct undo **at = &undone; *at;) {
        struct undo *one = *at;
        if (one->file == file) *at = one->older, free(one);
        else at = &one->older;
    }
}

/* One step begins. Returns the bytes to let through before the end, or -1 to go on. */
static ssize_t begin(const char *call, int fd, const char *name, const void *bytes, size_t length) {
    char line[300];
    long mine = ++step;
    if (log_fd >= 0) {
        int used = snprintf(line, 200, "%ld\t%s\t%d\t%s\t%zu\t", mine, call, fd, name, length);
        const char *from = bytes;
        for (size_t at = 0; from && at < length && at < 60 && used < 290; at++)
            line[used++] = from[at] >= ' ' && from[at] < 127 ? from[at] : '.';
        line[used++] = '\n';
        syscall(SYS_write, log_fd, line, used);
    }
    if (mine != kill_at) return -1;
    if (kill_how == POWER) cut_the_power();
    if (kill_how == BEFORE || kill_how == POWER) die();
    return kill_how == TORN ? (ssize_t)(length / 2) : (ssize_t)length;
}

#define TAIL(path) (strrchr(path, '/') ? strrchr(path, '/') + 1 : path)

/* A step that changes or syncs a file, or speaks on a socket. `how` is the call itself with `n` bytes. */
#define STEP(call, fd, bytes, length, offset, writes, how)                                  \
    char path[512];                                                                         \
    ino_t file = 0;                                                                         \
    size_t n = (length);                                                                    \
    int kind = target(fd, path, sizeof path, &file);                                        \
    if (kind == NOTHING) return how;                                                        \
    pthread_mutex_lock(&lock);                                                              \
    ssize_t let = begin(call, fd, kind == NET ? "net" : TAIL(path), bytes, n);              \
    if (kind == STORE && (writes) && let < 0) keep(fd, path, file, offset, n);              \
    if (let >= 0) n = (size_t)let;                                                          \
    pthread_mutex_unlock(&lock);                                                            \
    ssize_t done = how;                                                                     \
    if (let >= 0) die();

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
    size_t length = 0;
    for (int at = 0; at < count; at++) length += parts[at].iov_len;
    /* The middle of a gathered write is the end of its first part. */
    STEP("writev", fd, count ? parts[0].iov_base : NULL, count ? parts[0].iov_len : 0, 0, 0,
         syscall(SYS_writev, fd, parts, n == length || kill_how != TORN || step != kill_at ? count : 1))
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
        synced(file);
        pthread_mutex_unlock(&lock);
    }
    return (int)done;
}

int fsync(int fd) { return sync_file("fsync", fd, SYS_fsync); }
int fdatasync(int fd) { return sync_file("fdatasync", fd, SYS_fdatasync); }

int ftruncate64(int fd, off64_t length) {
    struct stat about;
    off_t cut = fstat(fd, &about) == 0 && about.st_size > length ? about.st_size - length : 0;
    STEP("ftruncate", fd, NULL, (size_t)cut, length, 1, syscall(SYS_ftruncate, fd, length))
    return (int)done;
}

int ftruncate(int fd, off_t length) { return ftruncate64(fd, length); }
