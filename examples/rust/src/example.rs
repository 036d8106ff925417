//! What the Rust example programs share: a client with its order, lines of output, and a refund or void, which is
//! submitted once and queried until its state is final.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod simulated_clock;

use atlas_postbooking::wire::{
    BalanceRequest, FareAmount, QueryOrderDetailsReply, QueryOrderDetailsRequest, ServiceFee,
};
use atlas_postbooking::{Failure, Outcome, Status, blocking::Client};
use std::process::ExitCode;

/// Exit codes; 2 is a usage error.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The state is final: voided, refunded, ticketed.
    Done = 0,
    /// It was not executed, or it was rejected.
    Refused = 1,
    /// Neither success nor failure: a person has to find out.
    Unresolved = 3,
}

/// Prints one line: a label and a text.
pub fn print_line(label: &str, text: impl AsRef<str>) {
    println!("  {label:10} {}", text.as_ref());
}

/// Prints why a call failed, and what to do now.
pub fn print_failure(failure: &Failure) {
    print_line("", &failure.error().message);
    print_line("", &failure.error().help);
}

/// A field of a reply as text, "" if it is absent.
pub fn text<T: ToString>(field: &Option<T>) -> String {
    field.as_ref().map(T::to_string).unwrap_or_default()
}

/// A client, an order, and the time since the submit.
pub struct Session {
    /// The client.
    pub client: Client,
    /// The order that the example works on.
    pub order_no: String,
    base_url: String,
    minutes: u32,
}

impl Session {
    /// Lets time pass until the next query; false if the clock could not be moved.
    pub fn wait(&mut self, minutes: u32) -> bool {
        self.minutes += minutes;
        simulated_clock::advance_clock(&self.base_url, minutes).is_ok()
    }

    /// The same, as a number of minutes.
    pub fn minutes(&self) -> u32 {
        self.minutes
    }

    /// The time since the submit: "at once", "5 min", "4 h", "21 days".
    pub fn elapsed(&self) -> String {
        match self.minutes {
            0 => "at once".into(),
            minutes @ ..120 => format!("{minutes} min"),
            minutes @ ..2880 => format!("{} h", minutes / 60),
            minutes => format!("{} days", minutes / 1440),
        }
    }

    /// Prints the balance of the account.
    pub fn print_deposit(&self, label: &str) {
        match self.client.balance(&BalanceRequest::default()) {
            Ok(answer) => {
                let deposit = answer.data.account_balance.unwrap_or_default();
                print_line(label, format!("{} {} on the deposit", text(&deposit.amount), text(&deposit.currency)));
            }
            Err(failure) => print_failure(&failure),
        }
    }

    /// Queries an order.
    pub fn order(&self, order_no: &str) -> Result<QueryOrderDetailsReply, Failure> {
        let request = QueryOrderDetailsRequest { order_no: Some(order_no.into()), ..Default::default() };
        Ok(self.client.query_order_details(&request)?.data)
    }

