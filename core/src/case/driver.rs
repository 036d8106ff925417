//! Drives a case: asks what [`step`] wants to know, sends what it wants sent, and stores what it says, in the order
//! that survives a crash: intent, synced → send → raw reply → outcome.

use std::sync::Arc;
use std::time::Duration;

use super::ask::{self, Memory};
use super::event::{Action, Answer, Event, Now, Question, Refusal};
use super::evidence;
use super::facts;
use super::guard;
use super::machine::step;
use super::model::{Case, State, StepName, Trouble, Verdict};
use super::owner::Owner;
use super::redact;
use super::store::{Filter, Row, Store, Stored};
use crate::call::{Course, Request, check, log_attempt};
use crate::config::Rate;
use crate::json::Node;
use crate::live::on;
use crate::log::LogLevel;
use crate::operation::Operation;
use crate::outcome::{Error, Outcome, Status};
use crate::reply::{Call, Reply};
use crate::transport::{Exchange, Head};

/// The name of the follow-up's budget in the store.
pub(crate) const FOLLOW: &str = "follow";

/// One drive of one case.
pub(crate) struct Driver<'d> {
    pub course: &'d mut Course,
    pub store: Arc<dyn Store>,
    pub owner: &'d Owner,
    pub memory: Memory,
    /// The follow-up asks within a budget of its own.
    pub budget: Option<Rate>,
    /// The vendor's last answer that decided something.
    pub last: Option<Reply>,
    /// The first question has its place in the budget already.
    pub prepaid: bool,
    /// A submit was given to the transport in this drive; what came of it.
    pub submitted: Option<Outcome>,
}

/// What came of a drive.
pub(crate) enum Driven {
    /// As far as it could go; stored.
    Row(Box<Row>),
    /// Somebody else took the case: whatever this drive wanted was not done.
    Taken,
}

