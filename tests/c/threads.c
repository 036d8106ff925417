/*
 * threads.c - 64 threads on one client: each void gets the reply of its own request; and a client that is
 * freed while other threads use it ends none of their calls. Log receivers run concurrently.
 *
 *   threads BASE_URL [THREADS] [ROUNDS]
 */
#include <pthread.h>
#include <stdint.h>
#include <time.h>

#include "flow.h"

enum { MAX_THREADS = 256 };

static const char *base_url;
static const apb_client *shared;
static int rounds = 4;
static char orders[MAX_THREADS][16][128];
static int executed[MAX_THREADS];
static int unexpected[MAX_THREADS];

static void *voids(void *argument)
{
    size_t me = (size_t)(uintptr_t)argument;
    int i;
    for (i = 0; i < rounds; i++) {
        char request[512];
        char offer[128];
        char echo[128];
        apb_reply *reply = NULL;
        sprintf(request, "{\"orderNo\":\"%s\"}", orders[me][i]);
        apb_void_quotation(shared, request, APB_ZSTR, &reply);
        flow_take_text(reply, "data.voidOfferId", offer, sizeof offer);
        sprintf(request, "{\"orderNo\":\"%s\",\"voidOfferId\":\"%s\"}", orders[me][i], offer);
        reply = NULL;
        apb_void(shared, request, APB_ZSTR, &reply);
        executed[me] += apb_reply_outcome(reply) == APB_EXECUTED;
        flow_take_text(reply, "data.orderNo", echo, sizeof echo);
        unexpected[me] += strcmp(echo, orders[me][i]) != 0;
    }
    return NULL;
}

static void *balances(void *argument)
{
    size_t me = (size_t)(uintptr_t)argument;
    int i;
    for (i = 0; i < rounds * 10; i++) {
        apb_reply *reply = NULL;
        apb_status status = apb_balance(shared, "{}", APB_ZSTR, &reply);
        /* After the client was freed, calls give APB_E_HANDLE. */
        unexpected[me] += status != APB_OK && status != APB_E_HANDLE;
        apb_reply_free(reply);
    }
    return NULL;
}

static void run(void *(*job)(void *), int threads, apb_client *free_meanwhile)
{
    pthread_t made[MAX_THREADS];
    int i;
    for (i = 0; i < threads; i++) {
        CHECK(pthread_create(&made[i], NULL, job, (void *)(uintptr_t)i) == 0);
    }
    apb_client_free(free_meanwhile);
    for (i = 0; i < threads; i++) {
        CHECK(pthread_join(made[i], NULL) == 0);
    }
}

struct receiver_state {
    pthread_mutex_t mutex;
    pthread_cond_t entered;
    int inside; /* threads in the receiver now */
    int most;   /* the largest number of them */
    int nested; /* status of the call that was made in the receiver; 1 before it */
};

static void receive(void *user_data, int32_t level, const char *target, const char *message, size_t len)
{
    struct receiver_state *state = (struct receiver_state *)user_data;
    struct timespec limit;
    int is_first;
    (void)level;
    (void)target;
    (void)message;
    (void)len;
    clock_gettime(CLOCK_REALTIME, &limit);
    limit.tv_sec += 20;
    pthread_mutex_lock(&state->mutex);
    state->inside++;
    state->most = state->inside > state->most ? state->inside : state->most;
    pthread_cond_broadcast(&state->entered);
    while (state->most < 2 && pthread_cond_timedwait(&state->entered, &state->mutex, &limit) == 0) {
    }
    is_first = state->nested == 1;
    state->nested = is_first ? 2 : state->nested;
    pthread_mutex_unlock(&state->mutex);
    if (is_first) { /* no lock of the library is held, so the client can be used; its lines enter here again */
        apb_reply *reply = NULL;
        apb_status status = apb_balance(shared, "{}", APB_ZSTR, &reply);
        apb_reply_free(reply);
        pthread_mutex_lock(&state->mutex);
        state->nested = status;
        pthread_mutex_unlock(&state->mutex);
    }
    pthread_mutex_lock(&state->mutex);
    state->inside--;
    pthread_mutex_unlock(&state->mutex);
}

/* Each of two threads waits in the receiver until the other is in it too. */
static void concurrent_receivers(apb_client *client)
{
    struct receiver_state state = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0, 1};
    CHECK(apb_client_set_log(client, receive, &state, 5) == APB_OK);
    run(balances, 2, NULL);
    CHECK(apb_client_set_log(client, NULL, NULL, 0) == APB_OK);
    CHECK(state.most >= 2);
    CHECK(state.nested == APB_OK);
    CHECK(state.inside == 0);
}

int main(int argc, char **argv)
{
    int threads = argc > 2 ? atoi(argv[2]) : 64;
    int done = 0;
    int wrong = 0;
    int i;
    int j;
    apb_client *client;
    char *ledger;
    const char *at;
    if (argc < 2 || threads > MAX_THREADS) {
        return 2;
    }
    base_url = argv[1];
    rounds = argc > 3 ? atoi(argv[3]) : rounds;
    client = flow_client(base_url, ",\"maxConnections\":16");
    shared = client;
    for (i = 0; i < threads; i++) {
        for (j = 0; j < rounds; j++) {
            sim_order(base_url, "{\"airline\":\"F9\"}", orders[i][j], sizeof orders[i][j]);
        }
    }
    run(voids, threads, NULL);
    for (i = 0; i < threads; i++) {
        done += executed[i];
        wrong += unexpected[i];
    }
    CHECK(done == threads * rounds);
    CHECK(wrong == 0);
    ledger = sim(base_url, "GET", "/_sim/ledger", "");
    for (at = ledger, done = 0; (at = strstr(at, "\"executed\":true")) != NULL; at++) {
        done++;
    }
    free(ledger);
    CHECK(done == threads * rounds);

    concurrent_receivers(client);
    run(balances, threads, client);
    for (i = 0, wrong = 0; i < threads; i++) {
        wrong += unexpected[i];
    }
    CHECK(wrong == 0);
    CHECK(apb_live_handles() == 0);
    return check_end();
}
