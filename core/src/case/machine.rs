//! The state machine of a case: a pure function. All I/O is outside, in [`super::driver`], so that anything that
//! can keep a case and make a call can drive it.

use super::event::{Action, Answer, Event, Now, OrderSeen, Question, Quote, Refusal, Sent};
use super::evidence;
use super::guard;
use super::model::{Case, Kind, State, Step, StepName, Strength, Trouble, Verdict, Way};
use super::rules::{self, SECOND};

/// Tries of one run that provably did not leave, before the caller is told.
const TRIES: u32 = 3;

/// What becomes of a case when something happens to it, and what is to be done next.
///
/// An [`Action::Send`] comes with the case in state `sending`: the caller stores that, synced, before anything
/// leaves. A case that is found in that state was left by a process that died, and is never sent again.
pub(crate) fn step(case: Case, event: Event, now: &Now<'_>) -> (Case, Action) {
    let mut case = case;
    let before = case.state;
    // An answer to what was not asked says nothing.
    if matches!(event, Event::Answered(question, _) if case.run.waits_for != Some(question)) {
        return (case, Action::Rest);
    }
    let action = match event {
        Event::Drive => drive(&mut case, now),
        Event::Answered(question, answer) => answered(&mut case, question, answer, now),
        Event::Submitted(name, sent) => submitted(&mut case, name, sent, now),
        Event::Resolved { executed, by, text, code } => resolved(&mut case, executed, &by, &text, code, now),
        Event::Notified { not_before } => {
            if evidence::question(&case).is_some() {
                // A clock set back must not make it wait until the old time comes again.
                let earliest = match case.asked {
                    Some(at) if (0..not_before).contains(&(now.wall() - at)) => at + not_before,
                    _ => now.wall(),
                };
                case.due = Some(case.due.map_or(earliest, |due| due.min(earliest)));
            }
            Action::Rest
        }
    };
    case.updated = now.wall();
    if case.state != before {
        case.since = now.wall();
        case.looks = 0;
    }
    case.run.waits_for = if let Action::Ask(question) = action { Some(question) } else { None };
    // Also while it asks: whoever dies meanwhile leaves a case that is due.
    if case.due.is_none() {
        schedule(&mut case, now);
    }
    (case, action)
}

fn drive(case: &mut Case, now: &Now<'_>) -> Action {
    if case.closed && !case.watched {
        return Action::Rest;
    }
    match case.state {
        State::Planned | State::Quoting if case.run.may_send => begin(case),
        State::Planned | State::Quoting => Action::Rest,
        State::Sending => lost(case, now),
        _ => match evidence::question(case) {
            Some(question) => {
                case.due = None;
                case.asked = Some(now.wall());
                Action::Ask(question)
            }
            None => {
                case.due = None;
                Action::Rest
            }
        },
    }
}

fn begin(case: &mut Case) -> Action {
    case.state = State::Quoting;
    case.error = None;
    Action::Ask(if case.kind == Kind::Claim { Question::ClaimList } else { Question::Order })
}

/// The process that was sending is gone: what it sent, nobody here knows.
fn lost(case: &mut Case, now: &Now<'_>) -> Action {
    case.error = Some(Trouble {
        code: "io".to_owned(),
        status: crate::outcome::Status::IO.number(),
        message: "the process that was sending it ended before the answer was stored".to_owned(),
        vendor_status: None,
        vendor_code: None,
    });
    if let Some(step) = case.steps.last_mut() {
        step.outcome = Verdict::Unknown;
        step.sent = Some(now.stamp);
        step.at = now.wall();
    }
    unknown(case)
}

fn unknown(case: &mut Case) -> Action {
    case.outcome = Verdict::Unknown;
    case.state = State::Unknown;
    case.empty = None;
    case.due = None;
    evidence::question(case).map_or(Action::Rest, Action::Ask)
}

fn answered(case: &mut Case, question: Question, answer: Answer, now: &Now<'_>) -> Action {
    case.due = None;
    match (case.state, answer) {
        (State::Quoting, Answer::Refused(refusal)) => refused_before(case, question, refusal, now),
        (State::Quoting, answer) => quoting(case, question, answer, now),
        (_, answer) => {
            case.looks = case.looks.saturating_add(1);
            evidence::read(case, question, answer, now)
        }
    }
}

