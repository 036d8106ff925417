//! The control API below `/_sim`.

use crate::clock;
use crate::json::{cents, get, int, text};
use crate::order_json;
use crate::profile::Profile;
use crate::world::World;
use serde_json::{Value, json};

/// Executes a control call. An error is a message for the author of the test.
pub fn run(world: &mut World, method: &str, path: &str, body: &Value) -> Result<Value, String> {
    world.catch_up();
    let rest = path.strip_prefix("/_sim/").unwrap_or_default();
    match (method, rest) {
        ("GET", "clock") => Ok(json!({"now": clock::utc(world.now)})),
        ("POST", "clock") => turn_clock(world, body),
        ("POST", "orders") => {
            let number = world.create_order(body)?;
            show(world, &number)
        }
        ("GET", "orders") => {
            Ok(json!({"orders": world.orders.iter().map(order_json::control_view).collect::<Vec<_>>()}))
        }
        ("POST", "pnrs") => world.create_external_pnr(body),
        ("POST", "cases") => push_case(world, body),
        ("GET", "cases") => Ok(json!({"cases": world.cases.iter().map(|case| json!({
            "code": case.code, "orderNo": case.offer.order, "offerId": case.offer.id, "status": case.status,
        })).collect::<Vec<_>>()})),
        ("POST", "balance") => {
            let amount = cents(get(body, "amount")).ok_or("amount must have at most two decimals")?;
            let currency = text(body, "currency").unwrap_or(world.profile.get("currency")).to_owned();
            world.balances.insert(currency, amount);
            Ok(json!({}))
        }
        ("POST", "faults") => {
            match body.as_array() {
                Some(several) => several.iter().try_for_each(|fault| world.faults.add(fault))?,
                None => world.faults.add(body)?,
            }
            Ok(json!({"faults": world.faults.pending()}))
        }
        ("GET", "faults") => Ok(json!({"faults": world.faults.pending()})),
        ("DELETE", "faults") => {
            world.faults.clear();
            Ok(json!({"faults": []}))
        }
        ("POST", "webhook") => {
            world.webhooks.url = text(body, "url").map(str::to_owned);
            Ok(json!({"url": world.webhooks.url}))
        }
        ("GET", "webhook") => Ok(json!({"url": world.webhooks.url, "events": world.webhooks.events()})),
        ("GET", "ledger") => Ok(json!({"entries": world.ledger})),
        ("GET", "requests") => Ok(json!({"requests": world.requests})),
        ("POST", "profile") => switch(world, body),
        ("GET", "profile") => Ok(profile(world)),
        ("POST", "reset") => {
            let fresh = text(body, "profile").map(Profile::parse).transpose()?;
            let seed = int(body, "seed").map(|seed| seed as u64);
            world.reset(seed, fresh);
            Ok(json!({"now": clock::utc(world.now)}))
        }
        _ => match rest.strip_prefix("orders/") {
            Some(number) if method == "GET" => show(world, number),
            Some(number) if method == "POST" => alter(world, number, body),
            _ => Err(format!("there is no {method} {path}")),
        },
    }
}

fn show(world: &World, number: &str) -> Result<Value, String> {
    world.order(number).map(order_json::control_view).ok_or_else(|| format!("there is no order {number:?}"))
}

/// Changes the options of an order.
fn alter(world: &mut World, number: &str, body: &Value) -> Result<Value, String> {
    let changes = body.as_object().ok_or("the options are a JSON object")?;
    let order = world.order_mut(number).ok_or_else(|| format!("there is no order {number:?}"))?;
    if let Some(options) = order.options.as_object_mut() {
        options.extend(changes.clone());
    }
    show(world, number)
}

fn turn_clock(world: &mut World, body: &Value) -> Result<Value, String> {
    let target = match (body.get("advance"), text(body, "set")) {
        (Some(by), None) => world.now + clock::duration(by).ok_or_else(|| format!("advance is no duration: {by}"))?,
        (None, Some(to)) => clock::parse(to).ok_or_else(|| format!("set is no instant: {to}"))?,
        _ => return Err("the clock call needs either advance or set".into()),
    };
    if target < world.now {
        return Err("the clock cannot be moved back".into());
    }
    world.advance_to(target);
    Ok(json!({"now": clock::utc(world.now)}))
}

fn push_case(world: &mut World, body: &Value) -> Result<Value, String> {
    let code = text(body, "code").ok_or("code is required")?;
    let status = int(body, "status").ok_or("status is required")?;
    let at =
        world.cases.iter().position(|case| case.code == code).ok_or_else(|| format!("there is no case {code:?}"))?;
    // A final state too: the vendor may change its mind.
    if let Some(case) = world.cases.get_mut(at).filter(|case| case.closed()) {
        case.status = 0;
    }
    world.move_case(at, status, text(body, "cancelReason"));
    Ok(json!({"code": code, "status": world.cases.get(at).map(|case| case.status)}))
}

fn switch(world: &mut World, body: &Value) -> Result<Value, String> {
    let mut changed = world.profile.clone();
    let switches = body.as_object().ok_or("the switches are a JSON object")?;
    // The named profile first: it would overwrite single switches, and the keys
    // of a JSON object have no order.
    if let Some(named) = text(body, "profile") {
        changed.apply(named)?;
    }
    for (name, value) in switches.iter().filter(|(name, _)| *name != "profile") {
        changed.set(name, &value.as_str().map_or_else(|| value.to_string(), str::to_owned))?;
    }
    world.profile = changed;
    world.apply_profile_change();
    Ok(profile(world))
}

fn profile(world: &World) -> Value {
    world
        .profile
        .all()
        .map(|(name, value)| (name.to_owned(), Value::from(value)))
        .collect::<serde_json::Map<_, _>>()
        .into()
}
