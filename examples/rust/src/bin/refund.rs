//! A refund, from the quote to the money, weeks later.
//!
//!     cargo run --bin example-refund -- BASE_URL ORDER_NO

use atlas_postbooking::Failure;
use atlas_postbooking::blocking::Client;
use atlas_postbooking::wire::{
    Code, Date, QueryOrderDetailsReply, QueryRefundOrdersRequest, RefundPassenger, RefundQuotationRequest,
    RefundRequest, RefundSegment,
};
use std::process::ExitCode;
use story::{Desk, End, Matter, run, tell, text};

/// Every passenger with every flight: half an itinerary is refused.
fn everybody(order: &QueryOrderDetailsReply) -> Vec<RefundPassenger> {
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

fn refund(desk: &mut Desk) -> Result<End, Failure> {
    let order = desk.booking()?;
    let order_no = Some(desk.order_no.clone());
    let request = RefundQuotationRequest {
        order_no: order_no.clone(),
        refund_request_list: everybody(&order),
        ..Default::default()
    };
    let quote = desk.client.refund_quotation(&request)?.data;
    if quote.is_refundable != Some(true) {
        tell("quote", "this order cannot be refunded");
        return Ok(End::Refused);
    }
    Matter::tell_quote("refund", &quote.refund_fare_amount, &quote.service_fee);
    let submit = RefundRequest {
        order_no: order_no.clone(),
        refund_offer_id: quote.refund_offer_id.clone(),
        ..Default::default()
    };
    let matter = Matter {
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
    Ok(matter.play(desk))
}

fn main() -> ExitCode {
    run(refund)
}
