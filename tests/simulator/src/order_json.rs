//! Orders as JSON: the reply of an order query and its parts.

use crate::clock::{self, MINUTE};
use crate::json::{Object, money, object};
use crate::order::{CANCELLED, Kind, Order, TICKETED};
use serde_json::{Value, json};

/// The payload of `queryOrderDetails.do`.
pub fn details(order: &Order) -> Object {
    let issued = order.issued.is_some();
    let of = |kind: i64| -> i64 { order.passengers.iter().filter(|p| p.kind == kind).map(|p| p.fare).sum() };
    let bags: i64 = order.bags.iter().map(|bag| bag.price).sum();
    let ancillary = order.kind == Kind::Ancillary;
    let fare = |kind| {
        if ancillary { Value::from(0) } else { money(of(kind)) }
    };
    let (code, message) = match &order.error {
        Some((code, message)) if order.status == CANCELLED => (json!(code.to_string()), json!(message)),
        _ => (Value::Null, Value::Null),
    };
    let paid_by_card = order.paid_by_card();
    // For a paid order the vendor shows a later time, which has no meaning.
    let limit = if order.paid.is_some() { order.created + 80 * MINUTE } else { order.limit };
    object(json!({
        "orderNo": order.order_no,
        "pnrCode": order.pnr,
        "orderStatus": order.status.to_string(),
        "ticketStatus": if order.status == TICKETED { "1" } else { "0" },
        "paxTicketInfos": passengers(order),
        "totalPrice": money(order.total),
        "currency": order.currency,
        "tktLimitTime": clock::sgt(limit),
        "vendorTotalPrice": paid_by_card.then(|| money(order.total)),
        "vendorCost": paid_by_card.then(|| money(order.total)),
        "vendorTotalAncillaryPrice": paid_by_card.then(|| money(bags)),
        "vendorCurrency": paid_by_card.then_some(&order.currency),
        "adultTotalFare": fare(0),
        "childTotalFare": fare(1),
        "infantTotalFare": fare(2),
        "totalAncillaryPrice": money(bags),
        "totalTransactionFee": money(order.fee),
        "supportPaymentMethod": 3,
        "supportPaymentMethods": [1, 3],
        "paymentMethod": order.method,
        "routing": if ancillary { Value::Null } else { routing(order) },
        "airlineBookings": bookings(order),
        "itineraryDownload": issued.then(|| format!("http://itinerary.example.test/{}", order.order_no)),
        "contact": {"name": order.passengers.first().map(|p| p.name()), "address": null, "postcode": null,
                    "email": order.email, "mobile": "0000-00000000"},
        "errorCode": code,
        "errorMessage": message,
        "airlineMessage": null,
        "refundRules": refund_rules(order),
        "ifSeatOccupied": null,
        "paymentOptions": order.method.is_none().then(|| payment_options(order)),
        "payment": order.method.map(|method| payment_option(order, method)),
        "paymentAttempted": paid_by_card.then_some(issued),
        "payTime": order.paid.map(clock::sgt),
        "createdTime": clock::sgt(order.created),
        "updatedTime": clock::sgt(order.issued.or(order.paid).unwrap_or(order.created)),
        "locale": "",
        "orderType": if ancillary { 6 } else { 1 },
        "ticketOrderNo": order.main_order,
    }))
}

