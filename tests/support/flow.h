/*
 * flow.h - what the suites share: a client, calls, and for each submit an order and its request.
 */
#ifndef FLOW_H
#define FLOW_H

#include "atlas_postbooking.h"
#include "check.h"
#include "sim.h"

static apb_client *flow_client(const char *base_url, const char *more)
{
    char config[1024];
    apb_client *client = NULL;
    sprintf(config, "{\"baseUrl\":\"%.300s\",\"clientId\":\"me\",\"clientSecret\":\"s3cr3t\"%.300s}", base_url, more);
    CHECK(apb_client_new(config, APB_ZSTR, &client, NULL) == APB_OK);
    return client;
}

/* Calls an operation; the reply is never NULL. */
static apb_reply *flow_call(const apb_client *client, const char *operation, const char *request)
{
    apb_reply *reply = NULL;
    apb_status status = apb_call(client, operation, request, APB_ZSTR, NULL, 0, NULL, &reply);
    if (reply == NULL || status != apb_reply_status(reply)) {
        printf("FAILED: %s: no reply, or one of another status\n", operation);
        exit(1);
    }
    return reply;
}

/* Copies a value of a reply and frees the reply. */
static void flow_take_text(apb_reply *reply, const char *path, char *out, size_t size)
{
    json_text(apb_reply_json(reply, NULL), path, out, size);
    apb_reply_free(reply);
}

/* The refundRequestList for the only passenger and the only segment of an order. */
static void flow_refund_list(const apb_client *client, const char *order_no, char *out)
{
    char request[256];
    char name[128];
    char flight[64];
    char from[16];
    char to[16];
    char time[64];
    const char *json;
    apb_reply *order;
    sprintf(request, "{\"orderNo\":\"%.100s\"}", order_no);
    order = flow_call(client, "queryOrderDetails", request);
    json = apb_reply_json(order, NULL);
    json_text(json, "data.paxTicketInfos.0.name", name, sizeof name);
    json_text(json, "data.routing.fromSegments.0.flightNumber", flight, sizeof flight);
    json_text(json, "data.routing.fromSegments.0.depAirport", from, sizeof from);
    json_text(json, "data.routing.fromSegments.0.arrAirport", to, sizeof to);
    json_text(json, "data.routing.fromSegments.0.depTime", time, sizeof time);
    sprintf(out,
            "[{\"name\":\"%s\",\"segments\":[{\"flightNo\":\"%s\",\"depAirport\":\"%s\",\"arrAirport\":\"%s\","
            "\"depDate\":\"%.10s\"}]}]",
            name, flight, from, to, time);
    apb_reply_free(order);
}

/* Creates an order, and the request that submits `operation` for it. */
static void flow_prepare(const apb_client *client, const char *base_url, const char *operation, char *order_no, char *request)
{
    char query[2048];
    char id[128];
    int unpaid = strcmp(operation, "pay") == 0;
    int ticketing = strcmp(operation, "stopTicket") == 0;
    int cancelled = strcmp(operation, "regenerateOrder") == 0;
    sim_order(base_url,
              unpaid      ? "{\"state\":\"unpaid\"}"
              : ticketing ? "{\"state\":\"ticketing\",\"ticketingSeconds\":86400}"
              : cancelled ? "{\"state\":\"cancelled\"}"
                          : "{\"airline\":\"F9\"}",
              order_no, 128);
    if (unpaid) {
        sprintf(request, "{\"orderNo\":\"%s\",\"paymentMethod\":1}", order_no);
    } else if (ticketing) {
        sprintf(request, "{\"orderNo\":\"%s\"}", order_no);
    } else if (cancelled) {
        sprintf(request, "{\"originalOrderNo\":\"%s\"}", order_no);
    } else if (strcmp(operation, "void") == 0) {
        sprintf(query, "{\"orderNo\":\"%s\"}", order_no);
        flow_take_text(flow_call(client, "voidQuotation", query), "data.voidOfferId", id, sizeof id);
        sprintf(request, "{\"orderNo\":\"%s\",\"voidOfferId\":\"%s\"}", order_no, id);
    } else if (strcmp(operation, "refund") == 0) {
        char list[1024];
        flow_refund_list(client, order_no, list);
        sprintf(query, "{\"orderNo\":\"%s\",\"refundRequestList\":%s}", order_no, list);
        flow_take_text(flow_call(client, "refundQuotation", query), "data.refundOfferId", id, sizeof id);
        sprintf(request, "{\"orderNo\":\"%s\",\"refundOfferId\":\"%s\"}", order_no, id);
    } else {
        char name[128];
        char product[128];
        apb_reply *shop;
        sprintf(query, "{\"orderNo\":\"%s\"}", order_no);
        flow_take_text(flow_call(client, "queryOrderDetails", query), "data.paxTicketInfos.0.name", name, sizeof name);
        sprintf(query, "{\"ticketOrderNo\":\"%s\",\"ancillaryCategory\":\"BAGGAGE\"}", order_no);
        shop = flow_call(client, "postBookingAncillarySearch", query);
        json_text(apb_reply_json(shop, NULL), "data.ancillaryProductElements.0.productCode", product, sizeof product);
        flow_take_text(shop, "data.sessionId", id, sizeof id);
        sprintf(request,
                "{\"sessionId\":\"%s\",\"ancillaryCategory\":\"BAGGAGE\",\"ticketOrderNo\":\"%s\",\"passengers\":[{\"name\":"
                "\"%s\",\"passengerType\":0,\"ancillaries\":[{\"productCode\":\"%s\",\"segmentIndex\":1}]}]}",
                id, order_no, name, product);
    }
}

#endif
