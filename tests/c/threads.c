/*
 * threads.c - 64 threads on one client: each void gets its own answer and none gets lost; and a
 * client that is freed while others use it ends nobody's call.
 *
 *   threads BASE_URL [THREADS] [ROUNDS]
 */
#include <pthread.h>
#include <stdint.h>

#include "flow.h"

enum { MOST = 256 };

static const char *base_url;
static const apb_client *shared;
static int rounds = 4;
static char orders[MOST][16][128];
static int executed[MOST];
static int strange[MOST];

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
        flow_take(reply, "data.voidOfferId", offer, sizeof offer);
        sprintf(request, "{\"orderNo\":\"%s\",\"voidOfferId\":\"%s\"}", orders[me][i], offer);
        reply = NULL;
        apb_void(shared, request, APB_ZSTR, &reply);
        executed[me] += apb_reply_outcome(reply) == APB_EXECUTED;
        flow_take(reply, "data.orderNo", echo, sizeof echo);
        strange[me] += strcmp(echo, orders[me][i]) != 0;
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
        /* Once the client is freed, calls are answered, not crashed. */
        strange[me] += status != APB_OK && status != APB_E_HANDLE;
        apb_reply_free(reply);
    }
    return NULL;
}

static void run(void *(*job)(void *), int threads, apb_client *free_meanwhile)
{
    pthread_t made[MOST];
    int i;
    for (i = 0; i < threads; i++) {
        CHECK(pthread_create(&made[i], NULL, job, (void *)(uintptr_t)i) == 0);
    }
    apb_client_free(free_meanwhile);
    for (i = 0; i < threads; i++) {
        CHECK(pthread_join(made[i], NULL) == 0);
    }
}

int main(int argc, char **argv)
{
    int threads = argc > 2 ? atoi(argv[2]) : 64;
    int done = 0;
    int odd = 0;
    int i;
    int j;
    apb_client *client;
    char *ledger;
    const char *at;
    if (argc < 2 || threads > MOST) {
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
        odd += strange[i];
    }
    CHECK(done == threads * rounds);
    CHECK(odd == 0);
    ledger = sim(base_url, "GET", "/_sim/ledger", "");
    for (at = ledger, done = 0; (at = strstr(at, "\"executed\":true")) != NULL; at++) {
        done++;
    }
    free(ledger);
    CHECK(done == threads * rounds);

    run(balances, threads, client);
    for (i = 0, odd = 0; i < threads; i++) {
        odd += strange[i];
    }
    CHECK(odd == 0);
    CHECK(apb_live_handles() == 0);
    return check_end();
}
