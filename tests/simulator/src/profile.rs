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
}

const fn undocumented_switch(name: &'static str, values: &'static [&'static str], default: &'static str) -> Switch {
    Switch { name, values, default, undocumented: true }
}

const fn setting(name: &'static str, values: &'static [&'static str], default: &'static str) -> Switch {
    Switch { name, values, default, undocumented: false }
}

const SWITCHES: &[Switch] = &[
    undocumented_switch("refundQueryWithoutCode", &["810", "list"], "810"),
    undocumented_switch("refundQueryEmpty", &["list", "801"], "list"),
    undocumented_switch("quoteAfterRefund", &["803", "0"], "803"),
    undocumented_switch("quoteAfterRejected", &["0", "803"], "0"),
    undocumented_switch("secondSubmit", &["816", "814", "803", "817", "818"], "816"),
    undocumented_switch("unknownOrder", &["800", "nulls"], "800"),
    undocumented_switch("secondClaim", &["same", "new"], "same"),
    undocumented_switch("regenerateDuplicate", &["allowed", "318"], "allowed"),
    undocumented_switch("aggregatedOrders", &["true", "false"], "true"),
    undocumented_switch("listAncillaryOrders", &["true", "false"], "true"),
    undocumented_switch("notVoidableQuote", &["843", "flag"], "843"),
    undocumented_switch("offerSingleUse", &["false", "true"], "false"),
    undocumented_switch("newQuoteKillsOld", &["false", "true"], "false"),
    undocumented_switch("pnrCodeAfterIssue", &["same", "new"], "same"),
    undocumented_switch("passengersAfterRefund", &["stay", "gone", "reordered"], "stay"),
    undocumented_switch("infantAlone", &["refused", "allowed"], "refused"),
    undocumented_switch("voidReply", &["full", "minimal"], "full"),
    // Undocumented too, but not part of `strict`: with it nothing can be refunded for several.
    setting("subsetQuote", &["false", "true"], "false"),
    setting("quirks", &["documented", "drift", "off"], "documented"),
    setting("clock", &["virtual", "real"], "virtual"),
    setting("gzip", &["on", "off"], "on"),
    setting("webhooks", &["once", "twice", "never"], "once"),
    setting("start", &[], "2026-03-02T08:00:00Z"),
    setting("currency", &[], "USD"),
    setting("balance", &[], "100000.00"),
    setting("ticketingSeconds", &[], "30"),
    setting("refundOfferSeconds", &[], "7200"),
    setting("voidOfferSeconds", &[], "1800"),
    setting("sessionSeconds", &[], "7200"),
];

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
        for switch in SWITCHES.iter().filter(|s| s.undocumented) {
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
