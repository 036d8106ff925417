/*
 * fork.c - parent and child both go on with a client that was made before the fork, and each gets
 * its own answers: the child opens its own connections.
 *
 *   fork BASE_URL
 */
#include <sys/wait.h>

#include "flow.h"

static int voided(const apb_client *client, const char *base_url)
{
    char order_no[128];
    char request[2048];
    char echo[128];
    apb_outcome outcome;
    apb_reply *reply;
    flow_ready(client, base_url, "void", order_no, request);
    reply = flow_call(client, "void", request);
    outcome = apb_reply_outcome(reply);
    flow_take(reply, "data.orderNo", echo, sizeof echo);
    return outcome == APB_EXECUTED && strcmp(echo, order_no) == 0;
}

/* A child that voids, and in its turn has a child. 0 if all is well. */
static int generation(apb_client *client, const char *base_url, int depth)
{
    int status = 0;
    pid_t child;
    if (!voided(client, base_url)) {
        return 1;
    }
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

int main(int argc, char **argv)
{
    apb_client *client;
    int i;
    if (argc < 2) {
        return 2;
    }
    client = flow_client(argv[1], "");
    CHECK(generation(client, argv[1], 3) == 0);
    /* Several children at once, beside a parent that goes on. */
    for (i = 0; i < 4; i++) {
        pid_t child = fork();
        if (child == 0) {
            _exit(voided(client, argv[1]) && voided(client, argv[1]) ? 0 : 1);
        }
        CHECK(child > 0);
        CHECK(voided(client, argv[1]));
    }
    for (i = 0; i < 4; i++) {
        int status = 1;
        CHECK(wait(&status) > 0 && status == 0);
    }
    CHECK(voided(client, argv[1]));
    apb_client_free(client);
    CHECK(apb_live_handles() == 0);
    return check_end();
}
