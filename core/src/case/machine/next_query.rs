//! Which query finds out more about a case. Pure.

use crate::case::model::Case;
use crate::case::vocabulary::{CaseOutcome, Query, State, StepName, Way};

/// The query to make about this case, if one can tell anything.
pub(crate) fn next_query(case: &Case) -> Option<Query> {
    if case.closed && !case.watched {
        return None;
    }
    by_state(case).filter(|query| *query != Query::ClaimList || case.locator().is_some())
}

fn by_state(case: &Case) -> Option<Query> {
    match (case.state, case.outcome) {
        (State::Planned | State::Quoting | State::Sending, _) => None,
        (_, CaseOutcome::Unknown | CaseOutcome::NotExecuted) => case.last_step().map(|step| match step.name {
            StepName::Void => Query::VoidList,
            StepName::Refund => Query::RefundList,
            StepName::Order => Query::BookingOrders,
            StepName::Pay | StepName::Stop => Query::NewOrder,
            StepName::Regenerate => Query::RegenerateCandidates,
            StepName::Claim => Query::ClaimList,
        }),
        (State::AwaitingPayment | State::Ticketing, _) => Some(Query::NewOrder),
        (State::Claimed, _) => Some(Query::ClaimList),
        (State::NeedsHuman, _) => None,
        _ => case.way().map(|way| match way {
            Way::Void => Query::VoidList,
            Way::Refund => Query::RefundList,
        }),
    }
}
