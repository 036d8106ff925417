//! Payment of orders of any kind.

use crate::json::{as_int, get, object, text};
use crate::order::{CANCELLED, TICKETED, TICKETING, UNPAID};
use crate::router::{Answer, refuse, required};
use crate::world::World;
use serde_json::{Value, json};

const METHODS: [i64; 2] = [1, 3];

/// `pay.do`
pub fn pay(world: &mut World, body: &Value) -> Answer {
    let number = required(body, "orderNo", 400)?;
    let method = match get(body, "paymentMethod") {
        Value::Null => 1,
        value => match as_int(value) {
            Some(method) => method,
            None => return refuse(400, "illegal request param: paymentMethod"),
        },
    };
    let Some(order) = world.order(number).cloned() else {
        return refuse(400, "illegal request param: there is no such order");
    };
    if let Some(code) = crate::case::forced_code(&order, "pay") {
        return refuse(code, "Refused as the test asked");
    }
    match order.status {
        TICKETING | TICKETED => return refuse(404, "The order has already been paid"),
        CANCELLED if order.expired => return refuse(401, "The payment deadline has passed"),
        CANCELLED => return refuse(402, "The order cannot be paid in its state"),
        _ => {}
    }
    if order.superseded {
        return refuse(402, "Another ancillary order of this booking has been paid");
    }
    let card = get(body, "creditCard");
    if [3, 5].contains(&method) {
        if !card.is_object() {
            return refuse(400, "illegal request param: creditCard is required");
        }
        for field in ["cardNumber", "cardExpireMonth", "cardExpireYear", "cardHolderLastName", "cardHolderFirstName"] {
            if text(card, field).is_none() {
                return refuse(400, &format!("illegal request param: creditCard.{field} is required"));
            }
        }
    }
    if !METHODS.contains(&method) {
        return refuse(403, "The payment method is not supported");
    }
    let amount = order.total + order.fee;
    if method == 1 {
        let deposit = world.balances.entry(order.currency.clone()).or_default();
        if *deposit < amount {
            return refuse(411, "The deposit is too low");
        }
        *deposit -= amount;
    }
    // Card holder names that the sandbox documents as triggers of a failed ticket issue.
    let trigger = match text(card, "cardHolderFirstName") {
        Some("Reject") => Some(604),
        Some("Three DS") => Some(616),
        _ => None,
    };
    let now = world.now;
    world.update_order(number, order.revision, |order| {
        order.status = TICKETING;
        order.paid = Some(now);
        order.method = Some(method);
        if let (Some(code), Some(options)) = (trigger, order.options.as_object_mut()) {
            options.insert("failWith".into(), code.into());
        }
    });
    if world.profile.is("siblingPay", "refused") {
        supersede_siblings(world, order.main_order.as_deref(), number);
    }
    world.schedule_issue(number);
    Ok(object(json!({
        "orderNo": order.order_no,
        "pnrCode": order.pnr,
        "paymentMethod": method,
        "airlines": [order.airline],
    })))
}

/// When one ancillary order of a booking is paid, the other unpaid ones can no
/// longer be paid.
fn supersede_siblings(world: &mut World, main_order: Option<&str>, number: &str) {
    let main_order = main_order.and_then(|main_order| world.order(main_order));
    for sibling in main_order.map(|main_order| main_order.children.clone()).unwrap_or_default() {
        if let Some(sibling) = world.order_mut(&sibling).filter(|o| o.order_no != number && o.status == UNPAID) {
            sibling.superseded = true;
        }
    }
}
