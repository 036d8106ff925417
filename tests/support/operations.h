/*
 * operations.h - the function of each operation. tests/c/replies.c compares the list with apb_describe().
 */
#ifndef OPERATIONS_H
#define OPERATIONS_H

#include "atlas_postbooking.h"

static const struct {
    const char *name;
    apb_status (*function)(const apb_client *, const char *, size_t, apb_reply **);
} operations[] = {
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
    {"case.stats", apb_case_stats},
    {"case.backup", apb_case_backup},
    {"case.import", apb_case_import},
    {"case.unpause", apb_case_unpause},
    {"case.adoptAccount", apb_case_adopt_account},
    {"case.confirmStore", apb_case_confirm_store},
    {"case.purge", apb_case_purge},
};

#define OPERATION_COUNT (sizeof operations / sizeof *operations)

#endif