impl<'d> Driver<'d> {
    pub fn new(course: &'d mut Course, store: Arc<dyn Store>, owner: &'d Owner, memory: Memory) -> Driver<'d> {
        Driver { course, store, owner, memory, budget: None, last: None, prepaid: false, submitted: None }
    }

    /// Drives a case whose lease this run has, until there is nothing to do before it is due.
    pub async fn drive(&mut self, mut row: Row, event: Event) -> Stored<Driven> {
        let mut event = match self.kept_answer(&row.case).await {
            Some(sent) => sent,
            None => event,
        };
        loop {
            let submitted = matches!(event, Event::Submitted(..));
            let (case, action) = self.step(row.case, event).await?;
            row.case = case;
            if submitted && action != Action::Rest {
                // The outcome is written before anything else is asked.
                let Some(()) = self.save(&mut row).await? else { return Ok(Driven::Taken) };
            }
            event = match action {
                Action::Rest => break,
                Action::Ask(question) => Event::Answered(question, self.ask(&row.case, question).await),
                Action::Send(name) => {
                    let Some(sent) = self.send(&mut row, name).await? else { return Ok(Driven::Taken) };
                    sent
                }
                Action::Again(pause) => {
                    let pause = Duration::from_millis(u64::try_from(pause).unwrap_or(0));
                    if self.course.limits().run(tokio::time::sleep(pause)).await.is_err() {
                        break;
                    }
                    Event::Drive
                }
            };
        }
        self.finish(row).await
    }

    /// The answer of a submit whose sender stored it and went before it could judge it.
    async fn kept_answer(&mut self, case: &Case) -> Option<Event> {
        let step = case.step()?;
        let nobody_judged = match case.state {
            State::Sending => true,
            _ => step.outcome == Verdict::Unknown && step.abandoned,
        };
        let op = Operation::find(step.name.operation()).filter(|_| nobody_judged)?;
        let (id, name, attempt) = (case.id.clone(), step.name, step.attempts);
        let body = on(&self.store, move |store| store.kept_reply(&id, name.word(), attempt)).await.ok()??;
        let order =
            if name == StepName::Pay { case.code.as_ref().or(case.order_no.as_ref()) } else { case.order_no.as_ref() };
        let asked =
            serde_json::json!({ "orderNo": order, "ticketOrderNo": order, "originalOrderNo": order }).to_string();
        let node = Node::parse(&asked).ok()?;
        let request = Request::new(op, &node, asked.clone(), self.course.left());
        // The status line was not kept: only an answer of the vendor's own form decides.
        let head = Some(Head { status: 200, ..Head::default() });
        let exchange = Exchange { head, body: Some(body), fault: None, sent: true };
        let call = Call { journaled: true, ..self.course.call(attempt) };
        let reply = self.course.decode(&request, exchange, call).await;
        let sent = facts::sent(name, &reply);
        if sent.outcome == Verdict::Unknown {
            return None;
        }
        self.last = Some(reply);
        Some(Event::Submitted(name, sent))
    }

    /// Stores what came of a submit that is no part of a drive; what there is to ask is left to the follow-up.
    pub async fn settle(&mut self, mut row: Row, event: Event) -> Stored<Driven> {
        let (case, action) = self.step(row.case, event).await?;
        row.case = case;
        if action != Action::Rest {
            row.case.due = Some(row.case.updated);
        }
        self.finish(row).await
    }

    async fn finish(&mut self, mut row: Row) -> Stored<Driven> {
        let copy = row.clone();
        let saved = on(&self.store, move |store| match is_settled(&copy.case) {
            // Together: whoever dies in between would leave raw replies that nobody reads nor removes.
            true => store.settle(&copy, &redact::thin),
            false => store.save(&copy, None),
        })
        .await?;
        let Some(version) = saved else { return Ok(Driven::Taken) };
        row.version = version;
        Ok(Driven::Row(Box::new(row)))
    }

    async fn step(&mut self, case: Case, event: Event) -> Stored<(Case, Action)> {
        let stamp = self.course.live.now().await?;
        let now = Now { stamp, rules: &self.course.inner.config.rules };
        let (case, action) = step(case, event, &now);
        let (id, state, outcome) = (&case.id, case.state.word(), case.outcome.word());
        self.course.log.add(LogLevel::Debug, "case", || format!("{id} is {state}, {outcome}; next {action:?}"));
        Ok((case, action))
    }

    /// None if the row is somebody else's by now.
    async fn save(&mut self, row: &mut Row) -> Stored<Option<()>> {
        let lease = self.owner.lease(self.course.left());
        let copy = row.clone();
        let saved = on(&self.store, move |store| store.save(&copy, Some(&lease))).await?;
        Ok(saved.map(|version| row.version = version))
    }

    pub async fn ask(&mut self, case: &Case, question: Question) -> Answer {
        if question == Question::KnownOffer {
            return self.known_offer(case).await;
        }
        // A quotation and a basket are made from the order, which a resumed case has not read yet.
        let needs_order = match question {
            Question::RefundQuote | Question::RefundProbe | Question::Rebuilt | Question::Search => true,
            Question::RefundList => evidence::may_be_others(case),
            _ => false,
        };
        if needs_order && self.memory.order.is_none() {
            let answer = self.ask_vendor(case, Question::Order).await;
            let goes_on = matches!(question, Question::Rebuilt | Question::RefundList);
            if let (Answer::Refused(_), false) = (&answer, goes_on) {
                return answer;
            }
        }
        if question == Question::RefundProbe && case.partial && self.memory.wish.names.is_empty() {
            return Answer::Vague("which passengers it was for is not stored; open the case again to have it asked");
        }
        match self.ask_vendor(case, question).await {
            // Of the codes that say so, this one is about passengers (refund and void error tables, 2026).
            Answer::Refused(no) if no.trouble.vendor_status == Some(803) => self.of_everybody(case, question, no).await,
            answer => answer,
        }
    }

    /// "Already submitted" may speak of some passengers only: then each is asked about alone.
    async fn of_everybody(&mut self, case: &Case, question: Question, no: Refusal) -> Answer {
        let people = ask::people(&self.memory);
        let is_quotation = matches!(question, Question::VoidQuote | Question::RefundQuote | Question::RefundProbe);
        if people.len() < 2 || !is_quotation {
            return Answer::Refused(no);
        }
        let wished = std::mem::take(&mut self.memory.wish.names);
        let mut free = 0;
        let mut unasked = None;
        for name in &people {
            self.memory.wish.names = vec![name.clone()];
            match self.ask_vendor(case, Question::RefundQuote).await {
                Answer::Quote(_) => free += 1,
                Answer::Refused(later) if later.passing => unasked = Some(later),
                _ => {}
            }
        }
        self.memory.wish.names = wished;
        match (free, unasked) {
            (0, None) => Answer::Refused(no),
            (0, Some(later)) => Answer::Refused(later),
            (_, _) if question == Question::RefundProbe => Answer::Vague("some of the passengers have a refund"),
            (free, _) => {
                let words = format!(
                    "{} of {} passengers have a refund already; name the others in `passengers` of a refund",
                    people.len() - free,
                    people.len()
                );
                let trouble = guard::refusal("guard_not_refundable", words);
                Answer::Refused(Refusal { trouble, passing: false, already: false })
            }
        }
    }

    async fn ask_vendor(&mut self, case: &Case, question: Question) -> Answer {
        let refused = |trouble: Trouble| Answer::Refused(Refusal { trouble, passing: false, already: false });
        let (name, request) = match ask::question(case, &self.memory, question) {
            Ok(asked) => asked,
            Err(trouble) => return refused(trouble),
        };
        let request = match self.request(name, &request.to_string()) {
            Ok(request) => request,
            Err(error) => return refused(Trouble::of(&error)),
        };
        if let Some(rate) = self.budget.filter(|_| !std::mem::take(&mut self.prepaid)) {
            let limits = self.course.limits();
            let place = self.course.live.shared_place(&self.store, FOLLOW, rate, &limits).await;
            if crate::live::Live::wait(place, &limits).await.is_err() {
                let error =
                    Error::local("rate_wait_timeout", Status::TIMEOUT, "no place in the follow-up's budget in time");
                return Answer::Refused(facts::refusal(&error));
            }
        }
        // An offer is as old as its question.
        let asked = self.course.live.now().await;
        let reply = self.course.ask(&request, None).await;
        let mut answer = facts::answer(case, question, &reply, &mut self.memory);
        if let (Answer::Quote(quote), Ok(asked)) = (&mut answer, asked) {
            quote.at = Some(asked);
        }
        self.last = Some(reply);
        match answer {
            // Before the submit all of them count as standing.
            Answer::Orders(orders) if question == Question::Tree && !case.steps.is_empty() => {
                self.not_others(case, orders).await
            }
            answer => answer,
        }
    }

    /// Without the orders that other cases have made.
    async fn not_others(&self, case: &Case, orders: Vec<String>) -> Answer {
        let filter = Filter { order_no: case.order_no.clone(), limit: usize::MAX >> 1, ..Filter::default() };
        match on(&self.store, move |store| store.list(&filter)).await {
            Ok(cases) => evidence::not_others(case, orders, &cases),
            Err(_) => Answer::Vague("what other cases have made is not known"),
        }
    }

    fn request(&self, name: &str, text: &str) -> Result<Request, Error> {
        let Some(op) = Operation::find(name) else {
            return Err(Error::local("internal", Status::INTERNAL, format!("there is no operation {name}")));
        };
        let (node, body) = check(op, text, false)?;
        Ok(Request::new(op, &node, body, self.course.left()))
    }

    async fn known_offer(&mut self, case: &Case) -> Answer {
        let refused = |trouble| Answer::Refused(Refusal { trouble, passing: false, already: false });
        let Some(offer) = case.offer_id.clone() else { return Answer::Vague("no offer was given") };
        match on(&self.store, move |store| store.known_offer(&offer)).await {
            Ok(Some(known)) if Some(&known.order_no) == case.order_no.as_ref() && case.way() == Some(known.way) => {
                Answer::Quote(known.quote)
            }
            Ok(_) => refused(guard::refusal(
                "guard_offer_age",
                "how old the offer is cannot be known: it was not given to this account's store for this order",
            )),
            Err(error) => Answer::Refused(facts::refusal(&error)),
        }
    }

    /// Stores the intent, sends, stores the raw reply. None if the case is somebody else's by now.
    async fn send(&mut self, row: &mut Row, name: StepName) -> Stored<Option<Event>> {
        let refused = |trouble: Trouble| {
            let sent = super::event::Sent {
                outcome: Verdict::NotExecuted,
                trouble: Some(trouble),
                unsent: false,
                already: false,
                code: None,
                state: None,
                money: None,
                deadline: None,
                hint: None,
            };
            Ok(Some(Event::Submitted(name, sent)))
        };
        let text = match ask::submit(&row.case, &self.memory, name) {
            Ok(request) => request.to_string(),
            Err(trouble) => return refused(trouble),
        };
        let request = match self.request(name.operation(), &text) {
            Ok(request) => request,
            Err(error) => return refused(Trouble::of(&error)),
        };
        let Some(()) = self.save(row).await? else { return Ok(None) };
        let reply = self.submit(&row.case, name, &request).await;
        let sent = facts::sent(name, &reply);
        self.last = Some(reply);
        Ok(Some(Event::Submitted(name, sent)))
    }

    /// Sends a submit whose intent is stored, and keeps the raw reply before anybody reads it.
    pub async fn submit(&mut self, case: &Case, name: StepName, request: &Request) -> Reply {
        let attempt = case.step().map_or(1, |s| s.attempts);
        // Until its answer is judged.
        self.submitted = Some(Outcome::Unknown);
        let exchange = self.course.exchange(request).await;
        let mut stored = true;
        if let Some(body) = exchange.body.clone() {
            let (id, step) = (case.id.clone(), name.word());
            stored = on(&self.store, move |store| store.keep_reply(&id, step, attempt, &body)).await.is_ok();
        }
        let call = Call { journaled: true, ..self.course.call(attempt) };
        let elapsed = call.elapsed_ms;
        let reply = self.course.decode(request, exchange, call).await;
        self.submitted = Some(reply.outcome());
        log_attempt(&mut self.course.log, request.op, &reply, attempt);
        crate::call::log_end(&mut self.course.log, request.op, &reply, attempt, elapsed);
        self.course.live.heed(&reply).await;
        if stored { reply } else { reply.with_warning("store_failed", "the raw reply could not be stored") }
    }
}

