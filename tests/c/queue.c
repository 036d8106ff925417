/*
 * queue.c - many calls in flight: each call that was started gives exactly one completion, the descriptor follows the
 * rule of the header whatever the host does with it, and close, free and cancel end as they say.
 *
 *   queue BASE_URL
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <time.h>

#include "flow.h"

enum { MANY = 300, THREADS = 8 };

static apb_client *client;
static apb_queue *queue;
static int seen[THREADS * MANY];

static void pause_ms(long ms)
{
    struct timespec time;
    time.tv_sec = ms / 1000;
    time.tv_nsec = ms % 1000 * 1000000;
    nanosleep(&time, NULL);
}

static apb_status start(const char *operation, const char *request, uint64_t tag, const apb_cancel *cancel)
{
    return apb_start(client, operation, request, APB_ZSTR, NULL, 0, queue, tag, cancel);
}

static int is_readable(int fd)
{
    struct pollfd one;
    one.fd = fd;
    one.events = POLLIN;
    one.revents = 0;
    return poll(&one, 1, 0) == 1 && (one.revents & POLLIN) != 0;
}

/* Takes completions until there are `count`, or for 60 s; counts each tag. */
static int take(int count)
{
    int taken = 0;
    uint64_t tag;
    apb_reply *reply;
    while (taken < count && apb_queue_next(queue, 60000, &tag, &reply) == APB_OK) {
        CHECK(reply != NULL);
        seen[tag % (THREADS * MANY)]++;
        apb_reply_free(reply);
        taken++;
    }
    return taken;
}

static int is_drained(void)
{
    apb_reply *reply;
    return apb_queue_next(queue, 0, NULL, &reply) == APB_E_TIMEOUT && reply == NULL;
}

