//! A baseline client with reqwest: one pooled client, and up to three attempts for each request.
//!
//! `atlas-baseline BASE_URL void|regenerateOrder TIMEOUT_MS`, order numbers on standard input. For each it prints a
//! line `ORDER BY_STATUS BY_HTTP`: `done` or `failed`, as decided by the body's status and by the HTTP status.

use reqwest::{Client, Response, Result};
use serde_json::{Value, json};
use std::error::Error;
use std::io::{Write, stdin, stdout};
use std::time::Duration;

struct Baseline {
    client: Client,
    url: String,
}

impl Baseline {
    async fn post(&self, path: &str, body: &Value) -> Result<Response> {
        let mut tries = 0;
        loop {
            tries += 1;
            let post = self.client.post(format!("{}/{path}.do", self.url));
            let post = post.header("content-type", "application/json").header("x-atlas-client-id", "baseline");
            match post.header("x-atlas-client-secret", "secret").body(body.to_string()).send().await {
                // The errors that common retry layers call transient: timeout, no connection, connection lost.
                Err(error) if tries < 3 && (error.is_timeout() || error.is_connect() || error.is_request()) => {
                    tokio::time::sleep(Duration::from_millis(10 << tries)).await;
                }
                answer => return answer,
            }
        }
    }

    async fn quote(&self, order: &str) -> Option<Value> {
        let text = self.post("voidQuotation", &json!({"orderNo": order})).await.ok()?.text().await.ok()?;
        serde_json::from_str::<Value>(&text).ok()?.get("voidOfferId").cloned()
    }

    /// Whether the submit succeeded, by the body's status and by the HTTP status.
    async fn submit(&self, scenario: &str, order: &str) -> (bool, bool) {
        let body = match scenario {
            "void" => json!({"orderNo": order, "voidOfferId": self.quote(order).await}),
            _ => json!({"originalOrderNo": order}),
        };
        let Ok(response) = self.post(scenario, &body).await else { return (false, false) };
        let by_http = response.status().is_success();
        let text = response.text().await.unwrap_or_default();
        let reply: Value = serde_json::from_str(&text).unwrap_or_default();
        (reply.get("status").and_then(Value::as_i64) == Some(0), by_http)
    }
}

fn main() -> std::result::Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let (Some(url), Some(scenario), Some(timeout)) = (args.next(), args.next(), args.next()) else {
        return Err("BASE_URL void|regenerateOrder TIMEOUT_MS".into());
    };
    // The workspace builds reqwest with TLS and without a default crypto provider, so one must be installed.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = Client::builder().timeout(Duration::from_millis(timeout.parse()?)).no_proxy().build()?;
    let baseline = Baseline { client, url };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let text = |done| if done { "done" } else { "failed" };
    for order in stdin().lines() {
        let order = order?;
        let (by_status, by_http) = runtime.block_on(baseline.submit(&scenario, &order));
        writeln!(stdout(), "{order} {} {}", text(by_status), text(by_http))?;
    }
    Ok(())
}
