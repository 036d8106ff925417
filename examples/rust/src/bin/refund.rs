//! Refunds an order: quote, submit, and query until the money is paid, weeks later.
//!
//!     cargo run --bin example-refund -- BASE_URL ORDER_NO

use atlas_postbooking::Failure;
use atlas_postbooking::blocking::Client;
use atlas_postbooking::wire::{
    Code, Date, QueryOrderDetailsReply, QueryRefundOrdersRequest, RefundPassenger, RefundQuotationRequest,
    RefundRequest, RefundSegment,
};
use example::{Cancellation, End, Session, print_line, run, text};
use std::process::ExitCode;

/// Every passenger with every flight: Atlas refuses a part of an itinerary.
fn refund_list(order: &QueryOrderDetailsReply) -> Vec<RefundPassenger> {
    let routing = order.routing.clone().unwrap_or_default();
    let flights: Vec<RefundSegment> = routing
        .from_segments
        .iter()
        .chain(&routing.ret_segments)
        .map(|flight| RefundSegment {
            dep_date: text(&flight.dep_time).get(..10).map(Date::from),
            flight_no: flight.flight_number.clone(),
            dep_airport: flight.dep_airport.clone(),
            arr_airport: flight.arr_airport.clone(),
            ..Default::default()
        })
        .collect();
    let voluntary = Code::Number(1);
    let passengers = order.pax_ticket_infos.iter().map(|passenger| RefundPassenger {
        name: passenger.name.clone(),
        refund_reason: Some(voluntary.clone()),
        segments: flights.clone(),
        ..Default::default()
    });
    passengers.collect()
}

fn refund(session: &mut Session) -> Result<End, Failure> {
    let order = session.booking()?;
    let order_no = Some(session.order_no.clone());
    let request = RefundQuotationRequest {
        order_no: order_no.clone(),
        refund_request_list: refund_list(&order),
        ..Default::default()
    };
    let quote = session.client.refund_quotation(&request)?.data;
    if quote.is_refundable != Some(true) {
        print_line("quote", "this order cannot be refunded");
        return Ok(End::Refused);
    }
    Cancellation::print_quote("refund", &quote.refund_fare_amount, &quote.service_fee);
    let submit = RefundRequest {
        order_no: order_no.clone(),
        refund_offer_id: quote.refund_offer_id.clone(),
        ..Default::default()
    };
    let cancellation = Cancellation {
        name: "refund",
        done: "refunded",
        quote: &|client: &Client| client.refund_quotation(&request).map(|_| ()),
        submit: &|client: &Client| Ok(client.refund(&submit)?.data.refund_code),
        list: &|client: &Client, code: Option<&str>| {
            let query = QueryRefundOrdersRequest {
                order_no: order_no.clone(),
                refund_code: code.map(Into::into),
                ..Default::default()
            };
            let listed = client.query_refund_orders(&query)?.data.refund_orders;
            let states =
                listed.into_iter().map(|r| (r.refund_offer_id, r.refund_status.as_ref().and_then(Code::number)));
            Ok(states.collect())
        },
        offer: quote.refund_offer_id.unwrap_or_default(),
        pause: 240,
    };
    Ok(cancellation.submit_and_follow(session))
}

fn main() -> ExitCode {
    run(refund)
}
