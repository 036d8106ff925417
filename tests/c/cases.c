/*
 * cases.c - the C functions with a store: a key is opened by several threads, clients and forked processes,
 * and gives one case and one submit; the file has mode 0600; a follow-up can be cancelled.
 *
 *   cases BASE_URL
 */
#include <pthread.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "flow.h"

enum { THREADS = 8 };

static const char *base_url;
static char store[256];
static char order_no[128];
static apb_client *clients[2];
static char ids[THREADS][64];
static int executed[THREADS];

static apb_client *client_with_store(void)
{
    char more[512];
    sprintf(more, ",\"store\":{\"path\":\"%s\"},\"clock\":{\"url\":\"%s/_sim/clock\"}", store, base_url);
    return flow_client(base_url, more);
}

/* Opens a void of an order; the outcome, and the id of the case. */
static apb_outcome open_void(const apb_client *client, const char *order, const char *key, char id[64])
{
    char request[512];
    apb_reply *reply = NULL;
    apb_outcome outcome;
    sprintf(request, "{\"kind\":\"void\",\"orderNo\":\"%s\",\"key\":\"%s\"}", order, key);
    apb_case_open(client, request, APB_ZSTR, &reply);
    outcome = apb_reply_outcome(reply);
    flow_take_text(reply, "case.id", id, 64);
    return outcome;
}

/* The number of executed voids of an order, by the ledger. */
static int executed_voids(const char *order)
{
    char *ledger = sim(base_url, "GET", "/_sim/ledger", "");
    char path[64];
    char value[128];
    int count = 0;
    int i;
    for (i = 0; sprintf(path, "entries.%d.orderNo", i), *json_text(ledger, path, value, sizeof value) != '\0'; i++) {
        int same = strcmp(value, order) == 0;
        sprintf(path, "entries.%d.executed", i);
        count += same && strcmp(json_text(ledger, path, value, sizeof value), "true") == 0;
    }
    free(ledger);
    return count;
}

static void *opens(void *argument)
{
    size_t me = (size_t)(uintptr_t)argument;
    executed[me] = open_void(clients[me % 2], order_no, "shared", ids[me]) == APB_EXECUTED;
    return NULL;
}

static void one_key_many_threads(void)
{
    pthread_t made[THREADS];
    struct stat file;
    size_t i;
    sim_order(base_url, "{\"airline\":\"F9\"}", order_no, sizeof order_no);
    for (i = 0; i < THREADS; i++) {
        CHECK(pthread_create(&made[i], NULL, opens, (void *)(uintptr_t)i) == 0);
    }
    for (i = 0; i < THREADS; i++) {
        pthread_join(made[i], NULL);
    }
    for (i = 0; i < THREADS; i++) {
        CHECK(executed[i] && strlen(ids[i]) == 26 && strcmp(ids[i], ids[0]) == 0);
    }
    CHECK(executed_voids(order_no) == 1);
    CHECK(stat(store, &file) == 0 && (file.st_mode & 0777) == 0600);
}

/* Children of a process that has used the store: each opens a case of its own and the parent's. */
static void forks(void)
{
    char orders[4][128];
    char id[64];
    int i;
    for (i = 0; i < 4; i++) {
        sim_order(base_url, "{\"airline\":\"F9\"}", orders[i], sizeof orders[i]);
    }
    for (i = 0; i < 3; i++) {
        pid_t child;
        fflush(stdout); /* else the child would print it again */
        child = fork();
        if (child == 0) {
            char key[32];
            int good;
            sprintf(key, "child-%d", i);
            good = open_void(clients[0], orders[i], key, id) == APB_EXECUTED;
            good &= open_void(clients[0], order_no, "shared", id) == APB_EXECUTED && strcmp(id, ids[0]) == 0;
            apb_client_free(clients[0]);
            _exit(good ? 0 : 1);
        }
        CHECK(child > 0);
    }
    CHECK(open_void(clients[0], orders[3], "parent", id) == APB_EXECUTED);
    for (i = 0; i < 3; i++) {
        int status = 1;
        CHECK(wait(&status) > 0 && status == 0);
    }
    for (i = 0; i < 4; i++) {
        CHECK(executed_voids(orders[i]) == 1);
    }
    flow_take_text(flow_call(clients[1], "case.list", "{\"limit\":500}"), "data.cases.4.id", id, sizeof id);
    CHECK(strlen(id) == 26); /* all five are in the one store */
}

static void *sets(void *token)
{
    struct timespec pause = {0, 300000000};
    nanosleep(&pause, NULL);
    apb_cancel_set((const apb_cancel *)token);
    return NULL;
}

static void cancelled_follow_up(void)
{
    static const char request[] = "{\"all\":true,\"until\":\"final\",\"timeoutMs\":600000}";
    apb_cancel *token = apb_cancel_new();
    apb_reply *reply = NULL;
    pthread_t other;
    time_t start = time(NULL);
    CHECK(pthread_create(&other, NULL, sets, token) == 0);
    apb_call(clients[0], "case.follow", request, APB_ZSTR, NULL, 0, token, &reply);
    pthread_join(other, NULL);
    CHECK(time(NULL) - start < 60);
    CHECK(apb_reply_outcome(reply) != APB_UNKNOWN); /* a follow-up has no effect at the vendor */
    apb_reply_free(reply);
    apb_cancel_free(token);
}

static void without_a_store(void)
{
    apb_client *client = flow_client(base_url, "");
    apb_reply *reply = NULL;
    CHECK(apb_case_list(client, "{}", APB_ZSTR, &reply) == APB_E_STORE);
    CHECK(apb_reply_outcome(reply) == APB_NOT_EXECUTED);
    apb_reply_free(reply);
    reply = NULL;
    CHECK(apb_case_get(NULL, "{\"key\":\"k\"}", APB_ZSTR, &reply) == APB_E_NULL);
    apb_reply_free(reply);
    CHECK(apb_case_get(client, "{\"key\":\"k\"}", APB_ZSTR, NULL) == APB_E_NULL);
    apb_client_free(client);
}

int main(int argc, char **argv)
{
    char directory[] = "/tmp/apb-cases-XXXXXX";
    char name[300];
    if (argc < 2 || mkdtemp(directory) == NULL) {
        return 2;
    }
    base_url = argv[1];
    sprintf(store, "%s/cases.db", directory);
    clients[0] = client_with_store();
    clients[1] = client_with_store();
    one_key_many_threads();
    forks();
    cancelled_follow_up();
    without_a_store();
    apb_client_free(clients[0]);
    apb_client_free(clients[1]);
    CHECK(apb_live_handles() == 0);
    sprintf(name, "%s-wal", store);
    remove(name);
    sprintf(name, "%s-shm", store);
    remove(name);
    sprintf(name, "%s-witness", store);
    remove(name);
    remove(store);
    CHECK(rmdir(directory) == 0); /* no other file is in it */
    return check_end();
}
