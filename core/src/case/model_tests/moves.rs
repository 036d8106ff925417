//! What may happen to a case, made at random.

use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;

use super::vendor::{VendorProfile, no};
use crate::case::machine::event::{Answer, Entry, OrderState, Quote, Refusal};
use crate::case::model::{Deadline, Expect, Money};
use crate::case::schedule::{DAY, HOUR, MINUTE, SECOND};
use crate::case::vocabulary::Query;
use crate::case::vocabulary::{CaseOutcome, Kind, State, Way};
use crate::unix_time::Millis;
use crate::wire::Amount;

/// 2027-01-15.
const START: Millis = 1_800_000_000_000;

/// How a case begins.
#[derive(Debug, Clone)]
pub(super) struct Scenario {
    pub kind: Kind,
    /// SubmitResult by itself, without a case.open.
    pub direct: bool,
    pub own_offer: bool,
    pub expect: Expect,
    pub profile: VendorProfile,
    pub start: Millis,
}

/// How a submit goes.
#[derive(Debug, Clone)]
pub(super) enum Delivery {
    Executed {
        code: bool,
        state: Option<i64>,
        money: Option<Money>,
        deadline: Option<Millis>,
    },
    /// No answer. It lands after so much of the settle time, in percent, or never.
    Lost(Option<i64>),
    /// Answered, but nobody knows what it means.
    Uncertain(i64),
    Refused(i64),
    /// The offer is too old.
    Expired,
    Unsent,
    Already,
    /// Refused for its pace; by a gateway that had passed it on, it is executed all the same.
    Paced {
        gateway: bool,
        lands: bool,
    },
}

#[derive(Debug, Clone)]
pub(super) enum Move {
    /// What the machine wants is done, and the vendor says what is so.
    Go,
    /// As `Go`, with this delivery of a submit.
    Submit(Delivery),
    /// An answer that is perhaps none to the query.
    Answer(Answer),
    /// The one of these that fits the query.
    Lie(Vec<Answer>),
    Stray(Query, Answer),
    Drive {
        may_send: bool,
        can_pay: bool,
    },
    /// The process dies; another finds what was stored.
    Crash,
    Tick(Millis),
    /// The wall's clock is set.
    Jump(Millis),
    Reboot,
    Vendor(i64),
    Notified,
    Resolved {
        executed: bool,
        code: bool,
    },
}

pub(super) fn kind() -> impl Strategy<Value = Kind> {
    use Kind::*;
    select(vec![Refund, Void, Cancel, Ancillary, Regenerate, Stop, Claim, Pay])
}

pub(super) fn via() -> impl Strategy<Value = Option<Way>> {
    of(select(vec![Way::Void, Way::Refund]))
}

pub(super) fn verdict() -> impl Strategy<Value = CaseOutcome> {
    select(vec![CaseOutcome::Pending, CaseOutcome::Executed, CaseOutcome::NotExecuted, CaseOutcome::Unknown])
}

pub(super) fn state() -> impl Strategy<Value = State> {
    use State::*;
    select(vec![
        Planned,
        Quoting,
        Sending,
        Unknown,
        AwaitingPayment,
        Ticketing,
        Ticketed,
        AtlasProcessing,
        AirlineProcessing,
        Refunding,
        Refunded,
        Rejected,
        Claimed,
        Cancelled,
        Refused,
        NeedsHuman,
    ])
}

fn query() -> impl Strategy<Value = Query> {
    use Query::*;
    select(vec![
        Order,
        VoidQuote,
        RefundQuote,
        KnownOffer,
        Search,
        VoidList,
        RefundList,
        RefundProbe,
        NewOrder,
        BookingOrders,
        ClaimList,
        RegenerateCandidates,
    ])
}

fn amount() -> impl Strategy<Value = Option<String>> {
    of(select(vec!["0", "5", "20", "100"])).prop_map(|a| a.map(str::to_owned))
}

