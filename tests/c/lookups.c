/*
 * lookups.c - lookups of host names that hang keep neither stores nor calls to other hosts waiting.
 *
 *   lookups BASE_URL
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netdb.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

#include "flow.h"

enum { STUCK = 20, POOL = 16 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int waiting;
static int released;

typedef int (*lookup)(const char *, const char *, const struct addrinfo *, struct addrinfo **);

/* Takes the place of the C library's: some lookups hang until the test ends them. */
int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **found)
{
    if (node == NULL || strncmp(node, "stuck.", 6) != 0) {
        /* No conversion from an object pointer to a function pointer: ISO C has none. */
        union {
            void *object;
            lookup function;
        } real;
        real.object = dlsym(RTLD_NEXT, "getaddrinfo");
        return real.function(node, service, hints, found);
    }
    pthread_mutex_lock(&lock);
    waiting++;
    pthread_cond_broadcast(&changed);
    while (!released) {
        pthread_cond_wait(&changed, &lock);
    }
    pthread_mutex_unlock(&lock);
    return EAI_AGAIN;
}

static void *look_up(void *client)
{
    apb_reply *reply = flow_call((const apb_client *)client, "balance", "{}");
    CHECK(apb_reply_outcome(reply) != APB_EXECUTED);
    apb_reply_free(reply);
    return NULL;
}

int main(int argc, char **argv)
{
    pthread_t threads[STUCK];
    char more[400];
    char file[] = "/tmp/apb-lookups-XXXXXX";
    char order_no[64];
    char request[256];
    apb_client *stuck;
    apb_client *client;
    apb_reply *reply;
    int i;
    if (argc != 2 || mkdtemp(file) == NULL) {
        return 2;
    }
    stuck = flow_client("https://stuck.example", "");
    sprintf(more, ",\"store\":{\"path\":\"%s/cases.db\"}", file);
    client = flow_client(argv[1], more);
    for (i = 0; i < STUCK; i++) {
        pthread_create(&threads[i], NULL, look_up, stuck);
    }
    pthread_mutex_lock(&lock);
    while (waiting < POOL) {
        pthread_cond_wait(&changed, &lock);
    }
    pthread_mutex_unlock(&lock);
    sim_order(argv[1], "{\"airline\":\"F9\"}", order_no, sizeof order_no);
    sprintf(request, "{\"kind\":\"void\",\"orderNo\":\"%s\",\"key\":\"k\"}", order_no);
    reply = flow_call(client, "case.open", request);
    CHECK(apb_reply_outcome(reply) == APB_EXECUTED);
    apb_reply_free(reply);
    CHECK(!released);
    pthread_mutex_lock(&lock);
    released = 1;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
    for (i = 0; i < STUCK; i++) {
        pthread_join(threads[i], NULL);
    }
    apb_client_free(client);
    apb_client_free(stuck);
    return check_end();
}
