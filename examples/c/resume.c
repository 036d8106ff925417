/*
 * resume.c - a refund as a case, from the intention to the money. Kill it at any moment and start it
 * again with the same arguments: it goes on, tells what happened, and sends nothing twice.
 *
 *   resume BASE_URL ORDER_NO STORE
 */
#include "desk.h"

/* The same key in every run: it names what is wanted, not the attempt. */
static apb_reply *ask_case(const struct desk *desk, operation call, const char *more)
{
    char request[512];
    sprintf(request, "{\"key\":\"refund-of-%.60s\"%s}", desk->order_no, more);
    return ask(desk, call, request);
}

/* Opens the case, or goes on with it. Whether there is something to follow. */
static int open_case(const struct desk *desk)
{
    char more[256];
    char path[32];
    int i;
    apb_outcome outcome;
    apb_reply *reply;
    /* Less than twenty dollars is not worth a seat: then nothing is sent. */
    sprintf(more, ",\"kind\":\"refund\",\"orderNo\":\"%.60s\",\"expect\":{\"currency\":\"USD\",\"minRefund\":\"20\"}",
            desk->order_no);
    reply = ask_case(desk, apb_case_open, more);
    outcome = apb_reply_outcome(reply);
    if (outcome == APB_EXECUTED) {
        const char *code = field(reply, "case.code");
        tell("happened?", "yes: refund %s", *code == '\0' ? "without a number yet" : code);
        for (i = 0; sprintf(path, "case.evidence.%d.what", i), *field(reply, path) != '\0'; i++) {
            tell("", "%s", field(reply, path));
        }
    } else if (outcome == APB_UNKNOWN) { /* neither a success nor a failure; the case asks on */
        tell("happened?", "not known yet: %s", apb_reply_message(reply));
    } else {
        tell("happened?", "no, for certain: %s", apb_reply_message(reply));
        tell("", "%s", field(reply, "error.help"));
    }
    apb_reply_free(reply);
    return outcome != APB_NOT_EXECUTED;
}

/* Asks when it is due, and tells every change. */
static int follow(struct desk *desk)
{
    char last[64] = "";
    int end = UNSETTLED;
    while (desk->minutes <= 60L * 24 * 60) {
        apb_reply *reply = ask_case(desk, apb_case_follow, "");
        const char *state = field(reply, "case.state");
        if (strcmp(state, last) != 0) {
            tell(when(desk), "%s", state);
            sprintf(last, "%.60s", state);
        }
        if (strcmp(field(reply, "case.final"), "true") == 0) {
            int happened = strcmp(field(reply, "case.outcome"), "executed") == 0;
            end = happened && strcmp(last, "rejected") != 0 ? SETTLED : REFUSED;
        }
        apb_reply_free(reply);
        if (end != UNSETTLED || pass(desk, 240) != 0) {
            break;
        }
    }
    return end;
}

int main(int argc, char **argv)
{
    struct desk desk;
    apb_reply *reply;
    int end;
    open_desk(&desk, argc, argv, 1);
    reply = ask_about(&desk, apb_query_order_details, desk.order_no);
    end = tell_booking(reply);
    apb_reply_free(reply);
    if (end != 0) {
        return close_desk(&desk, REFUSED);
    }
    reply = ask_case(&desk, apb_case_get, "");
    if (apb_reply_status(reply) == APB_OK) {
        tell("again", "the store has it: %s, outcome %s", field(reply, "case.state"), field(reply, "case.outcome"));
    } else {
        tell_balance(&desk, "before");
        tell("submit", "a refund, as a case");
    }
    fflush(stdout);
    apb_reply_free(reply);
    end = open_case(&desk) ? follow(&desk) : REFUSED;
    tell_balance(&desk, "after");
    tell("the end", end == SETTLED   ? "refunded"
                    : end == REFUSED ? "not refunded"
                                     : "still open: a person looks at it, and nothing is sent twice");
    return close_desk(&desk, end);
}
