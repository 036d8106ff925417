//! A refund as a case, until the money is paid. It can be killed at any moment and started again with the same
//! arguments: it goes on, prints the outcome, and submits nothing twice.
//!
//!     cargo run --bin example-resume -- BASE_URL ORDER_NO STORE

use atlas_postbooking::wire::{Amount, Case, CaseExpect, CaseFollowRequest, CaseGetRequest, CaseOpenRequest};
use atlas_postbooking::{ErrorCode, Failure, Outcome};
use example::{End, Session, print_line, run_with_store, text};
use std::process::ExitCode;
use std::time::Duration;

/// The case that an earlier run of this program opened.
fn earlier_run(session: &Session, key: &str) -> Result<Option<Case>, Failure> {
    match session.client.cases().get(&CaseGetRequest { key: Some(key.into()), ..Default::default() }) {
        Ok(answer) => Ok(Some(answer.data)),
        Err(failure) if failure.error().code == ErrorCode::NotFound => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// Opens or resumes the case; whether there is something to follow.
fn open_case(session: &Session, key: &str) -> bool {
    // If less than 20 USD would be given back, nothing is submitted.
    let expect = CaseExpect { currency: Some("USD".into()), min_refund: Amount::parse("20"), ..Default::default() };
    let opened = session.client.cases().open(&CaseOpenRequest {
        kind: Some("refund".into()),
        order_no: Some(session.order_no.clone()),
        key: Some(key.into()),
        expect: Some(expect),
        ..Default::default()
    });
    match opened {
        Ok(answer) => {
            let case = answer.data;
            let code = case.code.unwrap_or_else(|| "without a number yet".into());
            print_line("happened?", format!("yes: refund {code}"));
            for evidence in &case.evidence {
                print_line("", text(&evidence.what));
            }
        }
        Err(failure) if failure.outcome() == Outcome::NotExecuted => {
            print_line("happened?", format!("no, for certain: {}", failure.error().message));
            print_line("", &failure.error().help);
            return false;
        }
        // Neither success nor failure; the case is queried further.
        Err(failure) => print_line("happened?", format!("not known yet: {}", failure.error().message)),
    }
    true
}

/// Makes the queries that are due, and prints every change.
fn follow(session: &mut Session, key: &str) -> Result<End, Failure> {
    let mut last = None;
    let request = CaseFollowRequest { key: Some(key.into()), ..Default::default() };
    for step in session.client.follow(request).every(Duration::from_millis(5)) {
        step?;
        let case = session.client.cases().get(&CaseGetRequest { key: Some(key.into()), ..Default::default() })?.data;
        if case.state != last {
            print_line(&session.elapsed(), text(&case.state));
            last.clone_from(&case.state);
        }
        if case.r#final == Some(true) {
            let done = case.outcome.as_deref() == Some("executed") && last.as_deref() != Some("rejected");
            return Ok(if done { End::Done } else { End::Refused });
        }
        if session.minutes() > 60 * 24 * 60 || !session.wait(240) {
            break;
        }
    }
    Ok(End::Unresolved)
}

fn refund(session: &mut Session) -> Result<End, Failure> {
    // The key is the same in every run: it names the intention, not the attempt.
    let key = format!("refund-of-{}", session.order_no);
    session.booking()?;
    match earlier_run(session, &key)? {
        Some(case) => {
            let text = format!("the store has it: {}, outcome {}", text(&case.state), text(&case.outcome));
            print_line("again", text);
        }
        None => {
            session.print_deposit("before");
            print_line("submit", "a refund, as a case");
        }
    }
    let end = if open_case(session, &key) { follow(session, &key)? } else { End::Refused };
    session.print_deposit("after");
    match end {
        End::Done => print_line("the end", "refunded"),
        End::Refused => print_line("the end", "not refunded"),
        End::Unresolved => print_line("the end", "still open: a person looks at it, and nothing is sent twice"),
    }
    Ok(end)
}

fn main() -> ExitCode {
    run_with_store(refund)
}
