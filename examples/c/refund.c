/*
 * refund.c - a refund: quotation, submit, and queries until the money is paid, weeks later.
 *
 *   refund BASE_URL ORDER_NO
 */
#include "cancellation.h"

static const struct cancellation_kind refund_kind = {
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
        exit(USAGE_ERROR);
    }
    memcpy(text->at + text->len, piece, len);
    text->len += len;
    text->at[text->len] = '\0';
}

/* Adds a value of a reply as JSON text, which is not escaped again. */
static void add_value(struct text *text, const char *before, const apb_reply *reply, const char *path)
{
    size_t len = 0;
    const char *value = json_find(apb_reply_json(reply, NULL), path, &len);
    add(text, before, strlen(before));
    add(text, value == NULL ? "null" : value, value == NULL ? 4 : len);
}

/* Adds all flights of one direction. Atlas refuses a part of the itinerary. */
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

/* The request for all passengers and flights; the caller frees it with free(). */
static char *whole_order(const apb_reply *order)
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
        add(&text, ",\"refundReason\":1,\"segments\":[", 30); /* 1: voluntary */
        add_segments(&text, order, "fromSegments");
        add_segments(&text, order, "retSegments");
        add(&text, "]}", 2);
    }
    add(&text, "]}", 2);
    return text.at;
}

int main(int argc, char **argv)
{
    struct session session;
    apb_reply *order;
    apb_reply *quote;
    char *request;
    int end = REFUSED;

    open_session(&session, argc, argv, 0);
    order = call_for_order(&session, apb_query_order_details, session.order_no);
    if (print_booking(order) == 0) {
        request = whole_order(order);
        quote = call_operation(&session, apb_refund_quotation, request);
        if (apb_reply_status(quote) != APB_OK) {
            print_error(quote);
        } else if (strcmp(field(quote, "data.isRefundable"), "true") != 0) {
            print_line("quote", "this order cannot be refunded");
        } else {
            end = accept_quote(&session, &refund_kind, request, quote, "refundFareAmount");
        }
        free(request);
        apb_reply_free(quote);
    }
    apb_reply_free(order);
    return close_session(&session, end);
}
