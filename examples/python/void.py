"""Voids an order, which cancels all of it soon after ticketing: quote, submit, and query until it is voided.

python void.py BASE_URL ORDER_NO
"""

from example import REFUSED, Cancellation, Session, print_line, run, submit


def void(session: Session) -> int:
    client, order_no = session.client, session.order_no
    session.booking()
    quote = client.void_quotation(order_no=order_no)
    if not quote.is_voidable:
        print_line("quote", "this order cannot be voided; ask for a refund")
        return REFUSED
    money = quote.void_fare_amount
    print_line(
        "quote",
        f"of {money.original_fare_amount} {money.currency}, a void gives back {money.estimated_refund_amount};"
        f" Atlas keeps a fee of {quote.service_fee.transaction_fee}",
    )
    cancellation = Cancellation(
        name="void",
        done="voided",
        quote=lambda: client.void_quotation(order_no=order_no),
        submit=lambda: client.void(order_no=order_no, void_offer_id=quote.void_offer_id),
        list=lambda code: client.query_void_orders(order_no=order_no, void_code=code).void_orders,
        code_of=lambda one: one.void_code,
        state_of=lambda one: one.void_status,
        offer_of=lambda one: one.void_offer_id,
        offer=quote.void_offer_id,
        pause=30,
    )
    return submit(session, cancellation)


if __name__ == "__main__":
    run(void)
