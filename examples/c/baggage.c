/*
 * baggage.c - buys baggage for a ticketed order: search, order, pay, and query until it is ticketed.
 *
 *   baggage BASE_URL ORDER_NO
 */
#include "example.h"

enum { UNPAID = 0, TICKETED = 2, UNREADABLE = -99 };

/* The orderStatus of the baggage order; UNREADABLE if the query failed. */
static int state_of(const struct session *session, const char *bag)
{
    apb_reply *reply = call_for_order(session, apb_query_order_details, bag);
    const char *state = apb_reply_status(reply) == APB_OK ? field(reply, "data.orderStatus") : "";
    int number = *state == '\0' ? UNREADABLE : atoi(state);
    apb_reply_free(reply);
    return number;
}

/* Queries the baggage order until it is ticketed or cancelled. */
static int follow_bag(struct session *session, const char *bag)
{
    int tries;
    for (tries = 0; tries < 60; tries++) {
        int state = state_of(session, bag);
        if (state == TICKETED) {
            print_line(elapsed(session), "ticketed: the bag is booked");
            return DONE;
        }
        if (state < 0 && state != UNREADABLE) {
            print_line(elapsed(session), "cancelled, and the money is on the deposit again");
            return REFUSED;
        }
        if (wait_minutes(session, 1) != 0) {
            break;
        }
    }
    return UNRESOLVED;
}

/* Pays once. This submit moves the money. */
static int pay(struct session *session, const char *bag)
{
    char request[256];
    int end;
    apb_reply *reply;
    sprintf(request, "{\"orderNo\":\"%.100s\",\"paymentMethod\":1}", bag); /* 1: from the deposit */
    print_line("submit", "pay, from the deposit");
    reply = call_operation(session, apb_pay, request);
    switch (apb_reply_outcome(reply)) {
    case APB_EXECUTED:
        print_line("happened?", "yes: paid");
        end = DONE;
        break;
    case APB_NOT_EXECUTED:
        print_line("happened?", "no, for certain");
        print_error(reply);
        end = REFUSED;
        break;
    default: /* APB_UNKNOWN: the state of the order says whether it is paid */
        print_line("happened?", "not known: %s", apb_reply_message(reply));
        wait_minutes(session, 3);
        end = state_of(session, bag) > UNPAID ? DONE : UNRESOLVED;
        if (end == DONE) {
            print_line("", "Found: the order is paid. It happened, and once.");
        }
        break;
    }
    apb_reply_free(reply);
    return end == DONE ? follow_bag(session, bag) : end;
}

/* A value as JSON text, which goes into a request without being escaped again. */
static void as_json(const apb_reply *reply, const char *path, char *out, size_t size)
{
    size_t len = 0;
    const char *value = json_find(apb_reply_json(reply, NULL), path, &len);
    if (value == NULL || len >= size) {
        value = "null";
        len = 4;
    }
    memcpy(out, value, len);
    out[len] = '\0';
}

/* Requests the first bag on sale for the first passenger, on every outbound flight. */
static void choose(const apb_reply *order, const apb_reply *shop, char *request, size_t size)
{
    char name[256];
    char product[256];
    char session[256];
    size_t len;
    size_t used;
    int i;
    as_json(order, "data.paxTicketInfos.0.name", name, sizeof name);
    as_json(shop, "data.ancillaryProductElements.0.productCode", product, sizeof product);
    as_json(shop, "data.sessionId", session, sizeof session);
    used = (size_t)sprintf(request,
                           "{\"sessionId\":%s,\"ancillaryCategory\":\"BAGGAGE\",\"ticketOrderNo\":\"%s\","
                           "\"passengers\":[{\"name\":%s,\"passengerType\":0,\"ancillaries\":[",
                           session, field(order, "data.orderNo"), name);
    for (i = 0; used + 600 < size; i++) {
        char place[64];
        sprintf(place, "data.fromSegments.%d.segmentIndex", i);
        if (json_find(apb_reply_json(shop, NULL), place, &len) == NULL) {
            break;
        }
        used += (size_t)sprintf(request + used, "%s{\"productCode\":%s,\"segmentIndex\":%s}", i == 0 ? "" : ",",
                                product, field(shop, place));
    }
    strcpy(request + used, "]}]}");
}

static int buy(struct session *session, const apb_reply *order, const apb_reply *shop)
{
    char request[4096];
    char bag[128] = "";
    int end;
    apb_reply *made;
    choose(order, shop, request, sizeof request);
    print_line("quote", "a bag of %s kg costs %s %s",
               field(shop, "data.ancillaryProductElements.0.auxBaggageElement.weight"),
               field(shop, "data.ancillaryProductElements.0.price"), field(shop, "data.currency"));
    print_deposit(session, "before");
    print_line("submit", "order the bag");
    made = call_operation(session, apb_post_booking_ancillary_order, request);
    if (apb_reply_outcome(made) == APB_EXECUTED && apb_reply_status(made) == APB_OK) {
        json_text(apb_reply_json(made, NULL), "data.orderNo", bag, sizeof bag);
        print_line("happened?", "yes: order %s, %s %s to be paid by %s", bag, field(made, "data.totalPrice"),
                   field(made, "data.currency"), field(made, "data.tktLimitTime"));
        end = pay(session, bag);
    } else if (apb_reply_outcome(made) == APB_NOT_EXECUTED) {
        print_line("happened?", "no, for certain");
        print_error(made);
        end = REFUSED;
    } else {
        /* The order moves no money: it lapses unpaid. A person can take the time to find out. */
        print_line("happened?", "not known: %s", apb_reply_message(made));
        end = UNRESOLVED;
    }
    apb_reply_free(made);
    print_deposit(session, "after");
    print_line("the end", "%s",
               end == DONE      ? "paid and ticketed"
               : end == REFUSED ? "no bag"
                                : "still open: a person looks at it, and nothing is sent twice");
    return end;
}

int main(int argc, char **argv)
{
    struct session session;
    char request[256];
    apb_reply *order;
    apb_reply *shop;
    int end = REFUSED;

    open_session(&session, argc, argv, 0);
    order = call_for_order(&session, apb_query_order_details, session.order_no);
    if (print_booking(order) == 0) {
        size_t len;
        sprintf(request, "{\"ticketOrderNo\":\"%s\",\"ancillaryCategory\":\"BAGGAGE\"}", session.order_no);
        shop = call_operation(&session, apb_post_booking_ancillary_search, request);
        if (apb_reply_status(shop) != APB_OK) {
            print_error(shop);
        } else if (json_find(apb_reply_json(shop, NULL), "data.ancillaryProductElements.0", &len) == NULL) {
            print_line("quote", "no bags are on sale for this order");
        } else {
            end = buy(&session, order, shop);
        }
        apb_reply_free(shop);
    }
    apb_reply_free(order);
    return close_session(&session, end);
}
