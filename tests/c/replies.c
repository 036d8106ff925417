/*
 * replies.c - reading replies, and the functions of the operations: all are there, and each gives the same
 * reply as apb_call().
 *
 *   replies BASE_URL
 */
#include "flow.h"
#include "operations.h"

static void statuses(void)
{
    CHECK(apb_abi_version() == APB_ABI_VERSION);
    CHECK(strlen(apb_version()) > 0 && apb_version() == apb_version());
    CHECK(strcmp(apb_status_name(APB_OK), "APB_OK") == 0);
    CHECK(strcmp(apb_status_name(APB_E_TIMEOUT), "APB_E_TIMEOUT") == 0);
    CHECK(strcmp(apb_status_name(-92), "APB_E_PANIC") == 0);
    CHECK(strcmp(apb_status_name(1), "APB_E_?") == 0);
    CHECK(strcmp(apb_status_name(-10), "APB_E_?") == 0);
    CHECK(strcmp(apb_status_name(-2147483647 - 1), "APB_E_?") == 0);
    CHECK(APB_UNKNOWN == 0);
}

/* Fields by JSON Pointer. */
static void fields(const apb_client *client, const char *base_url)
{
    char order_no[128];
    char request[256];
    size_t len = 7;
    int32_t ok = 7;
    apb_reply *reply;
    const char *text;
    sim_order(base_url, "{\"passengers\":2}", order_no, sizeof order_no);
    sprintf(request, "{\"orderNo\":\"%s\"}", order_no);
    reply = flow_call(client, "queryOrderDetails", request);
    text = apb_reply_get(reply, "/data/orderNo", &len);
    CHECK(text != NULL && strcmp(text, order_no) == 0 && len == strlen(order_no));
    CHECK(text == apb_reply_get(reply, "/data/orderNo", NULL));
    CHECK(strcmp(apb_reply_get(reply, "/ok", NULL), "true") == 0);
    CHECK(apb_reply_get_bool(reply, "/ok", &ok) == 1 && ok == 1);
    CHECK(apb_reply_get_bool(reply, "/operation", &ok) == 0 && ok == 0);
    CHECK(apb_reply_get_int(reply, "/meta/httpStatus", &ok) == 200 && ok == 1);
    CHECK(strcmp(apb_reply_get(reply, "/meta/httpStatus", NULL), "200") == 0);
    CHECK(apb_reply_get_int(reply, "/data/orderNo", &ok) == 0 && ok == 0);
    CHECK(apb_reply_get_int(reply, "/nothing", NULL) == 0);
    CHECK(apb_reply_count(reply, "/data/paxTicketInfos") == 2 && apb_reply_count(reply, "/ok") == 0);
    CHECK(apb_reply_get(reply, "/data/paxTicketInfos/1/name", &len) != NULL && len > 0);
    CHECK(apb_reply_get(reply, "/data/paxTicketInfos/2/name", &len) == NULL && len == 0);
    CHECK(apb_reply_get(reply, "/data", NULL) == NULL && apb_reply_get(reply, "/error", NULL) == NULL);
    CHECK(apb_reply_get(reply, "", NULL) == NULL && apb_reply_get(reply, "data/orderNo", NULL) == NULL);
    CHECK(apb_reply_get(reply, NULL, &len) == NULL && apb_reply_get(NULL, "/ok", &len) == NULL);
    CHECK(apb_reply_get(reply, "/\xff", NULL) == NULL && apb_reply_count(NULL, "/data") == 0);
    CHECK(apb_reply_get_int(NULL, "/ok", &ok) == 0 && ok == 0 && apb_reply_get_bool(NULL, NULL, NULL) == 0);
    apb_reply_free(reply);
}

/* One success and what can be read of it. */
static void success(const apb_client *client, const char *base_url)
{
    char order_no[128];
    char request[256];
    size_t len = 0;
    size_t raw_len = 0;
    apb_reply *reply;
    sim_order(base_url, "{}", order_no, sizeof order_no);
    sprintf(request, "{\"orderNo\":\"%s\"}", order_no);
    reply = flow_call(client, "queryOrderDetails", request);
    CHECK(apb_reply_status(reply) == APB_OK);
    CHECK(apb_reply_outcome(reply) == APB_EXECUTED);
    CHECK(apb_reply_http_status(reply) == 200);
    CHECK(apb_reply_vendor_status(reply) == 0);
    CHECK(strcmp(apb_reply_message(reply), "") == 0);
    CHECK(strncmp(apb_reply_json(reply, &len), "{\"ok\":true,\"operation\":\"queryOrderDetails\"", 41) == 0);
    CHECK(strlen(apb_reply_json(reply, NULL)) == len);
    CHECK(apb_reply_json(reply, NULL) == apb_reply_json(reply, NULL));
    CHECK(apb_reply_raw(reply, &raw_len) != NULL && raw_len > 100);
    CHECK(apb_reply_raw(reply, NULL)[raw_len] == '\0');
    CHECK(strstr(apb_reply_json(reply, NULL), "s3cr3t") == NULL);
    apb_reply_free(reply);

    reply = flow_call(client, "queryOrderDetails", "{\"orderNo\":\"NOSUCHORDER\"}");
    CHECK(apb_reply_status(reply) == APB_E_NOT_FOUND);
    CHECK(apb_reply_outcome(reply) == APB_NOT_EXECUTED);
    CHECK(apb_reply_vendor_status(reply) == 800);
    CHECK(strlen(apb_reply_message(reply)) > 0);
    apb_reply_free(reply);

    reply = flow_call(client, "queryOrderDetails", "{}");
    CHECK(apb_reply_status(reply) == APB_E_REQUEST);
    CHECK(apb_reply_http_status(reply) == 0);
    CHECK(apb_reply_vendor_status(reply) == APB_NO_VENDOR_STATUS);
    raw_len = 5;
    CHECK(apb_reply_raw(reply, &raw_len) == NULL && raw_len == 0);
    apb_reply_free(reply);
}

