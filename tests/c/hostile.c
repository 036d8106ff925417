/*
 * hostile.c - submits and reads to a server with faulty answers: no crash, no hang, no second request of
 * a submit, and the one outcome that the answer proves.
 *
 *   hostile URL CASE...
 */
#include "flow.h"

static int requests_of(const char *url, const char *name)
{
    char path[128];
    char number[32];
    char *answer;
    sprintf(path, "/count/%.100s", name);
    answer = sim(url, "GET", path, "");
    json_text(answer, "requests", number, sizeof number);
    free(answer);
    return atoi(number);
}

/* The beginning of a case's name says which outcome is right. */
static apb_outcome expected_outcome(const char *name)
{
    if (strncmp(name, "good", 4) == 0 || strncmp(name, "read", 4) == 0) {
        return APB_EXECUTED;
    }
    return strncmp(name, "refused", 7) == 0 ? APB_NOT_EXECUTED : APB_UNKNOWN;
}

static void call_case(const char *url, const char *name)
{
    char base[512];
    char message[512];
    size_t len = 0;
    int requests;
    apb_client *client;
    apb_reply *reply;
    sprintf(base, "%.200s/%.100s", url, name);
    client = flow_client(base, ",\"timeoutMs\":700,\"maxResponseBytes\":1000000,\"retry\":{\"maxAttempts\":2,\"baseDelayMs\":1}");

    reply = flow_call(client, "void", "{\"orderNo\":\"X\",\"voidOfferId\":\"q\"}");
    requests = requests_of(url, name);
    sprintf(message, "%s: %s, outcome %d, %d requests: %.200s", name, apb_status_name(apb_reply_status(reply)),
            apb_reply_outcome(reply), requests, apb_reply_message(reply));
    CHECK_MSG(apb_reply_outcome(reply) == expected_outcome(name), message);
    CHECK_MSG(requests <= 1, message);
    CHECK_MSG(strstr(apb_reply_json(reply, &len), "\"operation\":\"void\"") != NULL, message);
    CHECK_MSG(strlen(apb_reply_json(reply, NULL)) == len, message);
    CHECK_MSG(apb_reply_outcome(reply) != APB_UNKNOWN || strstr(apb_reply_json(reply, NULL), "queryVoidOrders") != NULL, message);
    CHECK_MSG(strncmp(name, "good", 4) != 0 || apb_reply_status(reply) == APB_OK, message);
    apb_reply_free(reply);

    /* A read has no effect, so its outcome is never unknown. */
    reply = flow_call(client, "queryVoidOrders", "{\"orderNo\":\"X\"}");
    sprintf(message, "read, %s: %s, outcome %d", name, apb_status_name(apb_reply_status(reply)), apb_reply_outcome(reply));
    CHECK_MSG(apb_reply_outcome(reply) == (apb_reply_status(reply) == APB_OK ? APB_EXECUTED : APB_NOT_EXECUTED), message);
    CHECK_MSG(apb_reply_status(reply) != APB_E_INTERNAL && apb_reply_status(reply) != APB_E_PANIC, message);
    apb_reply_free(reply);
    apb_client_free(client);
}

int main(int argc, char **argv)
{
    int i;
    if (argc < 3) {
        return 2;
    }
    for (i = 2; i < argc; i++) {
        call_case(argv[1], argv[i]);
    }
    CHECK(apb_live_handles() == 0);
    return check_end();
}
