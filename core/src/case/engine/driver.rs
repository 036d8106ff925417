//! Drives a case: makes the queries and submits that [`step`] decides, and stores the result, in the order that
//! survives a crash: intent, synced → send → raw reply → outcome.

use std::time::Duration;

use super::lease::{Owner, is_alive};
use crate::case::error::StoredError;
use crate::case::hold::Hold;
use crate::case::id::new_id;
use crate::case::machine::absence::settle_time_passed;
use crate::case::machine::event::{Action, Answer, Event, Now, Refusal, SubmitResult};
use crate::case::machine::{evidence, recheck, step};
use crate::case::model::Case;
use crate::case::passengers::{Asked, OrderPassengers, check_tickets};
use crate::case::service::CaseService;
use crate::case::store::{Row, Store, Stored, retention};
use crate::case::vendor::requests::{self, CallData};
use crate::case::vendor::{adoption, answers};
use crate::case::vocabulary::{CaseOutcome, Kind, Query, State, StepName};
use crate::config::RetryConfig;
use crate::contract::operation::Operation;
use crate::error::{Error, ErrorCode, Outcome};
use crate::exchange::context::CallContext;
use crate::exchange::prepare::VendorRequest;
use crate::json::Node;
use crate::log::LogLevel;
use crate::reply::Reply;
use crate::reply::decode::CallMeta;
use crate::transport::{Exchange, Head};

/// One drive of one case.
pub(crate) struct Driver<'d> {
    pub context: &'d mut CallContext,
    pub(super) cases: &'d CaseService,
    owner: &'d Owner,
    call_data: CallData,
    budget: PollBudget,
    /// What this drive sent: the step, its attempt, and what the vendor's own reply says; None without a reply.
    pub sent: Option<(StepName, u32, Option<SubmitResult>)>,
    /// The vendor's last answer.
    pub last: Option<Reply>,
    /// A submit was given to the transport in this drive; its outcome.
    pub submitted: Option<Outcome>,
}

/// How long a sender that was overtaken waits for the new owner of the lease, to report its own reply.
const OVERTAKEN_PATIENCE: Duration = Duration::from_secs(5);

/// Which budgets a query takes from, beside that of all requests.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum PollBudget {
    /// None: the caller asked for this query.
    Requests,
    /// The follow-up's.
    Follow,
    /// The follow-up's; the first query is paid for.
    FollowPaid,
}

/// The result of a drive.
pub(crate) enum DriveResult {
    /// Driven as far as possible, and stored.
    Stored(Box<Row>),
    /// Another owner took the lease: this drive changed nothing more.
    LeaseLost,
}

/// Drives a case without submitting; None if the lease was lost.
pub(crate) async fn poll(
    context: &mut CallContext,
    cases: &CaseService,
    owner: &Owner,
    row: Row,
    budget: PollBudget,
) -> Stored<Option<Case>> {
    if budget != PollBudget::Requests {
        // One token is one request; a query that fails is made again when the case is due again.
        context.options.retry = Some(RetryConfig { max_attempts: 1, ..context.session.config.retry });
    }
    let mut driver = Driver::new(context, cases, owner, CallData::default());
    driver.budget = budget;
    match driver.drive(row, Event::Drive).await? {
        DriveResult::Stored(row) => Ok(Some(row.case)),
        DriveResult::LeaseLost => Ok(None),
    }
}

