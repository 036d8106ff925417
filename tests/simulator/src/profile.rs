//! The profile switches: one for each vendor behaviour that is not documented,
//! and some settings.

use std::collections::BTreeMap;

/// One switch. With empty `values` any text is allowed. The first value is the
/// default; the profile `strict` selects the second one of undocumented switches.
struct Switch {
    name: &'static str,
    values: &'static [&'static str],
    default: &'static str,
    undocumented: bool,
    /// The profile `strict` takes the second value.
    strict: bool,
    about: &'static str,
}

const fn undocumented_switch(
    name: &'static str,
    values: &'static [&'static str],
    default: &'static str,
    about: &'static str,
) -> Switch {
    Switch { name, values, default, undocumented: true, strict: true, about }
}

const fn setting(
    name: &'static str,
    values: &'static [&'static str],
    default: &'static str,
    about: &'static str,
) -> Switch {
    Switch { name, values, default, undocumented: false, strict: false, about }
}

/// Undocumented, and set by its own name only: what it does stands in the way of most scenarios.
const fn rare(
    name: &'static str,
    values: &'static [&'static str],
    default: &'static str,
    about: &'static str,
) -> Switch {
    Switch { name, values, default, undocumented: true, strict: false, about }
}

const BOTH: &[&str] = &["false", "true"];

const SWITCHES: &[Switch] = &[
    undocumented_switch("refundQueryWithoutCode", &["810", "list"], "810", "queryRefundOrders without a refundCode"),
    undocumented_switch("refundQueryEmpty", &["list", "801"], "list", "a query of an order without refunds"),
    undocumented_switch("quoteAfterRefund", &["803", "0"], "803", "a quotation beside a refund or void"),
    undocumented_switch("quoteAfterRejected", &["0", "803"], "0", "a quotation after a rejected refund"),
    undocumented_switch(
        "secondSubmit",
        &["816", "814", "803", "817", "818"],
        "816",
        "a submit beside a refund or void",
    ),
    undocumented_switch("unknownOrder", &["800", "nulls"], "800", "queries of an order that does not exist"),
    undocumented_switch("secondClaim", &["same", "new"], "same", "the order of a booking that is claimed again"),
    undocumented_switch("regenerateDuplicate", &["allowed", "318"], "allowed", "a second regenerateOrder"),
    undocumented_switch("aggregatedOrders", &["true", "false"], "true", "isCompletedOrder lists the booking's orders"),
    undocumented_switch("listAncillaryOrders", &["true", "false"], "true", "orderList lists ancillary orders"),
    undocumented_switch("notVoidableQuote", &["843", "flag"], "843", "a void quotation that is not possible"),
    undocumented_switch("offerSingleUse", BOTH, "false", "an offer that was submitted is expired (805)"),
    undocumented_switch("newQuoteKillsOld", BOTH, "false", "a new quotation expires earlier offers"),
    undocumented_switch("pnrCodeAfterIssue", &["same", "new"], "same", "the pnrCode after ticketing"),
    undocumented_switch("voidReply", &["full", "minimal"], "full", "the fields of the reply to void"),
    rare(
        "passengersAfterRefund",
        &["stay", "gone", "reordered"],
        "stay",
        "paxTicketInfos of an order some of whose passengers have a refund",
    ),
    rare("subsetQuote", &["subset", "all"], "subset", "refundTickets of a quotation for some passengers"),
    rare("statusAfterRefund", &["2", "-3"], "2", "the orderStatus after a refund or void of everybody"),
    rare("payShowsLate", BOTH, "false", "an order shows its payment five minutes late"),
    rare("listClaimedOrders", &["true", "false"], "true", "orderList lists claimed orders"),
    rare("stopStaysAt1", BOTH, "false", "a stopped order stays in ticketing"),
    rare("secondRefund", &["allowed", "refused"], "allowed", "a refund of other passengers beside one that stands"),
    rare("voidAfterPartialRefund", &["refused", "allowed"], "refused", "a void beside a refund of some passengers"),
    rare(
        "infantAlone",
        &["refused", "allowed"],
        "refused",
        "a refund that leaves children or infants without an adult",
    ),
    rare("siblingPay", &["refused", "allowed"], "refused", "the payment of an ancillary order beside one that is paid"),
    rare("regenerateJoined", BOTH, "false", "a rebuilt round trip is two orders, their numbers joined by a comma"),
    rare("regenerateChanges", &["price", "passengers"], "price", "what differs in a rebuilt order"),
    rare("ancillarySecond", &["allowed", "505"], "allowed", "a second ancillary order of an order"),
    setting("quirks", &["documented", "drift", "off"], "documented", "forms of values that the pages show"),
    setting("clock", &["virtual", "real"], "virtual", "which clock the vendor has"),
    setting("gzip", &["on", "off"], "on", "compressed answers"),
    setting("webhooks", &["once", "twice", "never"], "once", "notifications"),
    setting("start", &[], "2026-03-02T08:00:00Z", "the virtual clock's start"),
    setting("currency", &[], "USD", "of all amounts"),
    setting("balance", &[], "100000.00", "of the deposit"),
    setting("ticketingSeconds", &[], "30", "from payment to ticket"),
    setting("refundOfferSeconds", &[], "7200", "life of a refund offer"),
    setting("voidOfferSeconds", &[], "1800", "life of a void offer"),
    setting("sessionSeconds", &[], "7200", "life of an ancillary search"),
];