fn quoting(case: &mut Case, question: Question, answer: Answer, now: &Now<'_>) -> Action {
    match (question, answer) {
        (Question::Order, Answer::Order(order)) => order_seen(case, &order, now),
        (Question::VoidQuote, Answer::Quote(quote)) => quoted(case, Way::Void, quote, now),
        (Question::RefundQuote, Answer::Quote(quote)) => quoted(case, Way::Refund, quote, now),
        (Question::KnownOffer, Answer::Quote(quote)) => match case.way() {
            Some(way) => quoted(case, way, quote, now),
            None => quoted(case, Way::Refund, quote, now),
        },
        // Which baggage orders stood before tells later which one is ours. Without an answer the search goes on,
        // and a lost reply will stay unknown.
        (Question::Tree, Answer::Orders(orders)) => {
            case.before = Some(orders);
            Action::Ask(Question::Search)
        }
        (Question::Tree, _) => Action::Ask(Question::Search),
        (Question::Search, Answer::Search(money)) => {
            if let Err(trouble) = guard::price(&case.expect, &money) {
                return refuse(case, trouble, now);
            }
            case.money = Some(money);
            send(case, StepName::Order, now)
        }
        (Question::ClaimList, Answer::Orders(orders)) => match orders.into_iter().next() {
            Some(order) => {
                case.adopted = true;
                claimed(case, order, now)
            }
            None => send(case, StepName::Claim, now),
        },
        // A list that is not whole does not say that nothing is there.
        (Question::ClaimList, Answer::Vague(why)) => {
            let trouble = Trouble {
                code: "bad_response".to_owned(),
                status: crate::outcome::Status::RESPONSE.number(),
                message: why.to_owned(),
                vendor_status: None,
                vendor_code: None,
            };
            rest_planned(case, trouble)
        }
        _ => Action::Rest,
    }
}

fn order_seen(case: &mut Case, order: &OrderSeen, now: &Now<'_>) -> Action {
    let not_ticketed = |what: &str| guard::refusal("guard_not_ticketed", what);
    match case.kind {
        Kind::Void | Kind::Refund | Kind::Cancel | Kind::Ancillary if !order.ticketed => {
            refuse(case, not_ticketed("the order is not ticketed"), now)
        }
        _ if case.run.own_offer && case.way().is_some() => Action::Ask(Question::KnownOffer),
        // A cancel whose void was refused does not try it again.
        Kind::Cancel if case.via == Some(Way::Refund) => Action::Ask(Question::RefundQuote),
        Kind::Void | Kind::Cancel => Action::Ask(Question::VoidQuote),
        Kind::Refund => Action::Ask(Question::RefundQuote),
        Kind::Ancillary => Action::Ask(Question::Tree),
        // Rebuilding an order that has or gets tickets would buy the flights twice.
        Kind::Regenerate if matches!(order.status, Some(1 | 2)) => {
            refuse(case, guard::refusal("guard_order_state", "the order is being ticketed or is ticketed"), now)
        }
        Kind::Regenerate => send(case, StepName::Regenerate, now),
        Kind::Stop if order.status == Some(2) => {
            case.outcome = Verdict::NotExecuted;
            close(case, State::StopFailed);
            case.error = Some(not_ticketed("the ticket is issued already: there is nothing left to stop"));
            Action::Rest
        }
        Kind::Stop if order.status == Some(-3) => {
            case.adopted = true;
            case.outcome = Verdict::Executed;
            note(case, now, "queryOrderDetails shows the order cancelled", Strength::Strong);
            close(case, State::Stopped);
            Action::Rest
        }
        Kind::Stop => send(case, StepName::Stop, now),
        Kind::Claim | Kind::Pay => Action::Rest,
    }
}

fn quoted(case: &mut Case, way: Way, quote: Quote, now: &Now<'_>) -> Action {
    if case.kind == Kind::Cancel {
        case.via = Some(way);
    }
    if let Err(trouble) = guard::giving_back(case, way, &quote, now) {
        // The vendor must say so: a field that is missing closes no window.
        let said_no = quote.possible == Some(false) || trouble.code == "guard_deadline";
        let closed_to_void = said_no && matches!(trouble.code.as_str(), "guard_not_refundable" | "guard_deadline");
        if case.kind == Kind::Cancel && way == Way::Void && closed_to_void {
            return Action::Ask(Question::RefundQuote);
        }
        case.money = Some(quote.money);
        return refuse(case, trouble, now);
    }
    let Some(offer) = quote.offer_id else {
        return refuse(case, guard::refusal("guard_not_refundable", "the quotation has no offer id"), now);
    };
    case.offer_id = Some(offer);
    case.money = Some(quote.money);
    case.deadline = quote.deadline;
    send(case, if way == Way::Void { StepName::Void } else { StepName::Refund }, now)
}

