//! The account operations: deposit balance and webhook URL.

use crate::json::{money, object, text};
use crate::router::{Answer, required};
use crate::world::World;
use serde_json::{Value, json};

/// `balance.do`
pub fn balance(world: &mut World, body: &Value) -> Answer {
    let currency = text(body, "currency").unwrap_or(world.profile.get("currency")).to_owned();
    let account = world.balances.get(&currency).map(|amount| json!({"amount": money(*amount), "currency": currency}));
    Ok(object(json!({ "accountBalance": account })))
}

/// `updateWebhookURL.do`
pub fn update_webhook(world: &mut World, body: &Value) -> Answer {
    let url = required(body, "url", 100)?;
    world.webhooks.url = Some(url.to_owned());
    Ok(object(json!({})))
}
