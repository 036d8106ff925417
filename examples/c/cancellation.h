/*
 * cancellation.h - what a refund and a void have in common: one submit, three outcomes, and queries by the
 * offer id until the state is final.
 */
#ifndef CANCELLATION_H
#define CANCELLATION_H

#include "example.h"

struct cancellation_kind {
    const char *name;   /* "void" */
    const char *done;   /* "voided" */
    const char *list;   /* the list in the reply of the query, and the fields of its elements: */
    const char *offer;
    const char *status;
    const char *code;
    operation quote;
    operation submit;
    operation query;
    long pause; /* minutes between two queries */
};

/*
 * Queries for the refund or void that was submitted with this offer id: 1 listed, 0 not listed, -1 the query
 * failed. `path` becomes its path in the reply. If `offer` is "" (another client submitted it), the first in
 * the list is taken.
 */
static int find_submitted(const struct session *session, const struct cancellation_kind *kind, const char *offer,
                          apb_reply **reply, char path[64])
{
    char request[512];
    int i;
    sprintf(request, "{\"orderNo\":\"%.100s\"", session->order_no);
    if (*session->code != '\0') {
        sprintf(request + strlen(request), ",\"%.40s\":\"%.60s\"", kind->code, session->code);
    }
    strcat(request, "}");
    *reply = call_operation(session, kind->query, request);
    if (apb_reply_status(*reply) != APB_OK) {
        return -1;
    }
    for (i = 0;; i++) {
        char place[128];
        size_t len;
        sprintf(path, "data.%.40s.%d", kind->list, i);
        if (json_find(apb_reply_json(*reply, NULL), path, &len) == NULL) {
            return 0;
        }
        sprintf(place, "%s.%.40s", path, kind->offer);
        if (*offer == '\0' || strcmp(field(*reply, place), offer) == 0) {
            return 1;
        }
    }
}

/*
 * Some accounts are listed nothing without the refundCode, which was in the lost reply. Then a new quotation
 * tells: Atlas refuses one for what has been submitted, with one of these codes.
 */
static int is_quote_refused(const struct session *session, const struct cancellation_kind *kind,
                            const char *quote_request)
{
    apb_reply *reply = call_operation(session, kind->quote, quote_request);
    int32_t number = apb_reply_vendor_status(reply);
    apb_reply_free(reply);
    return number == 803 || number == 814 || number == 816 || number == 817 || number == 818;
}

/* The reply of the submit was lost. It may have been executed: query, and do not submit again. DONE if it was. */
static int resolve_unknown(struct session *session, const struct cancellation_kind *kind, const char *quote_request,
                           const char *offer)
{
    int tries;
    for (tries = 0; tries < 5; tries++) {
        apb_reply *reply = NULL;
        char path[64];
        int found = find_submitted(session, kind, offer, &reply, path);
        apb_reply_free(reply);
        if (found == 1) {
            print_line("", "Found: Atlas has a %s with our offer. It happened, and once.", kind->name);
            return DONE;
        }
        if (found < 0 && is_quote_refused(session, kind, quote_request)) {
            print_line("", "It happened, and once: Atlas quotes no second %s.", kind->name);
            print_line("", "Its number, with which Atlas can be asked, comes by webhook.");
            break;
        }
        /* Not listed right after a lost reply proves nothing: the request may arrive later. */
        if (wait_minutes(session, 3) != 0) {
            break;
        }
    }
    return UNRESOLVED;
}

/* Queries until the state is final, and prints every change. */
static int follow(struct session *session, const struct cancellation_kind *kind, const char *offer)
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
        if (find_submitted(session, kind, offer, &reply, path) == 1) {
            sprintf(place, "%s.%.40s", path, kind->status);
            sprintf(status, "%.15s", field(reply, place));
        }
        apb_reply_free(reply);
        if (*status != '\0' && strcmp(status, last) != 0) {
            int known = strlen(status) == 1 && *status >= '0' && *status <= '6';
            print_line(elapsed(session), "%s",
                       known ? meanings[*status - '0'] : "a status that this program does not know");
            strcpy(last, status);
        }
        if (strcmp(status, "2") == 0 || strcmp(status, "5") == 0) {
            return DONE;
        }
        if (strcmp(status, "4") == 0 || strcmp(status, "6") == 0) {
            return REFUSED;
        }
        if (wait_minutes(session, kind->pause) != 0) {
            break;
        }
    }
    return UNRESOLVED;
}

/* Submits once, and goes on by the outcome. */
static int submit(struct session *session, const struct cancellation_kind *kind, const char *quote_request,
                  const char *offer)
{
    char request[512];
    char place[64];
    int end;
    apb_reply *reply;
    sprintf(request, "{\"orderNo\":\"%.100s\",\"%.40s\":\"%.200s\"}", session->order_no, kind->offer, offer);
    print_line("submit", "%s, with the offer of that quote", kind->name);
    reply = call_operation(session, kind->submit, request);
    switch (apb_reply_outcome(reply)) {
    case APB_EXECUTED:
        if (apb_reply_status(reply) == APB_E_ALREADY) {
            print_line("happened?", "yes, but somebody else was faster");
            end = follow(session, kind, "");
            break;
        }
        sprintf(place, "data.%.40s", kind->code);
        sprintf(session->code, "%.60s", field(reply, place));
        print_line("happened?", "yes: %s %s", kind->name, session->code);
        end = follow(session, kind, offer);
        break;
    case APB_NOT_EXECUTED:
        print_line("happened?", "no, for certain");
        print_error(reply);
        end = REFUSED;
        break;
    default: /* APB_UNKNOWN: neither success nor failure, so query */
        print_line("happened?", "not known: %s", apb_reply_message(reply));
        end = resolve_unknown(session, kind, quote_request, offer);
        if (end == DONE) {
            end = follow(session, kind, offer);
        }
        break;
    }
    apb_reply_free(reply);
    return end;
}

/* Submits an accepted quote and prints the result. `amount` is the object of the quote with the amounts. */
static int accept_quote(struct session *session, const struct cancellation_kind *kind, const char *quote_request,
                        const apb_reply *quote, const char *amount)
{
    char offer[256];
    char place[3][128];
    int end;
    sprintf(place[0], "data.%.60s.estimatedRefundAmount", amount);
    sprintf(place[1], "data.%.60s.originalFareAmount", amount);
    sprintf(place[2], "data.%.60s.currency", amount);
    print_line("quote", "of %s %s, a %s gives back %s; Atlas keeps a fee of %s", field(quote, place[1]),
               field(quote, place[2]), kind->name, field(quote, place[0]),
               field(quote, "data.serviceFee.transactionFee"));
    sprintf(place[0], "data.%.60s", kind->offer);
    sprintf(offer, "%.200s", field(quote, place[0]));
    print_deposit(session, "before");
    end = submit(session, kind, quote_request, offer);
    print_deposit(session, "after");
    if (end == UNRESOLVED) {
        print_line("the end", "still open: a person looks at it, and nothing is sent twice");
    } else {
        print_line("the end", "%s%s", end == DONE ? "" : "not ", kind->done);
    }
    return end;
}

#endif
