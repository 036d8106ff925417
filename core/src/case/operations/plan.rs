//! `case.plan`: what a void and what a refund would give back, and which is better. Submits nothing.

use rust_decimal::Decimal;

use super::lookup::{bad_request, text};
use super::select_passengers;
use crate::case::engine::driver::Driver;
use crate::case::engine::lease::Owner;
use crate::case::error::StoredError;
use crate::case::machine::event::{Answer, Quote};
use crate::case::model::Case;
use crate::case::open_request::{OpenRequest, passengers};
use crate::case::reply::CaseReply;
use crate::case::service::CaseService;
use crate::case::store::Stored;
use crate::case::vendor::requests::CallData;
use crate::case::view;
use crate::case::vocabulary::{Kind, Query, Way};
use crate::error::{Error, ErrorCode};
use crate::exchange::context::CallContext;
use crate::json::Node;
use crate::wire::{Amount, CasePlanReply, CasePlanRequest, CaseWay, Code, to_json};

/// Asks both quotations.
pub(super) async fn plan(context: &mut CallContext, cases: &CaseService, node: &Node<'_>) -> Stored<CaseReply> {
    let order = text(node, "orderNo").unwrap_or_default();
    let request = plan_request(node)?;
    let stamp = cases.now().await?;
    let mut case = Case::new(String::new(), String::new(), Kind::Cancel, Some(order.clone()), String::new(), stamp);
    let owner = Owner::new();
    let mut driver = Driver::new(context, cases, &owner, CallData { request, ..CallData::default() });
    let ticketed = match driver.query(&case, Query::Order).await {
        Answer::Order(state) => state.ticketed,
        _ => {
            let answer = driver.last.as_ref().and_then(|l| l.error().cloned());
            return Err(answer.unwrap_or_else(|| Error::new(ErrorCode::BadResponse, "the order could not be read")));
        }
    };
    select_passengers::check_plan(&mut driver, &mut case).await?;
    let mut quotes = Vec::new();
    for (way, query) in [(Way::Void, Query::VoidQuote), (Way::Refund, Query::RefundQuote)] {
        case.via = Some(way);
        if way == Way::Void && case.partial {
            quotes.push((Quote::default(), Some(StoredError::new(ErrorCode::GuardNotRefundable, "a void is of all"))));
            continue;
        }
        let quote = match driver.query(&case, query).await {
            Answer::Quote(quote) => quote,
            Answer::Refused(refusal) => {
                quotes.push((Quote::default(), Some(refusal.error)));
                continue;
            }
            _ => Quote::default(),
        };
        let closed = quote.window_open == Some(false) || quote.deadline.as_ref().is_some_and(|d| d.at <= stamp.wall);
        let window_unknown = way == Way::Void && quote.window_open.is_none();
        let refusal = (quote.possible != Some(true) || closed || window_unknown).then(|| {
            let code = if closed { ErrorCode::GuardDeadline } else { ErrorCode::GuardNotRefundable };
            StoredError::new(code, format!("the vendor offers no {}", way.word()))
        });
        quotes.push((quote, refusal));
    }
    let last = driver.last.take();
    let [(void, void_refusal), (refund, refund_refusal)] = quotes.as_slice() else {
        return Err(Error::new(ErrorCode::Internal, "the quotations could not be read"));
    };
    let (better, reason) = match (void_refusal, refund_refusal) {
        (None, Some(_)) => (Some("void"), "only a void is possible"),
        (Some(_), None) => (Some("refund"), "only a refund is possible"),
        (Some(_), Some(_)) => (None, "neither is possible"),
        (None, None) => compare(void, refund),
    };
    let plan = CasePlanReply {
        order_no: Some(order),
        ticketed: Some(ticketed),
        void: (!case.partial).then(|| describe(void, void_refusal.as_ref(), None)),
        refund: Some(describe(refund, refund_refusal.as_ref(), Some(refund.unquoted))),
        better: better.map(str::to_owned),
        reason: Some(reason.to_owned()),
    };
    let data = to_json(&plan);
    Ok(CaseReply { last, ..CaseReply::data(data) })
}