/// The intent: from here on the submit counts as possibly sent, until the transport says otherwise.
fn send(case: &mut Case, name: StepName, now: &Now<'_>) -> Action {
    begin_step(case, name, now);
    Action::Send(name)
}

/// Writes down that a submit is about to leave.
pub(crate) fn begin_step(case: &mut Case, name: StepName, now: &Now<'_>) {
    case.state = State::Sending;
    case.outcome = Verdict::Pending;
    // Should this process die now, the follow-up finds it at once.
    case.due = Some(now.wall());
    case.error = None;
    match case.steps.last_mut().filter(|step| step.name == name) {
        Some(step) => {
            step.attempts += 1;
            step.outcome = Verdict::Pending;
            step.at = now.wall();
            step.sent = None;
        }
        None => case.steps.push(Step { name, outcome: Verdict::Pending, attempts: 1, at: now.wall(), sent: None }),
    }
}

/// A no before anything was sent.
fn refused_before(case: &mut Case, question: Question, refusal: Refusal, now: &Now<'_>) -> Action {
    let code = refusal.trouble.vendor_status;
    match question {
        // Being submitted just now, by somebody else: how that ends is not known yet.
        Question::VoidQuote | Question::RefundQuote if code == Some(814) => rest_planned(case, refusal.trouble),
        Question::VoidQuote | Question::RefundQuote if refusal.already => adopt_found(case, question, &refusal, now),
        // Not voidable, window over, way of payment, airline, not all passengers: a refund may still do.
        Question::VoidQuote if case.kind == Kind::Cancel && matches!(code, Some(805 | 808 | 822 | 823 | 841 | 843)) => {
            case.via = Some(Way::Refund);
            Action::Ask(Question::RefundQuote)
        }
        Question::Tree => Action::Ask(Question::Search),
        _ if refusal.passing => rest_planned(case, refusal.trouble),
        _ => refuse(case, refusal.trouble, now),
    }
}

/// The quotation says that a refund or void is there already: somebody else's, which this case follows.
fn adopt_found(case: &mut Case, question: Question, refusal: &Refusal, now: &Now<'_>) -> Action {
    let name = if question == Question::VoidQuote { "voidQuotation" } else { "refundQuotation" };
    let code = refusal.trouble.vendor_status.unwrap_or_default();
    note(case, now, &format!("{name} answers {code}: submitted before, not by this case"), Strength::Strong);
    adopt(case)
}

fn adopt(case: &mut Case) -> Action {
    case.adopted = true;
    case.outcome = Verdict::Executed;
    case.state = State::AtlasProcessing;
    case.error = None;
    case.due = None;
    if case.kind == Kind::Cancel && case.via.is_none() {
        case.via = Some(Way::Void);
    }
    evidence::question(case).map_or(Action::Rest, Action::Ask)
}

fn submitted(case: &mut Case, name: StepName, sent: Sent, now: &Now<'_>) -> Action {
    case.due = None;
    if let Some(step) = case.steps.last_mut() {
        step.outcome = sent.outcome;
        step.at = now.wall();
        step.sent = if sent.unsent { None } else { Some(now.stamp) };
    }
    case.error = sent.trouble.clone();
    case.due = None;
    if let Some(hint) = &sent.hint {
        note(case, now, hint, Strength::Weak);
    }
    case.code = sent.code.clone().or(case.code.take());
    match sent.outcome {
        Verdict::Executed if sent.already => {
            let code = sent.trouble.as_ref().and_then(|t| t.vendor_status).unwrap_or_default();
            note(case, now, &format!("{} answers {code}: done before", name.operation()), Strength::Strong);
            match name {
                StepName::Void | StepName::Refund => adopt(case),
                _ => {
                    case.adopted = true;
                    case.error = None;
                    executed(case, name, sent, now)
                }
            }
        }
        Verdict::Executed => executed(case, name, sent, now),
        Verdict::Unknown | Verdict::Pending => unknown(case),
        Verdict::NotExecuted => not_executed(case, name, sent, now),
    }
}

