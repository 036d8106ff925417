"""A bag for a ticketed order: search, order, pay, and the ticket of the bag.

python baggage.py BASE_URL ORDER_NO
"""

from atlas_postbooking import AtlasError, NotExecuted, OutcomeUnknown, Reply
from shared import REFUSED, SETTLED, UNSETTLED, Context, run, report

DEPOSIT = 1
TICKETED = 2


def state_of(context: Context, bag: str) -> int | None:
    """Where the bag's order stands; None if it cannot be read."""
    try:
        return context.client.query_order_details(order_no=bag).order_status
    except AtlasError:
        return None


def order_bag(context: Context, order: Reply, shop: Reply) -> Reply:
    """Orders the first bag on sale for the first passenger, on every flight out. Nothing is paid yet."""
    product = shop.ancillary_product_elements[0]
    choice = [
        {"product_code": product.product_code, "segment_index": flight.segment_index} for flight in shop.from_segments
    ]
    passenger = order.pax_ticket_infos[0]
    report("submit", "order the bag")
    made = context.client.post_booking_ancillary_order(
        session_id=shop.session_id,
        ancillary_category="BAGGAGE",
        ticket_order_no=context.order_no,
        passengers=[
            {"name": passenger.name, "passenger_type": passenger.passenger_type, "ancillaries": choice}
        ],
    )
    report(
        "happened?",
        f"yes: order {made.order_no}, {made.total_price} {made.currency} to be paid by {made.tkt_limit_time.isoformat()}",
    )
    return made


def pay(context: Context, bag: str) -> None:
    """Pays, once. The money moves here."""
    report("submit", "pay, from the deposit")
    try:
        context.client.pay(order_no=bag, payment_method=DEPOSIT)
        report("happened?", "yes: paid")
    except OutcomeUnknown as lost:
        report("happened?", f"not known: {lost.message}")
        # The order itself knows whether it is paid.
        context.wait(3)
        if (state_of(context, bag) or 0) <= 0:
            raise
        report("", "Found: the order is paid. It happened, and once.")


def follow(context: Context, bag: str) -> int:
    for _ in range(60):
        state = state_of(context, bag)
        if state == TICKETED:
            report(context.when(), "ticketed: the bag is booked")
            return SETTLED
        if state is not None and state < 0:
            report(context.when(), "cancelled, and the money is on the deposit again")
            return REFUSED
        context.wait(1)
    return UNSETTLED


def buy(context: Context, order: Reply, shop: Reply) -> int:
    try:
        bag = order_bag(context, order, shop).order_no
        pay(context, bag)
        return follow(context, bag)
    except OutcomeUnknown as lost:
        # Of an order whose answer was lost nothing is paid: it lapses. A payment is for a person to look at.
        report("", lost.help)
        return UNSETTLED
    except NotExecuted as refused:
        report("happened?", f"no, for certain: {refused.message}")
        report("", refused.help)
        return REFUSED


def baggage(context: Context) -> int:
    order = context.booking()
    shop = context.client.post_booking_ancillary_search(ticket_order_no=context.order_no, ancillary_category="BAGGAGE")
    if not shop.ancillary_product_elements:
        report("quote", "no bags are on sale for this order")
        return REFUSED
    first = shop.ancillary_product_elements[0]
    report("quote", f"a bag of {first.aux_baggage_element.weight} kg costs {first.price} {first.currency}")
    context.report_deposit("before")
    end = buy(context, order, shop)
    context.report_deposit("after")
    words = {SETTLED: "paid and ticketed", REFUSED: "no bag"}
    report("the end", words.get(end, "still open: a person looks at it, and nothing is sent twice"))
    return end


if __name__ == "__main__":
    run(baggage)
