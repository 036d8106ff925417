//! What the three Rust example programs share: a desk with a client, the story, and how a refund or a void is
//! submitted once and followed to its end.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod stage;

use atlas_postbooking::wire::{
    BalanceRequest, FareAmount, QueryOrderDetailsReply, QueryOrderDetailsRequest, ServiceFee,
};
use atlas_postbooking::{Failure, Outcome, Status, blocking::Client};
use std::process::ExitCode;

/// How a program ends.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Done, and the money is where it should be.
    Settled = 0,
    /// It did not happen.
    Refused = 1,
    /// For a person to look at: neither success nor failure.
    Unsettled = 3,
}

/// Prints a line of the story.
pub fn tell(label: &str, text: impl AsRef<str>) {
    println!("  {label:10} {}", text.as_ref());
}

/// Tells why a call did not succeed, and what to do now.
pub fn tell_failure(failure: &Failure) {
    tell("", &failure.error().message);
    tell("", &failure.error().help);
}

/// A field of a reply as text, "" if it is absent.
pub fn text<T: ToString>(field: &Option<T>) -> String {
    field.as_ref().map(T::to_string).unwrap_or_default()
}

/// A client, an order, and the minutes since something was submitted.
pub struct Desk {
    /// The client.
    pub client: Client,
    /// The order that it is about.
    pub order_no: String,
    base_url: String,
    minutes: u32,
}

impl Desk {
    /// Lets time pass; false if it does not.
    pub fn wait(&mut self, minutes: u32) -> bool {
        self.minutes += minutes;
        stage::pass_time(&self.base_url, minutes).is_ok()
    }

    /// "at once", "5 min", "4 h", "21 days"
    pub fn when(&self) -> String {
        match self.minutes {
            0 => "at once".into(),
            minutes @ ..120 => format!("{minutes} min"),
            minutes @ ..2880 => format!("{} h", minutes / 60),
            minutes => format!("{} days", minutes / 1440),
        }
    }

    /// What is on the account.
    pub fn tell_deposit(&self, label: &str) {
        match self.client.balance(&BalanceRequest::default()) {
            Ok(answer) => {
                let deposit = answer.data.account_balance.unwrap_or_default();
                tell(label, format!("{} {} on the deposit", text(&deposit.amount), text(&deposit.currency)));
            }
            Err(failure) => tell_failure(&failure),
        }
    }

    /// An order as it is now.
    pub fn order(&self, order_no: &str) -> Result<QueryOrderDetailsReply, Failure> {
        let request = QueryOrderDetailsRequest { order_no: Some(order_no.into()), ..Default::default() };
        Ok(self.client.query_order_details(&request)?.data)
    }

    /// The order that it is about, and a line about it.
    pub fn booking(&self) -> Result<QueryOrderDetailsReply, Failure> {
        let order = self.order(&self.order_no)?;
        let routing = order.routing.clone().unwrap_or_default();
        let flight = routing.from_segments.first().cloned().unwrap_or_default();
        let passenger = order.pax_ticket_infos.first().cloned().unwrap_or_default();
        let day: String = text(&flight.dep_time).chars().take(10).collect();
        tell(
            "booking",
            format!(
                "{} flies {} to {} on {day} and paid {} {}",
                text(&passenger.name),
                text(&flight.dep_airport),
                text(&flight.arr_airport),
                text(&order.total_price),
                text(&order.currency)
            ),
        );
        Ok(order)
    }
}

/// One of a list: the offer that it was submitted with, and its state.
pub type Listed = (Option<String>, Option<i64>);

/// Lists, narrowed to a code.
pub type List<'a> = dyn Fn(&Client, Option<&str>) -> Result<Vec<Listed>, Failure> + 'a;

/// A refund or a void: how it is called, and how it is quoted, submitted (with its offer) and listed.
pub struct Matter<'a> {
    /// "void"
    pub name: &'a str,
    /// "voided"
    pub done: &'a str,
    /// Asks for another quote.
    pub quote: &'a dyn Fn(&Client) -> Result<(), Failure>,
    /// Submits; gives the code of what came into being.
    pub submit: &'a dyn Fn(&Client) -> Result<Option<String>, Failure>,
    /// Lists, narrowed to a code: offers and states.
    pub list: &'a List<'a>,
    /// The offer of the quote.
    pub offer: String,
    /// Minutes between two queries.
    pub pause: u32,
}