fn limit() -> impl Strategy<Value = Option<Amount>> {
    prop_oneof![3 => Just(None), 2 => amount().prop_map(|a| a.as_deref().and_then(Amount::parse))]
}

fn currency() -> impl Strategy<Value = Option<String>> {
    prop_oneof![1 => Just(None), 5 => Just(Some("USD".to_owned())), 1 => Just(Some("CNY".to_owned()))]
}

fn money() -> impl Strategy<Value = Money> {
    let mixed = prop_oneof![9 => Just(false), 1 => Just(true)];
    (currency(), amount(), amount(), amount(), mixed).prop_map(|(currency, paid, estimated_refund, fee, mixed)| Money {
        currency,
        paid,
        estimated_refund,
        fee,
        actual_refund: None,
        mixed,
    })
}

prop_compose! {
    fn expect()(
        currency in of(currency()), min_refund in limit(), max_fee in limit(), max_price in limit(),
        accept_voucher in any::<bool>(), accept_unquoted in any::<bool>(), accept_foreign in any::<bool>(),
    ) -> Expect {
        Expect { currency: currency.flatten(), min_refund, max_fee, max_price, accept_voucher, accept_unquoted, accept_foreign }
    }
}

/// A deadline, from now.
fn soon() -> impl Strategy<Value = Millis> {
    prop_oneof![-MINUTE..MINUTE, MINUTE..20 * DAY]
}

fn rarely() -> impl Strategy<Value = bool> {
    proptest::bool::weighted(0.15)
}

prop_compose! {
    fn quote()(
        none in rarely(), possible in of(proptest::bool::weighted(0.9)), window_open in of(proptest::bool::weighted(0.8)), unquoted in rarely(),
        voucher in rarely(), money in money(), deadline in of(soon()),
    ) -> Quote {
        let deadline = deadline.map(|at| Deadline { at: START + at, source: String::new() });
        let offer_id = (!none).then(|| "q".to_owned());
        Quote { offer_id, possible, window_open, unquoted, voucher, money, deadline, at: None }
    }
}

/// A quotation that passes.
pub(super) fn plain() -> Quote {
    Quote { offer_id: Some("q".to_owned()), possible: Some(true), window_open: Some(true), ..Quote::default() }
}

prop_compose! {
    pub(super) fn scenario()(
        kind in kind(), direct in rarely(), own_offer in rarely(),
        expect in prop_oneof![Just(Expect::default()), expect()], quote in prop_oneof![Just(plain()), quote()],
        price in money(), wants_code in any::<bool>(), ticketed in proptest::bool::weighted(0.8), others in rarely(),
    ) -> Scenario {
        let status = match kind {
            Kind::Stop => if ticketed { 1 } else { 2 },
            Kind::Pay => 0,
            Kind::Regenerate => if ticketed { 0 } else { 2 },
            _ => if ticketed { 2 } else { 1 },
        };
        let profile = VendorProfile { quote, price, wants_code, status, others };
        Scenario { kind, direct: direct || kind == Kind::Pay, own_offer, expect, profile, start: START }
    }
}

fn entry() -> impl Strategy<Value = Entry> {
    let offer = of(select(vec!["q", "q1", "x"]));
    let code = of(select(vec!["n1", "y"]));
    (offer, code, of(-1i64..9), amount(), of(any::<bool>())).prop_map(|(offer, code, state, actual_refund, covers)| {
        Entry { covers, offer_id: offer.map(str::to_owned), code: code.map(str::to_owned), state, actual_refund }
    })
}

fn codes() -> impl Strategy<Value = i64> {
    select(vec![801, 803, 805, 808, 810, 822, 841, 843, 905, 502, 6, 400, 301])
}

