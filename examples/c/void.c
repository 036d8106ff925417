/*
 * void.c - a void, from the quote to the money.
 *
 *   void BASE_URL ORDER_NO
 *
 * A void cancels a whole order within hours of ticketing and gives (nearly) everything back.
 */
#include "desk.h"

static const char *meaning(const char *status)
{
    static const char *const texts[] = {"Atlas is processing it", "the airline is processing it", "voided",
                                        "the airline is voiding it", "rejected", "fulfilled", "withdrawn"};
    return strlen(status) == 1 && *status >= '0' && *status <= '6' ? texts[*status - '0'] : "a status we do not know";
}

static int is_final(const char *status)
{
    return strlen(status) == 1 && strchr("2456", *status) != NULL;
}

/* Looks for the void that was submitted with this offer: 1 there, 0 not there, -1 no answer. Its place is `path`. */
static int find_void(const struct desk *desk, const char *offer, apb_reply **reply, char *path)
{
    int i;
    *reply = ask_about(desk, apb_query_void_orders, desk->order_no);
    if (apb_reply_status(*reply) != APB_OK) {
        return -1;
    }
    for (i = 0;; i++) {
        char place[64];
        size_t len;
        sprintf(path, "data.voidOrders.%d", i);
        if (json_find(apb_reply_json(*reply, NULL), path, &len) == NULL) {
            return 0;
        }
        sprintf(place, "%s.voidOfferId", path);
        if (strcmp(field(*reply, place), offer) == 0) {
            return 1;
        }
    }
}

/* The answer to the submit was lost. The void may exist: look for it, and never submit again. */
static int settle(struct desk *desk, const char *offer)
{
    int tries;
    for (tries = 0; tries < 5; tries++) {
        apb_reply *reply = NULL;
        char path[64];
        int found = find_void(desk, offer, &reply, path);
        apb_reply_free(reply);
        if (found == 1) {
            tell("", "found: Atlas has a void with our offer. It happened, and once.");
            return 1;
        }
        if (pass(desk, 3) != 0) {
            return 0;
        }
    }
    return 0;
}

/* Asks until Atlas says something final. */
static int follow(struct desk *desk, const char *offer)
{
    char last[16] = "";
    int tries;
    for (tries = 0; tries < 100; tries++) {
        apb_reply *reply = NULL;
        char path[64];
        char place[128];
        char status[16] = "";
        if (find_void(desk, offer, &reply, path) == 1) {
            sprintf(place, "%.60s.voidStatus", path);
            sprintf(status, "%.15s", field(reply, place));
        }
        if (*status != '\0' && strcmp(status, last) != 0) {
            tell(when(desk), "%s", meaning(status));
            strcpy(last, status);
        }
        apb_reply_free(reply);
        if (is_final(status)) {
            return *status == '2' || *status == '5' ? SETTLED : REFUSED;
        }
        if (pass(desk, 5) != 0) {
            break;
        }
    }
    return UNSETTLED;
}

static int submit(struct desk *desk, const char *offer)
{
    char request[512];
    apb_reply *reply;
    int happened;
    sprintf(request, "{\"orderNo\":\"%.100s\",\"voidOfferId\":\"%.200s\"}", desk->order_no, offer);
    tell("submit", "void %s with offer %s", desk->order_no, offer);
    reply = ask(desk, apb_void, request);
    switch (apb_reply_outcome(reply)) {
    case APB_EXECUTED: /* also if somebody submitted it before us */
        tell("happened?", "yes: void %s", field(reply, "data.voidCode"));
        happened = SETTLED;
        break;
    case APB_NOT_EXECUTED:
        tell("happened?", "no, for certain");
        tell_error(reply);
        happened = REFUSED;
        break;
    default: /* APB_UNKNOWN: neither a success nor a failure */
        tell("happened?", "nobody knows yet");
        tell_error(reply);
        happened = settle(desk, offer) ? SETTLED : UNSETTLED;
        break;
    }
    apb_reply_free(reply);
    return happened;
}

static int tell_void(struct desk *desk)
{
    char offer[256];
    int end;
    apb_reply *order = ask_about(desk, apb_query_order_details, desk->order_no);
    apb_reply *quote = ask_about(desk, apb_void_quotation, desk->order_no);
    if (apb_reply_status(order) != APB_OK || apb_reply_status(quote) != APB_OK) {
        tell_error(apb_reply_status(order) != APB_OK ? order : quote);
        end = REFUSED;
    } else if (strcmp(field(quote, "data.isVoidable"), "true") != 0) {
        tell("quote", "this order cannot be voided; ask for a refund");
        end = REFUSED;
    } else {
        tell("booking", "%s paid %s %s for order %s", field(order, "data.paxTicketInfos.0.name"),
             field(order, "data.totalPrice"), field(order, "data.currency"), desk->order_no);
        tell_balance(desk, "account");
        tell("quote", "a void would give back %s of %s %s", field(quote, "data.voidFareAmount.estimatedRefundAmount"),
             field(quote, "data.voidFareAmount.originalFareAmount"), field(quote, "data.voidFareAmount.currency"));
        sprintf(offer, "%.200s", field(quote, "data.voidOfferId"));
        end = submit(desk, offer);
        if (end == SETTLED) {
            end = follow(desk, offer);
        }
        tell_balance(desk, "account");
        tell("end", end == SETTLED ? "voided, and the money is back" : end == REFUSED ? "not voided" : "for a person to look at");
    }
    apb_reply_free(order);
    apb_reply_free(quote);
    return end;
}

int main(int argc, char **argv)
{
    struct desk desk;
    open_desk(&desk, argc, argv);
    return close_desk(&desk, tell_void(&desk));
}
