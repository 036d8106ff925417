//! The typed Rust client against the simulator: each flow to its final state.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use atlas_postbooking::blocking::Client;
use atlas_postbooking::wire::*;
use atlas_postbooking::{Outcome, Status};
use atlas_simulator::{Options, Simulator};
use serde_json::{Value, json};

struct Fixture {
    simulator: Simulator,
    client: Client,
}

fn fixture() -> Fixture {
    let simulator = Simulator::start(Options::default()).unwrap();
    let config = json!({"baseUrl": simulator.url(), "clientId": "demo", "clientSecret": "secret"});
    Fixture { client: Client::new(&config.to_string()).unwrap(), simulator }
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn refund_list(order: &Value) -> Vec<RefundPassenger> {
    let segments: Vec<RefundSegment> = order["segments"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| RefundSegment {
            dep_date: Some(s["depDate"].as_str().unwrap().into()),
            flight_no: text(&s["flightNo"]),
            dep_airport: text(&s["depAirport"]),
            arr_airport: text(&s["arrAirport"]),
            ..RefundSegment::default()
        })
        .collect();
    let passengers = order["passengers"].as_array().unwrap();
    passengers
        .iter()
        .map(|p| RefundPassenger {
            last_name: text(&p["lastName"]),
            first_name: text(&p["firstName"]),
            segments: segments.clone(),
            ..RefundPassenger::default()
        })
        .collect()
}

#[test]
fn a_refund_is_executed_once_and_ends_refunded() {
    let Fixture { simulator, client } = fixture();
    let order = simulator.create_order(json!({"state": "ticketed", "passengers": 2, "segments": 2})).unwrap();
    let order_no = text(&order["orderNo"]);
    let quote = client
        .refund_quotation(&RefundQuotationRequest {
            order_no: order_no.clone(),
            refund_request_list: refund_list(&order),
            ..RefundQuotationRequest::default()
        })
        .unwrap();
    assert_eq!(quote.data.is_refundable, Some(true));
    let fare = quote.data.refund_fare_amount.unwrap();
    assert!(fare.estimated_refund_amount.unwrap().to_decimal().unwrap() > rust_decimal::Decimal::ZERO);
    let request = RefundRequest {
        order_no: order_no.clone(),
        refund_offer_id: quote.data.refund_offer_id,
        ..RefundRequest::default()
    };
    let refund = client.refund(&request).unwrap();
    assert_eq!(refund.reply.outcome(), Outcome::Executed);
    let again = client.refund(&request).unwrap_err();
    assert_eq!((again.outcome(), again.error().status), (Outcome::Unknown, Status::ALREADY));
    simulator.advance("30d").unwrap();
    let orders = client
        .query_refund_orders(&QueryRefundOrdersRequest {
            order_no,
            refund_code: refund.data.refund_code,
            ..QueryRefundOrdersRequest::default()
        })
        .unwrap();
    assert_eq!(orders.data.refund_orders[0].refund_status, Some(2.into()));
    let entries = simulator.ledger();
    let executed = entries.iter().filter(|e| e["executed"] == true).count();
    assert_eq!(executed, 1);
}

#[test]
fn a_lost_void_is_found_by_its_offer_id() {
    let Fixture { simulator, client } = fixture();
    let order = simulator.create_order(json!({"state": "ticketed", "airline": "Y4"})).unwrap();
    let order_no = text(&order["orderNo"]);
    let quote = client.void_quotation(&VoidQuotationRequest { order_no: order_no.clone() }).unwrap();
    let offer = quote.data.void_offer_id;
    simulator.fault(json!({"endpoint": "void", "mode": "drop_after", "times": 1})).unwrap();
    let lost = client.void(&VoidRequest { order_no: order_no.clone(), void_offer_id: offer.clone() }).unwrap_err();
    assert_eq!((lost.outcome(), lost.error().next), (Outcome::Unknown, Some("queryVoidOrders")));
    let voids = client.query_void_orders(&QueryVoidOrdersRequest { order_no, void_code: None }).unwrap();
    assert_eq!(voids.data.void_orders[0].void_offer_id, offer, "the void of the lost reply has the offer id");
}

#[test]
fn baggage_is_ordered_paid_once_and_ticketed() {
    let Fixture { simulator, client } = fixture();
    let order = simulator.create_order(json!({"state": "ticketed", "segments": 1, "passengers": 1})).unwrap();
    let search = client
        .post_booking_ancillary_search(&PostBookingAncillarySearchRequest {
            ticket_order_no: text(&order["orderNo"]),
            ancillary_category: Some("BAGGAGE".into()),
            ..PostBookingAncillarySearchRequest::default()
        })
        .unwrap();
    let product = search.data.ancillary_product_elements.first().expect("a product on sale").clone();
    assert_eq!(product.can_purchase_post_ticket, Some(true));
    let bag = client
        .post_booking_ancillary_order(&PostBookingAncillaryOrderRequest {
            session_id: search.data.session_id,
            ancillary_category: Some("BAGGAGE".into()),
            ticket_order_no: text(&order["orderNo"]),
            passengers: vec![AncillaryPassenger {
                name: text(&order["passengers"][0]["name"]),
                passenger_type: Some(0.into()),
                ancillaries: vec![AncillaryChoice {
                    product_code: product.product_code,
                    segment_index: product.segment_index,
                }],
                ..AncillaryPassenger::default()
            }],
            ..PostBookingAncillaryOrderRequest::default()
        })
        .unwrap();
    assert!(bag.data.tkt_limit_time.unwrap().to_offset_date_time().is_some());
    let bag_order = bag.data.order_no;
    let pay = PayRequest { order_no: bag_order.clone(), payment_method: Some(1.into()), ..PayRequest::default() };
    assert_eq!(client.pay(&pay).unwrap().reply.outcome(), Outcome::Executed);
    assert_eq!(
        client.pay(&pay).unwrap_err().outcome(),
        Outcome::Executed,
        "a payment that was made before counts as executed"
    );
    simulator.advance("10m").unwrap();
    let details = client
        .query_order_details(&QueryOrderDetailsRequest { order_no: bag_order, ..QueryOrderDetailsRequest::default() })
        .unwrap();
    assert_eq!(details.data.order_status, Some(2.into()));
}

#[test]
fn the_iterator_over_orders_gives_each_order_once() {
    let Fixture { simulator, client } = fixture();
    for _ in 0..23 {
        simulator.create_order(json!({"state": "ticketed"})).unwrap();
    }
    let request = OrderListRequest { page_size: Some(5.into()), ..OrderListRequest::default() };
    let numbers: Vec<_> = client.orders(request).map(|o| o.unwrap().order_no.unwrap()).collect();
    assert_eq!(numbers.len(), 23);
    let distinct: std::collections::HashSet<_> = numbers.iter().collect();
    assert_eq!(distinct.len(), 23);
}

#[tokio::test]
async fn the_async_client_reports_data_and_failures() {
    let Fixture { simulator, .. } = fixture();
    let config = json!({"baseUrl": simulator.url(), "clientId": "demo", "clientSecret": "secret"});
    let client = atlas_postbooking::Client::new(&config.to_string()).unwrap();
    let balance = client.balance(&BalanceRequest { currency: Some("USD".into()) }).await.unwrap();
    assert!(balance.data.account_balance.unwrap().amount.is_some());
    let wrong = json!({"baseUrl": simulator.url(), "clientId": "demo", "clientSecret": "wrong"});
    let refused = atlas_postbooking::Client::new(&wrong.to_string()).unwrap();
    let failure = refused.balance(&BalanceRequest::default()).await.unwrap_err();
    assert_eq!((failure.error().code.as_str(), failure.error().status), ("unauthorized", Status::AUTH));
}
