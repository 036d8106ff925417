"""Buys baggage for a ticketed order: search, order, pay, and query until it is ticketed.

python baggage.py BASE_URL ORDER_NO
"""

from atlas_postbooking import AtlasError, NotExecuted, OutcomeUnknown, Reply
from example import DONE, REFUSED, UNRESOLVED, Session, print_line, run

DEPOSIT = 1
TICKETED = 2


def state_of(session: Session, bag: str) -> int | None:
    """The orderStatus of the baggage order; None if the query failed."""
    try:
        return session.client.query_order_details(order_no=bag).order_status
    except AtlasError:
        return None


def order_bag(session: Session, order: Reply, shop: Reply) -> Reply:
    """Orders the first bag on sale for the first passenger, on every outbound flight. Nothing is paid yet."""
    product = shop.ancillary_product_elements[0]
    choice = [
        {"product_code": product.product_code, "segment_index": flight.segment_index} for flight in shop.from_segments
    ]
    passenger = order.pax_ticket_infos[0]
    print_line("submit", "order the bag")
    made = session.client.post_booking_ancillary_order(
        session_id=shop.session_id,
        ancillary_category="BAGGAGE",
        ticket_order_no=session.order_no,
        passengers=[
            {"name": passenger.name, "passenger_type": passenger.passenger_type, "ancillaries": choice}
        ],
    )
    print_line(
        "happened?",
        f"yes: order {made.order_no}, {made.total_price} {made.currency}"
        f" to be paid by {made.tkt_limit_time.isoformat()}",
    )
    return made


def pay(session: Session, bag: str) -> None:
    """Pays once. This submit moves the money."""
    print_line("submit", "pay, from the deposit")
    try:
        session.client.pay(order_no=bag, payment_method=DEPOSIT)
        print_line("happened?", "yes: paid")
    except OutcomeUnknown as lost:
        print_line("happened?", f"not known: {lost.message}")
        # The state of the order says whether it is paid.
        session.wait(3)
        if (state_of(session, bag) or 0) <= 0:
            raise
        print_line("", "Found: the order is paid. It happened, and once.")


def follow(session: Session, bag: str) -> int:
    """Queries the baggage order until it is ticketed or cancelled."""
    for _ in range(60):
        state = state_of(session, bag)
        if state == TICKETED:
            print_line(session.elapsed(), "ticketed: the bag is booked")
            return DONE
        if state is not None and state < 0:
            print_line(session.elapsed(), "cancelled, and the money is on the deposit again")
            return REFUSED
        session.wait(1)
    return UNRESOLVED


def buy(session: Session, order: Reply, shop: Reply) -> int:
    try:
        bag = order_bag(session, order, shop).order_no
        pay(session, bag)
        return follow(session, bag)
    except OutcomeUnknown as lost:
        # An order whose reply was lost lapses unpaid. Of a payment, a person has to find out.
        print_line("", lost.help)
        return UNRESOLVED
    except NotExecuted as refused:
        print_line("happened?", f"no, for certain: {refused.message}")
        print_line("", refused.help)
        return REFUSED


def baggage(session: Session) -> int:
    order = session.booking()
    shop = session.client.post_booking_ancillary_search(ticket_order_no=session.order_no, ancillary_category="BAGGAGE")
    if not shop.ancillary_product_elements:
        print_line("quote", "no bags are on sale for this order")
        return REFUSED
    first = shop.ancillary_product_elements[0]
    print_line("quote", f"a bag of {first.aux_baggage_element.weight} kg costs {first.price} {first.currency}")
    session.print_deposit("before")
    end = buy(session, order, shop)
    session.print_deposit("after")
    results = {DONE: "paid and ticketed", REFUSED: "no bag"}
    print_line("the end", results.get(end, "still open: a person looks at it, and nothing is sent twice"))
    return end


if __name__ == "__main__":
    run(baggage)
