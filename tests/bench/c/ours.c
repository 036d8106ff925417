/*
 * This library through the C ABI. With -DREAD_REPLY the reply's JSON is also parsed with yyjson, as by a
 * caller who needs its fields; otherwise only outcome and status are read.
 */
#include "request.h"
#include <atlas_postbooking.h>

static apb_client *client;

static void open_client(const char *base_url, enum mode mode)
{
    char config[500];

    (void)mode;
    sprintf(config, "{\"baseUrl\":\"%.200s\",\"clientId\":\"%s\",\"clientSecret\":\"%s\"}", base_url, CLIENT_ID,
            CLIENT_SECRET);
    if (apb_client_new(config, APB_ZSTR, &client, NULL) != APB_OK) {
        fail("client");
    }
}

static void one_call(enum mode mode)
{
    size_t len = 0;
    char *body = build_request(mode, &len);
    apb_reply *reply = NULL;

    switch (mode) {
    case QUOTE: apb_refund_quotation(client, body, len, &reply); break;
    case SUBMIT: apb_refund(client, body, len, &reply); break;
    case LIST: apb_order_list(client, body, len, &reply); break;
    }
    free(body);
    if (apb_reply_outcome(reply) != APB_EXECUTED || apb_reply_status(reply) != APB_OK) {
        fail(apb_reply_json(reply, NULL));
    }
#ifdef READ_REPLY
    {
        size_t size = 0;
        const char *json = apb_reply_json(reply, &size);
        yyjson_doc *doc = yyjson_read(json, size, 0);
        if (!yyjson_is_true(yyjson_obj_get(yyjson_doc_get_root(doc), "ok"))) {
            fail("ok");
        }
        yyjson_doc_free(doc);
    }
#endif
    apb_reply_free(reply);
}