/// The passengers with their tickets and bags.
pub fn passengers(order: &Order) -> Vec<Object> {
    let tickets: Vec<&str> = order.locator().into_iter().collect();
    let one = |(at, passenger): (usize, &crate::order::Passenger)| {
        let mine = order.bags.iter().filter(|bag| bag.passenger == at);
        let bags: Vec<Value> = mine
            .map(|bag| {
                json!({
                    "productCode": bag.product, "segmentIndex": bag.segment, "ancillaryPrice": money(bag.price),
                    "currency": order.currency, "vendorPrice": null, "vendorCurrency": null, "displayPrice": null,
                    "displayCurrency": null, "auxSeatElement": null,
                    "auxBaggageElement": {"piece": 1, "weight": bag.weight, "isAllWeight": true, "size": null},
                })
            })
            .collect();
        object(json!({
            "name": passenger.name(),
            "passengerType": passenger.kind,
            "birthday": passenger.birthday,
            "gender": passenger.gender,
            "cardNum": passenger.document,
            "cardType": "PP",
            "cardIssuePlace": "SG",
            "cardExpired": "20351231",
            "nationality": "SG",
            "ticketNos": tickets,
            "airlinePNRs": tickets,
            "ancillaries": bags,
            "contactEmails": [order.email],
            "contactPhones": ["0000-00000000"],
        }))
    };
    order.passengers.iter().enumerate().map(one).collect()
}

/// The segments of one direction.
pub fn segments(order: &Order, inbound: bool) -> Vec<Value> {
    let one = |segment: &crate::order::Segment| {
        let minutes = clock::parse(&segment.arrives).zip(clock::parse(&segment.departs));
        json!({
            "segmentIndex": segment.index, "carrier": segment.carrier, "flightNumber": segment.flight,
            "depAirport": segment.from, "depTime": segment.departs, "arrAirport": segment.to, "arrTime": segment.arrives,
            "stopCities": "", "duration": minutes.map_or(0, |(to, from)| (to - from) / MINUTE), "codeShare": false,
            "cabin": "", "cabinClass": 1, "seatCount": 9, "aircraftCode": "", "depTerminal": "", "arrTerminal": "",
            "operatingCarrier": "", "operatingFlightnumber": "", "fareFamily": "Basic",
        })
    };
    order.segments.iter().filter(|segment| segment.inbound == inbound).map(one).collect()
}

/// The itinerary with prices and rules.
pub fn routing(order: &Order) -> Value {
    let fare = |kind: i64| order.passengers.iter().find(|p| p.kind == kind).map_or(0, |p| p.fare);
    let details = |kind| json!([{"code": "farePrice", "type": "base", "amount": money(fare(kind)), "description": ""}]);
    let refund = json!({
        "refundType": 0, "refundStatus": "H", "refundFee": 0, "currency": order.currency, "refNoshow": "F",
        "refNoShowCondition": 0, "refNoshowFee": 0, "refundMethod": "CASH_BACK_TO_ORIGINAL_PAYMENT",
        "ruleDetailList": [{"status": "H", "startMinute": 525_600, "endMinute": 0, "amount": 0,
                            "currency": order.currency, "refundMethod": "CashBackToOriginalPayment"}],
    });
    let update_order = json!({
        "changesType": 0, "changesStatus": "H", "changesFee": 25.5, "currency": order.currency, "revNoshow": "F",
        "revNoShowCondition": 0, "revNoshowFee": 0,
        "ruleDetailList": [{"status": "H", "startMinute": 525_600, "endMinute": 0, "amount": 25.5, "currency": order.currency}],
    });
    let bags: Vec<Value> = order
        .segments
        .iter()
        .map(|segment| {
            json!({"segmentNo": segment.index, "baggageType": "CabinBaggageUnderSeat", "passengerType": 0, "baggagePiece": 1,
                   "baggageWeight": 0, "baggageSize": "40*30*20cm", "isAllWeight": null})
        })
        .collect();
    json!({
        "routingIdentifier": format!("SIM-{}", order.order_no),
        "supportCreditTransPayment": "0",
        "supportPaymentMethods": [1, 3],
        "currency": order.currency,
        "adultPrice": money(fare(0)), "adultTax": 0, "adultDetails": details(0),
        "childPrice": money(fare(1)), "childTax": 0, "childDetails": details(1),
        "infantPrice": money(fare(2)), "infantTax": 0, "infantDetails": details(2),
        "infantAllowed": true, "childMandatorySeatingFee": null,
        "transactionFeePerPax": money(order.fee), "transactionFee": money(order.fee), "transactionFeeMode": "PER_PAX",
        "fromSegments": segments(order, false),
        "retSegments": segments(order, true),
        "rule": {
            "hasBaggage": 1, "baggageElements": bags, "refundRules": [refund], "changesRules": [update_order],
            "serviceElements": [{"hasFreeSeat": 0, "hasFreeMeal": 0}],
        },
        "ancillaryProductElements": [], "vendorFare": null, "links": [], "separateBookings": false,
        "refreshTime": null, "expireTime": null, "ancillarySupported": ["luggage"], "cardChargeList": null,
    })
}

