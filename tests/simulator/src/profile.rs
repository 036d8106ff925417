//! The switches: everything the vendor leaves undocumented, plus a few knobs.

use std::collections::BTreeMap;

/// One switch. `values` empty means any text; the first value is the default,
/// the second the other side, which the named profile `strict` selects.
struct Switch {
    name: &'static str,
    values: &'static [&'static str],
    default: &'static str,
    undocumented: bool,
}

const fn either(name: &'static str, values: &'static [&'static str], default: &'static str) -> Switch {
    Switch { name, values, default, undocumented: true }
}

const fn knob(name: &'static str, values: &'static [&'static str], default: &'static str) -> Switch {
    Switch { name, values, default, undocumented: false }
}

const SWITCHES: &[Switch] = &[
    either("refundQueryWithoutCode", &["810", "list"], "810"),
    either("refundQueryEmpty", &["list", "801"], "list"),
    either("quoteAfterRefund", &["803", "0"], "803"),
    either("quoteAfterRejected", &["0", "803"], "0"),
    either("secondSubmit", &["816", "814", "803", "817", "818"], "816"),
    either("unknownOrder", &["800", "nulls"], "800"),
    either("secondClaim", &["same", "new"], "same"),
    either("regenerateDuplicate", &["allowed", "318"], "allowed"),
    either("aggregatedOrders", &["true", "false"], "true"),
    either("listAncillaryOrders", &["true", "false"], "true"),
    either("notVoidableQuote", &["843", "flag"], "843"),
    either("offerSingleUse", &["false", "true"], "false"),
    either("newQuoteKillsOld", &["false", "true"], "false"),
    either("pnrCodeAfterIssue", &["same", "new"], "same"),
    either("voidReply", &["full", "minimal"], "full"),
    knob("quirks", &["documented", "drift", "off"], "documented"),
    knob("clock", &["virtual", "real"], "virtual"),
    knob("gzip", &["on", "off"], "on"),
    knob("webhooks", &["once", "twice", "never"], "once"),
    knob("start", &[], "2026-03-02T08:00:00Z"),
    knob("currency", &[], "USD"),
    knob("balance", &[], "100000.00"),
    knob("ticketingSeconds", &[], "30"),
    knob("refundOfferSeconds", &[], "7200"),
    knob("voidOfferSeconds", &[], "1800"),
    knob("sessionSeconds", &[], "7200"),
];

/// The setting of every switch.
#[derive(Clone, Debug)]
pub struct Profile(BTreeMap<&'static str, String>);

impl Default for Profile {
    fn default() -> Self {
        Self(SWITCHES.iter().map(|s| (s.name, s.default.to_owned())).collect())
    }
}

impl Profile {
    /// A comma-separated list of `default`, `strict` and `switch=value`, read
    /// from left to right.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut profile = Self::default();
        profile.apply(text)?;
        Ok(profile)
    }

    /// Changes this profile by such a list.
    pub fn apply(&mut self, text: &str) -> Result<(), String> {
        for word in text.split(',').map(str::trim).filter(|word| !word.is_empty()) {
            match word.split_once('=') {
                Some((name, value)) => self.set(name.trim(), value.trim())?,
                None => self.named(word)?,
            }
        }
        Ok(())
    }

    fn named(&mut self, name: &str) -> Result<(), String> {
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
            return Err(format!("{name} wants a number, not {value:?}"));
        }
        if !switch.values.is_empty() && !switch.values.contains(&value) {
            return Err(format!("{name} is one of {}, not {value:?}", switch.values.join(", ")));
        }
        self.0.insert(switch.name, value.to_owned());
        Ok(())
    }

    /// The setting of a switch.
    pub fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    /// Is the switch set to `value`?
    pub fn is(&self, name: &str, value: &str) -> bool {
        self.get(name) == value
    }

    /// The setting as a number of seconds, in milliseconds.
    pub fn seconds(&self, name: &str) -> i64 {
        self.get(name).parse::<f64>().map_or(0, |seconds| (seconds * 1000.0) as i64)
    }

    /// The setting as an integer.
    pub fn number(&self, name: &str) -> i64 {
        self.get(name).parse().unwrap_or(0)
    }

    /// Every switch with its setting, by name.
    pub fn all(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (*name, value.as_str()))
    }
}
