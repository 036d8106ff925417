//! `case.plan`: what a void and what a refund would give back, and which is better. Submits nothing.

use std::sync::Arc;

use rust_decimal::Decimal;
use serde::Serialize;

use super::ask::Memory;
use super::driver::Driver;
use super::event::{Answer, Question, Quote};
use super::model::{Case, Kind, Trouble, Way};
use super::owner::Owner;
use super::store::{Store, Stored};
use super::view::{ErrorView, MoneyView};
use super::{clock, guard};
use crate::call::Course;
use crate::reply::Told;
use crate::wire::Amount;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WayView<'p> {
    possible: bool,
    offer_id: Option<&'p str>,
    money: Option<MoneyView<'p>>,
    deadline: Option<String>,
    deadline_source: Option<&'p str>,
    quote_type: Option<&'static str>,
    method: Option<&'static str>,
    error: Option<ErrorView<'p>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Plan<'p> {
    order_no: &'p str,
    ticketed: bool,
    void: WayView<'p>,
    refund: WayView<'p>,
    better: Option<&'static str>,
    reason: &'static str,
}

/// Asks both quotations.
pub(crate) async fn plan(course: &mut Course, store: &Arc<dyn Store>, order: &str) -> Stored<Told> {
    let stamp = course.live.now().await?;
    let mut case = Case::new(String::new(), String::new(), Kind::Cancel, Some(order.to_owned()), String::new(), stamp);
    let owner = Owner::new();
    let mut driver = Driver::new(course, store.clone(), &owner, Memory::default());
    let ticketed = match driver.ask(&case, Question::Order).await {
        Answer::Order(seen) => seen.ticketed,
        _ => {
            let told = driver.last.as_ref().and_then(|l| l.error().cloned());
            return Err(told.unwrap_or_else(|| super::store::store_error("store_io", "the order could not be read")));
        }
    };
    let mut ways = Vec::new();
    for (way, question) in [(Way::Void, Question::VoidQuote), (Way::Refund, Question::RefundQuote)] {
        case.via = Some(way);
        let quote = match driver.ask(&case, question).await {
            Answer::Quote(quote) => quote,
            Answer::Refused(refusal) => {
                ways.push((way, Quote::default(), Some(refusal.trouble)));
                continue;
            }
            _ => Quote::default(),
        };
        let closed = quote.window_open == Some(false) || quote.deadline.as_ref().is_some_and(|d| d.at <= stamp.wall);
        let unsaid = way == Way::Void && quote.window_open.is_none();
        let no = (quote.possible != Some(true) || closed || unsaid).then(|| {
            let code = if closed { "guard_deadline" } else { "guard_not_refundable" };
            guard::refusal(code, format!("the vendor offers no {}", way.word()))
        });
        ways.push((way, quote, no));
    }
    let last = driver.last.take();
    let [(_, void, void_no), (_, refund, refund_no)] = ways.as_slice() else {
        return Err(super::store::store_error("store_io", "the quotations could not be read"));
    };
    let (better, reason) = match (void_no, refund_no) {
        (None, Some(_)) => (Some("void"), "only a void is possible"),
        (Some(_), None) => (Some("refund"), "only a refund is possible"),
        (Some(_), Some(_)) => (None, "neither is possible"),
        (None, None) => match (net(void), net(refund)) {
            (Some(void), Some(refund)) if refund > void => (Some("refund"), "the refund gives more back"),
            (Some(void), Some(refund)) if void > refund => (Some("void"), "the void gives more back"),
            (Some(_), Some(_)) => (Some("void"), "both give back the same, and the void is quicker"),
            _ => (Some("void"), "the void's amount is known, or none is; it is quicker"),
        },
    };
    let plan = Plan {
        order_no: order,
        ticketed,
        void: describe(void, void_no.as_ref(), None),
        refund: describe(refund, refund_no.as_ref(), Some(refund.unquoted)),
        better,
        reason,
    };
    let data = serde_json::to_string(&plan).unwrap_or_else(|_| "null".to_owned());
    Ok(Told { last, ..Told::data(data) })
}

fn describe<'p>(quote: &'p Quote, no: Option<&'p Trouble>, unquoted: Option<bool>) -> WayView<'p> {
    let there = quote.offer_id.is_some();
    WayView {
        possible: no.is_none(),
        offer_id: quote.offer_id.as_deref().filter(|_| no.is_none()),
        money: there.then(|| MoneyView::of(&quote.money)),
        deadline: quote.deadline.as_ref().map(|d| clock::text(d.at)),
        deadline_source: quote.deadline.as_ref().map(|d| d.source.as_str()),
        quote_type: unquoted.filter(|_| there).map(|u| if u { "CannotQuote" } else { "AccurateQuote" }),
        method: there.then_some(if quote.voucher { "Voucher" } else { "CashBackToOriginalPayment" }),
        error: no.map(ErrorView::of),
    }
}

/// Cash in hand, after the fee.
fn net(quote: &Quote) -> Option<Decimal> {
    let amount = |text: &Option<String>| text.as_deref().and_then(Amount::parse).and_then(|a| a.to_decimal());
    if quote.voucher {
        return Some(Decimal::ZERO);
    }
    amount(&quote.money.estimated_refund)?.checked_sub(amount(&quote.money.fee).unwrap_or_default())
}
