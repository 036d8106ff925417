//! A void, from the quote to the money: cancels a whole order soon after ticketing.
//!
//!     cargo run --bin example-void -- BASE_URL ORDER_NO

use atlas_postbooking::Failure;
use atlas_postbooking::blocking::Client;
use atlas_postbooking::wire::{Code, QueryVoidOrdersRequest, VoidQuotationRequest, VoidRequest};
use std::process::ExitCode;
use story::{Desk, End, Matter, run, tell};

fn void(desk: &mut Desk) -> Result<End, Failure> {
    desk.booking()?;
    let order_no = Some(desk.order_no.clone());
    let request = VoidQuotationRequest { order_no: order_no.clone() };
    let quote = desk.client.void_quotation(&request)?.data;
    if quote.is_voidable != Some(true) {
        tell("quote", "this order cannot be voided; ask for a refund");
        return Ok(End::Refused);
    }
    Matter::tell_quote("void", &quote.void_fare_amount, &quote.service_fee);
    let submit = VoidRequest { order_no: order_no.clone(), void_offer_id: quote.void_offer_id.clone() };
    let matter = Matter {
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
    Ok(matter.play(desk))
}

fn main() -> ExitCode {
    run(void)
}
