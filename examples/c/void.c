/*
 * void.c - a void, from the quote to the money: cancels a whole order soon after ticketing.
 *
 *   void BASE_URL ORDER_NO
 */
#include "follow.h"

static const struct matter a_void = {
    "void", "voided", "voidOrders", "voidOfferId", "voidStatus", "voidCode", apb_void_quotation, apb_void, apb_query_void_orders, 30,
};

int main(int argc, char **argv)
{
    struct desk desk;
    apb_reply *order;
    apb_reply *quote;
    char request[256];
    int end = REFUSED;

    open_desk(&desk, argc, argv, 0);
    order = ask_about(&desk, apb_query_order_details, desk.order_no);
    if (tell_booking(order) == 0) {
        sprintf(request, "{\"orderNo\":\"%.100s\"}", desk.order_no);
        quote = ask(&desk, apb_void_quotation, request);
        if (apb_reply_status(quote) != APB_OK) {
            tell_error(quote);
        } else if (strcmp(field(quote, "data.isVoidable"), "true") != 0) {
            tell("quote", "this order cannot be voided; ask for a refund");
        } else {
            end = accept_quote(&desk, &a_void, request, quote, "voidFareAmount");
        }
        apb_reply_free(quote);
    }
    apb_reply_free(order);
    return close_desk(&desk, end);
}
