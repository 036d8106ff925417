/*
 * baggage.c - a bag for a ticketed order: search, order, pay, and the ticket of the bag.
 *
 *   baggage BASE_URL ORDER_NO
 */
#include "desk.h"

enum { UNPAID = 0, TICKETED = 2 };

/* Where the bag's order stands: its number of state, or -99 if that cannot be read. */
static int state_of(const struct desk *desk, const char *bag)
{
    apb_reply *reply = ask_about(desk, apb_query_order_details, bag);
    const char *state = apb_reply_status(reply) == APB_OK ? field(reply, "data.orderStatus") : "";
    int number = *state == '\0' ? -99 : atoi(state);
    apb_reply_free(reply);
    return number;
}

/* A bag until its ticket. */
static int follow_bag(struct desk *desk, const char *bag)
{
    int tries;
    for (tries = 0; tries < 60; tries++) {
        int state = state_of(desk, bag);
        if (state == TICKETED) {
            tell(when(desk), "ticketed: the bag is booked");
            return SETTLED;
        }
        if (state < 0 && state != -99) {
            tell(when(desk), "cancelled, and the money is on the deposit again");
            return REFUSED;
        }
        if (pass(desk, 1) != 0) {
            break;
        }
    }
    return UNSETTLED;
}

/* Pays, once. The money moves here. */
static int pay(struct desk *desk, const char *bag)
{
    char request[256];
    int happened;
    apb_reply *reply;
    sprintf(request, "{\"orderNo\":\"%.100s\",\"paymentMethod\":1}", bag); /* 1: from the deposit */
    tell("submit", "pay, from the deposit");
    reply = ask(desk, apb_pay, request);
    switch (apb_reply_outcome(reply)) {
    case APB_EXECUTED:
        tell("happened?", "yes: paid");
        happened = SETTLED;
        break;
    case APB_NOT_EXECUTED:
        tell("happened?", "no, for certain");
        tell_error(reply);
        happened = REFUSED;
        break;
    default: /* APB_UNKNOWN: the order itself knows whether it is paid */
        tell("happened?", "not known: %s", apb_reply_message(reply));
        pass(desk, 3);
        happened = state_of(desk, bag) > UNPAID ? SETTLED : UNSETTLED;
        if (happened == SETTLED) {
            tell("", "Found: the order is paid. It happened, and once.");
        }
        break;
    }
    apb_reply_free(reply);
    return happened == SETTLED ? follow_bag(desk, bag) : happened;
}

/* A value as the JSON that it is, so that it can go into a request without being escaped again. */
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

/* The request for the first bag on sale, for the first passenger, on every flight out. */
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
        used += (size_t)sprintf(request + used, "%s{\"productCode\":%s,\"segmentIndex\":%s}", i == 0 ? "" : ",", product,
                                field(shop, place));
    }
    strcpy(request + used, "]}]}");
}

static int buy(struct desk *desk, const apb_reply *order, const apb_reply *shop)
{
    char request[4096];
    char bag[128] = "";
    int end;
    apb_reply *made;
    choose(order, shop, request, sizeof request);
    tell("quote", "a bag of %s kg costs %s %s", field(shop, "data.ancillaryProductElements.0.auxBaggageElement.weight"),
         field(shop, "data.ancillaryProductElements.0.price"), field(shop, "data.currency"));
    tell_balance(desk, "before");
    tell("submit", "order the bag");
    made = ask(desk, apb_post_booking_ancillary_order, request);
    if (apb_reply_outcome(made) == APB_EXECUTED && apb_reply_status(made) == APB_OK) {
        json_text(apb_reply_json(made, NULL), "data.orderNo", bag, sizeof bag);
        tell("happened?", "yes: order %s, %s %s to be paid by %s", bag, field(made, "data.totalPrice"),
             field(made, "data.currency"), field(made, "data.tktLimitTime"));
        end = pay(desk, bag);
    } else if (apb_reply_outcome(made) == APB_NOT_EXECUTED) {
        tell("happened?", "no, for certain");
        tell_error(made);
        end = REFUSED;
    } else {
        /* No money moves with this order: unpaid, it lapses. Nothing is lost by letting a person look. */
        tell("happened?", "not known: %s", apb_reply_message(made));
        end = UNSETTLED;
    }
    apb_reply_free(made);
    tell_balance(desk, "after");
    tell("the end", "%s", end == SETTLED ? "paid and ticketed" : end == REFUSED ? "no bag" : "still open: a person looks at it, and nothing is sent twice");
    return end;
}

int main(int argc, char **argv)
{
    struct desk desk;
    char request[256];
    apb_reply *order;
    apb_reply *shop;
    int end = REFUSED;

    open_desk(&desk, argc, argv, 0);
    order = ask_about(&desk, apb_query_order_details, desk.order_no);
    if (tell_booking(order) == 0) {
        size_t len;
        sprintf(request, "{\"ticketOrderNo\":\"%s\",\"ancillaryCategory\":\"BAGGAGE\"}", desk.order_no);
        shop = ask(&desk, apb_post_booking_ancillary_search, request);
        if (apb_reply_status(shop) != APB_OK) {
            tell_error(shop);
        } else if (json_find(apb_reply_json(shop, NULL), "data.ancillaryProductElements.0", &len) == NULL) {
            tell("quote", "no bags are on sale for this order");
        } else {
            end = buy(&desk, order, shop);
        }
        apb_reply_free(shop);
    }
    apb_reply_free(order);
    return close_desk(&desk, end);
}
