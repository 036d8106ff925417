"""A bag for a ticketed order: search, order, pay, and the ticket of the bag.

python baggage.py BASE_URL ORDER_NO
"""

from atlas_postbooking import AtlasError, NotExecuted, OutcomeUnknown, Reply
from desk import REFUSED, SETTLED, UNSETTLED, Desk, run, tell

DEPOSIT = 1
TICKETED = 2


def state_of(desk: Desk, bag: str) -> int | None:
    """Where the bag's order stands; None if it cannot be read."""
    try:
        return desk.client.query_order_details(order_no=bag).order_status
    except AtlasError:
        return None


def order_bag(desk: Desk, order: Reply, shop: Reply) -> Reply:
    """Orders the first bag on sale for the first passenger, on every flight out. Nothing is paid yet."""
    product = shop.ancillary_product_elements[0]
    choice = [
        {"product_code": product.product_code, "segment_index": flight.segment_index} for flight in shop.from_segments
    ]
    passenger = order.pax_ticket_infos[0]
    tell("submit", "order the bag")
    made = desk.client.post_booking_ancillary_order(
        session_id=shop.session_id,
        ancillary_category="BAGGAGE",
        ticket_order_no=desk.order_no,
        passengers=[
            {"name": passenger.name, "passenger_type": passenger.passenger_type, "ancillaries": choice}
        ],
    )
    tell(
        "happened?",
        f"yes: order {made.order_no}, {made.total_price} {made.currency} to be paid by {made.tkt_limit_time.isoformat()}",
    )
    return made


def pay(desk: Desk, bag: str) -> None:
    """Pays, once. The money moves here."""
    tell("submit", "pay, from the deposit")
    try:
        desk.client.pay(order_no=bag, payment_method=DEPOSIT)
        tell("happened?", "yes: paid")
    except OutcomeUnknown as lost:
        tell("happened?", f"not known: {lost.message}")
        # The order itself knows whether it is paid.
        desk.wait(3)
        if (state_of(desk, bag) or 0) <= 0:
            raise
        tell("", "Found: the order is paid. It happened, and once.")


def follow(desk: Desk, bag: str) -> int:
    for _ in range(60):
        state = state_of(desk, bag)
        if state == TICKETED:
            tell(desk.when(), "ticketed: the bag is booked")
            return SETTLED
        if state is not None and state < 0:
            tell(desk.when(), "cancelled, and the money is on the deposit again")
            return REFUSED
        desk.wait(1)
    return UNSETTLED


def buy(desk: Desk, order: Reply, shop: Reply) -> int:
    try:
        bag = order_bag(desk, order, shop).order_no
        pay(desk, bag)
        return follow(desk, bag)
    except OutcomeUnknown as lost:
        # Of an order whose answer was lost nothing is paid: it lapses. A payment is for a person to look at.
        tell("", lost.help)
        return UNSETTLED
    except NotExecuted as refused:
        tell("happened?", f"no, for certain: {refused.message}")
        tell("", refused.help)
        return REFUSED


def baggage(desk: Desk) -> int:
    order = desk.booking()
    shop = desk.client.post_booking_ancillary_search(ticket_order_no=desk.order_no, ancillary_category="BAGGAGE")
    if not shop.ancillary_product_elements:
        tell("quote", "no bags are on sale for this order")
        return REFUSED
    first = shop.ancillary_product_elements[0]
    tell("quote", f"a bag of {first.aux_baggage_element.weight} kg costs {first.price} {first.currency}")
    desk.tell_deposit("before")
    end = buy(desk, order, shop)
    desk.tell_deposit("after")
    words = {SETTLED: "paid and ticketed", REFUSED: "no bag"}
    tell("the end", words.get(end, "still open: a person looks at it, and nothing is sent twice"))
    return end


if __name__ == "__main__":
    run(baggage)
