//! What an order costs: by the way it is paid where the vendor says so.

use rust_decimal::Decimal;

use crate::case::model::Money;
use crate::wire::{Amount, PaymentDetail, PaymentOption};

/// The price by the option that is paid with (ticketFare + serviceFee + paymentFee), else totalPrice and
/// totalTransactionFee. Amounts of two currencies have no sum and no currency; None where no price is shown at all.
pub(super) fn price(
    currency: Option<String>,
    total: Option<Amount>,
    fee: Option<Amount>,
    options: &[PaymentOption],
    method: Option<i64>,
) -> Option<Money> {
    let is_paid =
        |option: &&PaymentOption| method.is_some() && option.payment_method.as_ref().and_then(|m| m.number()) == method;
    let by_option = options.iter().find(is_paid).and_then(|option| {
        let fare = option.ticket_fare.as_ref().filter(|fare| fare.amount.is_some())?;
        Some(sum(fare, [&option.service_fee, &option.payment_fee], &currency))
    });
    if let Some(Sum { currency, paid, mixed }) = by_option {
        return Some(Money { currency, paid, mixed, fee: fee.map(|f| f.as_str().to_owned()), ..Money::default() });
    }
    total.as_ref()?;
    let whole = match (total.as_ref().and_then(Amount::to_decimal), fee.as_ref().and_then(Amount::to_decimal)) {
        (Some(total), Some(fee)) if !fee.is_zero() => total.checked_add(fee).map(|sum| sum.to_string()),
        (Some(_), _) => total.map(|t| t.as_str().to_owned()),
        (None, _) => None,
    };
    Some(Money { currency, paid: whole, fee: fee.map(|f| f.as_str().to_owned()), ..Money::default() })
}

/// What the parts of an option come to: neither currency nor sum where they are of two currencies, no sum where a part
/// has no amount.
#[derive(Default)]
struct Sum {
    currency: Option<String>,
    paid: Option<String>,
    mixed: bool,
}

fn sum(fare: &PaymentDetail, fees: [&Option<PaymentDetail>; 2], currency: &Option<String>) -> Sum {
    let currency_of = |part: &PaymentDetail| part.currency.clone().or_else(|| currency.clone());
    let whole = currency_of(fare);
    let mut total = fare.amount.as_ref().and_then(Amount::to_decimal);
    // A fee of nothing has no currency.
    for fee in fees.into_iter().flatten() {
        let amount = fee.amount.as_ref().and_then(Amount::to_decimal);
        if amount.is_some_and(|a| !a.is_zero()) && currency_of(fee) != whole {
            return Sum { mixed: true, ..Sum::default() };
        }
        total = total.zip(amount).and_then(|(total, fee): (Decimal, Decimal)| total.checked_add(fee));
    }
    let paid = if total == fare.amount.as_ref().and_then(Amount::to_decimal) {
        fare.amount.as_ref().map(|amount| amount.as_str().to_owned()).filter(|_| total.is_some())
    } else {
        total.map(|total| total.to_string())
    };
    Sum { currency: whole, paid, mixed: false }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn option(text: &str) -> Vec<PaymentOption> {
        vec![serde_json::from_str(text).unwrap()]
    }

    fn paid(options: &[PaymentOption], method: i64) -> (Option<String>, Option<String>) {
        let amount = |text: &str| Amount::parse(text);
        let money = price(Some("USD".into()), amount("10.00"), amount("1.5"), options, Some(method)).unwrap();
        (money.currency, money.paid)
    }

    #[test]
    fn the_price_is_that_of_the_option_paid_with() {
        let text = r#"{"paymentMethod":5,"ticketFare":{"amount":"10.00","currency":"USD"},
            "serviceFee":{"amount":"1.50","currency":"USD"},"paymentFee":{"amount":"0.37","currency":"USD"}}"#;
        let usd = Some("USD".to_owned());
        assert_eq!(paid(&option(text), 5), (usd.clone(), Some("11.87".into())));
        // Another way to pay, or no options: the totals.
        assert_eq!(paid(&option(text), 1), (usd.clone(), Some("11.50".into())));
        assert_eq!(paid(&[], 5), (usd.clone(), Some("11.50".into())));
        let bare = r#"{"paymentMethod":5,"ticketFare":{"amount":"10.00","currency":"USD"},"serviceFee":null}"#;
        assert_eq!(paid(&option(bare), 5), (usd.clone(), Some("10.00".into())));
        let nameless = r#"{"paymentMethod":5,"ticketFare":{"amount":"10.00"},"paymentFee":{"currency":"USD"}}"#;
        assert_eq!(paid(&option(nameless), 5), (usd, None), "a fee without an amount is not known");
    }

    #[test]
    fn two_currencies_have_no_sum() {
        let text = r#"{"paymentMethod":5,"ticketFare":{"amount":"10.00","currency":"USD"},
            "paymentFee":{"amount":"3","currency":"EUR"}}"#;
        assert_eq!(paid(&option(text), 5), (None, None));
    }
}
