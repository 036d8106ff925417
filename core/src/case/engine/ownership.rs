//! Whose an order or an entry at the vendor is: this case's, another one's of the store, or a stranger's.

use super::driver::Driver;
use crate::case::machine::event::{Answer, Entry};
use crate::case::machine::evidence;
use crate::case::model::Case;
use crate::case::schedule::DAY;
use crate::case::store::{Filter, Stored};
use crate::case::vendor::adoption;
use crate::case::vocabulary::{CaseOutcome, Kind, State};
use crate::unix_time::{Millis, parse_rfc3339};
use crate::wire::QueryOrderDetailsReply;

/// For so long after a confirmStore an order that is older has to come with the list of its booking's orders.
const AFTER_A_LOSS: Millis = 30 * DAY;

impl Driver<'_> {
    /// Whether the store knows of an executed refund or void that stands, of one of these passengers of the case's order.
    /// They are counted from 1; none is everybody.
    pub(super) async fn has_refund(&self, case: &Case, positions: &[usize]) -> Stored<bool> {
        let meets = |other: &Case| {
            let (one, all) = (&other.positions, other.positions.is_empty() || positions.is_empty());
            all || one.iter().any(|position| positions.contains(position))
        };
        let stands = |other: &Case| {
            let is_undone = matches!(other.state, State::Rejected | State::Withdrawn);
            other.outcome == CaseOutcome::Executed && !is_undone && meets(other)
        };
        self.knows_other(case, positions.is_empty(), stands).await
    }

    /// Whether the store knows of no other refund or void of the case's order that may have been sent.
    pub(super) async fn is_alone(&self, case: &Case) -> bool {
        let may_be = |other: &Case| other.steps.iter().any(|s| s.outcome != CaseOutcome::NotExecuted);
        matches!(self.knows_other(case, true, may_be).await, Ok(false))
    }

    /// Whether another case that gives the order back is such, or was purged. What is left of a purged case does not say
    /// for whom it was: it counts only against what is for everybody.
    async fn knows_other(&self, case: &Case, everybody: bool, is_such: impl Fn(&Case) -> bool) -> Stored<bool> {
        let order = case.order_no.clone().unwrap_or_default();
        let purged = self.cases.run_blocking(move |store| store.gave_back_by_purged(&order)).await?;
        let gives_back = |other: &&Case| matches!(other.kind, Kind::Void | Kind::Refund | Kind::Cancel);
        Ok(everybody && purged || self.others(case).await?.iter().filter(gives_back).any(is_such))
    }

    /// The other cases of the order.
    async fn others(&self, case: &Case) -> Stored<Vec<Case>> {
        let filter = Filter { order_no: case.order_no.clone(), limit: usize::MAX >> 1, ..Filter::default() };
        let cases = self.cases.run_blocking(move |store| store.list(&filter)).await?;
        Ok(cases.into_iter().filter(|other| other.id != case.id).collect())
    }

    /// The first of these orders that no case has made.
    pub(super) async fn foreign(&self, case: &Case, orders: Vec<String>) -> Answer {
        match self.without_others(case, orders).await {
            Answer::Orders(orders) => {
                for order in orders {
                    let number = order.clone();
                    match self.cases.run_blocking(move |store| store.has_made(&number)).await {
                        Ok(true) => {}
                        Ok(false) => return Answer::Foreign(order),
                        Err(_) => return Answer::Inconclusive("what other cases have made is not known"),
                    }
                }
                Answer::Orders(Vec::new())
            }
            answer => answer,
        }
    }

    /// Before the submit, where the order came without the list of its booking's orders: whether it must have one.
    pub(super) async fn unlisted(&self, case: &Case, answer: Answer) -> Answer {
        if case.expect.accept_foreign {
            return answer;
        }
        let (Ok(listing), Ok(now)) = (self.cases.run_blocking(|store| store.listing()).await, self.cases.now().await)
        else {
            return Answer::Unlisted("whether this account's orders come with it is not known");
        };
        if listing.is_listed {
            return Answer::Unlisted("orders of this account came with it before");
        }
        let made = self.call_data().order.as_ref().and_then(|order| order.created_time.as_ref());
        let made = made.and_then(|at| parse_rfc3339(at.as_str()));
        match listing.confirmed_at {
            Some(at) if now.wall - at < AFTER_A_LOSS && made.is_none_or(|made| made < at + adoption::CLOCKS) => {
                Answer::Unlisted("the store has lost, less than 30 days ago, what it had sent before")
            }
            _ => answer,
        }
    }

    /// A new order of the booking counts only if it is what the case has ordered.
    pub(super) async fn check_baggage(&mut self, case: &Case, answer: Answer) -> Answer {
        let (Answer::Orders(orders), Some(before)) = (&answer, &case.orders_before) else { return answer };
        let new: Vec<&String> = orders.iter().filter(|order| !before.contains(order)).collect();
        let [number] = new.as_slice() else { return answer };
        let text = serde_json::json!({ "orderNo": number }).to_string();
        let request = match self.check("queryOrderDetails", &text) {
            Ok(request) => request,
            Err(_) => return Answer::Inconclusive("the booking's new order cannot be asked for"),
        };
        if let Err(answer) = self.take_place("queryOrderDetails").await {
            return answer;
        }
        let reply = self.context.call_vendor(&request).await;
        let details: QueryOrderDetailsReply = serde_json::from_str(reply.data()).unwrap_or_default();
        match reply.error() {
            Some(_) => Answer::Inconclusive("the booking's new order cannot be read"),
            None => match adoption::baggage(case, number, &details) {
                adoption::Baggage::Ours => answer,
                adoption::Baggage::Late => Answer::Late((*number).clone()),
                adoption::Baggage::Another => Answer::Unfit((*number).clone()),
            },
        }
    }

    /// Without the orders that other cases have made.
    pub(super) async fn without_others(&self, case: &Case, orders: Vec<String>) -> Answer {
        let known = self.cases.run_blocking(|store| store.made_by_purged()).await;
        let (Ok(purged), Ok(others)) = (known, self.others(case).await) else {
            return Answer::Inconclusive("what other cases have made is not known");
        };
        let orders = orders.into_iter().filter(|order| !purged.contains(order)).collect();
        evidence::without_others(case, orders, &others)
    }

    /// Without the refunds and voids of other cases.
    pub(super) async fn without_owned(&self, case: &Case, mut entries: Vec<Entry>) -> Answer {
        let Ok(others) = self.others(case).await else {
            return Answer::Inconclusive("what other cases have submitted is not known");
        };
        entries.retain(|e| !others.iter().any(|other| e.is_of(other)));
        Answer::Entries(entries)
    }
}