fn executed(case: &mut Case, name: StepName, sent: Sent, now: &Now<'_>) -> Action {
    case.outcome = Verdict::Executed;
    case.error = None;
    case.due = None;
    if let Some(money) = sent.money {
        let kept = case.money.get_or_insert_with(Default::default);
        for (to, from) in [
            (&mut kept.currency, money.currency),
            (&mut kept.paid, money.paid),
            (&mut kept.estimated_refund, money.estimated_refund),
            (&mut kept.fee, money.fee),
        ] {
            if from.is_some() {
                *to = from;
            }
        }
    }
    match name {
        StepName::Void | StepName::Refund => {
            case.state = State::AtlasProcessing;
            // Only queries move it on from here.
            case.vendor_code = sent.state;
            Action::Rest
        }
        StepName::Order | StepName::Regenerate => {
            case.deadline = sent.deadline.or(case.deadline.take());
            ordered(case, now)
        }
        StepName::Pay => {
            case.state = State::Ticketing;
            case.deadline = None;
            Action::Rest
        }
        StepName::Stop => {
            case.state = State::Ticketing;
            Action::Rest
        }
        StepName::Claim => match case.code.clone() {
            Some(order) => claimed(case, order, now),
            // Accepted without a number: the list has it.
            None => {
                case.state = State::Claimed;
                Action::Ask(Question::ClaimList)
            }
        },
    }
}

/// The new order stands, unpaid: worth nothing until it is paid.
fn ordered(case: &mut Case, now: &Now<'_>) -> Action {
    if case.code.is_none() {
        note(case, now, "the order stands, and its number is not known", Strength::Strong);
        case.state = State::NeedsHuman;
        return Action::Rest;
    }
    case.state = State::AwaitingPayment;
    case.outcome = Verdict::Pending;
    case.holds.extend(case.code.clone());
    pay(case, now)
}

/// Pays the order that waits, if this run may and the price fits.
pub(crate) fn pay(case: &mut Case, now: &Now<'_>) -> Action {
    if !(case.run.may_send && case.run.can_pay) || case.code.is_none() {
        return Action::Rest;
    }
    // Two numbers joined by a comma (a split round trip) are two orders: paying them is not one step.
    if case.code.as_deref().is_some_and(|code| code.contains([',', '|'])) {
        case.state = State::NeedsHuman;
        note(case, now, "the vendor made two orders; pay them by hand", Strength::Strong);
        return Action::Rest;
    }
    if let Err(trouble) = guard::price(&case.expect, &case.money.clone().unwrap_or_default()) {
        case.error = Some(trouble);
        return Action::Rest;
    }
    if case.deadline.as_ref().is_some_and(|d| now.wall() + 5 * SECOND >= d.at) {
        case.error = Some(guard::refusal("guard_deadline", "the time to pay is over"));
        return Action::Rest;
    }
    // An earlier payment that may have left is never followed by another.
    let paid_before = case.steps.iter().any(|s| s.name == StepName::Pay && s.outcome != Verdict::NotExecuted);
    if paid_before {
        return Action::Rest;
    }
    send(case, StepName::Pay, now)
}

pub(crate) fn claimed(case: &mut Case, order: String, now: &Now<'_>) -> Action {
    case.outcome = Verdict::Executed;
    if let Some(step) = case.steps.last_mut() {
        step.outcome = Verdict::Executed;
    }
    case.order_no = Some(order.clone());
    case.code = Some(order);
    case.error = None;
    note(case, now, "the booking has an order number", Strength::Strong);
    close(case, State::Claimed);
    Action::Rest
}