impl Matter<'_> {
    /// Says what a quote offers.
    pub fn tell_quote(name: &str, money: &Option<FareAmount>, fee: &Option<ServiceFee>) {
        let money = money.clone().unwrap_or_default();
        let fee = fee.clone().unwrap_or_default();
        tell(
            "quote",
            format!(
                "of {} {}, a {name} gives back {}; Atlas keeps a fee of {}",
                text(&money.original_fare_amount),
                text(&money.currency),
                text(&money.estimated_refund_amount),
                text(&fee.transaction_fee)
            ),
        );
    }

    /// Submits, once, looks at what came of it, and follows it.
    pub fn play(mut self, desk: &mut Desk) -> End {
        desk.tell_deposit("before");
        tell("submit", format!("{}, with the offer of that quote", self.name));
        let end = self.send(desk);
        desk.tell_deposit("after");
        match end {
            End::Settled => tell("the end", self.done),
            End::Refused => tell("the end", format!("not {}", self.done)),
            End::Unsettled => tell("the end", "still open: a person looks at it, and nothing is sent twice"),
        }
        end
    }

    fn send(&mut self, desk: &mut Desk) -> End {
        let failure = match (self.submit)(&desk.client) {
            Ok(code) => {
                tell("happened?", format!("yes: {} {}", self.name, text(&code)));
                return self.follow(desk, code.as_deref());
            }
            Err(failure) => failure,
        };
        match failure.outcome() {
            // Executed, but not by this call (`Status::ALREADY`).
            Outcome::Executed => {
                tell("happened?", "yes, but somebody else was faster");
                self.offer.clear();
                self.follow(desk, None)
            }
            Outcome::NotExecuted => {
                tell("happened?", "no, for certain");
                tell_failure(&failure);
                End::Refused
            }
            // Neither a success nor a failure, so ask.
            // Only cases are pending.
            Outcome::Unknown | Outcome::Pending => {
                tell("happened?", format!("not known: {}", failure.error().message));
                self.settle(desk)
            }
        }
    }

    /// The state of the matter that was submitted with our offer.
    fn find(&self, desk: &Desk, code: Option<&str>) -> Result<Option<i64>, Failure> {
        let listed = (self.list)(&desk.client, code)?;
        let ours = listed.into_iter().find(|(offer, _)| self.offer.is_empty() || offer.as_ref() == Some(&self.offer));
        Ok(ours.and_then(|(_, state)| state))
    }

    /// The answer was lost. The matter may exist: look for it, and never submit again.
    fn settle(&self, desk: &mut Desk) -> End {
        for _ in 0..5 {
            match self.find(desk, None) {
                Ok(Some(_)) => {
                    tell("", format!("Found: Atlas has a {} with our offer. It happened, and once.", self.name));
                    return self.follow(desk, None);
                }
                Ok(None) => {}
                // Where nothing is listed without the code that was in the lost answer: Atlas gives no new quote for
                // what has been submitted.
                Err(_) => {
                    let refused = (self.quote)(&desk.client).err().and_then(|f| f.error().vendor_status);
                    if matches!(refused, Some(803 | 814 | 816 | 817 | 818)) {
                        tell("", format!("It happened, and once: Atlas quotes no second {}.", self.name));
                        tell("", "Its number, with which Atlas can be asked, comes by webhook.");
                        return End::Unsettled;
                    }
                }
            }
            // "Not there" right after a lost answer proves nothing: it may still be on its way.
            if !desk.wait(3) {
                break;
            }
        }
        End::Unsettled
    }

    /// Asks until Atlas says something final, and tells every change.
    fn follow(&self, desk: &mut Desk, code: Option<&str>) -> End {
        let mut last = None;
        for _ in 0..500 {
            // A query that failed says nothing about the matter; the next one will.
            let state = self.find(desk, code).unwrap_or_default();
            if state.is_some() && state != last {
                tell(&desk.when(), meaning(state));
                last = state;
            }
            match state {
                Some(2 | 5) => return End::Settled,
                Some(4 | 6) => return End::Refused,
                _ if !desk.wait(self.pause) => break,
                _ => {}
            }
        }
        End::Unsettled
    }
}

fn meaning(state: Option<i64>) -> &'static str {
    match state {
        Some(0) => "Atlas is working on it",
        Some(1) => "the airline is working on it",
        Some(2) => "done",
        Some(3) => "the airline is paying it",
        Some(4) => "rejected",
        Some(5) => "done, by card",
        Some(6) => "withdrawn",
        _ => "a status that this program does not know",
    }
}

/// Opens a desk from the command line and plays. A read or a quote that fails ends it: nothing has been submitted then.
pub fn run(story: fn(&mut Desk) -> Result<End, Failure>) -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, base_url, order_no] = arguments.as_slice() else {
        eprintln!("usage: example-… BASE_URL ORDER_NO");
        return ExitCode::from(2);
    };
    // The credentials of a real program come from its own vault; the library reads no environment.
    let config = format!(r#"{{"baseUrl":"{base_url}","clientId":"demo","clientSecret":"demo"}}"#);
    let client = match Client::new(&config) {
        Ok(client) => client,
        Err(error) => {
            eprintln!("no client: {error}");
            return ExitCode::from(2);
        }
    };
    let mut desk = Desk { client, order_no: order_no.clone(), base_url: base_url.clone(), minutes: 0 };
    match story(&mut desk) {
        Ok(end) => ExitCode::from(end as u8),
        Err(failure) => {
            tell_failure(&failure);
            ExitCode::from(if failure.error().status == Status::CONFIG { 2 } else { 1 })
        }
    }
}
