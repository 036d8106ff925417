/*
 * fork.c - parent and child go on with a client that was made before the fork, and each gets the replies
 * of its own calls: the child opens its own connections, also to the store, of which it inherits nothing with
 * a lock, and waits for no lock that a thread of its parent held.
 *
 *   fork BASE_URL
 */
#include <dirent.h>
#include <poll.h>
#include <pthread.h>
#include <sys/wait.h>

#include "flow.h"

static int voided(const apb_client *client, const char *base_url)
{
    char order_no[128];
    char request[2048];
    char echo[128];
    apb_outcome outcome;
    apb_reply *reply;
    flow_prepare(client, base_url, "void", order_no, request);
    reply = flow_call(client, "void", request);
    outcome = apb_reply_outcome(reply);
    flow_take_text(reply, "data.orderNo", echo, sizeof echo);
    return outcome == APB_EXECUTED && strcmp(echo, order_no) == 0;
}

/* Voids an order, forks a child that does the same, and voids another one. 0 if all succeeded. */
static int generation(apb_client *client, const char *base_url, int depth)
{
    int status = 0;
    pid_t child;
    if (!voided(client, base_url)) {
        return 1;
    }
    fflush(stdout); /* else the child would print it again */
    child = depth > 0 ? fork() : -1;
    if (child == 0) {
        int code = generation(client, base_url, depth - 1);
        apb_client_free(client);
        _exit(code);
    }
    if (child > 0 && (waitpid(child, &status, 0) != child || status != 0)) {
        return 2;
    }
    return voided(client, base_url) ? 0 : 3;
}

/* The number of files of a directory that this process has open. */
static int open_files(const char *directory)
{
    int count = 0;
    struct dirent *entry;
    DIR *list = opendir("/proc/self/fd");
    while (list != NULL && (entry = readdir(list)) != NULL) {
        char link[300];
        char target[512];
        ssize_t length;
        sprintf(link, "/proc/self/fd/%.255s", entry->d_name);
        length = readlink(link, target, sizeof target - 1);
        target[length < 0 ? 0 : length] = '\0';
        count += strstr(target, directory) != NULL;
    }
    if (list != NULL) {
        closedir(list);
    }
    return count;
}

/* A queue belongs to the process that made it; its client to both. */
static void queues(const char *base_url)
{
    apb_client *client = flow_client(base_url, "");
    apb_queue *queue = NULL;
    apb_reply *reply = NULL;
    uint64_t tag = 0;
    pid_t child;
    int status = 1;
    CHECK(apb_queue_new(&queue) == APB_OK);
#ifdef __SANITIZE_ADDRESS__
    /* This allocator has locks that fork() copies as they are held: the call is in flight, and its thread waits. */
    sim_post(base_url, "/_sim/faults", "{\"endpoint\":\"balance\",\"mode\":\"delay\",\"delayMs\":1500}");
#endif
    CHECK(apb_start(client, "balance", "{}", APB_ZSTR, NULL, 0, queue, 9, NULL) == APB_OK);
#ifdef __SANITIZE_ADDRESS__
    poll(NULL, 0, 500);
#endif
    fflush(stdout);
    child = fork();
    if (child == 0) {
        apb_queue *own = NULL;
        int code = 0;
        code |= apb_queue_next(queue, 0, NULL, &reply) == APB_E_HANDLE ? 0 : 1;
        code |= apb_start(client, "balance", "{}", APB_ZSTR, NULL, 0, queue, 1, NULL) == APB_E_HANDLE ? 0 : 2;
        code |= apb_queue_fd(queue) == -1 ? 0 : 4;
        apb_queue_free(queue);
        code |= apb_queue_new(&own) == APB_OK ? 0 : 8;
        code |= apb_start(client, "balance", "{}", APB_ZSTR, NULL, 0, own, 1, NULL) == APB_OK ? 0 : 16;
        code |= apb_queue_next(own, 60000, NULL, &reply) == APB_OK ? 0 : 32;
        code |= reply != NULL && apb_reply_status(reply) == APB_OK ? 0 : 64;
        if (code != 0 && reply != NULL) {
            printf("  in the child: %s\n", apb_reply_json(reply, NULL));
            fflush(stdout);
        }
        _exit(code);
    }
    CHECK(waitpid(child, &status, 0) == child);
    if (!CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0)) {
        printf("  the child ended with status %#x\n", (unsigned)status);
    }
    CHECK(apb_queue_next(queue, 60000, &tag, &reply) == APB_OK && tag == 9 && apb_reply_status(reply) == APB_OK);
    apb_reply_free(reply);
    CHECK(apb_queue_next(queue, 0, &tag, &reply) == APB_E_TIMEOUT);
    apb_queue_free(queue);
    apb_client_free(client);
}