/// Who and why, as in `case.open`.
fn plan_request(node: &Node<'_>) -> Stored<OpenRequest> {
    let mut body = String::new();
    node.write(&mut body);
    let read: CasePlanRequest =
        serde_json::from_str(&body).map_err(|e| bad_request("case.plan", "", &format!("cannot be read: {e}")))?;
    if matches!(node.get("passengers"), Some(Node::Arr(items)) if items.is_empty()) {
        return Err(bad_request("case.plan", "/passengers", "names nobody; leave it out for everybody"));
    }
    if !matches!(read.reason.as_ref().map(Code::number), None | Some(Some(0 | 1))) {
        return Err(bad_request("case.plan", "/reason", "must be 0 (involuntary) or 1 (voluntary)"));
    }
    let asked = passengers(&read.passengers, "case.plan")?;
    Ok(OpenRequest::plan(asked, read.reason))
}

/// Which of two possible ways is better. Where the amounts cannot be compared, a void, which takes minutes and not
/// weeks.
fn compare(void: &Quote, refund: &Quote) -> (Option<&'static str>, &'static str) {
    match (net(void), net(refund)) {
        (Some(_), Some(_)) if void.money.currency != refund.money.currency => {
            (Some("void"), "the amounts are in different currencies and cannot be compared; the void is quicker")
        }
        (Some(void), Some(refund)) if refund > void => (Some("refund"), "the refund gives more back"),
        (Some(void), Some(refund)) if void > refund => (Some("void"), "the void gives more back"),
        (Some(_), Some(_)) => (Some("void"), "both give back the same, and the void is quicker"),
        (Some(_), None) => (Some("void"), "only the void's amount is known; it is quicker"),
        (None, Some(_)) => (Some("void"), "only the refund's amount is known; the void is quicker"),
        (None, None) => (Some("void"), "neither amount is known; the void is quicker"),
    }
}

fn describe(quote: &Quote, refusal: Option<&StoredError>, unquoted: Option<bool>) -> CaseWay {
    let quoted = quote.offer_id.is_some();
    let quote_type = |unquoted| if unquoted { "CannotQuote" } else { "AccurateQuote" }.to_owned();
    let method = || if quote.voucher { "Voucher" } else { "CashBackToOriginalPayment" }.to_owned();
    CaseWay {
        possible: Some(refusal.is_none()),
        offer_id: quote.offer_id.clone().filter(|_| refusal.is_none()),
        money: quoted.then(|| view::money(&quote.money)),
        deadline: quote.deadline.as_ref().map(|d| view::instant(d.at)),
        deadline_source: quote.deadline.as_ref().map(|d| d.source.clone()),
        quote_type: unquoted.filter(|_| quoted).map(quote_type),
        method: quoted.then(method),
        error: refusal.map(view::error),
    }
}

/// Cash that comes back after the fee; None unless both are known. A voucher is no cash.
fn net(quote: &Quote) -> Option<Decimal> {
    let amount = |text: &Option<String>| text.as_deref().and_then(Amount::parse).and_then(|a| a.to_decimal());
    if quote.voucher {
        return Some(Decimal::ZERO);
    }
    amount(&quote.money.estimated_refund)?.checked_sub(amount(&quote.money.fee)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::model::Money;

    fn quote(currency: &str, estimate: Option<&str>, fee: Option<&str>) -> Quote {
        let text = |t: Option<&str>| t.map(str::to_owned);
        let money = Money {
            currency: Some(currency.to_owned()),
            estimated_refund: text(estimate),
            fee: text(fee),
            ..Money::default()
        };
        Quote { money, ..Quote::default() }
    }

    #[test]
    fn amounts_are_compared_after_the_fee_and_in_one_currency() {
        let better = |void: &Quote, refund: &Quote| compare(void, refund).0;
        let reason = |void: &Quote, refund: &Quote| compare(void, refund).1;
        let hundred = quote("USD", Some("100.00"), Some("0"));
        assert_eq!(better(&quote("USD", Some("90.00"), Some("5")), &hundred), Some("refund"));
        assert_eq!(better(&hundred, &quote("USD", Some("104.00"), Some("5"))), Some("void"));
        // 500 CNY are not more than 100 USD.
        assert_eq!(better(&hundred, &quote("CNY", Some("500.00"), Some("0"))), Some("void"));
        assert!(reason(&hundred, &quote("CNY", Some("500.00"), Some("0"))).contains("currencies"));
        // A fee that is not known is not 0.
        let without_fee = quote("USD", Some("120.00"), None);
        assert_eq!(compare(&hundred, &without_fee), (Some("void"), "only the void's amount is known; it is quicker"));
        assert!(reason(&without_fee, &hundred).starts_with("only the refund's amount is known"));
        assert!(reason(&without_fee, &without_fee).starts_with("neither amount is known"));
    }
}