fn not_executed(case: &mut Case, name: StepName, sent: Sent, now: &Now<'_>) -> Action {
    let trouble = sent.trouble.unwrap_or_else(|| guard::refusal("refused", "the vendor refused"));
    let code = trouble.vendor_status;
    if sent.unsent && !case.direct {
        case.run.unsent += 1;
        case.error = Some(trouble);
        case.outcome = Verdict::Pending;
        case.state = if name == StepName::Pay { State::AwaitingPayment } else { State::Planned };
        let again = case.run.may_send && case.run.unsent < TRIES;
        return if again { Action::Again(100 << (2 * case.run.unsent)) } else { Action::Rest };
    }
    let expired = matches!((name, code), (StepName::Void | StepName::Refund, Some(805)) | (StepName::Order, Some(502)));
    if expired && !case.requoted && !case.direct && case.run.may_send && !case.run.own_offer {
        case.requoted = true;
        case.state = State::Quoting;
        case.outcome = Verdict::Pending;
        case.offer_id = None;
        return Action::Ask(match name {
            StepName::Void => Question::VoidQuote,
            StepName::Refund => Question::RefundQuote,
            _ => Question::Search,
        });
    }
    // The window closed between the quotation and the void.
    let too_late = name == StepName::Void && matches!(code, Some(808 | 822 | 841 | 843));
    if too_late && case.kind == Kind::Cancel && !case.direct && case.run.may_send {
        case.state = State::Quoting;
        case.outcome = Verdict::Pending;
        case.offer_id = None;
        case.via = Some(Way::Refund);
        return Action::Ask(Question::RefundQuote);
    }
    refuse(case, trouble, now)
}

/// Nothing happened, and nothing will.
pub(crate) fn refuse(case: &mut Case, trouble: Trouble, _now: &Now<'_>) -> Action {
    case.error = Some(trouble);
    case.outcome = Verdict::NotExecuted;
    close(case, State::Refused);
    Action::Rest
}

/// Nothing happened yet; its caller may open it again.
fn rest_planned(case: &mut Case, trouble: Trouble) -> Action {
    case.state = State::Planned;
    case.error = Some(trouble);
    case.due = None;
    Action::Rest
}

pub(crate) fn close(case: &mut Case, state: State) {
    case.state = state;
    case.closed = true;
    case.watched = false;
    case.due = None;
    case.holds.clear();
}

fn resolved(case: &mut Case, executed: bool, by: &str, text: &str, code: Option<String>, now: &Now<'_>) -> Action {
    let word = if executed { "executed" } else { "not executed" };
    note(case, now, &format!("{by} says {word}: {text}"), Strength::Human);
    let verdict = if executed { Verdict::Executed } else { Verdict::NotExecuted };
    if let Some(step) = case.steps.last_mut() {
        step.outcome = verdict;
        step.at = now.wall();
    }
    case.code = code.or(case.code.take());
    case.error = None;
    case.due = None;
    case.empty = None;
    if executed {
        if case.steps.is_empty() {
            // It was not this case that did it.
            adopt(case);
        }
        case.succeeded = false;
        // Also of what is known to stand a human may say more: its number.
        case.outcome = Verdict::Unknown;
        evidence::found(case, None, now)
    } else {
        case.outcome = Verdict::NotExecuted;
        close(case, State::Cancelled);
        // Humans err: if the effect shows up all the same, the case is reopened.
        case.watched = !case.steps.is_empty();
        Action::Rest
    }
}

/// Adds a piece of evidence; what is seen again only gets its new time.
pub(crate) fn note(case: &mut Case, now: &Now<'_>, what: &str, strength: Strength) {
    let at = now.wall();
    match case.evidence.iter_mut().find(|e| e.what == what) {
        Some(same) => same.at = at,
        None => case.evidence.push(super::model::Evidence { at, what: what.to_owned(), strength }),
    }
}

/// Sets when the vendor is asked next.
pub(crate) fn schedule(case: &mut Case, now: &Now<'_>) {
    case.due = None;
    if case.closed && !case.watched {
        return;
    }
    // The watch ends after an answer, not before it.
    if case.watched && case.run.waits_for.is_none() && now.wall() - case.since > rules::WATCH {
        case.watched = false;
        case.holds.clear();
        return;
    }
    if evidence::question(case).is_some() {
        let mut pause = rules::pause(case, now.rules, now.wall());
        if let Some(sent) = case.step().and_then(|s| s.sent) {
            // Nothing empty counts before the settle time, and a stop is not decided before its own: there is no use
            // in asking just before it.
            let settle = if case.outcome == Verdict::Unknown { now.rules.settle } else { 0 };
            let decided = if case.kind == Kind::Stop { rules::STOP_DECIDED } else { 0 };
            let left = settle.max(decided) - sent.at_least_until(now.stamp).max(0);
            if left > 0 {
                pause = left.min(rules::DAY);
            }
        }
        case.due = Some(now.wall() + pause);
    }
}