static int stop;

static void *reads(void *client)
{
    while (!__atomic_load_n(&stop, __ATOMIC_SEQ_CST)) {
        apb_reply_free(flow_call((const apb_client *)client, "balance", "{}"));
    }
    return NULL;
}

static void *handles(void *base_url)
{
    while (!__atomic_load_n(&stop, __ATOMIC_SEQ_CST)) {
        apb_cancel *token = apb_cancel_new();
        apb_client *client = flow_client((const char *)base_url, "");
        apb_queue *queue = NULL;
        CHECK(apb_queue_new(&queue) == APB_OK);
        apb_cancel_free(token);
        apb_queue_free(queue);
        apb_client_free(client);
    }
    return NULL;
}

/* What a child does whose parent's threads were anywhere in the library. */
static int child_of_many(const apb_client *client, const char *base_url)
{
    apb_reply *reply = NULL;
    apb_client *own = flow_client(base_url, "");
    apb_cancel *token = apb_cancel_new();
    int code = apb_call(client, "balance", "{}", APB_ZSTR, NULL, 0, token, &reply) == APB_OK ? 0 : 1;
    apb_cancel_free(token);
    apb_client_free(own);
    return code;
}

/* Children of a process whose threads are in the middle of calls, and make and free handles. */
static void forks_among_calls(char *base_url)
{
    enum { THREADS = 8, FORKS = 50 };
    apb_client *client = flow_client(base_url, "");
    pthread_t threads[THREADS];
    int i;
    for (i = 0; i < THREADS; i++) {
        CHECK(pthread_create(&threads[i], NULL, i % 2 == 0 ? reads : handles, i % 2 == 0 ? (void *)client : base_url) == 0);
    }
    for (i = 0; i < FORKS; i++) {
        int status = 1;
        pid_t child;
        fflush(stdout);
        child = fork();
        if (child == 0) {
            alarm(30);
            _exit(child_of_many(client, base_url));
        }
        CHECK(waitpid(child, &status, 0) == child && status == 0);
    }
    __atomic_store_n(&stop, 1, __ATOMIC_SEQ_CST);
    for (i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    apb_client_free(client);
}

/* With a store in `directory`, or none. */
static void parents_and_children(const char *base_url, const char *more, const char *directory)
{
    apb_client *client = flow_client(base_url, more);
    int i;
    CHECK(generation(client, base_url, 3) == 0);
    /* Several children at once, while the parent goes on. */
    for (i = 0; i < 4; i++) {
        pid_t child;
        fflush(stdout);
        child = fork();
        if (child == 0) {
            /* What was kept is closed, but for the descriptor by which the file was looked at. */
            int inherited = directory != NULL && open_files(directory) > 1;
            _exit(!inherited && voided(client, base_url) && voided(client, base_url) ? 0 : 1);
        }
        CHECK(child > 0);
        CHECK(voided(client, base_url));
    }
    for (i = 0; i < 4; i++) {
        int status = 1;
        CHECK(wait(&status) > 0 && status == 0);
    }
    CHECK(voided(client, base_url));
    apb_client_free(client);
    CHECK(apb_live_handles() == 0);
}

int main(int argc, char **argv)
{
    static const char *const files[] = {"cases.db", "cases.db-wal", "cases.db-shm", "cases.db-witness"};
    char directory[] = "/tmp/apb-fork-XXXXXX";
    char more[128];
    size_t i;
    if (argc < 2 || mkdtemp(directory) == NULL) {
        return 2;
    }
    queues(argv[1]);
#ifndef __SANITIZE_ADDRESS__
    forks_among_calls(argv[1]);
#endif
    parents_and_children(argv[1], "", NULL);
    sprintf(more, ",\"store\":{\"path\":\"%s/cases.db\"}", directory);
    parents_and_children(argv[1], more, directory);
    /* Kept without locks: of the store's file, its log's index and their locks; not more with each child. */
    CHECK(open_files(directory) <= 12);
    for (i = 0; i < sizeof files / sizeof *files; i++) {
        char path[64];
        sprintf(path, "%s/%s", directory, files[i]);
        CHECK(unlink(path) == 0);
    }
    CHECK(rmdir(directory) == 0);
    return check_end();
}
