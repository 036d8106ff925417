//! Guards: what must hold before money moves. Pure; a guard that cannot be checked refuses.

use rust_decimal::Decimal;

use super::event::{Now, Quote};
use crate::case::error::StoredError;
use crate::case::model::{Case, Expect, Money};
use crate::case::schedule::SECOND;
use crate::case::vocabulary::Way;
use crate::error::ErrorCode;
use crate::wire::Amount;

/// A submit needs this long to arrive; a deadline nearer than that is as good as over.
const MARGIN: i64 = 10 * SECOND;

/// Whether a void or refund may be submitted with this offer.
pub(crate) fn check_offer(case: &Case, way: Way, quote: &Quote, now: &Now<'_>) -> Result<(), StoredError> {
    let name = way.word();
    if quote.window_open == Some(false) {
        return Err(StoredError::new(ErrorCode::GuardNotRefundable, format!("the window of the {name} is closed")));
    }
    if way == Way::Void && quote.window_open.is_none() {
        return Err(StoredError::new(
            ErrorCode::GuardNotRefundable,
            "the vendor does not say that the window of the void is open",
        ));
    }
    if quote.possible != Some(true) {
        return Err(StoredError::new(
            ErrorCode::GuardNotRefundable,
            format!("the vendor offers no {name} of this order"),
        ));
    }
    if quote.deadline.as_ref().is_some_and(|d| now.wall() + MARGIN >= d.at) {
        return Err(StoredError::new(
            ErrorCode::GuardDeadline,
            format!("the deadline of the {name} is over, or too near to send it"),
        ));
    }
    if quote.at.is_some_and(|at| at.elapsed_at_most(now.stamp) > oldest_offer(now, way)) {
        let limit = oldest_offer(now, way);
        return Err(StoredError::new(
            ErrorCode::GuardOfferAge,
            format!("the offer is older than offerMaxAgeMs.{name} ({limit} ms)"),
        ));
    }
    let expect = &case.expect;
    if quote.voucher && !expect.accept_voucher {
        return Err(StoredError::new(
            ErrorCode::GuardVoucher,
            "a voucher would come back instead of cash (expect.acceptVoucher)",
        ));
    }
    if quote.unquoted && !expect.accept_unquoted {
        return Err(StoredError::new(
            ErrorCode::GuardAmount,
            "the vendor cannot say what would come back; the airline decides (expect.acceptUnquoted)",
        ));
    }
    currency(expect, &quote.money)?;
    if let Some(least) = limit(&expect.min_refund)
        && !quote.unquoted
    {
        // A voucher is no cash. The fee is deducted from what the airline gives.
        if quote.voucher {
            return Err(StoredError::new(ErrorCode::GuardAmount, "a voucher would come back, which is no cash"));
        }
        let Some(cash) = amount(&quote.money.estimated_refund) else {
            return Err(StoredError::new(ErrorCode::GuardAmount, "the offer does not say how much would come back"));
        };
        let fee = amount(&quote.money.fee).filter(|fee| *fee >= Decimal::ZERO);
        let Some(net) = fee.and_then(|fee| cash.checked_sub(fee)) else {
            return Err(StoredError::new(ErrorCode::GuardAmount, "the offer does not say what the fee is"));
        };
        if net < least {
            return Err(StoredError::new(
                ErrorCode::GuardAmount,
                format!("{net} would come back, less than expect.minRefund {least}"),
            ));
        }
    }
    if let Some(most) = limit(&expect.max_fee) {
        match amount(&quote.money.fee) {
            Some(fee) if fee < Decimal::ZERO => {
                return Err(StoredError::new(ErrorCode::GuardAmount, "the offer does not say what the fee is"));
            }
            Some(fee) if fee <= most => {}
            Some(fee) => {
                return Err(StoredError::new(
                    ErrorCode::GuardAmount,
                    format!("the fee is {fee}, more than expect.maxFee {most}"),
                ));
            }
            None => return Err(StoredError::new(ErrorCode::GuardAmount, "the offer does not say what the fee is")),
        }
    }
    Ok(())
}

/// Whether something may be bought at this price.
pub(crate) fn check_price(expect: &Expect, money: &Money) -> Result<(), StoredError> {
    currency(expect, money)?;
    let Some(most) = limit(&expect.max_price) else { return Ok(()) };
    match amount(&money.paid) {
        Some(price) if price <= most => Ok(()),
        Some(price) => Err(StoredError::new(
            ErrorCode::GuardAmount,
            format!("the price is {price}, more than expect.maxPrice {most}"),
        )),
        None => Err(StoredError::new(ErrorCode::GuardAmount, "the vendor does not say what the price is")),
    }
}

/// Amounts of two currencies are refused whatever is expected: nobody has said what they come to.
fn currency(expect: &Expect, money: &Money) -> Result<(), StoredError> {
    if money.mixed {
        return Err(StoredError::new(ErrorCode::GuardCurrency, "the amounts are of more than one currency"));
    }
    match (&expect.currency, &money.currency) {
        (Some(wanted), got) if got.as_ref() != Some(wanted) => {
            let got = got.as_deref().unwrap_or("unknown");
            Err(StoredError::new(
                ErrorCode::GuardCurrency,
                format!("the currency is {got}, not expect.currency {wanted}"),
            ))
        }
        _ => Ok(()),
    }
}

/// The age in milliseconds above which an offer is not submitted.
fn oldest_offer(now: &Now<'_>, way: Way) -> i64 {
    match way {
        Way::Void => now.policy.void_offer_age,
        Way::Refund => now.policy.refund_offer_age,
    }
}

fn limit(amount: &Option<Amount>) -> Option<Decimal> {
    amount.as_ref().and_then(Amount::to_decimal)
}

fn amount(text: &Option<String>) -> Option<Decimal> {
    text.as_deref().and_then(Amount::parse).as_ref().and_then(Amount::to_decimal)
}
