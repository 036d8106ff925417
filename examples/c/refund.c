/*
 * refund.c - a refund, from the quote to the money, weeks later.
 *
 *   refund BASE_URL ORDER_NO
 */
#include "follow.h"

static const struct matter a_refund = {
    "refund",     "refunded",           "refundOrders", "refundOfferId",         "refundStatus",
    "refundCode", apb_refund_quotation, apb_refund,     apb_query_refund_orders, 240,
};

/* A text that grows, for requests with lists. */
struct text {
    char *at;
    size_t len;
};

static void add(struct text *text, const char *piece, size_t len)
{
    text->at = (char *)realloc(text->at, text->len + len + 1);
    if (text->at == NULL) {
        exit(MISUSED);
    }
    memcpy(text->at + text->len, piece, len);
    text->len += len;
    text->at[text->len] = '\0';
}

/* Adds a value of the reply as the JSON that it is, so that nothing needs to be escaped again. */
static void add_value(struct text *text, const char *before, const apb_reply *reply, const char *path)
{
    size_t len = 0;
    const char *value = json_find(apb_reply_json(reply, NULL), path, &len);
    add(text, before, strlen(before));
    add(text, value == NULL ? "null" : value, value == NULL ? 4 : len);
}

/* All flights of one direction. Half an itinerary is refused, so none may be left out. */
static void add_segments(struct text *text, const apb_reply *order, const char *direction)
{
    int i;
    for (i = 0;; i++) {
        char place[128];
        char date[16];
        int end = sprintf(place, "data.routing.%s.%d", direction, i);
        size_t len;
        if (json_find(apb_reply_json(order, NULL), place, &len) == NULL) {
            return;
        }
        add(text, text->at[text->len - 1] == '[' ? "{" : ",{", text->at[text->len - 1] == '[' ? 1 : 2);
        strcpy(place + end, ".flightNumber");
        add_value(text, "\"flightNo\":", order, place);
        strcpy(place + end, ".depAirport");
        add_value(text, ",\"depAirport\":", order, place);
        strcpy(place + end, ".arrAirport");
        add_value(text, ",\"arrAirport\":", order, place);
        strcpy(place + end, ".depTime");
        sprintf(date, "%.10s", field(order, place));
        add(text, ",\"depDate\":\"", 12);
        add(text, date, strlen(date));
        add(text, "\"}", 2);
    }
}

/* The request for everybody, with every flight; for free(). */
static char *everybody(const apb_reply *order)
{
    struct text text = {NULL, 0};
    int i;
    add_value(&text, "{\"orderNo\":", order, "data.orderNo");
    add(&text, ",\"refundRequestList\":[", 22);
    for (i = 0;; i++) {
        char place[64];
        size_t len;
        sprintf(place, "data.paxTicketInfos.%d.name", i);
        if (json_find(apb_reply_json(order, NULL), place, &len) == NULL) {
            break;
        }
        add_value(&text, i == 0 ? "{\"name\":" : ",{\"name\":", order, place);
        add(&text, ",\"refundReason\":1,\"segments\":[", 30); /* 1: the passengers' own wish */
        add_segments(&text, order, "fromSegments");
        add_segments(&text, order, "retSegments");
        add(&text, "]}", 2);
    }
    add(&text, "]}", 2);
    return text.at;
}

int main(int argc, char **argv)
{
    struct desk desk;
    apb_reply *order;
    apb_reply *quote;
    char *request;
    int end = REFUSED;

    open_desk(&desk, argc, argv, 0);
    order = ask_about(&desk, apb_query_order_details, desk.order_no);
    if (tell_booking(order) == 0) {
        request = everybody(order);
        quote = ask(&desk, apb_refund_quotation, request);
        if (apb_reply_status(quote) != APB_OK) {
            tell_error(quote);
        } else if (strcmp(field(quote, "data.isRefundable"), "true") != 0) {
            tell("quote", "this order cannot be refunded");
        } else {
            end = accept_quote(&desk, &a_refund, request, quote, "refundFareAmount");
        }
        free(request);
        apb_reply_free(quote);
    }
    apb_reply_free(order);
    return close_desk(&desk, end);
}