/// One answer of every form that says something.
fn answers() -> impl Strategy<Value = Vec<Answer>> {
    let order = (of(-3i64..4), any::<bool>(), any::<bool>(), of(soon()), of(money()));
    let order = order.prop_map(|(status, t, f, d, money)| {
        let deadline = d.map(|at| Deadline { at: START + at, source: String::new() });
        Answer::Order(OrderState {
            status,
            ticketed: t && status == Some(2),
            failed_ticketing: f,
            has_error: f,
            no_payment: true,
            deadline,
            money,
            same_people: Some(t),
        })
    });
    let number = select(vec!["n1", "n2", "theirs", "n1,n2"]).prop_map(str::to_owned);
    let entries = vec(entry(), 0..3).prop_map(Answer::Entries);
    let orders = vec(number, 0..3).prop_map(Answer::Orders);
    (order, quote(), money(), entries, orders)
        .prop_map(|(order, quote, money, e, o)| vec![order, Answer::Quote(quote), Answer::Search(money), e, o])
}

fn answer() -> impl Strategy<Value = Answer> {
    let refusal = (codes(), any::<bool>(), any::<bool>())
        .prop_map(|(code, passing, exists)| Answer::Refused(Refusal { passing, exists, ..no(code) }));
    prop_oneof![
        5 => (answers(), any::<prop::sample::Index>()).prop_map(|(all, one)| one.get(&all).clone()),
        1 => Just(Answer::Inconclusive("vague")),
        1 => refusal,
    ]
}

fn delivery() -> impl Strategy<Value = Delivery> {
    let executed = (any::<bool>(), of(-1i64..8), of(money()), of(soon()))
        .prop_map(|(code, state, money, deadline)| Delivery::Executed { code, state, money, deadline });
    prop_oneof![
        2 => executed,
        3 => of(0i64..100).prop_map(Delivery::Lost),
        1 => select(vec![814, 9999]).prop_map(Delivery::Uncertain),
        2 => codes().prop_map(Delivery::Refused),
        3 => Just(Delivery::Expired),
        2 => Just(Delivery::Unsent),
        1 => Just(Delivery::Already),
        2 => (any::<bool>(), any::<bool>()).prop_map(|(gateway, lands)| Delivery::Paced { gateway, lands }),
    ]
}

fn tick() -> impl Strategy<Value = Millis> {
    prop_oneof![0..SECOND, SECOND..5 * MINUTE, MINUTE..HOUR, HOUR..3 * DAY, Just(31 * DAY)]
}

/// What an honest vendor may still do: be silent, or say "later".
fn excuse() -> impl Strategy<Value = Answer> {
    prop_oneof![Just(Answer::Inconclusive("vague")), Just(Answer::Refused(Refusal { passing: true, ..no(905) })),]
}

pub(super) fn moves(honest: bool) -> impl Strategy<Value = Vec<Move>> {
    let drive = (proptest::bool::weighted(0.7), proptest::bool::weighted(0.7));
    let usual = prop_oneof![
        12 => Just(Move::Go),
        12 => delivery().prop_map(Move::Submit),
        8 => drive.prop_map(|(may_send, can_pay)| Move::Drive { may_send, can_pay }),
        6 => tick().prop_map(Move::Tick),
        1 => (-400 * DAY..400 * DAY).prop_map(Move::Jump),
        1 => (-HOUR..HOUR).prop_map(Move::Jump),
        2 => Just(Move::Crash),
        2 => (0i64..7).prop_map(Move::Vendor),
        1 => Just(Move::Notified),
        2 => excuse().prop_map(Move::Answer),
    ];
    if honest {
        return vec(usual.boxed(), 1..60);
    }
    let odd = prop_oneof![
        3 => answer().prop_map(Move::Answer),
        5 => answers().prop_map(Move::Lie),
        2 => (query(), answer()).prop_map(|(q, a)| Move::Stray(q, a)),
        1 => Just(Move::Reboot),
        1 => (any::<bool>(), any::<bool>()).prop_map(|(executed, code)| Move::Resolved { executed, code }),
    ];
    vec(prop_oneof![5 => usual, 3 => odd].boxed(), 1..60)
}
