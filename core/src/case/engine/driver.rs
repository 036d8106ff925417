//! Drives a case: makes the queries and submits that [`step`] decides, and stores the result, in the order that
//! survives a crash: intent, synced → send → raw reply → outcome.

use std::time::{Duration, Instant};

use super::lease::{Owner, is_alive};
use crate::case::error::StoredError;
use crate::case::hold::Hold;
use crate::case::machine::event::{Action, Event, Now, SubmitResult};
use crate::case::machine::{recheck, step};
use crate::case::model::Case;
use crate::case::service::CaseService;
use crate::case::store::{Row, Stored, retention};
use crate::case::vendor::requests::{self, CallData};
use crate::case::vendor::{adoption, answers};
use crate::case::vocabulary::{CaseOutcome, Kind, State, StepName};
use crate::config::RetryConfig;
use crate::contract::operation::Operation;
use crate::error::{ErrorCode, Outcome};
use crate::exchange::context::{CallContext, Warning};
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
    pub(super) call_data: CallData,
    pub(super) budget: PollBudget,
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

    pub fn call_data(&self) -> &CallData {
        &self.call_data
    }

    pub fn call_data_mut(&mut self) -> &mut CallData {
        &mut self.call_data
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
            Ok(None) => {}
            Ok(Some(text)) => self.context.warn_of_store(Warning { code: "witness_failed", text }),
            // Nothing has left yet, and nothing will.
            Err(error) => return Reply::failed(request.op.name, error),
        }
        // Until its answer is read.
        self.submitted = Some(Outcome::Unknown);
        self.sent = Some((name, attempt, None));
        let began = Instant::now();
        self.context.lease_end = self.cases.store().lease_end(&case.id, case.change);
        let exchange = self.context.exchange(request).await;
        self.context.lease_end = None;
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
        self.context.log_attempt(request.op, &reply, attempt, began);
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
