/*
 * cancel.c - cancel tokens and log receivers. A token is sticky and shared; a submit that was sent before is
 * unknown, one that was not is provably not executed. Receivers run on the calling thread, concurrently.
 *
 *   cancel BASE_URL
 */
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <time.h>

#include "flow.h"

enum { CALLS = 8 };

static apb_cancel *token;
static const apb_client *shared;
static char orders[CALLS][128];
static char requests[CALLS][2048];
static apb_outcome outcomes[CALLS];

static void pause_ms(long ms)
{
    struct timespec time;
    time.tv_sec = ms / 1000;
    time.tv_nsec = ms % 1000 * 1000000;
    nanosleep(&time, NULL);
}

/* In a handler only async-signal-safe functions may be called: apb_cancel_set() is one. */
static void on_alarm(int number)
{
    (void)number;
    apb_cancel_set(token);
}

static apb_reply *call(const char *operation, const char *request, const apb_cancel *cancel)
{
    apb_reply *reply = NULL;
    apb_call(shared, operation, request, APB_ZSTR, NULL, 0, cancel, &reply);
    return reply;
}

static void *voids(void *argument)
{
    size_t me = (size_t)(uintptr_t)argument;
    apb_reply *reply = call("void", requests[me], token);
    outcomes[me] = apb_reply_outcome(reply);
    apb_reply_free(reply);
    return NULL;
}

static void concurrent_calls(const char *base_url)
{
    pthread_t threads[CALLS];
    int i;
    token = apb_cancel_new();
    for (i = 0; i < CALLS; i++) {
        flow_prepare(shared, base_url, "void", orders[i], requests[i]);
    }
    sim_post(base_url, "/_sim/faults", "{\"endpoint\":\"void\",\"mode\":\"delay\",\"delayMs\":60000,\"times\":0}");
    for (i = 0; i < CALLS; i++) {
        CHECK(pthread_create(&threads[i], NULL, voids, (void *)(uintptr_t)i) == 0);
    }
    pause_ms(500);
    apb_cancel_set(token);
    apb_cancel_set(token);
    apb_cancel_free(token); /* it stays set for the calls that use it */
    for (i = 0; i < CALLS; i++) {
        CHECK(pthread_join(threads[i], NULL) == 0);
        CHECK(outcomes[i] == APB_UNKNOWN);
    }
    free(sim(base_url, "DELETE", "/_sim/faults", ""));
}

static void sticky_token(const char *base_url)
{
    char order_no[128];
    char request[2048];
    char *log;
    apb_reply *reply;
    token = apb_cancel_new();
    flow_prepare(shared, base_url, "void", order_no, request);
    apb_cancel_set(token);
    reply = call("void", request, token);
    CHECK(apb_reply_status(reply) == APB_E_CANCELLED);
    CHECK(apb_reply_outcome(reply) == APB_NOT_EXECUTED);
    apb_reply_free(reply);
    log = sim(base_url, "GET", "/_sim/ledger", "");
    CHECK(strstr(log, order_no) == NULL);
    free(log);
    apb_cancel_free(token);
    reply = call("void", request, token);
    CHECK(apb_reply_status(reply) == APB_E_HANDLE && apb_reply_outcome(reply) == APB_NOT_EXECUTED);
    apb_reply_free(reply);
    apb_cancel_free(token);
    apb_cancel_set(token);
    apb_cancel_set(NULL);
    apb_cancel_free(NULL);
    apb_cancel_set((apb_cancel *)(uintptr_t)0xdeadbeef);
    apb_cancel_free((apb_cancel *)UINTPTR_MAX);
    reply = call("void", request, NULL); /* nothing was sent for the order before */
    CHECK(apb_reply_outcome(reply) == APB_EXECUTED);
    apb_reply_free(reply);
}

static void from_a_signal(const char *base_url)
{
    struct sigaction action;
    struct timespec before;
    struct timespec after;
    apb_reply *reply;
    token = apb_cancel_new();
    memset(&action, 0, sizeof action);
    action.sa_handler = on_alarm;
    CHECK(sigaction(SIGALRM, &action, NULL) == 0);
    sim_post(base_url, "/_sim/faults", "{\"endpoint\":\"balance\",\"mode\":\"delay\",\"delayMs\":60000}");
    clock_gettime(CLOCK_MONOTONIC, &before);
    alarm(1);
    reply = call("balance", "{}", token);
    clock_gettime(CLOCK_MONOTONIC, &after);
    CHECK(apb_reply_status(reply) == APB_E_CANCELLED);
    CHECK(apb_reply_outcome(reply) == APB_NOT_EXECUTED); /* a read has no effect */
    CHECK(after.tv_sec - before.tv_sec < 10);
    apb_reply_free(reply);
    apb_cancel_free(token);
}

struct lines {
    int count;
    int wrong;
    pthread_t thread;
};

static void receive(void *user_data, int32_t level, const char *target, const char *message, size_t len)
{
    struct lines *lines = (struct lines *)user_data;
    lines->count++;
    lines->wrong += level < 1 || level > 5 || *target == '\0' || strlen(message) != len;
    lines->wrong += strstr(message, "s3cr3t") != NULL || !pthread_equal(lines->thread, pthread_self());
}

static void log_lines(apb_client *client, const char *base_url)
{
    struct lines lines;
    char order_no[128];
    char request[2048];
    int before;
    memset(&lines, 0, sizeof lines);
    lines.thread = pthread_self();
    CHECK(apb_client_set_log(NULL, receive, &lines, 5) == APB_E_NULL);
    CHECK(apb_client_set_log((apb_client *)(uintptr_t)0xdead, receive, &lines, 5) == APB_E_HANDLE);
    CHECK(apb_client_set_log(client, receive, &lines, 5) == APB_OK);
    flow_prepare(client, base_url, "void", order_no, request);
    apb_reply_free(call("void", request, NULL));
    CHECK(lines.count > 0);
    CHECK(lines.wrong == 0);
    before = lines.count;
    CHECK(apb_client_set_log(client, receive, &lines, 0) == APB_OK);
    apb_reply_free(call("balance", "{}", NULL));
    CHECK(apb_client_set_log(client, NULL, NULL, 5) == APB_OK);
    apb_reply_free(call("balance", "{}", NULL));
    CHECK(lines.count == before);
}

int main(int argc, char **argv)
{
    apb_client *client;
    if (argc < 2) {
        return 2;
    }
    client = flow_client(argv[1], "");
    shared = client;
    concurrent_calls(argv[1]);
    sticky_token(argv[1]);
    from_a_signal(argv[1]);
    log_lines(client, argv[1]);
    apb_client_free(client);
    CHECK(apb_live_handles() == 0);
    return check_end();
}