/* apb_call() and the function of the operation give the same bytes, except for the elapsed time. */
static void equal(const apb_client *client)
{
    size_t i;
    for (i = 0; i < OPERATION_COUNT; i++) {
        apb_reply *generic = flow_call(client, operations[i].name, "{\"orderNo\":\"NOSUCHORDER\"}");
        apb_reply *by_name = NULL;
        char *one;
        char *other;
        size_t len;
        CHECK_MSG(operations[i].function(client, "{\"orderNo\":\"NOSUCHORDER\"}", APB_ZSTR, &by_name) == apb_reply_status(generic),
                 operations[i].name);
        one = (char *)malloc(strlen(apb_reply_json(generic, NULL)) + 1);
        other = (char *)malloc(strlen(apb_reply_json(by_name, &len)) + 1);
        strcpy(one, apb_reply_json(generic, NULL));
        strcpy(other, apb_reply_json(by_name, NULL));
        sim_without_time(one);
        sim_without_time(other);
        if (!CHECK_MSG(strcmp(one, other) == 0, operations[i].name)) {
            printf("  %s\n  %s\n", one, other);
        }
        free(one);
        free(other);
        apb_reply_free(generic);
        apb_reply_free(by_name);
    }
}

/* Every operation has its function, and is described. */
static void complete(void)
{
    apb_reply *all = NULL;
    size_t i;
    size_t seen = 0;
    CHECK(apb_describe(NULL, &all) == APB_OK);
    for (i = 0;; i++) {
        char path[64];
        char name[64];
        size_t len;
        size_t j;
        int found = 0;
        sprintf(path, "data.operations.%lu", (unsigned long)i);
        if (json_find(apb_reply_json(all, NULL), path, &len) == NULL) {
            break;
        }
        strcat(path, ".name");
        json_text(apb_reply_json(all, NULL), path, name, sizeof name);
        for (j = 0; j < OPERATION_COUNT; j++) {
            found |= strcmp(name, operations[j].name) == 0;
        }
        CHECK_MSG(found, name);
        seen += (size_t)found;
    }
    CHECK(seen == OPERATION_COUNT);
    apb_reply_free(all);
    for (i = 0; i < OPERATION_COUNT; i++) {
        apb_reply *one = NULL;
        CHECK_MSG(apb_describe(operations[i].name, &one) == APB_OK, operations[i].name);
        CHECK_MSG(strstr(apb_reply_json(one, NULL), "\"request\":{") != NULL, operations[i].name);
        apb_reply_free(one);
    }
}

/* These need no client and no network. */
static void local(void)
{
    apb_reply *reply = NULL;
    CHECK(apb_parse_webhook(NULL, "{\"type\":\"refund.updated\",\"orderNo\":\"X\"}", APB_ZSTR, &reply) <= 0);
    CHECK(reply != NULL && strstr(apb_reply_json(reply, NULL), "\"operation\":\"parseWebhook\"") != NULL);
    apb_reply_free(reply);
    reply = NULL;
    CHECK(apb_validate("void", "{\"orderNo\":\"X\",\"voidOfferId\":\"o\"}", APB_ZSTR, &reply) == APB_OK);
    CHECK(strstr(apb_reply_json(reply, NULL), "\"valid\":true") != NULL);
    apb_reply_free(reply);
    reply = NULL;
    CHECK(apb_validate("void", "{\"orderNo\":\"X\",\"voidOferId\":\"o\"}", APB_ZSTR, &reply) == APB_E_REQUEST);
    CHECK(strstr(apb_reply_json(reply, NULL), "voidOfferId") != NULL); /* the nearest name */
    apb_reply_free(reply);
}

int main(int argc, char **argv)
{
    apb_client *client;
    if (argc < 2) {
        return 2;
    }
    statuses();
    client = flow_client(argv[1], "");
    fields(client, argv[1]);
    success(client, argv[1]);
    equal(client);
    complete();
    local();
    apb_client_free(client);
    CHECK(apb_live_handles() == 0);
    return check_end();
}
