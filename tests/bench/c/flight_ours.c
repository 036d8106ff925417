/* Many calls in flight through one queue, from one thread. Only outcome and status of a reply are read. */
#include "flight.h"
#include <atlas_postbooking.h>

static apb_client *client;
static apb_queue *queue;

static void prepare(const char *base_url)
{
    char config[500];

    sprintf(config,
            "{\"baseUrl\":\"%.200s\",\"clientId\":\"%s\",\"clientSecret\":\"%s\",\"maxInFlight\":%lu,\"maxConnections\":%lu}",
            base_url, CLIENT_ID, CLIENT_SECRET, (unsigned long)in_flight, (unsigned long)in_flight);
    if (apb_client_new(config, APB_ZSTR, &client, NULL) != APB_OK || apb_queue_new(&queue) != APB_OK) {
        fail("client");
    }
}

static void start(size_t tag)
{
    size_t len = 0;
    char *body = build_request(QUOTE, &len);
    if (apb_start(client, "refundQuotation", body, len, NULL, 0, queue, tag, NULL) != APB_OK) {
        fail("start");
    }
    free(body);
}

static void fly(void)
{
    char *seen = (char *)calloc(calls, 1);
    size_t started = 0;
    size_t done = 0;
    uint64_t tag;
    apb_reply *reply;

    while (started < calls && started < in_flight) {
        start(started++);
    }
    while (done < calls) {
        if (apb_queue_next(queue, -1, &tag, &reply) != APB_OK || seen[tag]) {
            fail("next");
        }
        seen[tag] = 1;
        if (apb_reply_outcome(reply) != APB_EXECUTED || apb_reply_status(reply) != APB_OK) {
            fail(apb_reply_json(reply, NULL));
        }
        apb_reply_free(reply);
        if (done++ % 1000 == 0) {
            look();
        }
        if (started < calls) {
            start(started++);
        }
    }
    free(seen);
    apb_queue_free(queue);
    apb_client_free(client);
}
