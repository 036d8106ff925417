/*
 * faults.c - each submit with each fault: the outcome must not contradict the simulator's ledger, and
 * at most one request is sent.
 *
 *   faults BASE_URL
 */
#include "flow.h"

static const char *const submits[] = {"void", "refund", "pay", "postBookingAncillaryOrder", "regenerateOrder", "stopTicket"};

/* A fault, and the outcome that it must give: '?' unknown, 'n' not executed, 'y' executed. */
static const struct {
    const char *fault;
    char outcome;
} faults[] = {
    {"", 'y'},
    {"\"mode\":\"drop_before\"", '?'},
    {"\"mode\":\"drop_after\"", '?'},
    {"\"mode\":\"cut\",\"afterBytes\":0", '?'},
    {"\"mode\":\"cut\",\"afterBytes\":1", '?'},
    {"\"mode\":\"cut\",\"afterBytes\":17", '?'},
    {"\"mode\":\"cut\"", '?'},
    {"\"mode\":\"delay\",\"delayMs\":50", 'y'},
    {"\"mode\":\"delay\",\"delayMs\":900", '?'},
    {"\"mode\":\"late\",\"delayMs\":3600000,\"virtual\":true", '?'},
    {"\"mode\":\"trickle\",\"delayMs\":200", '?'},
    {"\"mode\":\"http\",\"status\":500", '?'},
    {"\"mode\":\"http\",\"status\":502,\"execute\":true", '?'},
    {"\"mode\":\"http\",\"status\":503,\"execute\":true", '?'},
    {"\"mode\":\"http\",\"status\":504,\"execute\":true", '?'},
    {"\"mode\":\"http\",\"status\":408", '?'},
    {"\"mode\":\"http\",\"status\":302", '?'},
    {"\"mode\":\"http\",\"status\":307,\"execute\":true", '?'},
    {"\"mode\":\"http\",\"status\":200,\"execute\":true", '?'},
    {"\"mode\":\"http\",\"status\":404", 'n'},
    {"\"mode\":\"http\",\"status\":401", 'n'},
    {"\"mode\":\"http\",\"status\":413", 'n'},
    {"\"mode\":\"rate_limit\"", 'n'},
    {"\"mode\":\"rate_limit\",\"status\":200", 'n'},
    {"\"mode\":\"garbage\",\"variant\":\"text\"", '?'},
    {"\"mode\":\"garbage\",\"variant\":\"json\"", '?'},
    {"\"mode\":\"garbage\",\"variant\":\"gzip\"", '?'},
    {"\"mode\":\"garbage\",\"variant\":\"array\"", '?'},
    {"\"mode\":\"garbage\",\"variant\":\"nostatus\"", '?'},
    {"\"mode\":\"garbage\",\"variant\":\"empty\"", '?'},
    {"\"mode\":\"garbage\",\"variant\":\"text\",\"execute\":false", '?'},
    {"\"mode\":\"oversize\",\"bytes\":3000000", '?'},
    {"\"mode\":\"oversize\",\"bytes\":3000000,\"variant\":\"gzip\"", '?'},
    {"\"mode\":\"reply\",\"body\":{\"status\":9999}", '?'},
    {"\"mode\":\"reply\",\"body\":{\"status\":-1},\"execute\":false", '?'},
    {"\"mode\":\"reply\",\"body\":{\"status\":\"0\"}", 'y'},
};

/* The number of rows about a submit of an order, in the ledger or in the request log. */
static int count(const char *base_url, const char *page, const char *list, const char *operation, const char *order_no,
                 int only_executed)
{
    char *text = sim(base_url, "GET", page, "");
    int rows = 0;
    int i;
    for (i = 0;; i++) {
        char path[64];
        char value[64];
        const char *row;
        char *copy;
        size_t len;
        sprintf(path, "%s.%d", list, i);
        row = json_find(text, path, &len);
        if (row == NULL) {
            break;
        }
        copy = (char *)calloc(1, len + 1);
        memcpy(copy, row, len);
        if (strcmp(json_text(copy, "endpoint", value, sizeof value), operation) == 0 && strstr(copy, order_no) != NULL &&
            (!only_executed || strcmp(json_text(copy, "executed", value, sizeof value), "true") == 0)) {
            rows++;
        }
        free(copy);
    }
    free(text);
    return rows;
}