impl<'d> Driver<'d> {
    pub fn new(
        context: &'d mut CallContext,
        cases: &'d CaseService,
        owner: &'d Owner,
        call_data: CallData,
    ) -> Driver<'d> {
        let budget = PollBudget::Requests;
        Driver { context, cases, owner, call_data, budget, sent: None, last: None, submitted: None }
    }

    /// Drives a case whose lease this drive has, until there is nothing to do before it is due.
    pub async fn drive(&mut self, mut row: Row, event: Event) -> Stored<DriveResult> {
        let mut event = match self.stored_answer(&row.case).await {
            Some(submitted) => submitted,
            None => event,
        };
        loop {
            let submitted = matches!(event, Event::Submitted(..));
            let was_final = row.case.closed && !row.case.watched;
            let (case, action) = self.apply(row.case, event).await?;
            row.case = case;
            if was_final && !row.case.closed {
                self.check_holds(&mut row.case).await?;
            }
            if submitted && action != Action::Wait {
                // The outcome is stored before anything else is asked.
                let Some(()) = self.save(&mut row).await? else { return Ok(DriveResult::LeaseLost) };
            }
            event = match action {
                Action::Wait => break,
                Action::Query(query) => Event::Answered(query, self.query(&row.case, query).await),
                Action::Submit(name) => {
                    let Some(event) = self.submit_step(&mut row, name).await? else {
                        return Ok(DriveResult::LeaseLost);
                    };
                    event
                }
                Action::DriveAfter(pause) => {
                    let pause = Duration::from_millis(u64::try_from(pause).unwrap_or(0));
                    if self.context.limits().run(tokio::time::sleep(pause)).await.is_err() {
                        break;
                    }
                    Event::Drive
                }
            };
        }
        self.finish(row).await
    }

    /// The result of a submit whose sender stored the raw reply and ended before it could read it, or was overtaken:
    /// whatever the state of the case, closed and watched ones too.
    pub async fn stored_answer(&mut self, case: &Case) -> Option<Event> {
        let last_step = case.last_step()?;
        let unread = case.state == State::Sending || last_step.abandoned;
        let op = Operation::find(last_step.name.operation()).filter(|_| unread)?;
        let (id, name, attempt) = (case.id.clone(), last_step.name, last_step.attempts);
        let body = self.cases.run_blocking(move |store| store.stored_reply(&id, name.word(), attempt)).await.ok()??;
        let order =
            if name == StepName::Pay { case.code.as_ref().or(case.order_no.as_ref()) } else { case.order_no.as_ref() };
        let echo = serde_json::json!({ "orderNo": order, "ticketOrderNo": order, "originalOrderNo": order });
        let echo = echo.to_string();
        let request = VendorRequest::new(op, &Node::parse(&echo).ok()?, echo.clone(), self.context.timeout);
        // The HTTP status was not stored: only an answer in the vendor's own form decides.
        let head = Some(Head { status: 200, ..Head::default() });
        let exchange = Exchange { head, body: Some(body), fault: None, sent: true, ..Exchange::default() };
        let meta = CallMeta { journaled: true, ..self.context.meta(attempt) };
        let reply = self.context.decode(&request, exchange, meta).await;
        let result = answers::submit_result(case, name, &reply);
        if result.outcome == CaseOutcome::Unknown {
            return None;
        }
        self.last = Some(reply);
        Some(Event::Submitted(name, result))
    }

    /// Stores the result of a direct submit; queries are left to the follow-up.
    pub async fn store_result(&mut self, mut row: Row, event: Event) -> Stored<DriveResult> {
        let (case, action) = self.apply(row.case, event).await?;
        row.case = case;
        if action != Action::Wait {
            row.case.due = Some(row.case.updated);
        }
        self.finish(row).await
    }

    /// After the lease was lost: what the vendor answered to this drive's own submit belongs to the case, whatever the
    /// new owner made of it. None if this drive sent nothing, the vendor did not answer, or the lease is not free in
    /// time. That the request provably did not leave is not said any more: the case counts as sent since.
    pub async fn report_own_reply(&mut self, id: &str) -> Stored<Option<Row>> {
        let Some((name, attempt, Some(result))) = self.sent.take() else { return Ok(None) };
        if result.outcome == CaseOutcome::Unknown {
            return Ok(None);
        }
        let patience = tokio::time::Instant::now() + OVERTAKEN_PATIENCE;
        let row = loop {
            let (id, lease) = (id.to_owned(), self.owner.lease(Duration::ZERO));
            match self.cases.run_blocking(move |store| store.lease(&id, &lease, &is_alive)).await? {
                Some(row) => break row,
                None if tokio::time::Instant::now() >= patience => return Ok(None),
                None => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        };
        let is_same = row.case.last_step().is_some_and(|s| s.name == name && s.attempts == attempt);
        if !is_same {
            self.cases.run_blocking(move |store| store.save(&row, None)).await?;
            return Ok(None);
        }
        match self.store_result(row, Event::Submitted(name, result)).await? {
            DriveResult::Stored(row) => Ok(Some(*row)),
            DriveResult::LeaseLost => Ok(None),
        }
    }

    async fn finish(&mut self, mut row: Row) -> Stored<DriveResult> {
        let copy = row.clone();
        let saved = self
            .cases
            .run_blocking(move |store| match all_steps_settled(&copy.case) {
                // In one transaction: a process that died in between would leave raw replies that nobody removes.
                true => store.settle(&copy, &retention::strip),
                false => store.save(&copy, None),
            })
            .await?;
        let Some(version) = saved else { return Ok(DriveResult::LeaseLost) };
        row.saved(version);
        Ok(DriveResult::Stored(Box::new(row)))
    }

    async fn apply(&mut self, case: Case, event: Event) -> Stored<(Case, Action)> {
        let now = Now { stamp: self.cases.now().await?, policy: self.cases.policy() };
        let (case, action) = step(case, event, &now);
        let (id, state, outcome) = (&case.id, case.state.word(), case.outcome.word());
        self.context.log.add(LogLevel::Debug, "case", || format!("{id} is {state}, {outcome}; next {action:?}"));
        Ok((case, action))
    }

    /// A case that had ended and was reopened holds its order again, if it is free.
    async fn check_holds(&self, case: &mut Case) -> Stored<()> {
        let copy = case.clone();
        if let Some(other) = self.cases.run_blocking(move |store| store.rival(&copy)).await? {
            recheck::held_by(case, &other, &Now { stamp: self.cases.now().await?, policy: self.cases.policy() });
        }
        Ok(())
    }

    /// None if the lease was lost.
    async fn save(&mut self, row: &mut Row) -> Stored<Option<()>> {
        let lease = self.owner.lease(self.context.time_left());
        let copy = row.clone();
        let saved = self.cases.run_blocking(move |store| store.save(&copy, Some(&lease))).await?;
        Ok(saved.map(|version| row.saved(version)))
    }

    /// Answers a query, from the vendor or from the store.
    pub async fn query(&mut self, case: &Case, query: Query) -> Answer {
        if query == Query::KnownOffer {
            return self.known_offer(case).await;
        }
        // A quotation and a basket are made from the order, which a resumed case has not read yet.
        let pays_rebuilt = query == Query::NewOrder && case.kind == Kind::Regenerate && case.run.can_pay;
        if pays_rebuilt && self.call_data.known.is_none() {
            self.recall_passengers(case).await;
        }
        let needs_order = match query {
            Query::NewOrder => pays_rebuilt && self.call_data.known.is_none(),
            Query::RefundQuote | Query::RefundProbe | Query::RegenerateCandidates | Query::Search => true,
            Query::RefundList => evidence::may_be_anothers(case) || case.check_first.is_some(),
            _ => false,
        };
        if needs_order && self.call_data.order.is_none() {
            let answer = self.query_vendor(case, Query::Order).await;
            let goes_on = matches!(query, Query::RegenerateCandidates | Query::RefundList | Query::NewOrder);
            if let (Answer::Refused(_), false) = (&answer, goes_on) {
                return answer;
            }
        }
        if query == Query::RefundProbe
            && case.partial
            && case.positions.is_empty()
            && self.call_data.request.asked.is_empty()
        {
            return Answer::Inconclusive(
                "which passengers it was for is not stored; open the case again to have it asked",
            );
        }
        let answer = match self.query_vendor(case, query).await {
            // Of the "already" codes, this one is about passengers (refund and void error tables, 2026).
            Answer::Refused(refusal) if refusal.error.vendor_status == Some(803) => {
                self.check_each_passenger(case, query, refusal).await
            }
            answer => answer,
        };
        match answer {
            Answer::Quote(_) if query == Query::VoidQuote && self.has_refund(case, &[]).await => {
                let text = "a refund of this order was executed: a void would give it back a second time";
                Answer::Refused(Refusal::lasting(StoredError::new(ErrorCode::GuardNotRefundable, text)))
            }
            Answer::Quote(_) if query == Query::RefundQuote && self.has_refund(case, &self.covered(case)).await => {
                let text = "a refund or void for one of these passengers was executed: this one would give it back a \
                            second time; name the others in `passengers`";
                Answer::Refused(Refusal::lasting(StoredError::new(ErrorCode::GuardNotRefundable, text)))
            }
            Answer::Refused(refusal) if refusal.exists && query == Query::RefundProbe && !self.is_alone(case).await => {
                Answer::Inconclusive("the store knows another refund or void of this order")
            }
            Answer::Entries(entries)
                if case.outcome == CaseOutcome::Unknown
                    && !entries.iter().any(|entry| entry.is_of(case))
                    && !self.is_order_readable(case).await =>
            {
                Answer::Inconclusive("the list does not show it, and the order itself cannot be read")
            }
            answer => answer,
        }
    }

    /// Whether the vendor knows the order now: one that does not says nothing by a list without entries. Before the
    /// settle time has passed that list says nothing anyhow, and the order is not asked for.
    async fn is_order_readable(&mut self, case: &Case) -> bool {
        let is_early = match self.cases.now().await {
            Ok(stamp) => !settle_time_passed(case, &Now { stamp, policy: self.cases.policy() }),
            Err(_) => false,
        };
        if is_early {
            return true;
        }
        match self.query_vendor(case, Query::Order).await {
            Answer::Order(order) => {
                let read = self.call_data.order.as_ref().and_then(|order| order.order_no.as_ref());
                order.status.is_some() && read == case.order_no.as_ref()
            }
            _ => false,
        }
    }

    /// "Already submitted" may be about some passengers only: then each is asked about alone.
    async fn check_each_passenger(&mut self, case: &Case, query: Query, refusal: Refusal) -> Answer {
        let people = self.paying_passengers(case);
        let is_quotation = matches!(query, Query::VoidQuote | Query::RefundQuote | Query::RefundProbe);
        if people.len() < 2 || !is_quotation {
            return Answer::Refused(refusal);
        }
        let mut free = 0;
        let mut unanswered = None;
        for index in &people {
            self.call_data.only = Some(*index);
            match self.query_vendor(case, Query::RefundQuote).await {
                Answer::Quote(_) => free += 1,
                // Only "already submitted" says that it is.
                Answer::Refused(later) if later.passing || !later.exists => unanswered = Some(later),
                _ => {}
            }
        }
        self.call_data.only = None;
        match (free, unanswered) {
            (0, None) => Answer::Refused(refusal),
            (0, Some(later)) => Answer::Refused(later),
            (_, _) if query == Query::RefundProbe => Answer::Inconclusive("some of the passengers have a refund"),
            (free, _) => {
                let text = format!(
                    "{} of {} passengers have a refund already; name the others in `passengers` of a refund",
                    people.len() - free,
                    people.len()
                );
                Answer::Refused(Refusal::lasting(StoredError::new(ErrorCode::GuardNotRefundable, text)))
            }
        }
    }

    /// Indexes of the case's passengers in the order, without infants.
    fn paying_passengers(&self, case: &Case) -> Vec<usize> {
        let today = requests::today(&self.call_data);
        let selected = requests::selected(case, &self.call_data).unwrap_or_default();
        selected.into_iter().filter(|index| today.get(*index).is_some_and(|p| p.kind != 2)).collect()
    }

    /// The passengers that a refund is for, as the store counts them: those asked for, or whoever is in the order today.
    /// Empty: everybody.
    fn covered(&self, case: &Case) -> Vec<usize> {
        let today = || requests::today(&self.call_data).into_iter().map(|person| Asked::Name(person.name)).collect();
        match &self.call_data.known {
            Some(known) if case.positions.is_empty() => {
                let today: Vec<Asked> = today();
                known.positions(&today).unwrap_or_default()
            }
            _ => case.positions.clone(),
        }
    }

    /// Reads from the store who the passengers of the order were when they were first read.
    async fn recall_passengers(&mut self, case: &Case) {
        let Some(order) = case.order_no.clone() else { return };
        self.call_data.known =
            self.cases.run_blocking(move |store| store.order_passengers(&order)).await.ok().flatten();
    }

    /// Learns from the store who the passengers of the order are, and tells it if it does not know.
    async fn remember_passengers(&mut self, case: &Case) {
        let today = requests::today(&self.call_data);
        let Some(order) = case.order_no.clone().filter(|_| !today.is_empty()) else { return };
        let Ok(salt) = new_id(0) else { return };
        let remember = move |store: &dyn Store| match store.order_passengers(&order)? {
            Some(known) => Ok(known),
            None => store.remember_order_passengers(&order, &OrderPassengers::of(&today, salt)),
        };
        self.call_data.known = self.cases.run_blocking(remember).await.ok();
    }

    /// An offer counts only if its tickets are those of the passengers who were asked about.
    fn check_tickets(&self, case: &Case, reply: &Reply, answer: Answer) -> Answer {
        let offers = matches!(&answer, Answer::Quote(q) if q.possible == Some(true) && q.offer_id.is_some());
        if !offers {
            return answer;
        }
        let checked = requests::passengers(case, &self.call_data).and_then(|people| {
            let names: Vec<&str> = people.iter().map(|p| p.name.as_str()).collect();
            match answers::quoted_names(reply) {
                // Without a list of tickets, an offer for everybody is for everybody.
                tickets if tickets.is_empty() && case.positions.is_empty() => Ok(()),
                tickets => check_tickets(&names, &tickets),
            }
        });
        match checked {
            Ok(()) => answer,
            Err(error) => Answer::Refused(Refusal::lasting(error)),
        }
    }

    pub fn call_data(&self) -> &CallData {
        &self.call_data
    }

    pub fn call_data_mut(&mut self) -> &mut CallData {
        &mut self.call_data
    }

    async fn query_vendor(&mut self, case: &Case, query: Query) -> Answer {
        let (name, request) = match requests::query(case, &self.call_data, query) {
            Ok(request) => request,
            Err(error) => return Answer::Refused(Refusal::lasting(error)),
        };
        let request = match self.check(name, &request.to_string()) {
            Ok(request) => request,
            Err(error) => return Answer::Refused(Refusal::lasting(StoredError::of(&error, name))),
        };
        if let Err(answer) = self.take_place(name).await {
            return answer;
        }
        // The age of an offer counts from the request for it.
        let asked = self.cases.now().await;
        let reply = self.context.call_vendor(&request).await;
        self.cases.remember(request.op, &reply).await;
        let mut answer = answers::answer(case, query, name, &reply, &mut self.call_data);
        if let (Answer::Quote(quote), Ok(asked)) = (&mut answer, asked) {
            quote.at = Some(asked);
        }
        match query {
            Query::Order if matches!(answer, Answer::Order(_)) => self.remember_passengers(case).await,
            Query::RefundQuote => answer = self.check_tickets(case, &reply, answer),
            _ => {}
        }
        self.last = Some(reply);
        match answer {
            // Before the submit, the orders of other cases are among those that were there before.
            Answer::Orders(orders) if query == Query::BookingOrders && !case.is_before_submit() => {
                let answer = self.without_others(case, orders).await;
                self.check_baggage(case, answer).await
            }
            Answer::Orders(orders) if query == Query::RegenerateCandidates && case.is_before_submit() => {
                self.foreign(case, orders).await
            }
            Answer::Orders(orders) if query == Query::BookingOrders && !case.expect.accept_foreign => {
                let standing = requests::standing(&self.call_data, &orders);
                match self.foreign(case, standing).await {
                    Answer::Orders(_) => Answer::Orders(orders),
                    answer => answer,
                }
            }
            Answer::Entries(entries) => self.without_owned(case, entries).await,
            Answer::Inconclusive(_) | Answer::Refused(Refusal { passing: false, .. })
                if query == Query::BookingOrders && case.is_before_submit() =>
            {
                self.unlisted(case, answer).await
            }
            answer => answer,
        }
    }

    /// Waits for a place in the budget of this drive.
    pub(super) async fn take_place(&mut self, operation: &str) -> Result<(), Answer> {
        match self.budget {
            PollBudget::Requests => Ok(()),
            PollBudget::FollowPaid => {
                self.budget = PollBudget::Follow;
                Ok(())
            }
            PollBudget::Follow => self.cases.acquire_follow(&self.context.limits()).await.map_err(|_| {
                let message = "no place in the follow-up's budget in time";
                Answer::Refused(answers::refusal(&Error::new(ErrorCode::RateWaitTimeout, message), operation))
            }),
        }
    }

    pub(super) fn check(&self, name: &str, text: &str) -> Result<VendorRequest, Error> {
        match Operation::find(name) {
            Some(op) => VendorRequest::check(op, text, self.context.timeout),
            None => Err(Error::new(ErrorCode::Internal, format!("there is no operation {name}"))),
        }
    }

    async fn known_offer(&mut self, case: &Case) -> Answer {
        let Some(offer) = case.offer_id.clone() else { return Answer::Inconclusive("no offer was given") };
        match self.cases.run_blocking(move |store| store.known_offer(&offer)).await {
            Ok(Some(known)) if Some(&known.order_no) == case.order_no.as_ref() && case.way() == Some(known.way) => {
                Answer::Quote(known.quote)
            }
            Ok(_) => Answer::Refused(Refusal::lasting(StoredError::new(
                ErrorCode::GuardOfferAge,
                "how old the offer is cannot be known: it was not given to this account's store for this order",
            ))),
            Err(error) => Answer::Refused(answers::refusal(&error, "")),
        }
    }

    /// Stores the intent, sends, stores the raw reply. None if the lease was lost.
    async fn submit_step(&mut self, row: &mut Row, name: StepName) -> Stored<Option<Event>> {
        let refused = |error: StoredError| Ok(Some(Event::NotWritten(name, error)));
        let text = match requests::submit(&row.case, &self.call_data, name) {
            Ok(request) => request.to_string(),
            Err(error) => return refused(error),
        };
        let request = match self.check(name.operation(), &text) {
            Ok(request) => request,
            Err(error) => return refused(StoredError::of(&error, name.operation())),
        };
        if name == StepName::Order
            && let Ok((passengers, _)) = requests::basket(&row.case, &self.call_data)
        {
            row.case.basket = adoption::basket_marks(&row.case.key, &passengers);
        }
        let Some(()) = self.save(row).await? else { return Ok(None) };
        // A case that gave its holds up, or was reopened, may have lost one to another case, and one that it was opened
        // after may have been reopened.
        let mut case = row.case.clone();
        if name == StepName::Pay && case.kind != Kind::Pay {
            // The order that it has made is its own.
            let made = case.code.clone().map(Hold::Order);
            case.holds.retain(|hold| matches!(hold, Hold::Payment(_)) || Some(hold) == made.as_ref());
        }
        if let Some(other) = self.cases.run_blocking(move |store| store.rival(&case)).await? {
            let message = format!("case {} (key {}) holds what this one needs", other.id, other.key);
            return refused(StoredError::new(ErrorCode::Conflict, message));
        }
        let reply = self.submit(&row.case, name, &request).await;
        let result = answers::submit_result(&row.case, name, &reply);
        if let (StepName::Regenerate, Some(known)) = (name, &self.call_data.known) {
            row.case.run.same_people = Some(answers::has_same_people(known, &reply));
        }
        self.last = Some(reply);
        Ok(Some(Event::Submitted(name, result)))
    }

    /// Sends a submit whose intent is stored, and stores the raw reply before it is decoded.
    pub async fn submit(&mut self, case: &Case, name: StepName, request: &VendorRequest) -> Reply {
        let attempt = case.last_step().map_or(1, |s| s.attempts);
        match self.cases.write_witness(&case.id, case.change).await {
            Ok(warning) => self.context.store_warning = warning.or(self.context.store_warning.take()),
            // Nothing has left yet, and nothing will.
            Err(error) => return Reply::failed(request.op.name, error),
        }
        // Until its answer is read.
        self.submitted = Some(Outcome::Unknown);
        self.sent = Some((name, attempt, None));
        let exchange = self.context.exchange(request).await;
        let mut stored = true;
        if let Some(body) = exchange.body.clone() {
            let (id, step) = (case.id.clone(), name.word());
            let result = self.cases.run_blocking(move |store| store.store_reply(&id, step, attempt, &body)).await;
            stored = result.is_ok();
        }
        let meta = CallMeta { journaled: true, ..self.context.meta(attempt) };
        let elapsed = meta.elapsed_ms;
        let reply = self.context.decode(request, exchange, meta).await;
        self.submitted = Some(reply.outcome());
        if reply.raw().is_some() {
            self.sent = Some((name, attempt, Some(answers::submit_result(case, name, &reply))));
        }
        self.context.log_attempt(request.op, &reply, attempt);
        self.context.log_end(request.op, &reply, attempt, elapsed);
        self.context.session.on_reply(&reply).await;
        if stored { reply } else { reply.with_warning("store_failed", "the raw reply could not be stored") }
    }
}

/// Whether no stored raw reply will be read any more.
fn all_steps_settled(case: &Case) -> bool {
    let settled = |outcome| matches!(outcome, CaseOutcome::Executed | CaseOutcome::NotExecuted);
    case.steps.iter().all(|s| settled(s.outcome)) && !case.steps.is_empty()
}
