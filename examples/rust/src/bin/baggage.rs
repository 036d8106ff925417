//! A bag for a ticketed order: search, order, pay, and the ticket of the bag.
//!
//!     cargo run --bin example-baggage -- BASE_URL ORDER_NO

use atlas_postbooking::wire::{
    AncillaryChoice, AncillaryPassenger, Code, PayRequest, PostBookingAncillaryOrderRequest,
    PostBookingAncillarySearchReply, PostBookingAncillarySearchRequest, QueryOrderDetailsReply,
};
use atlas_postbooking::{Failure, Outcome};
use std::process::ExitCode;
use story::{Desk, End, run, tell, tell_failure, text};

const DEPOSIT: i64 = 1;
const TICKETED: i64 = 2;

/// Where the bag's order stands; `None` if it cannot be read.
fn state_of(desk: &Desk, bag: &str) -> Option<i64> {
    desk.order(bag).ok()?.order_status?.number()
}

fn follow(desk: &mut Desk, bag: &str) -> End {
    for _ in 0..60 {
        match state_of(desk, bag) {
            Some(TICKETED) => {
                tell(&desk.when(), "ticketed: the bag is booked");
                return End::Settled;
            }
            Some(..0) => {
                tell(&desk.when(), "cancelled, and the money is on the deposit again");
                return End::Refused;
            }
            _ if !desk.wait(1) => break,
            _ => {}
        }
    }
    End::Unsettled
}

/// Pays, once. The money moves here.
fn pay(desk: &mut Desk, bag: &str) -> End {
    tell("submit", "pay, from the deposit");
    let request =
        PayRequest { order_no: Some(bag.into()), payment_method: Some(Code::Number(DEPOSIT)), ..Default::default() };
    let failure = match desk.client.pay(&request) {
        Ok(_) => {
            tell("happened?", "yes: paid");
            return follow(desk, bag);
        }
        Err(failure) => failure,
    };
    match failure.outcome() {
        Outcome::Executed => {
            tell("happened?", "yes: it had been paid before");
            follow(desk, bag)
        }
        Outcome::NotExecuted => {
            tell("happened?", "no, for certain");
            tell_failure(&failure);
            End::Refused
        }
        // The order itself knows whether it is paid.
        Outcome::Unknown | Outcome::Pending => {
            tell("happened?", format!("not known: {}", failure.error().message));
            if !desk.wait(3) || state_of(desk, bag).unwrap_or_default() <= 0 {
                return End::Unsettled;
            }
            tell("", "Found: the order is paid. It happened, and once.");
            follow(desk, bag)
        }
    }
}

/// The first bag on sale, for the first passenger, on every flight out.
fn choice(
    order_no: &str,
    order: &QueryOrderDetailsReply,
    shop: &PostBookingAncillarySearchReply,
) -> PostBookingAncillaryOrderRequest {
    let product = shop.ancillary_product_elements.first().cloned().unwrap_or_default();
    let flights = shop.from_segments.iter();
    let bags = flights.map(|flight| AncillaryChoice {
        product_code: product.product_code.clone(),
        segment_index: flight.segment_index.clone(),
    });
    let passenger = order.pax_ticket_infos.first().cloned().unwrap_or_default();
    PostBookingAncillaryOrderRequest {
        session_id: shop.session_id.clone(),
        ancillary_category: Some("BAGGAGE".into()),
        ticket_order_no: Some(order_no.into()),
        passengers: vec![AncillaryPassenger {
            name: passenger.name,
            passenger_type: passenger.passenger_type,
            ancillaries: bags.collect(),
            ..Default::default()
        }],
        ..Default::default()
    }
}

fn buy(desk: &mut Desk, request: &PostBookingAncillaryOrderRequest) -> End {
    tell("submit", "order the bag");
    match desk.client.post_booking_ancillary_order(request) {
        Ok(answer) => {
            let made = answer.data;
            let bag = text(&made.order_no);
            let price = format!("{} {}", text(&made.total_price), text(&made.currency));
            tell("happened?", format!("yes: order {bag}, {price} to be paid by {}", text(&made.tkt_limit_time)));
            pay(desk, &bag)
        }
        Err(failure) if failure.outcome() == Outcome::NotExecuted => {
            tell("happened?", "no, for certain");
            tell_failure(&failure);
            End::Refused
        }
        // No money moves with this order: unpaid, it lapses. Nothing is lost by letting a person look.
        Err(failure) => {
            tell("happened?", format!("not known: {}", failure.error().message));
            End::Unsettled
        }
    }
}

fn baggage(desk: &mut Desk) -> Result<End, Failure> {
    let order = desk.booking()?;
    let search = PostBookingAncillarySearchRequest {
        ticket_order_no: Some(desk.order_no.clone()),
        ancillary_category: Some("BAGGAGE".into()),
        ..Default::default()
    };
    let shop = desk.client.post_booking_ancillary_search(&search)?.data;
    let Some(first) = shop.ancillary_product_elements.first() else {
        tell("quote", "no bags are on sale for this order");
        return Ok(End::Refused);
    };
    let weight = first.aux_baggage_element.as_ref().and_then(|bag| bag.weight.clone());
    let weight = weight.as_ref().map_or("?", |kilos| kilos.as_str());
    tell("quote", format!("a bag of {weight} kg costs {} {}", text(&first.price), text(&shop.currency)));
    desk.tell_deposit("before");
    let end = buy(desk, &choice(&desk.order_no, &order, &shop));
    desk.tell_deposit("after");
    tell(
        "the end",
        match end {
            End::Settled => "paid and ticketed",
            End::Refused => "no bag",
            End::Unsettled => "still open: a person looks at it, and nothing is sent twice",
        },
    );
    Ok(end)
}

fn main() -> ExitCode {
    run(baggage)
}
