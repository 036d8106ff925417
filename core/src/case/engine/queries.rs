//! Asks what the machine wants to know about a case: the vendor, and the store where it knows more than the answer says.

use super::driver::{Driver, PollBudget};
use crate::case::error::StoredError;
use crate::case::id::new_id;
use crate::case::machine::absence::settle_time_passed;
use crate::case::machine::event::{Answer, Now, Refusal};
use crate::case::machine::evidence;
use crate::case::model::Case;
use crate::case::passengers::{Asked, OrderPassengers, check_tickets, guard, ticket_marks};
use crate::case::store::Store;
use crate::case::vendor::answers;
use crate::case::vendor::requests;
use crate::case::vocabulary::{CaseOutcome, Kind, Query};
use crate::contract::operation::Operation;
use crate::error::{Error, ErrorCode};
use crate::exchange::prepare::VendorRequest;
use crate::reply::Reply;

impl Driver<'_> {
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
            Answer::Quote(_) if query == Query::VoidQuote => {
                let text = "a refund of this order was executed: a void would give it back a second time";
                self.unless_refunded(case, &[], text, answer).await
            }
            Answer::Quote(_) if query == Query::RefundQuote => {
                let text = "a refund or void for one of these passengers was executed: this one would give it back a \
                            second time; name the others in `passengers`";
                self.unless_refunded(case, &self.covered(case), text, answer).await
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

    /// The answer, unless the store knows of a refund or void of these passengers, or cannot tell now.
    async fn unless_refunded(&self, case: &Case, positions: &[usize], text: &str, answer: Answer) -> Answer {
        match self.has_refund(case, positions).await {
            Ok(false) => answer,
            Ok(true) => Answer::Refused(Refusal::lasting(StoredError::new(ErrorCode::GuardNotRefundable, text))),
            Err(error) => Answer::Refused(Refusal::passing(StoredError::new(error.code, error.message))),
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
        let id = offer.clone();
        match self.cases.run_blocking(move |store| store.known_offer(&id)).await {
            Ok(Some(known)) if Some(&known.order_no) == case.order_no.as_ref() && case.way() == Some(known.way) => {
                match self.check_known_tickets(case, &offer, &known.tickets) {
                    Ok(()) => Answer::Quote(known.quote),
                    Err(error) => Answer::Refused(Refusal::lasting(error)),
                }
            }
            Ok(_) => Answer::Refused(Refusal::lasting(StoredError::new(
                ErrorCode::GuardOfferAge,
                "how old the offer is cannot be known: it was not given to this account's store for this order",
            ))),
            Err(error) => Answer::Refused(answers::refusal(&error, "")),
        }
    }

    /// The same for an offer that the caller was given before.
    fn check_known_tickets(&self, case: &Case, offer: &str, tickets: &[String]) -> Result<(), StoredError> {
        // Without a list of tickets, an offer for everybody is for everybody.
        if tickets.is_empty() && case.positions.is_empty() {
            return Ok(());
        }
        let people = requests::passengers(case, &self.call_data)?;
        if ticket_marks(offer, people.iter().map(|p| p.name.as_str())) == tickets {
            return Ok(());
        }
        let (asked, got) = (people.len(), tickets.len());
        Err(guard(&format!(
            "the offer has {got} tickets, not exactly those of the {asked} passengers that the order shows for it"
        )))
    }
}
