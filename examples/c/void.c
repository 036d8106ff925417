/*
 * void.c - a void, which cancels a whole order soon after ticketing: quotation, submit, and queries until it is done.
 *
 *   void BASE_URL ORDER_NO
 */
#include "cancellation.h"

static const struct cancellation_kind void_kind = {
    "void",     "voided",           "voidOrders", "voidOfferId",         "voidStatus",
    "voidCode", apb_void_quotation, apb_void,     apb_query_void_orders, 30,
};

int main(int argc, char **argv)
{
    struct session session;
    apb_reply *order;
    apb_reply *quote;
    char request[256];
    int end = REFUSED;

    open_session(&session, argc, argv, 0);
    order = call_for_order(&session, apb_query_order_details, session.order_no);
    if (print_booking(order) == 0) {
        sprintf(request, "{\"orderNo\":\"%.100s\"}", session.order_no);
        quote = call_operation(&session, apb_void_quotation, request);
        if (apb_reply_status(quote) != APB_OK) {
            print_error(quote);
        } else if (strcmp(field(quote, "data.isVoidable"), "true") != 0) {
            print_line("quote", "this order cannot be voided; ask for a refund");
        } else {
            end = accept_quote(&session, &void_kind, request, quote, "voidFareAmount");
        }
        apb_reply_free(quote);
    }
    apb_reply_free(order);
    return close_session(&session, end);
}
