"""Refunds an order: quote, submit, and query until the money is paid, weeks later.

python refund.py BASE_URL ORDER_NO
"""

from atlas_postbooking import Reply
from example import REFUSED, Cancellation, Session, print_line, run, submit


def refund_list(order: Reply) -> list[dict[str, object]]:
    """Every passenger with every flight: Atlas refuses a part of an itinerary."""
    flights = [
        {
            "flight_no": flight.flight_number,
            "dep_airport": flight.dep_airport,
            "arr_airport": flight.arr_airport,
            "dep_date": flight.dep_time.date(),
        }
        for flight in [*order.routing.from_segments, *order.routing.ret_segments]
    ]
    voluntary = 1
    return [
        {"name": passenger.name, "refund_reason": voluntary, "segments": flights}
        for passenger in order.pax_ticket_infos
    ]


def refund(session: Session) -> int:
    client, order_no = session.client, session.order_no
    passengers = refund_list(session.booking())
    quote = client.refund_quotation(order_no=order_no, refund_request_list=passengers)
    if not quote.is_refundable:
        print_line("quote", "this order cannot be refunded")
        return REFUSED
    money = quote.refund_fare_amount
    print_line(
        "quote",
        f"of {money.original_fare_amount} {money.currency}, a refund gives back {money.estimated_refund_amount};"
        f" Atlas keeps a fee of {quote.service_fee.transaction_fee}",
    )
    cancellation = Cancellation(
        name="refund",
        done="refunded",
        quote=lambda: client.refund_quotation(order_no=order_no, refund_request_list=passengers),
        submit=lambda: client.refund(order_no=order_no, refund_offer_id=quote.refund_offer_id),
        list=lambda code: client.query_refund_orders(order_no=order_no, refund_code=code).refund_orders,
        code_of=lambda one: one.refund_code,
        state_of=lambda one: one.refund_status,
        offer_of=lambda one: one.refund_offer_id,
        offer=quote.refund_offer_id,
        pause=240,
    )
    return submit(session, cancellation)


if __name__ == "__main__":
    run(refund)
