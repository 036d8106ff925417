//! A notification after the end of a case: the vendor is asked once, and another state of it reopens the case. Pure.

use super::event::{Action, Answer, Now, OrderState};
use super::evidence::vendor_state;
use super::order_state::order_state;
use super::transition::add_evidence;
use crate::case::hold::Hold;
use crate::case::model::Case;
use crate::case::schedule::HOUR;
use crate::case::vocabulary::{CaseOutcome, Kind, Query, State, Strength, Way};
use crate::unix_time::Millis;

/// The query that shows the state in which the case ended; None if nothing was executed, or the end is known by no
/// later query.
pub(super) fn query(case: &Case) -> Option<Query> {
    if !case.closed || case.watched || case.steps.is_empty() {
        return None;
    }
    match case.state {
        State::Refunded | State::Rejected | State::Fulfilled | State::Withdrawn => Some(match case.way()? {
            Way::Void => Query::VoidList,
            Way::Refund => Query::RefundList,
        }),
        State::Ticketed | State::Stopped | State::StopFailed => Some(Query::NewOrder),
        State::Cancelled if case.code.is_some() && case.kind != Kind::Stop => Some(Query::NewOrder),
        _ => None,
    }
}

/// Makes the query due, at most once per hour.
pub(super) fn notified(case: &mut Case, now: &Now<'_>) {
    if query(case).is_none() {
        return;
    }
    case.recheck = true;
    case.due = Some(earliest(case, HOUR, now));
}

/// The first moment at which another query may be made. After the clock was set back, the last query must not delay
/// this one until the old time comes again.
pub(super) fn earliest(case: &Case, interval: Millis, now: &Now<'_>) -> Millis {
    match case.queried {
        Some(at) if (0..interval).contains(&(now.wall() - at)) => at + interval,
        _ => now.wall(),
    }
}

/// Reads the answer. One that says nothing ends the recheck as well: the next notification makes another.
pub(super) fn read(case: &mut Case, query: Query, answer: Answer, now: &Now<'_>) -> Action {
    case.recheck = false;
    match (query, answer) {
        (Query::VoidList | Query::RefundList, Answer::Entries(entries)) => {
            let own = entries.iter().find(|e| e.is_of(case));
            let Some(state) = own.and_then(|e| e.state) else { return Action::Wait };
            if Some(state) != case.vendor_code {
                reopen(case, &format!("its state {state}"), now);
                case.state = State::AtlasProcessing;
                vendor_state(case, Some(state));
            }
            Action::Wait
        }
        (Query::NewOrder, Answer::Order(order)) if order.status.is_some() && !is_end(case, &order) => {
            let what = format!("orderStatus {}", order.status.unwrap_or_default());
            reopen(case, &what, now);
            if case.kind == Kind::Stop {
                case.state = State::NeedsHuman;
                return Action::Wait;
            }
            case.state = State::Ticketing;
            order_state(case, &order, now)
        }
        _ => Action::Wait,
    }
}

/// After a case that had ended was reopened: another one has what it would hold again.
pub(crate) fn held_by(case: &mut Case, other: &Case, now: &Now<'_>) {
    let text = format!("case {} (key {}) holds its order by now", other.id, other.key);
    add_evidence(case, now, &text, Strength::Strong);
    case.holds.retain(|hold| matches!(hold, Hold::Payment(_)));
    case.state = State::NeedsHuman;
}

/// Whether the order is as it was when the case ended.
fn is_end(case: &Case, order: &OrderState) -> bool {
    match case.state {
        State::Ticketed | State::StopFailed => order.status == Some(2),
        _ => order.status == Some(-3),
    }
}

fn reopen(case: &mut Case, what: &str, now: &Now<'_>) {
    add_evidence(
        case,
        now,
        &format!("after the end, a notification came, and the vendor shows {what}"),
        Strength::Strong,
    );
    case.closed = false;
    case.reopened = true;
    if case.outcome == CaseOutcome::Executed {
        // Unless another case holds it by now (the store sees to that).
        let hold = case.order_hold().filter(|hold| !case.holds.contains(hold));
        case.holds.extend(hold);
    }
}
