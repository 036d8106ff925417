/*
 * example.h - what the example programs share: a client, calls, and lines of output.
 */
#ifndef EXAMPLE_H
#define EXAMPLE_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "atlas_postbooking.h"
#include "json_text.h"
#include "simulated_clock.h"

/* Exit codes. UNRESOLVED is neither success nor failure: a person has to find out. */
enum { DONE = 0, REFUSED = 1, USAGE_ERROR = 2, UNRESOLVED = 3 };

struct session {
    apb_client *client;
    const char *base_url;
    const char *order_no;
    char code[64]; /* refundCode or voidCode of the submit */
    long minutes;  /* since the submit */
};

typedef apb_status (*operation)(const apb_client *, const char *, size_t, apb_reply **);

/* Prints one line: a label and a text. */
static void print_line(const char *label, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    printf("  %-10s ", label);
    vprintf(format, args);
    putchar('\n');
    va_end(args);
}

/* Makes a client from the command line; `with_store`: with a file for cases. */
static void open_session(struct session *session, int argc, char **argv, int with_store)
{
    char config[2048];
    char store[1280] = "";
    apb_reply *why = NULL;
    if (argc != 3 + with_store || strlen(argv[1]) > 500 ||
        strspn(argv[2], "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") != strlen(argv[2]) ||
        (with_store && (strlen(argv[3]) > 500 || strpbrk(argv[3], "\"\\") != NULL))) {
        fprintf(stderr, "usage: %s BASE_URL ORDER_NO%s\n", argv[0], with_store ? " STORE" : "");
        exit(USAGE_ERROR);
    }
    if (with_store) {
        /*
         * The clock is the simulator's, and the follow-up has a budget that no real account has, so that
         * weeks take seconds. A real program leaves both out.
         */
        sprintf(store,
                ",\"store\":{\"path\":\"%s\"},\"clock\":{\"url\":\"%s/_sim/clock\"},"
                "\"follow\":{\"perSecond\":1000,\"burst\":1000}",
                argv[3], argv[1]);
    }
    /* A real program reads its credentials from a vault; the library reads no environment variables. */
    sprintf(config, "{\"baseUrl\":\"%s\",\"clientId\":\"demo\",\"clientSecret\":\"demo\"%s}", argv[1], store);
    memset(session, 0, sizeof *session);
    session->base_url = argv[1];
    session->order_no = argv[2];
    if (apb_abi_version() != APB_ABI_VERSION || apb_client_new(config, APB_ZSTR, &session->client, &why) != APB_OK) {
        fprintf(stderr, "no client: %s\n", why == NULL ? "another ABI" : apb_reply_message(why));
        apb_reply_free(why);
        exit(USAGE_ERROR);
    }
}

/* Frees the client; the exit code. */
static int close_session(struct session *session, int code)
{
    apb_client_free(session->client);
    if (apb_live_handles() != 0) {
        fprintf(stderr, "not everything was freed\n");
        return USAGE_ERROR;
    }
    return code;
}

/* Calls an operation; the caller frees the reply, which is never NULL. */
static apb_reply *call_operation(const struct session *session, operation call, const char *request)
{
    apb_reply *reply = NULL;
    call(session->client, request, APB_ZSTR, &reply);
    if (reply == NULL) {
        fprintf(stderr, "out of memory\n");
        exit(USAGE_ERROR);
    }
    return reply;
}

/* The same with the request {"orderNo": ...}, which is all that most operations need. */
static apb_reply *call_for_order(const struct session *session, operation call, const char *order_no)
{
    char request[256];
    sprintf(request, "{\"orderNo\":\"%.100s\"}", order_no);
    return call_operation(session, call, request);
}

/* A value of a reply as text, valid until the eighth call after this one. */
static const char *field(const apb_reply *reply, const char *path)
{
    static char texts[8][256];
    static int next;
    next = (next + 1) % 8;
    return json_text(apb_reply_json(reply, NULL), path, texts[next], sizeof texts[next]);
}

/* Prints why a call failed, and what to do now. */
static void print_error(const apb_reply *reply)
{
    print_line("", "%s", apb_reply_message(reply));
    print_line("", "%s", field(reply, "error.help"));
}

/* Lets time pass until the next query. */
static int wait_minutes(struct session *session, long minutes)
{
    session->minutes += minutes;
    return advance_clock(session->base_url, minutes);
}

/* The time since the submit: "5 min", "4 h", "21 days". */
static const char *elapsed(const struct session *session)
{
    static char text[32];
    long minutes = session->minutes;
    if (minutes == 0) {
        return "at once";
    }
    if (minutes < 120) {
        sprintf(text, "%ld min", minutes);
    } else if (minutes < 48 * 60) {
        sprintf(text, "%ld h", minutes / 60);
    } else {
        sprintf(text, "%ld days", minutes / 60 / 24);
    }
    return text;
}

static void print_deposit(const struct session *session, const char *label)
{
    apb_reply *reply = call_operation(session, apb_balance, "{}");
    print_line(label, "%s %s on the deposit", field(reply, "data.accountBalance.amount"),
               field(reply, "data.accountBalance.currency"));
    apb_reply_free(reply);
}

/* Prints passenger, flight and price of an order; 0 if it could be read. */
static int print_booking(const apb_reply *order)
{
    if (apb_reply_status(order) != APB_OK) {
        print_error(order);
        return -1;
    }
    print_line("booking", "%s flies %s to %s on %.10s and paid %s %s", field(order, "data.paxTicketInfos.0.name"),
               field(order, "data.routing.fromSegments.0.depAirport"),
               field(order, "data.routing.fromSegments.0.arrAirport"),
               field(order, "data.routing.fromSegments.0.depTime"), field(order, "data.totalPrice"),
               field(order, "data.currency"));
    return 0;
}

#endif
