/*
 * desk.h - what the example programs share: a client, requests, and a way to tell the story.
 */
#ifndef DESK_H
#define DESK_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "atlas_postbooking.h"
#include "json_text.h"
#include "stage.h"

/* How a program ends. UNSETTLED is for a person to look at: it is neither success nor failure. */
enum { SETTLED = 0, REFUSED = 1, MISUSED = 2, UNSETTLED = 3 };

struct desk {
    apb_client *client;
    const char *base_url;
    const char *order_no;
    char code[64]; /* of what was submitted */
    long minutes;  /* since then */
};

typedef apb_status (*operation)(const apb_client *, const char *, size_t, apb_reply **);

/* Prints a line of the story. */
static void tell(const char *label, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    printf("  %-10s ", label);
    vprintf(format, args);
    putchar('\n');
    va_end(args);
}

/* Opens a desk from the command line; `with_store`: with a store of cases, which is a file. */
static void open_desk(struct desk *desk, int argc, char **argv, int with_store)
{
    char config[2048];
    char store[1280] = "";
    apb_reply *why = NULL;
    if (argc != 3 + with_store || strlen(argv[1]) > 500 ||
        strspn(argv[2], "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") != strlen(argv[2]) ||
        (with_store && (strlen(argv[3]) > 500 || strpbrk(argv[3], "\"\\") != NULL))) {
        fprintf(stderr, "usage: %s BASE_URL ORDER_NO%s\n", argv[0], with_store ? " STORE" : "");
        exit(MISUSED);
    }
    if (with_store) {
        /*
         * Weeks pass in a moment here: by the simulated clock, and with a follow-up that asks faster than
         * one should. A real program leaves both out.
         */
        sprintf(store,
                ",\"store\":{\"path\":\"%s\"},\"clock\":{\"url\":\"%s/_sim/clock\"},"
                "\"follow\":{\"perSecond\":1000,\"burst\":1000}",
                argv[3], argv[1]);
    }
    /* The credentials of a real program come from its own vault; the library reads no environment. */
    sprintf(config, "{\"baseUrl\":\"%s\",\"clientId\":\"demo\",\"clientSecret\":\"demo\"%s}", argv[1], store);
    memset(desk, 0, sizeof *desk);
    desk->base_url = argv[1];
    desk->order_no = argv[2];
    if (apb_abi_version() != APB_ABI_VERSION || apb_client_new(config, APB_ZSTR, &desk->client, &why) != APB_OK) {
        fprintf(stderr, "no client: %s\n", why == NULL ? "another ABI" : apb_reply_message(why));
        apb_reply_free(why);
        exit(MISUSED);
    }
}

/* Closes the desk and gives the exit code. */
static int close_desk(struct desk *desk, int code)
{
    apb_client_free(desk->client);
    if (apb_live_handles() != 0) {
        fprintf(stderr, "something was not freed\n");
        return MISUSED;
    }
    return code;
}

/* Calls an operation; the reply is the caller's. Never NULL. */
static apb_reply *ask(const struct desk *desk, operation call, const char *request)
{
    apb_reply *reply = NULL;
    call(desk->client, request, APB_ZSTR, &reply);
    if (reply == NULL) {
        fprintf(stderr, "out of memory\n");
        exit(MISUSED);
    }
    return reply;
}

/* The same with {"orderNo": …}, which is all that most operations want. */
static apb_reply *ask_about(const struct desk *desk, operation call, const char *order_no)
{
    char request[256];
    sprintf(request, "{\"orderNo\":\"%.100s\"}", order_no);
    return ask(desk, call, request);
}

/* A value of a reply as text. Eight of them fit into one printf. */
static const char *field(const apb_reply *reply, const char *path)
{
    static char texts[8][256];
    static int next;
    next = (next + 1) % 8;
    return json_text(apb_reply_json(reply, NULL), path, texts[next], sizeof texts[next]);
}

/* Tells why a call did not succeed: what happened, and what to do now. */
static void tell_error(const apb_reply *reply)
{
    tell("", "%s", apb_reply_message(reply));
    tell("", "%s", field(reply, "error.help"));
}

/* Waits, and counts. */
static int pass(struct desk *desk, long minutes)
{
    desk->minutes += minutes;
    return stage_wait(desk->base_url, minutes);
}

/* "after 5 min", "after 4 h", "after 21 days" */
static const char *when(const struct desk *desk)
{
    static char text[32];
    long minutes = desk->minutes;
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

static void tell_balance(const struct desk *desk, const char *label)
{
    apb_reply *reply = ask(desk, apb_balance, "{}");
    tell(label, "%s %s on the deposit", field(reply, "data.accountBalance.amount"), field(reply, "data.accountBalance.currency"));
    apb_reply_free(reply);
}

/* Who travels, and what they paid. 0 if the order can be read. */
static int tell_booking(const apb_reply *order)
{
    if (apb_reply_status(order) != APB_OK) {
        tell_error(order);
        return -1;
    }
    tell("booking", "%s flies %s to %s on %.10s and paid %s %s", field(order, "data.paxTicketInfos.0.name"),
         field(order, "data.routing.fromSegments.0.depAirport"), field(order, "data.routing.fromSegments.0.arrAirport"),
         field(order, "data.routing.fromSegments.0.depTime"), field(order, "data.totalPrice"), field(order, "data.currency"));
    return 0;
}

#endif
