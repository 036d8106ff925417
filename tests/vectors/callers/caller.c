/*
 * Executes calls of the vector runner in sequence.
 *
 * Protocol on standard input and output:
 * in:  VERB times operation_len config_len request_len options_len\n, then the four texts
 *      VERB: CALL (makes a client), LOCAL (no client), VALIDATE, DESCRIBE
 * out: status outcome http vendor json_len raw_len live_handles\n, then the two texts
 *      raw_len is -1 when there is no raw text
 *
 * Without options the function of the operation is called, otherwise apb_call().
 */
#include "atlas_postbooking.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef apb_status (*named_fn)(const apb_client *, const char *, size_t, apb_reply **);

static const struct {
    const char *operation;
    named_fn call;
} NAMED[] = {
    {"postBookingAncillarySearch", apb_post_booking_ancillary_search},
    {"postBookingAncillaryOrder", apb_post_booking_ancillary_order},
    {"refundQuotation", apb_refund_quotation},
    {"refund", apb_refund},
    {"queryRefundOrders", apb_query_refund_orders},
    {"voidQuotation", apb_void_quotation},
    {"void", apb_void},
    {"queryVoidOrders", apb_query_void_orders},
    {"regenerateOrder", apb_regenerate_order},
    {"stopTicket", apb_stop_ticket},
    {"orderList", apb_order_list},
    {"pnrClaim", apb_pnr_claim},
    {"extractPnr", apb_extract_pnr},
    {"queryOrderDetails", apb_query_order_details},
    {"pay", apb_pay},
    {"balance", apb_balance},
    {"updateWebhookURL", apb_update_webhook_url},
    {"parseWebhook", apb_parse_webhook},
    {"case.plan", apb_case_plan},
    {"case.open", apb_case_open},
    {"case.get", apb_case_get},
    {"case.list", apb_case_list},
    {"case.reconcile", apb_case_reconcile},
    {"case.follow", apb_case_follow},
    {"case.notify", apb_case_notify},
    {"case.resolve", apb_case_resolve},
    {"case.export", apb_case_export},
    {"case.purge", apb_case_purge},
};

/* Reads one of the texts, NUL-terminated; NULL if the input ends. */
static char *text_of(size_t len)
{
    char *text = malloc(len + 1);
    if (text == NULL || fread(text, 1, len, stdin) != len) {
        free(text);
        return NULL;
    }
    text[len] = '\0';
    return text;
}

static apb_status call(const apb_client *client, const char *operation, const char *request, size_t request_len,
                       const char *options, size_t options_len, apb_reply **out_reply)
{
    size_t i;
    if (options_len == 0) {
        for (i = 0; i < sizeof NAMED / sizeof *NAMED; i++) {
            if (strcmp(NAMED[i].operation, operation) == 0) {
                return NAMED[i].call(client, request, request_len, out_reply);
            }
        }
    }
    return apb_call(client, operation, request, request_len, options, options_len, NULL, out_reply);
}

int main(void)
{
    char verb[16];
    unsigned long times, sizes[4];
    puts("ready");
    fflush(stdout);
    while (scanf("%15s %lu %lu %lu %lu %lu", verb, &times, &sizes[0], &sizes[1], &sizes[2], &sizes[3]) == 6) {
        char *texts[4];
        apb_client *client = NULL;
        apb_reply *reply = NULL;
        apb_status status = APB_OK;
        const char *json, *raw;
        size_t json_len = 0, raw_len = 0;
        int i;
        getchar();
        for (i = 0; i < 4; i++) {
            texts[i] = text_of(sizes[i]);
            if (texts[i] == NULL) {
                return 2;
            }
        }
        if (strcmp(verb, "VALIDATE") == 0) {
            status = apb_validate(texts[0], texts[2], sizes[2], &reply);
        } else if (strcmp(verb, "DESCRIBE") == 0) {
            status = apb_describe(sizes[0] > 0 ? texts[0] : NULL, &reply);
        } else {
            if (strcmp(verb, "CALL") == 0) {
                status = apb_client_new(texts[1], sizes[1], &client, &reply);
            }
            if (status == APB_OK) {
                while (times-- > 0) {
                    apb_reply_free(reply);
                    status = call(client, texts[0], texts[2], sizes[2], texts[3], sizes[3], &reply);
                }
            }
        }
        if (reply == NULL || status != apb_reply_status(reply)) {
            fprintf(stderr, "caller.c: status %d, but the reply says %d\n", (int)status, (int)apb_reply_status(reply));
            return 3;
        }
        json = apb_reply_json(reply, &json_len);
        raw = apb_reply_raw(reply, &raw_len);
        if (json == NULL || json[json_len] != '\0') {
            fputs("caller.c: the JSON does not end in NUL\n", stderr);
            return 4;
        }
        apb_client_free(client);
        printf("%d %d %d %d %lu %ld %ld\n", (int)status, (int)apb_reply_outcome(reply),
               (int)apb_reply_http_status(reply), (int)apb_reply_vendor_status(reply), (unsigned long)json_len,
               raw == NULL ? -1L : (long)raw_len, (long)apb_live_handles() - 1);
        fwrite(json, 1, json_len, stdout);
        if (raw != NULL) {
            fwrite(raw, 1, raw_len, stdout);
        }
        fflush(stdout);
        apb_reply_free(reply);
        for (i = 0; i < 4; i++) {
            free(texts[i]);
        }
    }
    return apb_live_handles() == 0 ? 0 : 5;
}