    /// Queries the order and prints passenger, flight and price.
    pub fn booking(&self) -> Result<QueryOrderDetailsReply, Failure> {
        let order = self.order(&self.order_no)?;
        let routing = order.routing.clone().unwrap_or_default();
        let flight = routing.from_segments.first().cloned().unwrap_or_default();
        let passenger = order.pax_ticket_infos.first().cloned().unwrap_or_default();
        let day: String = text(&flight.dep_time).chars().take(10).collect();
        print_line(
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

/// An element of the list in a query's reply: the offer id that it was submitted with, and its state.
pub type Listed = (Option<String>, Option<i64>);

/// Queries refunds or voids; with a refundCode or voidCode, only that one.
pub type List<'a> = dyn Fn(&Client, Option<&str>) -> Result<Vec<Listed>, Failure> + 'a;

/// A refund or a void: its quotation, its submit with the offer id, and its query.
pub struct Cancellation<'a> {
    /// "void"
    pub name: &'a str,
    /// "voided"
    pub done: &'a str,
    /// Asks for a new quotation.
    pub quote: &'a dyn Fn(&Client) -> Result<(), Failure>,
    /// Submits; returns the refundCode or voidCode.
    pub submit: &'a dyn Fn(&Client) -> Result<Option<String>, Failure>,
    /// Queries, with a code or without: offer ids and states.
    pub list: &'a List<'a>,
    /// The offer id of the quote; "" if another client submitted.
    pub offer: String,
    /// Minutes between two queries.
    pub pause: u32,
}

impl Cancellation<'_> {
    /// Prints the amounts of a quote.
    pub fn print_quote(name: &str, money: &Option<FareAmount>, fee: &Option<ServiceFee>) {
        let money = money.clone().unwrap_or_default();
        let fee = fee.clone().unwrap_or_default();
        print_line(
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

    /// Submits once, goes on by the outcome, and prints the result.
    pub fn submit_and_follow(mut self, session: &mut Session) -> End {
        session.print_deposit("before");
        print_line("submit", format!("{}, with the offer of that quote", self.name));
        let end = self.submit_once(session);
        session.print_deposit("after");
        match end {
            End::Done => print_line("the end", self.done),
            End::Refused => print_line("the end", format!("not {}", self.done)),
            End::Unresolved => print_line("the end", "still open: a person looks at it, and nothing is sent twice"),
        }
        end
    }

    fn submit_once(&mut self, session: &mut Session) -> End {
        let failure = match (self.submit)(&session.client) {
            Ok(code) => {
                print_line("happened?", format!("yes: {} {}", self.name, text(&code)));
                return self.follow(session, code.as_deref());
            }
            Err(failure) => failure,
        };
        match failure.outcome() {
            // Executed, but not by this call (`Status::ALREADY`).
            Outcome::Executed => {
                print_line("happened?", "yes, but somebody else was faster");
                self.offer.clear();
                self.follow(session, None)
            }
            Outcome::NotExecuted => {
                print_line("happened?", "no, for certain");
                print_failure(&failure);
                End::Refused
            }
            // Neither success nor failure, so query.
            Outcome::Unknown | Outcome::Pending => {
                print_line("happened?", format!("not known: {}", failure.error().message));
                self.resolve_unknown(session)
            }
        }
    }

    /// The state of what was submitted with this offer id; `None` if it is not listed.
    fn find(&self, session: &Session, code: Option<&str>) -> Result<Option<i64>, Failure> {
        let listed = (self.list)(&session.client, code)?;
        let ours = listed.into_iter().find(|(offer, _)| self.offer.is_empty() || offer.as_ref() == Some(&self.offer));
        Ok(ours.and_then(|(_, state)| state))
    }

    /// The reply was lost. It may have been executed: query, and do not submit again.
    fn resolve_unknown(&self, session: &mut Session) -> End {
        for _ in 0..5 {
            match self.find(session, None) {
                Ok(Some(_)) => {
                    print_line("", format!("Found: Atlas has a {} with our offer. It happened, and once.", self.name));
                    return self.follow(session, None);
                }
                Ok(None) => {}
                // Some accounts are listed nothing without the refundCode, which was in the lost reply. Then a new
                // quotation tells: Atlas refuses one for what has been submitted, with one of these codes.
                Err(_) => {
                    let refused = (self.quote)(&session.client).err().and_then(|f| f.error().vendor_status);
                    if matches!(refused, Some(803 | 814 | 816 | 817 | 818)) {
                        print_line("", format!("It happened, and once: Atlas quotes no second {}.", self.name));
                        print_line("", "Its number, with which Atlas can be asked, comes by webhook.");
                        return End::Unresolved;
                    }
                }
            }
            // Not listed right after a lost reply proves nothing: the request may arrive later.
            if !session.wait(3) {
                break;
            }
        }
        End::Unresolved
    }

    /// Queries until the state is final, and prints every change.
    fn follow(&self, session: &mut Session, code: Option<&str>) -> End {
        let mut last = None;
        for _ in 0..500 {
            // A failed query says nothing about the state; the next one may succeed.
            let state = self.find(session, code).unwrap_or_default();
            if state.is_some() && state != last {
                print_line(&session.elapsed(), state_text(state));
                last = state;
            }
            match state {
                Some(2 | 5) => return End::Done,
                Some(4 | 6) => return End::Refused,
                _ if !session.wait(self.pause) => break,
                _ => {}
            }
        }
        End::Unresolved
    }
}

fn state_text(state: Option<i64>) -> &'static str {
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

/// Makes a session from the command line and runs an example. An error of a read or a quote ends it: nothing was
/// submitted then.
pub fn run(example: fn(&mut Session) -> Result<End, Failure>) -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, base_url, order_no] = arguments.as_slice() else {
        eprintln!("usage: example-… BASE_URL ORDER_NO");
        return ExitCode::from(2);
    };
    run_session(example, base_url, order_no, "")
}

/// The same with a file for cases.
pub fn run_with_store(example: fn(&mut Session) -> Result<End, Failure>) -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, base_url, order_no, store] = arguments.as_slice() else {
        eprintln!("usage: example-… BASE_URL ORDER_NO STORE");
        return ExitCode::from(2);
    };
    // The clock is the simulator's, and the follow-up has a budget that no real account has, so that weeks take
    // seconds. A real program leaves both out.
    let more = format!(
        r#","store":{{"path":{store:?}}},"clock":{{"url":"{base_url}/_sim/clock"}},"follow":{{"perSecond":1000,"burst":1000}}"#
    );
    run_session(example, base_url, order_no, &more)
}

fn run_session(
    example: fn(&mut Session) -> Result<End, Failure>,
    base_url: &str,
    order_no: &str,
    more: &str,
) -> ExitCode {
    // A real program reads its credentials from a vault; the library reads no environment variables.
    let config = format!(r#"{{"baseUrl":"{base_url}","clientId":"demo","clientSecret":"demo"{more}}}"#);
    let client = match Client::new(&config) {
        Ok(client) => client,
        Err(error) => {
            eprintln!("no client: {error}");
            return ExitCode::from(2);
        }
    };
    let mut session = Session { client, order_no: order_no.into(), base_url: base_url.into(), minutes: 0 };
    match example(&mut session) {
        Ok(end) => ExitCode::from(end as u8),
        Err(failure) => {
            print_failure(&failure);
            ExitCode::from(if failure.error().status == Status::CONFIG { 2 } else { 1 })
        }
    }
}
