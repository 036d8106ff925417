//! Voids an order, which cancels all of it soon after ticketing: quote, submit, and query until it is voided.
//!
//!     cargo run --bin example-void -- BASE_URL ORDER_NO

use atlas_postbooking::Failure;
use atlas_postbooking::blocking::Client;
use atlas_postbooking::wire::{Code, QueryVoidOrdersRequest, VoidQuotationRequest, VoidRequest};
use example::{Cancellation, End, Session, print_line, run};
use std::process::ExitCode;

fn void(session: &mut Session) -> Result<End, Failure> {
    session.booking()?;
    let order_no = Some(session.order_no.clone());
    let request = VoidQuotationRequest { order_no: order_no.clone() };
    let quote = session.client.void_quotation(&request)?.data;
    if quote.is_voidable != Some(true) {
        print_line("quote", "this order cannot be voided; ask for a refund");
        return Ok(End::Refused);
    }
    Cancellation::print_quote("void", &quote.void_fare_amount, &quote.service_fee);
    let submit = VoidRequest { order_no: order_no.clone(), void_offer_id: quote.void_offer_id.clone() };
    let cancellation = Cancellation {
        name: "void",
        done: "voided",
        quote: &|client: &Client| client.void_quotation(&request).map(|_| ()),
        submit: &|client: &Client| Ok(client.void(&submit)?.data.void_code),
        list: &|client: &Client, code: Option<&str>| {
            let query = QueryVoidOrdersRequest { order_no: order_no.clone(), void_code: code.map(Into::into) };
            let listed = client.query_void_orders(&query)?.data.void_orders;
            Ok(listed.into_iter().map(|v| (v.void_offer_id, v.void_status.as_ref().and_then(Code::number))).collect())
        },
        offer: quote.void_offer_id.unwrap_or_default(),
        pause: 30,
    };
    Ok(cancellation.submit_and_follow(session))
}

fn main() -> ExitCode {
    run(void)
}