/* A loop with poll(), as the header says. */
static void with_a_loop(void)
{
    int fd = apb_queue_fd(queue);
    int taken = 0;
    int i;
    struct pollfd one;
    CHECK(fd >= 0 && fd == apb_queue_fd(queue));
    CHECK((fcntl(fd, F_GETFL) & O_NONBLOCK) != 0 && (fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
    CHECK(!is_readable(fd));
    memset(seen, 0, sizeof seen);
    for (i = 0; i < MANY; i++) {
        CHECK(start("balance", "{}", (uint64_t)i, NULL) == APB_OK);
    }
    one.fd = fd;
    one.events = POLLIN;
    while (taken < MANY && poll(&one, 1, 60000) == 1) {
        uint64_t tag;
        apb_reply *reply;
        while (apb_queue_next(queue, 0, &tag, &reply) == APB_OK) {
            CHECK(apb_reply_status(reply) == APB_OK && apb_reply_outcome(reply) == APB_EXECUTED);
            seen[tag]++;
            taken++;
            apb_reply_free(reply);
        }
    }
    CHECK(taken == MANY);
    for (i = 0; i < MANY; i++) {
        CHECK_MSG(seen[i] == 1, "a call has not exactly one completion");
    }
    CHECK(is_drained() && !is_readable(fd));
}

/* Whatever is wrong with a call is its completion; whatever is wrong with the pointers starts nothing. */
static void what_is_refused(void)
{
    apb_reply *reply = NULL;
    uint64_t tag = 0;
    apb_queue *none = (apb_queue *)(uintptr_t)12345;
    CHECK(apb_queue_new(NULL) == APB_E_NULL);
    CHECK(apb_start(client, NULL, "{}", APB_ZSTR, NULL, 0, queue, 1, NULL) == APB_E_NULL);
    CHECK(apb_start(client, "balance", "{}", APB_ZSTR, NULL, 0, NULL, 1, NULL) == APB_E_NULL);
    CHECK(apb_start(client, "balance", "{}", APB_ZSTR, NULL, 0, none, 1, NULL) == APB_E_HANDLE);
    CHECK(apb_start((apb_client *)queue, "balance", "{}", APB_ZSTR, NULL, 0, queue, 1, NULL) == APB_E_HANDLE);
    CHECK(apb_start(client, "balance", "{}", APB_ZSTR, NULL, 0, (apb_queue *)client, 1, NULL) == APB_E_HANDLE);
    CHECK(apb_start(client, "balance", "{}", APB_ZSTR, NULL, 0, queue, 1, (apb_cancel *)queue) == APB_E_HANDLE);
    CHECK(apb_start(client, "balance", NULL, 5, NULL, 0, queue, 1, NULL) == APB_E_NULL);
    CHECK(apb_queue_next(queue, 0, &tag, NULL) == APB_E_NULL);
    CHECK(apb_queue_next(NULL, 0, &tag, &reply) == APB_E_NULL);
    CHECK(apb_queue_next(none, 0, &tag, &reply) == APB_E_HANDLE);
    CHECK(apb_queue_fd(NULL) == -1 && apb_queue_fd(none) == -1);
    apb_queue_close(NULL);
    apb_queue_close(none);
    apb_queue_free(NULL);
    apb_queue_free(none);
    CHECK(is_drained());

    CHECK(start("nothing", "{}", 1, NULL) == APB_OK);
    CHECK(apb_queue_next(queue, -1, &tag, &reply) == APB_OK && tag == 1 && apb_reply_status(reply) == APB_E_OPERATION);
    apb_reply_free(reply);
    CHECK(start("balance", "{", 2, NULL) == APB_OK);
    CHECK(apb_queue_next(queue, -1, NULL, &reply) == APB_OK && apb_reply_status(reply) == APB_E_JSON);
    apb_reply_free(reply);
    CHECK(start("void", "\xff", 3, NULL) == APB_OK);
    CHECK(apb_queue_next(queue, -1, &tag, &reply) == APB_OK && tag == 3 && apb_reply_status(reply) == APB_E_UTF8);
    apb_reply_free(reply);
    CHECK(apb_start(NULL, "parseWebhook", "{\"body\":\"{}\"}", APB_ZSTR, NULL, 0, queue, 4, NULL) == APB_OK);
    CHECK(apb_queue_next(queue, 0, &tag, &reply) == APB_OK && tag == 4);
    apb_reply_free(reply);
    CHECK(is_drained());
}

/* A host's stream that reads the byte, and a host that closes what it was lent. */
static void what_hosts_do_with_the_descriptor(void)
{
    char bytes[8];
    int fd;
    int other;
    apb_queue *first = queue;
    CHECK(apb_queue_new(&queue) == APB_OK);
    fd = apb_queue_fd(queue);
    CHECK(start("balance", "{}", 1, NULL) == APB_OK && start("balance", "{}", 2, NULL) == APB_OK);
    while (!is_readable(fd)) {
        pause_ms(1);
    }
    CHECK(read(fd, bytes, sizeof bytes) == 1);
    CHECK(take(2) == 2 && is_drained());
    CHECK(start("balance", "{}", 3, NULL) == APB_OK);
    while (!is_readable(fd)) {
        pause_ms(1);
    }
    CHECK(take(1) == 1);
    /* The number comes back for something else, which is neither read nor closed. */
    CHECK(close(fd) == 0);
    other = open("/dev/zero", O_RDONLY);
    /* A connection that ended just now may have left a lower number. */
    if (other != fd) {
        CHECK(dup2(other, fd) == fd && close(other) == 0);
        other = fd;
    }
    CHECK(start("balance", "{}", 4, NULL) == APB_OK && take(1) == 1 && is_drained());
    apb_queue_free(queue);
    CHECK(read(other, bytes, 1) == 1);
    close(other);
    queue = first;
}

static void *starter(void *argument)
{
    int from = (int)(uintptr_t)argument * MANY;
    int i;
    for (i = from; i < from + MANY; i++) {
        if (start("balance", "{}", (uint64_t)i, NULL) != APB_OK) {
            seen[i] = 100;
        }
    }
    return NULL;
}

static void many_threads_start_and_one_reads(void)
{
    pthread_t threads[THREADS];
    int i;
    memset(seen, 0, sizeof seen);
    for (i = 0; i < THREADS; i++) {
        CHECK(pthread_create(&threads[i], NULL, starter, (void *)(uintptr_t)i) == 0);
    }
    CHECK(take(THREADS * MANY) == THREADS * MANY);
    for (i = 0; i < THREADS; i++) {
        CHECK(pthread_join(threads[i], NULL) == 0);
    }
    for (i = 0; i < THREADS * MANY; i++) {
        CHECK_MSG(seen[i] == 1, "a call has not exactly one completion");
    }
}

/* A submit that is cancelled after it was sent is unknown, one that was not is not executed. */
static void cancelled_calls(const char *base_url)
{
    char order_no[128];
    char request[2048];
    uint64_t tag = 0;
    apb_reply *reply = NULL;
    apb_cancel *token = apb_cancel_new();
    flow_prepare(client, base_url, "void", order_no, request);
    sim_post(base_url, "/_sim/faults", "{\"endpoint\":\"void\",\"mode\":\"delay\",\"delayMs\":60000,\"times\":0}");
    CHECK(start("void", request, 1, token) == APB_OK);
    pause_ms(300);
    CHECK(is_drained());
    apb_cancel_set(token);
    CHECK(start("void", request, 2, token) == APB_OK);
    apb_cancel_free(token);
    CHECK(apb_queue_next(queue, 5000, &tag, &reply) == APB_OK);
    CHECK(apb_reply_status(reply) == APB_E_CANCELLED);
    CHECK(apb_reply_outcome(reply) == (tag == 1 ? APB_UNKNOWN : APB_NOT_EXECUTED));
    apb_reply_free(reply);
    CHECK(apb_queue_next(queue, 5000, &tag, &reply) == APB_OK);
    CHECK(apb_reply_outcome(reply) == (tag == 1 ? APB_UNKNOWN : APB_NOT_EXECUTED));
    apb_reply_free(reply);

    flow_prepare(client, base_url, "void", order_no, request);
    CHECK(start("void", request, 3, NULL) == APB_OK);
    pause_ms(300);
    apb_cancel_all();
    CHECK(apb_queue_next(queue, 5000, &tag, &reply) == APB_OK && tag == 3);
    CHECK(apb_reply_status(reply) == APB_E_CANCELLED && apb_reply_outcome(reply) == APB_UNKNOWN);
    apb_reply_free(reply);
    /* Later calls are untouched. */
    CHECK(start("balance", "{}", 4, NULL) == APB_OK);
    CHECK(apb_queue_next(queue, 5000, &tag, &reply) == APB_OK && apb_reply_status(reply) == APB_OK);
    apb_reply_free(reply);
    free(sim(base_url, "DELETE", "/_sim/faults", ""));
}

static void *waiter(void *argument)
{
    apb_reply *reply;
    (void)argument;
    return (void *)(intptr_t)apb_queue_next(queue, -1, NULL, &reply);
}

/* What close and free end, and what they leave to its end. */
static void ends(const char *base_url)
{
    char order_no[128];
    char request[2048];
    char *ledger;
    pthread_t thread;
    void *result = NULL;
    apb_reply *reply;
    uint64_t tag;
    apb_queue *first = queue;
    int fd;

    CHECK(apb_queue_new(&queue) == APB_OK);
    fd = apb_queue_fd(queue);
    CHECK(pthread_create(&thread, NULL, waiter, NULL) == 0);
    pause_ms(100);
    apb_queue_close(queue);
    CHECK(pthread_join(thread, &result) == 0 && (apb_status)(intptr_t)result == APB_E_CLOSED);
    CHECK(is_readable(fd));
    CHECK(start("balance", "{}", 1, NULL) == APB_E_CLOSED);
    CHECK(apb_queue_next(queue, 0, NULL, &reply) == APB_E_CLOSED && is_readable(fd));
    apb_queue_free(queue);
    CHECK(fcntl(fd, F_GETFD) == -1 && errno == EBADF);

    /* Closed with a call in flight: it is given, then CLOSED. */
    CHECK(apb_queue_new(&queue) == APB_OK);
    CHECK(start("balance", "{}", 7, NULL) == APB_OK);
    apb_queue_close(queue);
    CHECK(apb_queue_next(queue, -1, &tag, &reply) == APB_OK && tag == 7);
    apb_reply_free(reply);
    CHECK(apb_queue_next(queue, -1, &tag, &reply) == APB_E_CLOSED && is_readable(apb_queue_fd(queue)));
    apb_queue_free(queue);
    CHECK(apb_queue_next(queue, 0, &tag, &reply) == APB_E_HANDLE);

    CHECK(apb_queue_new(&queue) == APB_OK);
    CHECK(pthread_create(&thread, NULL, waiter, NULL) == 0);
    pause_ms(100);
    apb_queue_free(queue);
    CHECK(pthread_join(thread, &result) == 0 && (apb_status)(intptr_t)result == APB_E_HANDLE);

    /* Freed with a submit in flight: it runs to its end. */
    CHECK(apb_queue_new(&queue) == APB_OK);
    flow_prepare(client, base_url, "void", order_no, request);
    sim_post(base_url, "/_sim/faults", "{\"endpoint\":\"void\",\"mode\":\"delay\",\"delayMs\":300}");
    sim_post(base_url, "/_sim/faults", "{\"endpoint\":\"balance\",\"mode\":\"delay\",\"delayMs\":60000}");
    CHECK(start("void", request, 1, NULL) == APB_OK && start("balance", "{}", 2, NULL) == APB_OK);
    pause_ms(100);
    apb_queue_free(queue);
    pause_ms(1500);
    ledger = sim(base_url, "GET", "/_sim/ledger", "");
    CHECK(strstr(ledger, order_no) != NULL);
    free(ledger);
    free(sim(base_url, "DELETE", "/_sim/faults", ""));
    queue = first;
}

/* What only the store answers does not wait for what is out at the vendor. */
static void local_calls_do_not_wait(const char *base_url)
{
    char more[600];
    char path[] = "/tmp/apb-queue-XXXXXX";
    char order_no[128];
    char request[2048];
    struct timespec before;
    struct timespec after;
    uint64_t tag = 0;
    apb_reply *reply = NULL;
    apb_client *first = client;
    apb_cancel *token = apb_cancel_new();
    int i;
    CHECK(mkdtemp(path) != NULL);
    sprintf(more, ",\"maxInFlight\":4,\"store\":{\"path\":\"%s/cases.db\"}", path);
    client = flow_client(base_url, more);
    flow_prepare(client, base_url, "void", order_no, request);
    sim_post(base_url, "/_sim/faults", "{\"endpoint\":\"balance\",\"mode\":\"delay\",\"delayMs\":60000,\"times\":0}");
    for (i = 0; i < 20; i++) {
        CHECK(start("balance", "{}", 100, token) == APB_OK);
    }
    clock_gettime(CLOCK_MONOTONIC, &before);
    for (i = 0; i < 20; i++) {
        CHECK(start("case.list", "{}", 1, NULL) == APB_OK);
        CHECK(apb_queue_next(queue, 10000, &tag, &reply) == APB_OK && tag == 1 && apb_reply_status(reply) == APB_OK);
        apb_reply_free(reply);
    }
    clock_gettime(CLOCK_MONOTONIC, &after);
    CHECK(after.tv_sec - before.tv_sec < 20);
    apb_cancel_set(token);
    apb_cancel_free(token);
    CHECK(take(20) == 20);
    free(sim(base_url, "DELETE", "/_sim/faults", ""));
    apb_client_free(client);
    client = first;
    for (i = 0; i < 4; i++) {
        static const char *const ends_of[] = {"", "-wal", "-shm", "-witness"};
        char file[600];
        sprintf(file, "%s/cases.db%s", path, ends_of[i]);
        unlink(file);
    }
    rmdir(path);
}

int main(int argc, char **argv)
{
    const char *base_url = argc > 1 ? argv[1] : "";
    client = flow_client(base_url, "");
    CHECK(apb_queue_new(&queue) == APB_OK && queue != NULL);
    with_a_loop();
    what_is_refused();
    what_hosts_do_with_the_descriptor();
    many_threads_start_and_one_reads();
    cancelled_calls(base_url);
    ends(base_url);
    local_calls_do_not_wait(base_url);
    apb_queue_free(queue);
    apb_client_free(client);
    pause_ms(300);
    CHECK(apb_live_handles() == 0);
    return check_end();
}