/// Whether nothing will be read from the raw replies any more.
fn is_settled(case: &Case) -> bool {
    case.steps.iter().all(|s| matches!(s.outcome, Verdict::Executed | Verdict::NotExecuted)) && !case.steps.is_empty()
}

/// The words an error may have, so that a stored one can be told again.
const WORDS: &[&str] = &[
    "timeout",
    "rate_wait_timeout",
    "cancelled",
    "io",
    "dns",
    "connect",
    "connect_timeout",
    "tls",
    "proxy",
    "http_error",
    "redirect",
    "rate_limited",
    "unauthorized",
    "refused",
    "bad_response",
    "wrong_order",
    "too_large",
    "not_found",
    "vendor_uncertain",
    "already_submitted",
    "in_progress",
    "bad_request",
    "guard_amount",
    "guard_currency",
    "guard_offer_age",
    "guard_deadline",
    "guard_not_refundable",
    "guard_not_ticketed",
    "guard_voucher",
    "guard_order_state",
    "bad_config",
    "internal",
    "panic",
];

/// What a case's caller is told when it did not (yet) succeed.
pub(crate) fn error_of(case: &Case, last: Option<&Reply>) -> Option<Error> {
    if case.outcome == Verdict::Executed {
        return None;
    }
    let outcome = case.outcome.outcome().unwrap_or(Outcome::NotExecuted);
    let unsettled = || Trouble {
        code: "vendor_uncertain".to_owned(),
        status: Status::UNCERTAIN.number(),
        message: "what became of it is not known".to_owned(),
        vendor_status: None,
        vendor_code: None,
    };
    let trouble = match (&case.error, outcome) {
        (Some(trouble), _) => trouble.clone(),
        (None, Outcome::Unknown) => unsettled(),
        (None, _) if case.outcome == Verdict::Pending => return None,
        (None, _) => Trouble {
            code: "refused".to_owned(),
            status: Status::REFUSED.number(),
            message: "it was given up".to_owned(),
            ..unsettled()
        },
    };
    // The decisive answer knows more than the store keeps.
    let told =
        last.and_then(Reply::error).filter(|e| e.code == trouble.code && e.vendor_status == trouble.vendor_status);
    let mut error = match told {
        Some(error) => error.clone(),
        None => {
            let code = WORDS.iter().copied().find(|word| *word == trouble.code).unwrap_or("refused");
            let mut error = Error::local(code, trouble.status(), trouble.message.clone());
            error.vendor_status = trouble.vendor_status;
            error
        }
    };
    error.outcome = outcome;
    match outcome {
        Outcome::Unknown => {
            error.advice = crate::outcome::Advice::Reconcile;
            error.next = Some("case.reconcile");
            error.retryable = false;
            error.help =
                "It may have happened. case.reconcile and case.follow find out; do not start another one before."
                    .to_owned();
        }
        _ if case.watched && !case.holds.is_empty() => {
            error.advice = crate::outcome::Advice::GiveUp;
            error.retryable = false;
            error.help = format!(
                "It did not happen, as far as the vendor's answers show: {}. A new case on this order must name this one in `after`.",
                error.message
            );
        }
        // The same open goes on where this one stopped.
        _ if !case.closed => {
            error.retryable = true;
            error.help =
                format!("Nothing was sent that counts: {}. Open the case again with the same key.", error.message);
        }
        _ => {}
    }
    Some(error)
}