/// The payment options of an unpaid order.
pub fn payment_options(order: &Order) -> Value {
    [1, 3].iter().map(|method| payment_option(order, *method)).collect()
}

fn payment_option(order: &Order, method: i64) -> Value {
    let deduct = if method == 1 { "DEPOSIT" } else { "CARD" };
    json!({
        "paymentMethod": method,
        "ticketFare": {"amount": money(order.total), "currency": order.currency, "deductFrom": deduct},
        "serviceFee": {"amount": money(order.fee), "currency": order.currency, "deductFrom": "DEPOSIT"},
        "paymentFee": null,
        "cardType": null,
    })
}

fn bookings(order: &Order) -> Value {
    json!([{
        "airlineCode": order.airline, "airlineName": null, "airlinePnr": order.locator(),
        "airlineWebSiteAddress": null, "mmbEmail": order.email,
        "tailDigitsOfPaymentCard": null, "extras": [{"name": "email", "remark": "email", "value": order.email}],
    }])
}

fn refund_rules(order: &Order) -> Value {
    json!([{
        "airline": order.airline, "ruleType": "1", "passengerType": "", "penaltyAmount": null, "airlineFee": "0",
        "penaltyPercent": 20, "penaltyPercentBase": "fare", "taxRefundable": true, "fareRefundable": true,
        "refundableAncillaries": null, "startMinute": 525_600, "endMinute": -525_600, "refundMethod": null,
    }])
}

/// One entry of `orderList` in the aggregated reply.
pub fn summary(order: &Order) -> Value {
    let mut line = details(order);
    let retained = "orderNo orderStatus ticketStatus totalPrice currency tktLimitTime vendorTotalPrice vendorCost vendorTotalAncillaryPrice vendorCurrency adultTotalFare childTotalFare infantTotalFare totalAncillaryPrice totalTransactionFee supportPaymentMethod";
    line.retain(|key, _| retained.split(' ').any(|field| field == key));
    line.insert("paymentFee".into(), Value::Null);
    line.into()
}

/// An order as the control API shows it: the order query's payload, and the
/// fields that a test needs to build requests.
pub fn control_view(order: &Order) -> Value {
    let mut seen = details(order);
    let people: Vec<Value> = order
        .passengers
        .iter()
        .map(|p| json!({"name": p.name(), "lastName": p.last, "firstName": p.first, "passengerType": p.kind, "fare": money(p.fare)}))
        .collect();
    let flights: Vec<Value> = order
        .segments
        .iter()
        .map(|s| {
            json!({"segmentIndex": s.index, "carrier": s.carrier, "flightNumber": s.flight, "flightNo": s.flight,
                   "depAirport": s.from, "arrAirport": s.to, "depDate": s.departs.get(..8), "depTime": s.departs,
                   "arrTime": s.arrives, "direction": if s.inbound { 2 } else { 1 }})
        })
        .collect();
    seen.insert("state".into(), order.status.into());
    seen.insert("airline".into(), order.airline.clone().into());
    seen.insert("airlinePNRs".into(), order.locator().into_iter().collect());
    seen.insert("passengers".into(), people.into());
    seen.insert("segments".into(), flights.into());
    seen.into()
}
