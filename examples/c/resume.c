/*
 * resume.c - a refund as a case, until the money is paid. It can be killed at any moment and started again
 * with the same arguments: it goes on, prints the outcome, and submits nothing twice.
 *
 *   resume BASE_URL ORDER_NO STORE
 */
#include "example.h"

/* The key is the same in every run: it names the intention, not the attempt. */
static apb_reply *call_for_case(const struct session *session, operation call, const char *more)
{
    char request[512];
    sprintf(request, "{\"key\":\"refund-of-%.60s\"%s}", session->order_no, more);
    return call_operation(session, call, request);
}

/* Opens or resumes the case; whether there is something to follow. */
static int open_case(const struct session *session)
{
    char more[256];
    char path[32];
    int i;
    apb_outcome outcome;
    apb_reply *reply;
    /* If less than 20 USD would be given back, nothing is submitted. */
    sprintf(more, ",\"kind\":\"refund\",\"orderNo\":\"%.60s\",\"expect\":{\"currency\":\"USD\",\"minRefund\":\"20\"}",
            session->order_no);
    reply = call_for_case(session, apb_case_open, more);
    outcome = apb_reply_outcome(reply);
    if (outcome == APB_EXECUTED) {
        const char *code = field(reply, "case.code");
        print_line("happened?", "yes: refund %s", *code == '\0' ? "without a number yet" : code);
        for (i = 0; sprintf(path, "case.evidence.%d.what", i), *field(reply, path) != '\0'; i++) {
            print_line("", "%s", field(reply, path));
        }
    } else if (outcome == APB_UNKNOWN) { /* neither success nor failure; the case is queried further */
        print_line("happened?", "not known yet: %s", apb_reply_message(reply));
    } else {
        print_line("happened?", "no, for certain: %s", apb_reply_message(reply));
        print_line("", "%s", field(reply, "error.help"));
    }
    apb_reply_free(reply);
    return outcome != APB_NOT_EXECUTED;
}

/* Makes the queries that are due, and prints every change. */
static int follow(struct session *session)
{
    char last[64] = "";
    int end = UNRESOLVED;
    while (session->minutes <= 60L * 24 * 60) {
        apb_reply *reply = call_for_case(session, apb_case_follow, "");
        const char *state = field(reply, "case.state");
        if (strcmp(state, last) != 0) {
            print_line(elapsed(session), "%s", state);
            sprintf(last, "%.60s", state);
        }
        if (strcmp(field(reply, "case.final"), "true") == 0) {
            int executed = strcmp(field(reply, "case.outcome"), "executed") == 0;
            end = executed && strcmp(last, "rejected") != 0 ? DONE : REFUSED;
        }
        apb_reply_free(reply);
        if (end != UNRESOLVED || wait_minutes(session, 240) != 0) {
            break;
        }
    }
    return end;
}

int main(int argc, char **argv)
{
    struct session session;
    apb_reply *reply;
    int end;
    open_session(&session, argc, argv, 1);
    reply = call_for_order(&session, apb_query_order_details, session.order_no);
    end = print_booking(reply);
    apb_reply_free(reply);
    if (end != 0) {
        return close_session(&session, REFUSED);
    }
    reply = call_for_case(&session, apb_case_get, "");
    if (apb_reply_status(reply) == APB_OK) {
        print_line("again", "the store has it: %s, outcome %s", field(reply, "case.state"),
                   field(reply, "case.outcome"));
    } else {
        print_deposit(&session, "before");
        print_line("submit", "a refund, as a case");
    }
    fflush(stdout);
    apb_reply_free(reply);
    end = open_case(&session) ? follow(&session) : REFUSED;
    print_deposit(&session, "after");
    print_line("the end", "%s",
               end == DONE      ? "refunded"
               : end == REFUSED ? "not refunded"
                                : "still open: a person looks at it, and nothing is sent twice");
    return close_session(&session, end);
}
