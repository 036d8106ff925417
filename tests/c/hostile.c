/*
 * hostile.c - submits and reads to a server that answers as no server should: never a crash, never a
 * hang, never a second request of a submit, and no outcome but the one that can be justified.
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

/* The names of the cases say what follows from them. */
static apb_outcome justified(const char *name)
{
    if (strncmp(name, "good", 4) == 0 || strncmp(name, "there", 5) == 0) {
        return APB_EXECUTED;
    }
    return strncmp(name, "refused", 7) == 0 ? APB_NOT_EXECUTED : APB_UNKNOWN;
}

static void one(const char *url, const char *name)
{
    char base[512];
    char words[512];
    size_t len = 0;
    int requests;
    apb_client *client;
    apb_reply *reply;
    sprintf(base, "%.200s/%.100s", url, name);
    client = flow_client(base, ",\"timeoutMs\":700,\"maxResponseBytes\":1000000,\"retry\":{\"maxAttempts\":2,\"baseDelayMs\":1}");

    reply = flow_call(client, "void", "{\"orderNo\":\"X\",\"voidOfferId\":\"q\"}");
    requests = requests_of(url, name);
    sprintf(words, "%s: %s, outcome %d, %d requests: %.200s", name, apb_status_name(apb_reply_status(reply)),
            apb_reply_outcome(reply), requests, apb_reply_message(reply));
    CHECK_AS(apb_reply_outcome(reply) == justified(name), words);
    CHECK_AS(requests <= 1, words);
    CHECK_AS(strstr(apb_reply_json(reply, &len), "\"operation\":\"void\"") != NULL, words);
    CHECK_AS(strlen(apb_reply_json(reply, NULL)) == len, words);
    CHECK_AS(apb_reply_outcome(reply) != APB_UNKNOWN || strstr(apb_reply_json(reply, NULL), "queryVoidOrders") != NULL, words);
    CHECK_AS(strncmp(name, "good", 4) != 0 || apb_reply_status(reply) == APB_OK, words);
    apb_reply_free(reply);

    /* A read has no effect: whatever comes, it either succeeded or did not. */
    reply = flow_call(client, "queryVoidOrders", "{\"orderNo\":\"X\"}");
    sprintf(words, "read, %s: %s, outcome %d", name, apb_status_name(apb_reply_status(reply)), apb_reply_outcome(reply));
    CHECK_AS(apb_reply_outcome(reply) == (apb_reply_status(reply) == APB_OK ? APB_EXECUTED : APB_NOT_EXECUTED), words);
    CHECK_AS(apb_reply_status(reply) != APB_E_INTERNAL && apb_reply_status(reply) != APB_E_PANIC, words);
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
        one(argv[1], argv[i]);
    }
    CHECK(apb_live_handles() == 0);
    return check_end();
}
