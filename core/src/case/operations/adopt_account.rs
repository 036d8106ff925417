//! `case.adoptAccount`: gives the unnamed account of a host and client id its name.

use url::Url;

use super::lookup::{bad_request, text};
use crate::case::reply::CaseReply;
use crate::case::service::CaseService;
use crate::case::store::Stored;
use crate::case::store::identity::Identity;
use crate::json::Node;
use crate::wire::{CaseAdoptAccountReply, to_json};

pub(super) async fn adopt_account(cases: &CaseService, node: &Node<'_>) -> Stored<CaseReply> {
    const OP: &str = "case.adoptAccount";
    let given = |key: &str| {
        let value = text(node, key).filter(|value| !value.trim().is_empty() && value.len() <= 200);
        value.ok_or_else(|| bad_request(OP, &format!("/{key}"), "must have 1 to 200 bytes"))
    };
    let (client_id, name) = (given("clientId")?, given("account")?);
    let url = Url::parse(&given("baseUrl")?).map_err(|_| bad_request(OP, "/baseUrl", "is not a URL"))?;
    let host = url.host_str().unwrap_or_default();
    let who = Identity::new(url.as_str(), host, &client_id, Some(name.clone()));
    cases.run_blocking(move |store| store.adopt_account(&who)).await?;
    Ok(CaseReply::data(to_json(&CaseAdoptAccountReply { account: Some(name) })))
}
