//! A vendor as small as can be: what it has, and what it says about it.

use crate::case::clock::Stamp;
use crate::case::error::StoredError;
use crate::case::machine::event::{Answer, Entry, OrderState, Quote, Refusal};
use crate::case::model::{Case, Money};
use crate::case::vocabulary::Query;
use crate::case::vocabulary::StepName;
use crate::error::ErrorCode;
use crate::unix_time::Millis;

/// What the vendor is like, for one scenario.
#[derive(Debug, Clone)]
pub(super) struct VendorProfile {
    /// What quotations say; the offer ids are made.
    pub quote: Quote,
    pub price: Money,
    /// queryRefundOrders without a code is refused (810).
    pub wants_code: bool,
    /// The order's status at the start.
    pub status: i64,
    /// Somebody else's baggage order, refund or void is there already.
    pub others: bool,
}

#[derive(Debug, Clone)]
pub(super) struct Vendor {
    pub profile: VendorProfile,
    /// When the offer was made that the caller gives.
    offer_made: Stamp,
    pub status: i64,
    pub failed: bool,
    /// Refunds or voids: offer, code, state.
    pub given_back: Vec<(StepName, String, String, i64)>,
    pub bags: Vec<String>,
    pub rebuilt: Vec<String>,
    pub claims: Vec<String>,
    /// The status of the order that was made.
    pub made: Option<i64>,
    /// What is still on its way.
    pub late: Vec<(Millis, StepName, Option<String>)>,
    /// What was done, for whom it counts.
    pub landed: Vec<StepName>,
    offers: u32,
}

impl Vendor {
    pub fn new(profile: &VendorProfile, offer_made: Stamp) -> Vendor {
        let theirs = (StepName::Refund, "theirs".to_owned(), "t1".to_owned(), 1);
        let theirs = if profile.others { vec![theirs] } else { Vec::new() };
        Vendor {
            status: profile.status,
            profile: profile.clone(),
            offer_made,
            failed: false,
            given_back: theirs,
            bags: if profile.others { vec!["theirs".to_owned()] } else { Vec::new() },
            rebuilt: Vec::new(),
            claims: Vec::new(),
            made: None,
            late: Vec::new(),
            landed: Vec::new(),
            offers: 0,
        }
    }

    /// A submit arrives. Gives the code of what it made.
    pub fn land(&mut self, name: StepName, offer: Option<String>) -> String {
        if name == StepName::Pay && self.is_cancelled() {
            return String::new();
        }
        self.landed.push(name);
        let code = format!("n{}", self.landed.len());
        match name {
            StepName::Void | StepName::Refund => {
                self.given_back.push((name, offer.unwrap_or_default(), code.clone(), 0));
            }
            StepName::Order => {
                self.bags.push(code.clone());
                self.made = Some(0);
            }
            StepName::Regenerate => {
                self.rebuilt.push(code.clone());
                self.made = Some(0);
            }
            StepName::Pay => match &mut self.made {
                Some(status) => *status = 1,
                None => self.status = 1,
            },
            StepName::Stop => self.status = -3,
            StepName::Claim => self.claims.push(code.clone()),
        }
        code
    }

    pub fn is_cancelled(&self) -> bool {
        self.made.unwrap_or(self.status) == -3
    }

    /// Whether an effect of this step stands. What somebody else had submitted, and the vendor rejected, does not.
    pub fn has(&self, name: StepName) -> bool {
        let is_rejected = |g: &&(StepName, String, String, i64)| g.0 == name && g.1 == "theirs" && matches!(g.3, 4 | 6);
        let rejected = self.given_back.iter().filter(is_rejected).count();
        self.landed.iter().filter(|landed| **landed == name).count() > rejected
    }

    /// What is due on its way arrives.
    pub fn arrive(&mut self, now: Millis) {
        let (here, late) = std::mem::take(&mut self.late).into_iter().partition(|(at, _, _)| *at <= now);
        self.late = late;
        let here: Vec<(Millis, StepName, Option<String>)> = here;
        for (_, name, offer) in here {
            self.land(name, offer);
        }
    }

    /// Something moves by itself: a refund's state, or an order's status.
    pub fn moves(&mut self, state: i64) {
        for entry in &mut self.given_back {
            if !matches!(entry.3, 2 | 4 | 5 | 6) {
                entry.3 = state;
            }
        }
        let status = self.made.as_mut().unwrap_or(&mut self.status);
        match *status {
            1 if state == 2 => *status = 2,
            1 if state == 4 => (*status, self.failed) = (-3, true),
            0 if state == 4 => *status = -3,
            _ => {}
        }
    }

    pub fn answer(&mut self, case: &Case, query: Query) -> Answer {
        let list = |vendor: &Vendor, name: StepName| {
            let mine = vendor.given_back.iter().filter(|g| g.0 == name);
            mine.map(|(_, offer, code, state)| Entry {
                offer_id: Some(offer.clone()),
                code: Some(code.clone()),
                state: Some(*state),
                actual_refund: None,
                covers: Some(true),
            })
            .collect()
        };
        match query {
            Query::Order => Answer::Order(seen(self.status, self.failed)),
            Query::NewOrder => Answer::Order(seen(self.made.unwrap_or(self.status), self.failed)),
            Query::VoidQuote | Query::RefundQuote | Query::RefundProbe if !self.given_back.is_empty() => {
                Answer::Refused(Refusal { exists: true, ..no(803) })
            }
            Query::VoidQuote | Query::RefundQuote | Query::RefundProbe => {
                self.offers += 1;
                let made = self.profile.quote.offer_id.as_ref();
                let offer_id = made.map(|o| format!("{o}{}", self.offers));
                Answer::Quote(Quote { offer_id, ..self.profile.quote.clone() })
            }
            Query::KnownOffer => Answer::Quote(Quote {
                offer_id: case.offer_id.clone(),
                at: Some(self.offer_made),
                ..self.profile.quote.clone()
            }),
            Query::Search => Answer::Search(self.profile.price.clone()),
            Query::VoidList => Answer::Entries(list(self, StepName::Void)),
            Query::RefundList if self.profile.wants_code && case.code.is_none() => Answer::Refused(no(810)),
            Query::RefundList => Answer::Entries(list(self, StepName::Refund)),
            Query::BookingOrders => Answer::Orders(self.bags.clone()),
            Query::ClaimList => Answer::Orders(self.claims.clone()),
            Query::RegenerateCandidates => Answer::Orders(self.rebuilt.clone()),
        }
    }
}

fn seen(status: i64, failed_ticketing: bool) -> OrderState {
    OrderState {
        status: Some(status),
        ticketed: status == 2,
        failed_ticketing,
        has_error: failed_ticketing,
        no_payment: status != 2,
        deadline: None,
        money: None,
        same_people: Some(true),
    }
}

pub(super) fn no(code: i64) -> Refusal {
    let error = StoredError { vendor_status: Some(code), ..StoredError::new(ErrorCode::Refused, "") };
    Refusal { error, passing: false, exists: false }
}
