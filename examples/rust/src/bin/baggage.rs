//! A bag for a ticketed order: search, order, pay, and the ticket of the bag.
//!
//!     cargo run --bin example-baggage -- BASE_URL ORDER_NO

use atlas_postbooking::wire::{
    AncillaryChoice, AncillaryPassenger, Code, PayRequest, PostBookingAncillaryOrderRequest,
    PostBookingAncillarySearchReply, PostBookingAncillarySearchRequest, QueryOrderDetailsReply,
};
use atlas_postbooking::{Failure, Outcome};
use shared::{Context, End, report, run, tell_failure, text};
use std::process::ExitCode;

const DEPOSIT: i64 = 1;
const TICKETED: i64 = 2;

/// Where the bag's order stands; `None` if it cannot be read.
fn state_of(context: &Context, bag: &str) -> Option<i64> {
    context.order(bag).ok()?.order_status?.number()
}

fn follow(context: &mut Context, bag: &str) -> End {
    for _ in 0..60 {
        match state_of(context, bag) {
            Some(TICKETED) => {
                report(&context.when(), "ticketed: the bag is booked");
                return End::Settled;
            }
            Some(..0) => {
                report(&context.when(), "cancelled, and the money is on the deposit again");
                return End::Refused;
            }
            _ if !context.wait(1) => break,
            _ => {}
        }
    }
    End::Unsettled
}

/// Pays, once. The money moves here.
fn pay(context: &mut Context, bag: &str) -> End {
    report("submit", "pay, from the deposit");
    let request =
        PayRequest { order_no: Some(bag.into()), payment_method: Some(Code::Number(DEPOSIT)), ..Default::default() };
    let failure = match context.client.pay(&request) {
        Ok(_) => {
            report("happened?", "yes: paid");
            return follow(context, bag);
        }
        Err(failure) => failure,
    };
    match failure.outcome() {
        Outcome::Executed => {
            report("happened?", "yes: it had been paid before");
            follow(context, bag)
        }
        Outcome::NotExecuted => {
            report("happened?", "no, for certain");
            tell_failure(&failure);
            End::Refused
        }
        // The order itself knows whether it is paid.
        Outcome::Unknown => {
            report("happened?", format!("not known: {}", failure.error().message));
            if !context.wait(3) || state_of(context, bag).unwrap_or_default() <= 0 {
                return End::Unsettled;
            }
            report("", "Found: the order is paid. It happened, and once.");
            follow(context, bag)
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

fn buy(context: &mut Context, request: &PostBookingAncillaryOrderRequest) -> End {
    report("submit", "order the bag");
    match context.client.post_booking_ancillary_order(request) {
        Ok(answer) => {
            let made = answer.data;
            let bag = text(&made.order_no);
            let price = format!("{} {}", text(&made.total_price), text(&made.currency));
            report("happened?", format!("yes: order {bag}, {price} to be paid by {}", text(&made.tkt_limit_time)));
            pay(context, &bag)
        }
        Err(failure) if failure.outcome() == Outcome::NotExecuted => {
            report("happened?", "no, for certain");
            tell_failure(&failure);
            End::Refused
        }
        // No money moves with this order: unpaid, it lapses. Nothing is lost by letting a person look.
        Err(failure) => {
            report("happened?", format!("not known: {}", failure.error().message));
            End::Unsettled
        }
    }
}

fn baggage(context: &mut Context) -> Result<End, Failure> {
    let order = context.booking()?;
    let search = PostBookingAncillarySearchRequest {
        ticket_order_no: Some(context.order_no.clone()),
        ancillary_category: Some("BAGGAGE".into()),
        ..Default::default()
    };
    let shop = context.client.post_booking_ancillary_search(&search)?.data;
    let Some(first) = shop.ancillary_product_elements.first() else {
        report("quote", "no bags are on sale for this order");
        return Ok(End::Refused);
    };
    let weight = first.aux_baggage_element.as_ref().and_then(|bag| bag.weight.clone());
    let weight = weight.as_ref().map_or("?", |kilos| kilos.as_str());
    report("quote", format!("a bag of {weight} kg costs {} {}", text(&first.price), text(&shop.currency)));
    context.report_deposit("before");
    let end = buy(context, &choice(&context.order_no, &order, &shop));
    context.report_deposit("after");
    report(
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
