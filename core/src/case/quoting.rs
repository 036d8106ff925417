//! Before the submit: reading the order, asking for a quotation, and what the guards say to it. Pure; a part of
//! [`super::machine`].

use super::event::{Action, Answer, Now, OrderSeen, Question, Quote, Refusal};
use super::evidence;
use super::guard;
use super::machine::{close, note, refuse};
use super::model::{Case, Kind, State, StepName, Strength, Trouble, Verdict, Way};
use super::submitting::{claimed, send};

pub(crate) fn begin(case: &mut Case) -> Action {
    case.state = State::Quoting;
    case.error = None;
    Action::Ask(if case.kind == Kind::Claim { Question::ClaimList } else { Question::Order })
}

pub(crate) fn quoting(case: &mut Case, question: Question, answer: Answer, now: &Now<'_>) -> Action {
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
                return refuse(case, trouble);
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

pub(crate) fn order_seen(case: &mut Case, order: &OrderSeen, now: &Now<'_>) -> Action {
    let not_ticketed = |what: &str| guard::refusal("guard_not_ticketed", what);
    match case.kind {
        Kind::Void | Kind::Refund | Kind::Cancel | Kind::Ancillary if !order.ticketed => {
            refuse(case, not_ticketed("the order is not ticketed"))
        }
        _ if case.run.own_offer && case.way().is_some() => Action::Ask(Question::KnownOffer),
        // A cancel whose void was refused does not try it again.
        Kind::Cancel if case.via == Some(Way::Refund) => Action::Ask(Question::RefundQuote),
        Kind::Void | Kind::Cancel => Action::Ask(Question::VoidQuote),
        Kind::Refund => Action::Ask(Question::RefundQuote),
        Kind::Ancillary => Action::Ask(Question::Tree),
        // Rebuilding an order that has or gets tickets would buy the flights twice.
        Kind::Regenerate if matches!(order.status, Some(1 | 2)) => {
            refuse(case, guard::refusal("guard_order_state", "the order is being ticketed or is ticketed"))
        }
        Kind::Regenerate => send(case, StepName::Regenerate, now),
        Kind::Stop if order.status == Some(2) => {
            case.outcome = Verdict::NotExecuted;
            close(case, State::StopFailed);
            case.error = Some(not_ticketed("the ticket is issued already: there is nothing left to stop"));
            Action::Rest
        }
        Kind::Stop if order.status == Some(-3) && order.failed_ticketing => {
            case.outcome = Verdict::NotExecuted;
            close(case, State::Cancelled);
            case.error = Some(not_ticketed("the ticketing failed already: there is nothing left to stop"));
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
        return refuse(case, trouble);
    }
    let Some(offer) = quote.offer_id else {
        return refuse(case, guard::refusal("guard_not_refundable", "the quotation has no offer id"));
    };
    case.offer_id = Some(offer);
    case.money = Some(quote.money);
    case.deadline = quote.deadline;
    send(case, if way == Way::Void { StepName::Void } else { StepName::Refund }, now)
}

/// A no before anything was sent.
pub(crate) fn refused_before(case: &mut Case, question: Question, refusal: Refusal, now: &Now<'_>) -> Action {
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
        _ => refuse(case, refusal.trouble),
    }
}

/// The quotation says that a refund or void is there already: somebody else's, which this case follows.
fn adopt_found(case: &mut Case, question: Question, refusal: &Refusal, now: &Now<'_>) -> Action {
    let name = if question == Question::VoidQuote { "voidQuotation" } else { "refundQuotation" };
    let code = refusal.trouble.vendor_status.unwrap_or_default();
    note(case, now, &format!("{name} answers {code}: submitted before, not by this case"), Strength::Strong);
    adopt(case)
}

pub(crate) fn adopt(case: &mut Case) -> Action {
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

/// Nothing happened yet; its caller may open it again.
pub(crate) fn rest_planned(case: &mut Case, trouble: Trouble) -> Action {
    case.state = State::Planned;
    case.error = Some(trouble);
    case.due = None;
    Action::Rest
}
