//! pay and its options, balance (ST and OF, 2026-04), updateWebhookURL (NW, 2026-04).

use super::Amount;
use super::message::message;
use super::shape::Kind;
use super::value::{Code, Number};

message! {
    /// An amount and the account it is taken from.
    PaymentDetail {
        /// The amount.
        amount "amount": Option<Amount>, loggable;
        /// Its currency.
        currency "currency": Option<String>, loggable;
        /// DEPOSIT or CARD.
        deduct_from "deductFrom": Option<String>, loggable;
        /// The amount in the display currency.
        display_amount "displayAmount": Option<Amount>, loggable;
        /// The display currency.
        display_currency "displayCurrency": Option<String>, loggable;
    }

    /// A way to pay, with what it costs.
    PaymentOption {
        /// 1 deposit, 3 VCC pass-through, 4 BYOA, 5 MoR.
        payment_method "paymentMethod": Option<Code>, loggable;
        /// Total fare and where it is deducted.
        ticket_fare "ticketFare": Option<PaymentDetail>;
        /// Atlas' fee.
        service_fee "serviceFee": Option<PaymentDetail>;
        /// Card fee.
        payment_fee "paymentFee": Option<PaymentDetail>;
        /// Card brand (MoR only).
        card_type "cardType": Option<String>;
    }

    /// What a card costs in addition (MoR).
    CardCharge {
        /// Card brand.
        card_type "cardType": Option<String>;
        /// Share of the price.
        percentage "percentage": Option<Number>, loggable;
        /// Fixed charge.
        charge "charge": Option<Amount>, loggable;
        /// Currency of the charge.
        currency "currency": Option<String>, loggable;
    }

    /// Address of the payer, for 3-D Secure.
    ThreeDs {
        /// IP address of the payer.
        ip "ip": Option<String>;
    }

    /// A card. It is sent to the vendor only: never stored, never logged.
    CreditCard {
        /// Number.
        card_number "cardNumber": Option<String>, required;
        /// Security code; null for the repeated use of a MoR card.
        card_cvv "cardCVV": Option<String>;
        /// Two digits.
        card_expire_month "cardExpireMonth": Option<String>, required;
        /// Two digits by the schema, four in its examples.
        card_expire_year "cardExpireYear": Option<String>, required;
        /// Last name.
        card_holder_last_name "cardHolderLastName": Option<String>, required;
        /// First name.
        card_holder_first_name "cardHolderFirstName": Option<String>, required;
        /// Country.
        card_holder_country "cardHolderCountry": Option<String>;
        /// Province, two letters.
        card_holder_province "cardHolderProvince": Option<String>;
        /// City.
        card_holder_city "cardHolderCity": Option<String>;
        /// Post code.
        card_holder_post_code "cardHolderPostCode": Option<String>;
        /// Address.
        card_holder_address "cardHolderAddress": Option<String>;
        /// 3-D Secure (MoR).
        three_ds "threeDS": Option<ThreeDs>;
        /// A card for many uses.
        reusable "reusable": Option<bool>;
        /// Most that may be charged, in the airline's currency.
        payment_limit "paymentLimit": Option<Code>;
        /// Brand code; not in the schema, a third party needed `VI`.
        card_type "cardType": Option<String>;
    }

    /// Pays a main, regenerated or ancillary order. Never repeat it blindly.
    PayRequest {
        /// The order.
        order_no "orderNo": Option<String>, required, loggable;
        /// 1 deposit, 3 VCC, 4 BYOA, 5 MoR.
        payment_method "paymentMethod": Option<Code>, required, loggable;
        /// For 3 and 5.
        credit_card "creditCard": Option<CreditCard>;
        /// Accepted by the vendor, but nothing can be found by it.
        client_order_no "clientOrderNo": Option<String>;
        /// Undocumented.
        request_source "requestSource": Option<String>;
        /// Only the hybrid payment guide has it, as `"1"`.
        support_credit_trans_payment "supportCreditTransPayment": Option<Code> => Kind::CodeText, loggable;
        /// Legacy client id.
        cid "cid": Option<String>, loggable;
    }

    /// The acceptance of a payment: not yet a ticket.
    PayReply {
        /// Echo.
        order_no "orderNo": Option<String> => Kind::Joined, loggable, retained;
        /// Echo.
        payment_method "paymentMethod": Option<Code>, loggable, retained;
        /// Atlas PNR.
        pnr_code "pnrCode": Option<String> => Kind::Joined, loggable;
        /// Airlines.
        airlines "airlines": Vec<String>, loggable;
    }

    /// Reads the balance of the deposit account.
    BalanceRequest {
        /// Currency of the account; older contracts sent no body.
        currency "currency": Option<String>, loggable;
    }

    /// A deposit.
    AccountBalance {
        /// The amount.
        amount "amount": Option<Amount>, loggable;
        /// Its currency.
        currency "currency": Option<String>, loggable;
    }

    /// The deposit.
    BalanceReply {
        /// The account.
        account_balance "accountBalance": Option<AccountBalance>;
    }

    /// Registers the one address that all notifications go to; a second call overwrites it.
    UpdateWebhookUrlRequest {
        /// The address.
        url "url": Option<String>, required;
        /// Legacy client id.
        cid "cid": Option<String>, loggable;
    }

    /// The registration was accepted.
    UpdateWebhookUrlReply {
        /// Not documented; read if present.
        url "url": Option<String>;
    }
}
