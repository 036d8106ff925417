/*
 * follow.h - what a refund and a void have in common: submit once, look at the outcome, and follow
 * the matter to its end by the id of its offer.
 */
#ifndef FOLLOW_H
#define FOLLOW_H

#include "desk.h"

struct matter {
    const char *name;   /* "void" */
    const char *done;   /* "voided" */
    const char *list;   /* where the query's reply lists such matters */
    const char *offer;  /* and the names of the fields of one */
    const char *status;
    const char *code;
    operation quote;
    operation submit;
    operation query;
    long pause; /* minutes between two queries */
};

/*
 * Looks for the matter that was submitted with our offer: 1 there, 0 not there, -1 no answer. `path`
 * becomes its place in the reply. Without an offer (somebody else submitted it), the first one is it.
 */
static int find_matter(const struct desk *desk, const struct matter *matter, const char *offer, apb_reply **reply,
                       char path[64])
{
    char request[512];
    int i;
    sprintf(request, "{\"orderNo\":\"%.100s\"", desk->order_no);
    if (*desk->code != '\0') {
        sprintf(request + strlen(request), ",\"%.40s\":\"%.60s\"", matter->code, desk->code);
    }
    strcat(request, "}");
    *reply = ask(desk, matter->query, request);
    if (apb_reply_status(*reply) != APB_OK) {
        return -1;
    }
    for (i = 0;; i++) {
        char place[128];
        size_t len;
        sprintf(path, "data.%.40s.%d", matter->list, i);
        if (json_find(apb_reply_json(*reply, NULL), path, &len) == NULL) {
            return 0;
        }
        sprintf(place, "%s.%.40s", path, matter->offer);
        if (*offer == '\0' || strcmp(field(*reply, place), offer) == 0) {
            return 1;
        }
    }
}

/*
 * Where Atlas lists nothing without the code that was in the lost answer: it gives no new quote for
 * what has been submitted, and the number of its refusal says so.
 */
static int refuses_to_quote_again(const struct desk *desk, const struct matter *matter, const char *quote_request)
{
    apb_reply *reply = ask(desk, matter->quote, quote_request);
    int32_t number = apb_reply_vendor_status(reply);
    apb_reply_free(reply);
    return number == 803 || number == 814 || number == 816 || number == 817 || number == 818;
}

/*
 * The answer to the submit was lost. The matter may exist: look for it, and never submit again.
 * SETTLED if it is there.
 */
static int settle(struct desk *desk, const struct matter *matter, const char *quote_request, const char *offer)
{
    int tries;
    for (tries = 0; tries < 5; tries++) {
        apb_reply *reply = NULL;
        char path[64];
        int found = find_matter(desk, matter, offer, &reply, path);
        apb_reply_free(reply);
        if (found == 1) {
            tell("", "Found: Atlas has a %s with our offer. It happened, and once.", matter->name);
            return SETTLED;
        }
        if (found < 0 && refuses_to_quote_again(desk, matter, quote_request)) {
            tell("", "It happened, and once: Atlas quotes no second %s.", matter->name);
            tell("", "Its number, with which Atlas can be asked, comes by webhook.");
            break;
        }
        /* "Not there" right after a lost answer proves nothing: it may still be on its way. */
        if (pass(desk, 3) != 0) {
            break;
        }
    }
    return UNSETTLED;
}

/* Asks until Atlas says something final, and tells every change. */
static int follow(struct desk *desk, const struct matter *matter, const char *offer)
{
    static const char *const meanings[] = {"Atlas is working on it",  "the airline is working on it", "done",
                                           "the airline is paying it", "rejected", "done, by card", "withdrawn"};
    char last[16] = "";
    int tries;
    for (tries = 0; tries < 500; tries++) {
        apb_reply *reply = NULL;
        char path[64];
        char place[128];
        char status[16] = "";
        if (find_matter(desk, matter, offer, &reply, path) == 1) {
            sprintf(place, "%s.%.40s", path, matter->status);
            sprintf(status, "%.15s", field(reply, place));
        }
        apb_reply_free(reply);
        if (*status != '\0' && strcmp(status, last) != 0) {
            int known = strlen(status) == 1 && *status >= '0' && *status <= '6';
            tell(when(desk), "%s", known ? meanings[*status - '0'] : "a status that this program does not know");
            strcpy(last, status);
        }
        if (strcmp(status, "2") == 0 || strcmp(status, "5") == 0) {
            return SETTLED;
        }
        if (strcmp(status, "4") == 0 || strcmp(status, "6") == 0) {
            return REFUSED;
        }
        if (pass(desk, matter->pause) != 0) {
            break;
        }
    }
    return UNSETTLED;
}

/* Submits, once, and looks at what came of it. */
static int submit(struct desk *desk, const struct matter *matter, const char *quote_request, const char *offer)
{
    char request[512];
    char place[64];
    int happened;
    apb_reply *reply;
    sprintf(request, "{\"orderNo\":\"%.100s\",\"%.40s\":\"%.200s\"}", desk->order_no, matter->offer, offer);
    tell("submit", "%s, with the offer of that quote", matter->name);
    reply = ask(desk, matter->submit, request);
    switch (apb_reply_outcome(reply)) {
    case APB_EXECUTED:
        if (apb_reply_status(reply) == APB_E_ALREADY) {
            tell("happened?", "yes, but somebody else was faster");
            happened = follow(desk, matter, "");
            break;
        }
        sprintf(place, "data.%.40s", matter->code);
        sprintf(desk->code, "%.60s", field(reply, place));
        tell("happened?", "yes: %s %s", matter->name, desk->code);
        happened = follow(desk, matter, offer);
        break;
    case APB_NOT_EXECUTED:
        tell("happened?", "no, for certain");
        tell_error(reply);
        happened = REFUSED;
        break;
    default: /* APB_UNKNOWN: neither a success nor a failure, so ask */
        tell("happened?", "not known: %s", apb_reply_message(reply));
        happened = settle(desk, matter, quote_request, offer);
        if (happened == SETTLED) {
            happened = follow(desk, matter, offer);
        }
        break;
    }
    apb_reply_free(reply);
    return happened;
}

/* From an accepted quote to the end of the story. `amount` is where the quote has its amounts. */
static int accept_quote(struct desk *desk, const struct matter *matter, const char *quote_request, const apb_reply *quote,
                        const char *amount)
{
    char offer[256];
    char place[3][128];
    int end;
    sprintf(place[0], "data.%.60s.estimatedRefundAmount", amount);
    sprintf(place[1], "data.%.60s.originalFareAmount", amount);
    sprintf(place[2], "data.%.60s.currency", amount);
    tell("quote", "of %s %s, a %s gives back %s; Atlas keeps a fee of %s", field(quote, place[1]), field(quote, place[2]),
         matter->name, field(quote, place[0]), field(quote, "data.serviceFee.transactionFee"));
    sprintf(place[0], "data.%.60s", matter->offer);
    sprintf(offer, "%.200s", field(quote, place[0]));
    tell_balance(desk, "before");
    end = submit(desk, matter, quote_request, offer);
    tell_balance(desk, "after");
    if (end == UNSETTLED) {
        tell("the end", "still open: a person looks at it, and nothing is sent twice");
    } else {
        tell("the end", "%s%s", end == SETTLED ? "" : "not ", matter->done);
    }
    return end;
}

#endif
