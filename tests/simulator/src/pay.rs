//! Payment of orders of any kind.

use crate::json::{as_int, get, object, text};
use crate::order::{CANCELLED, TICKETED, TICKETING, UNPAID};
use crate::router::{Answer, no, required};
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
            None => return no(400, "illegal request param: paymentMethod"),
        },
    };
    let Some(order) = world.order(number).cloned() else {
        return no(400, "illegal request param: there is no such order");
    };
    if let Some(code) = crate::case::forced(&order, "pay") {
        return no(code, "Refused as the test asked");
    }
    match order.status {
        TICKETING | TICKETED => return no(404, "The order has already been paid"),
        CANCELLED if order.lapsed => return no(401, "The payment deadline has passed"),
        CANCELLED => return no(402, "The order cannot be paid in its state"),
        _ => {}
    }
    if order.outsold {
        return no(402, "Another ancillary order of this booking has been paid");
    }
    let card = get(body, "creditCard");
    if [3, 5].contains(&method) {
        if !card.is_object() {
            return no(400, "illegal request param: creditCard is required");
        }
        for field in ["cardNumber", "cardExpireMonth", "cardExpireYear", "cardHolderLastName", "cardHolderFirstName"] {
            if text(card, field).is_none() {
                return no(400, &format!("illegal request param: creditCard.{field} is required"));
            }
        }
    }
    if !METHODS.contains(&method) {
        return no(403, "The payment method is not supported");
    }
    let amount = order.total + order.fee;
    if method == 1 {
        let deposit = world.balances.entry(order.currency.clone()).or_default();
        if *deposit < amount {
            return no(411, "The deposit is too low");
        }
        *deposit -= amount;
    }
    // The sandbox's documented triggers of a failed issue.
    let trigger = match text(card, "cardHolderFirstName") {
        Some("Reject") => Some(604),
        Some("Three DS") => Some(616),
        _ => None,
    };
    let now = world.now;
    world.change(number, order.turn, |order| {
        order.status = TICKETING;
        order.paid = Some(now);
        order.method = Some(method);
        if let (Some(code), Some(options)) = (trigger, order.options.as_object_mut()) {
            options.insert("failWith".into(), code.into());
        }
    });
    outsell(world, order.main.as_deref(), number);
    world.plan_issue(number);
    Ok(object(json!({
        "orderNo": order.no,
        "pnrCode": order.pnr,
        "paymentMethod": method,
        "airlines": [order.airline],
    })))
}

/// Once one ancillary order of a booking is paid, its unpaid sisters stop being
/// payable.
fn outsell(world: &mut World, main: Option<&str>, number: &str) {
    let main = main.and_then(|main| world.order(main));
    for sister in main.map(|main| main.children.clone()).unwrap_or_default() {
        if let Some(sister) = world.order_mut(&sister).filter(|o| o.no != number && o.status == UNPAID) {
            sister.outsold = true;
        }
    }
}
