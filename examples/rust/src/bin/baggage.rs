//! Buys baggage for a ticketed order: search, order, pay, and query until it is ticketed.
//!
//!     cargo run --bin example-baggage -- BASE_URL ORDER_NO

use atlas_postbooking::wire::{
    AncillaryChoice, AncillaryPassenger, Code, PayRequest, PostBookingAncillaryOrderRequest,
    PostBookingAncillarySearchReply, PostBookingAncillarySearchRequest, QueryOrderDetailsReply,
};
use atlas_postbooking::{Failure, Outcome};
use example::{End, Session, print_failure, print_line, run, text};
use std::process::ExitCode;

const DEPOSIT: i64 = 1;
const TICKETED: i64 = 2;

/// The orderStatus of the baggage order; `None` if the query failed.
fn state_of(session: &Session, bag: &str) -> Option<i64> {
    session.order(bag).ok()?.order_status?.number()
}

fn follow(session: &mut Session, bag: &str) -> End {
    for _ in 0..60 {
        match state_of(session, bag) {
            Some(TICKETED) => {
                print_line(&session.elapsed(), "ticketed: the bag is booked");
                return End::Done;
            }
            Some(..0) => {
                print_line(&session.elapsed(), "cancelled, and the money is on the deposit again");
                return End::Refused;
            }
            _ if !session.wait(1) => break,
            _ => {}
        }
    }
    End::Unresolved
}

/// Pays once. This submit moves the money.
fn pay(session: &mut Session, bag: &str) -> End {
    print_line("submit", "pay, from the deposit");
    let request =
        PayRequest { order_no: Some(bag.into()), payment_method: Some(Code::Number(DEPOSIT)), ..Default::default() };
    let failure = match session.client.pay(&request) {
        Ok(_) => {
            print_line("happened?", "yes: paid");
            return follow(session, bag);
        }
        Err(failure) => failure,
    };
    match failure.outcome() {
        Outcome::Executed => {
            print_line("happened?", "yes: it had been paid before");
            follow(session, bag)
        }
        Outcome::NotExecuted => {
            print_line("happened?", "no, for certain");
            print_failure(&failure);
            End::Refused
        }
        // The state of the order says whether it is paid.
        Outcome::Unknown | Outcome::Pending => {
            print_line("happened?", format!("not known: {}", failure.error().message));
            if !session.wait(3) || state_of(session, bag).unwrap_or_default() <= 0 {
                return End::Unresolved;
            }
            print_line("", "Found: the order is paid. It happened, and once.");
            follow(session, bag)
        }
    }
}

/// The request for the first bag on sale, for the first passenger, on every outbound flight.
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

fn buy(session: &mut Session, request: &PostBookingAncillaryOrderRequest) -> End {
    print_line("submit", "order the bag");
    match session.client.post_booking_ancillary_order(request) {
        Ok(answer) => {
            let made = answer.data;
            let bag = text(&made.order_no);
            let price = format!("{} {}", text(&made.total_price), text(&made.currency));
            print_line("happened?", format!("yes: order {bag}, {price} to be paid by {}", text(&made.tkt_limit_time)));
            pay(session, &bag)
        }
        Err(failure) if failure.outcome() == Outcome::NotExecuted => {
            print_line("happened?", "no, for certain");
            print_failure(&failure);
            End::Refused
        }
        // The order moves no money: it lapses unpaid. A person can take the time to find out.
        Err(failure) => {
            print_line("happened?", format!("not known: {}", failure.error().message));
            End::Unresolved
        }
    }
}

fn baggage(session: &mut Session) -> Result<End, Failure> {
    let order = session.booking()?;
    let search = PostBookingAncillarySearchRequest {
        ticket_order_no: Some(session.order_no.clone()),
        ancillary_category: Some("BAGGAGE".into()),
        ..Default::default()
    };
    let shop = session.client.post_booking_ancillary_search(&search)?.data;
    let Some(first) = shop.ancillary_product_elements.first() else {
        print_line("quote", "no bags are on sale for this order");
        return Ok(End::Refused);
    };
    let weight = first.aux_baggage_element.as_ref().and_then(|bag| bag.weight.clone());
    let weight = weight.as_ref().map_or("?", |kilos| kilos.as_str());
    print_line("quote", format!("a bag of {weight} kg costs {} {}", text(&first.price), text(&shop.currency)));
    session.print_deposit("before");
    let end = buy(session, &choice(&session.order_no, &order, &shop));
    session.print_deposit("after");
    print_line(
        "the end",
        match end {
            End::Done => "paid and ticketed",
            End::Refused => "no bag",
            End::Unresolved => "still open: a person looks at it, and nothing is sent twice",
        },
    );
    Ok(end)
}

fn main() -> ExitCode {
    run(baggage)
}