/// One line for each switch: its values, the default first, and what it is about. Those with `*` are undocumented by
/// the vendor: every promise holds on both sides.
pub fn help() -> String {
    let line = |s: &Switch| {
        let mark = if s.undocumented { "*" } else { " " };
        let values = if s.values.is_empty() { s.default.to_owned() } else { s.values.join("|") };
        format!("  {mark} {}={values}\n      {}\n", s.name, s.about)
    };
    SWITCHES.iter().map(line).collect()
}

/// The values of all switches.
#[derive(Clone, Debug)]
pub struct Profile(BTreeMap<&'static str, String>);

impl Default for Profile {
    fn default() -> Self {
        Self(SWITCHES.iter().map(|s| (s.name, s.default.to_owned())).collect())
    }
}

impl Profile {
    /// Parses a comma-separated list of `default`, `strict` and `switch=value`.
    /// Later entries overwrite earlier ones.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut profile = Self::default();
        profile.apply(text)?;
        Ok(profile)
    }

    /// Applies such a list to this profile.
    pub fn apply(&mut self, text: &str) -> Result<(), String> {
        for word in text.split(',').map(str::trim).filter(|word| !word.is_empty()) {
            match word.split_once('=') {
                Some((name, value)) => self.set(name.trim(), value.trim())?,
                None => self.apply_named(word)?,
            }
        }
        Ok(())
    }

    fn apply_named(&mut self, name: &str) -> Result<(), String> {
        let other_side = match name {
            "default" => 0,
            "strict" => 1,
            _ => {
                return Err(format!("no profile is called {name:?}; there are default and strict"));
            }
        };
        for switch in SWITCHES.iter().filter(|s| s.strict) {
            if let Some(value) = switch.values.get(other_side) {
                self.0.insert(switch.name, (*value).to_owned());
            }
        }
        Ok(())
    }

    /// Sets one switch.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
        let Some(switch) = SWITCHES.iter().find(|s| s.name == name) else {
            let known: Vec<_> = SWITCHES.iter().map(|s| s.name).collect();
            return Err(format!("no switch is called {name:?}; there are {}", known.join(", ")));
        };
        let number = switch.values.is_empty() && switch.default.parse::<f64>().is_ok();
        if number && value.parse::<f64>().is_err() {
            return Err(format!("{name} must be a number, not {value:?}"));
        }
        if !switch.values.is_empty() && !switch.values.contains(&value) {
            return Err(format!("{name} is one of {}, not {value:?}", switch.values.join(", ")));
        }
        self.0.insert(switch.name, value.to_owned());
        Ok(())
    }

    /// The value of a switch.
    pub fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    /// Whether the switch has this value.
    pub fn is(&self, name: &str, value: &str) -> bool {
        self.get(name) == value
    }

    /// A value in seconds, converted to milliseconds.
    pub fn seconds(&self, name: &str) -> i64 {
        self.get(name).parse::<f64>().map_or(0, |seconds| (seconds * 1000.0) as i64)
    }

    /// The value as an integer.
    pub fn number(&self, name: &str) -> i64 {
        self.get(name).parse().unwrap_or(0)
    }

    /// All switches and their values, sorted by name.
    pub fn all(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (*name, value.as_str()))
    }
}