static void submit_with_fault(const apb_client *client, const char *base_url, const char *operation, const char *fault, char expected)
{
    char order_no[128];
    char request[2048];
    char message[512];
    char body[512];
    int executed;
    int requests;
    apb_outcome outcome;
    apb_reply *reply;

    flow_prepare(client, base_url, operation, order_no, request);
    if (*fault != '\0') {
        sprintf(body, "{\"endpoint\":\"%s\",%s}", operation, fault);
        sim_post(base_url, "/_sim/faults", body);
    }
    reply = flow_call(client, operation, request);
    outcome = apb_reply_outcome(reply);
    /* After that, delayed requests have been executed. */
    sim_post(base_url, "/_sim/clock", "{\"advance\":\"2h\"}");
    requests = count(base_url, "/_sim/requests", "requests", operation, order_no, 0);
    executed = count(base_url, "/_sim/ledger", "entries", operation, order_no, 1);
    sprintf(message, "%s {%s}: %s, outcome %d, %d requests, %d executed", operation, fault,
            apb_status_name(apb_reply_status(reply)), outcome, requests, executed);
    CHECK_MSG(requests == 1, message);
    CHECK_MSG(executed <= 1, message);
    CHECK_MSG(outcome != APB_EXECUTED || executed == 1, message);
    CHECK_MSG(outcome != APB_NOT_EXECUTED || executed == 0, message);
    CHECK_MSG(outcome == (expected == 'y' ? APB_EXECUTED : expected == 'n' ? APB_NOT_EXECUTED : APB_UNKNOWN), message);
    /* With an unknown outcome the reply names the operation that settles it. */
    if (outcome == APB_UNKNOWN) {
        CHECK_MSG(strstr(apb_reply_json(reply, NULL), "\"next\":\"") != NULL, message);
        CHECK_MSG(strlen(apb_reply_message(reply)) > 0, message);
    }
    apb_reply_free(reply);
    sim_post(base_url, "/_sim/reset", "{}");
}

/* Without a connection nothing was sent: provably not executed. */
static void never_sent(void)
{
    apb_client *client = flow_client("http://127.0.0.1:1", "");
    size_t i;
    for (i = 0; i < sizeof submits / sizeof *submits; i++) {
        static const char *const requests[] = {
            "{\"orderNo\":\"X\",\"voidOfferId\":\"o\"}", "{\"orderNo\":\"X\",\"refundOfferId\":\"o\"}",
            "{\"orderNo\":\"X\",\"paymentMethod\":1}",
            "{\"sessionId\":\"s\",\"ancillaryCategory\":\"BAGGAGE\",\"ticketOrderNo\":\"X\",\"passengers\":[{\"name\":\"A/B\","
            "\"passengerType\":0,\"ancillaries\":[{\"productCode\":\"p\",\"segmentIndex\":1}]}]}",
            "{\"originalOrderNo\":\"X\"}", "{\"orderNo\":\"X\"}"};
        apb_reply *reply = flow_call(client, submits[i], requests[i]);
        CHECK_MSG(apb_reply_status(reply) == APB_E_CONNECT, submits[i]);
        CHECK_MSG(apb_reply_outcome(reply) == APB_NOT_EXECUTED, submits[i]);
        apb_reply_free(reply);
    }
    apb_client_free(client);
}

int main(int argc, char **argv)
{
    size_t i;
    size_t j;
    if (argc < 2) {
        return 2;
    }
    never_sent();
    for (i = 0; i < sizeof submits / sizeof *submits; i++) {
        for (j = 0; j < sizeof faults / sizeof *faults; j++) {
            /* A client of its own: after "too many requests" a client pauses. */
            apb_client *client = flow_client(argv[1], ",\"timeoutMs\":600,\"maxResponseBytes\":1000000");
            submit_with_fault(client, argv[1], submits[i], faults[j].fault, faults[j].outcome);
            apb_client_free(client);
        }
    }
    CHECK(apb_live_handles() == 0);
    return check_end();
}
