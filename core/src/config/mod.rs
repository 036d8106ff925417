//! The configuration of a client, read from JSON. Every problem is reported with its JSON Pointer.

use std::path::PathBuf;
use std::time::Duration;

use url::{Host, Url};
use zeroize::{Zeroize, Zeroizing};

use crate::error::{Error, ErrorCode};
use crate::json::Node;
use crate::token_bucket::Rate;
use crate::unix_time::{self, Millis};
use crate::wire::encode;
use crate::wire::shape::{Field, Kind, Shape};

pub(crate) mod options;
// A build without it still says what is wrong with its address.
#[cfg_attr(not(feature = "postgres"), allow(dead_code))]
mod server;
mod values;

pub(crate) use server::ServerStore;
#[cfg(feature = "postgres")]
pub(crate) use server::ServerTls;
pub(crate) use values::bad_config;
use values::number;

pub(crate) const fn field(name: &'static str, kind: Kind, doc: &'static str) -> Field {
    Field::new(name, name, doc, kind)
}

pub(crate) const RETRY: Shape = Shape {
    name: "Retry",
    doc: "How reads and quotes are repeated.",
    fields: &[
        field("maxAttempts", Kind::Int, "Attempts in all; 1 means no repetition. Default 3."),
        field("baseDelayMs", Kind::Int, "First pause; it doubles, with jitter. Default 200."),
        field("maxDelayMs", Kind::Int, "Longest pause. Default 5000."),
    ],
    rules: &[],
};

const RATE: Shape = Shape {
    name: "Rate",
    doc: "A request budget: over any window w at most perSecond·w + burst requests.",
    fields: &[
        field("perSecond", Kind::Real, "Requests per second, may be a fraction.").required(),
        field("burst", Kind::Int, "Requests at once. At least 1.").required(),
    ],
    rules: &[],
};

/// The keys of the configuration.
pub(crate) const CONFIG: Shape = Shape {
    name: "Config",
    doc: "Configuration of a client. Nothing is read from the environment unless proxy is \"env\".",
    fields: &[
        field("baseUrl", Kind::Text, "Transaction base URL; https, except for loopback. Its path is kept.").required(),
        field("clientId", Kind::Text, "Sent as x-atlas-client-id.").required(),
        field("clientSecret", Kind::Text, "Sent as x-atlas-client-secret; never shown, never logged.").required(),
        field(
            "timeoutMs",
            Kind::Int,
            "Deadline of a call with waiting, attempts and decoding. Default null: 150000 for submits, extractPnr its own timeout + 5000, else 30000.",
        ),
        field("connectTimeoutMs", Kind::Int, "Limit for TCP, proxy and TLS of one attempt. Default 5000."),
        field("userAgent", Kind::Text, "User-Agent header."),
        field("accept", Kind::Text, "Accept header. Default */*: some accounts refuse application/json."),
        field("proxy", Kind::Text, "null, a URL (http, https, socks5, socks5h), or \"env\". Default null."),
        field("caFile", Kind::Text, "PEM file with root certificates."),
        field("caMode", Kind::Text, "\"replace\" the system's roots by caFile, or \"add\" to them. Default replace."),
        field("clientCertFile", Kind::Text, "PEM file with a client certificate chain."),
        field("clientKeyFile", Kind::Text, "PEM file with its key."),
        field("maxResponseBytes", Kind::Int, "Limit of a reply, as received and decoded. Default 67108864."),
        field("maxConnections", Kind::Int, "Idle connections kept for reads. Default 64."),
        field("retry", Kind::Object(&RETRY), "Repetition of reads and quotes. A submit is never repeated."),
        field("rateLimit", Kind::Object(&RATE), "Request budget of this client; null means none."),
        field("maxInFlight", Kind::Int, "Calls under way at once; more wait. Default 1024."),
        field("store", Kind::Object(&STORE), "Where cases are kept."),
        field("account", Kind::Text, "Names whose cases these are, whatever the credentials. Default null."),
        field("settleMs", Kind::Int, "How long an empty answer proves nothing after a lost reply. Default 180000."),
        field("retryAfterMaxMs", Kind::Int, "How long one Retry-After stops the account at most. Default 300000."),
        field(
            "offerMaxAgeMs",
            Kind::Object(&OFFER_AGE),
            "Oldest offer that a case submits. Default void 60000, refund 5400000.",
        ),
        field("follow", Kind::Object(&RATE), "Budget of the case follow-up. Default 2 per second, burst 5."),
        field("clock", Kind::Object(&CLOCK), "For tests: {fixed: time} or {url: loopback}."),
    ],
    rules: &[],
};

const STORE: Shape = Shape {
    name: "Store",
    doc: "Where cases are kept.",
    fields: &[
        field("path", Kind::Text, "SQLite file. Either path or url."),
        field("url", Kind::Text, "postgres://user@host/database, for more than one machine."),
        field("password", Kind::Text, "Of the server's user; never shown, never logged."),
        field("caFile", Kind::Text, "PEM file with the server's root certificates. Default: the system's."),
        field("clientCertFile", Kind::Text, "PEM file with a client certificate chain for the server."),
        field("clientKeyFile", Kind::Text, "PEM file with its key."),
        field("poolSize", Kind::Int, "Connections to the server at most. Default 4."),
        field(
            "witnessFile",
            Kind::Text,
            "Names the last intent, so that an older store is noticed. Default PATH-witness; for a server null: in memory.",
        ),
    ],
    rules: &[],
};

const OFFER_AGE: Shape = Shape {
    name: "OfferMaxAge",
    doc: "Oldest offer that a case submits.",
    fields: &[field("void", Kind::Int, "Milliseconds."), field("refund", Kind::Int, "Milliseconds.")],
    rules: &[],
};

const CLOCK: Shape = Shape {
    name: "Clock",
    doc: "A clock for tests.",
    fields: &[
        field("fixed", Kind::Text, "A moment with its offset."),
        field("url", Kind::Text, "Loopback URL that answers {now}."),
    ],
    rules: &[],
};

/// Root certificates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CaMode {
    Replace,
    Add,
}

/// How reads are repeated.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct RetryConfig {
    pub max_attempts: u32,
    pub base_delay: Duration,
    pub max_delay: Duration,
}

/// What decides about cases beside the vendor's answers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct CasePolicy {
    /// Milliseconds after the last byte can have left in which an answer without the effect proves nothing.
    pub settle: Millis,
    /// Oldest void offer that is submitted, in milliseconds.
    pub void_offer_age: Millis,
    /// Oldest refund offer that is submitted, in milliseconds.
    pub refund_offer_age: Millis,
    /// Longest pause that one Retry-After of the vendor makes, for the account and for a case, in milliseconds.
    pub retry_after_max: Millis,
}

impl Default for CasePolicy {
    fn default() -> CasePolicy {
        CasePolicy { settle: 180_000, void_offer_age: 60_000, refund_offer_age: 5_400_000, retry_after_max: 300_000 }
    }
}

impl CasePolicy {
    /// The least time between two answers without the effect that together prove its absence.
    pub fn between_absences(&self) -> Millis {
        (self.settle + 2) / 3
    }
}

/// Where cases are kept.
#[derive(Clone)]
pub(crate) enum StoreConfig {
    File(FileStore),
    #[cfg_attr(not(feature = "postgres"), allow(dead_code))]
    Server(Box<ServerStore>),
}

/// The file of a store, and the file that names its last intent.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct FileStore {
    pub path: PathBuf,
    pub witness: PathBuf,
}

/// A checked configuration.
pub(crate) struct Config {
    pub base_url: Url,
    pub client_id: String,
    pub client_secret: Zeroizing<String>,
    pub timeout: Option<Duration>,
    pub connect_timeout: Duration,
    pub user_agent: String,
    pub accept: String,
    pub proxy: Option<String>,
    pub ca_file: Option<String>,
    pub ca_mode: CaMode,
    pub client_cert: Option<(String, String)>,
    pub max_response_bytes: usize,
    pub max_connections: usize,
    pub retry: RetryConfig,
    pub rate_limit: Option<Rate>,
    pub max_in_flight: usize,
    /// Where cases are kept.
    pub store: Option<StoreConfig>,
    /// The name of the account; None for the store's only one.
    pub account: Option<String>,
    pub case_policy: CasePolicy,
    /// The budget of the follow-up.
    pub follow: Rate,
    pub clock: CaseClock,
}

/// The clock of the cases.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum CaseClock {
    Machine,
    Fixed(Millis),
    /// A loopback URL that answers `{"now": "…"}`.
    At(Url),
}

impl Config {
    /// Reads a configuration; the text itself is not kept.
    pub fn parse(text: &str) -> Result<Config, Error> {
        let node = Node::parse(text)
            .map_err(|e| Error::new(ErrorCode::BadJson, format!("the configuration is not JSON: {e}")))?;
        let mut checked = encode(&CONFIG, &node, false)
            .map_err(|problems| Error::from_problems(ErrorCode::BadConfig, "configuration", problems))?;
        checked.zeroize();
        let r = Reader { node: &node };
        let given = |key: &str| node.get(key).filter(|n| !n.is_null());
        let store = given("store").map(store_of).transpose()?;
        let account = r.text("account");
        if account.as_ref().is_some_and(|name| name.trim().is_empty() || name.len() > 200) {
            return Err(bad_config("/account", "must have 1 to 200 bytes"));
        }
        let base_url = base_url(&r.required("baseUrl"))?;
        let ca_mode = match r.text("caMode").as_deref() {
            None | Some("replace") => CaMode::Replace,
            Some("add") => CaMode::Add,
            Some(_) => return Err(bad_config("/caMode", "must be \"replace\" or \"add\"")),
        };
        let client_cert = match (r.text("clientCertFile"), r.text("clientKeyFile")) {
            (Some(cert), Some(key)) => Some((cert, key)),
            (None, None) => None,
            (Some(_), None) => return Err(bad_config("/clientKeyFile", "is required with clientCertFile")),
            (None, Some(_)) => return Err(bad_config("/clientCertFile", "is required with clientKeyFile")),
        };
        Ok(Config {
            base_url,
            client_id: r.header("clientId")?.unwrap_or_default(),
            client_secret: Zeroizing::new(r.header("clientSecret")?.unwrap_or_default()),
            timeout: r.millis("timeoutMs", 1)?,
            connect_timeout: r.millis("connectTimeoutMs", 1)?.unwrap_or(Duration::from_millis(5000)),
            user_agent: r.header("userAgent")?.unwrap_or_else(|| format!("atlas-postbooking/{}", crate::VERSION)),
            accept: r.header("accept")?.unwrap_or_else(|| "*/*".to_owned()),
            proxy: r.text("proxy"),
            ca_file: r.text("caFile"),
            ca_mode,
            client_cert,
            max_response_bytes: r.number("maxResponseBytes", 1)?.unwrap_or(64 << 20) as usize,
            max_connections: r.number("maxConnections", 1)?.unwrap_or(64) as usize,
            retry: retry(node.get("retry"), "/retry", None)?,
            rate_limit: rate(node.get("rateLimit"), "/rateLimit")?,
            store,
            account,
            case_policy: case_policy(&r)?,
            follow: rate(node.get("follow"), "/follow")?.unwrap_or(Rate { per_second: 2.0, burst: 5 }),
            clock: clock(node.get("clock"))?,
            max_in_flight: (r.number("maxInFlight", 1)?.unwrap_or(1024) as usize).min(1 << 20),
        })
    }
}

/// Shows what a log may show.
impl std::fmt::Debug for Config {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Config").field("base_url", &self.base_url.as_str()).finish_non_exhaustive()
    }
}

/// Where a store is, as `store` of a configuration says it.
pub(crate) fn store_of(node: &Node<'_>) -> Result<StoreConfig, Error> {
    let text = |key: &str| node.get(key).and_then(Node::as_str);
    if text("url").is_some() {
        return server::server(node).map(|server| StoreConfig::Server(Box::new(server)));
    }
    if text("path").is_none() {
        return Err(bad_config("/store/path", "is required"));
    }
    if let Some(key) = ["password", "caFile", "clientCertFile", "clientKeyFile", "poolSize"]
        .into_iter()
        .find(|key| node.get(key).is_some_and(|value| !value.is_null()))
    {
        return Err(bad_config(&format!("/store/{key}"), "is for a server only"));
    }
    // A name that SQLite would take for something else than a file is a file here, and stays the same one when
    // the host changes its directory.
    let absolute = |key: &str, path: &str| {
        std::path::absolute(path).map_err(|_| bad_config(&format!("/store/{key}"), "must be the path of a file"))
    };
    let path = absolute("path", text("path").unwrap_or_default())?;
    let witness = match text("witnessFile") {
        Some(witness) => absolute("witnessFile", witness)?,
        None => {
            let mut witness = path.clone().into_os_string();
            witness.push("-witness");
            PathBuf::from(witness)
        }
    };
    if witness == path {
        return Err(bad_config("/store/witnessFile", "must be another file than the store"));
    }
    Ok(StoreConfig::File(FileStore { path, witness }))
}

fn base_url(text: &str) -> Result<Url, Error> {
    let at = "/baseUrl";
    let url = Url::parse(text).map_err(|e| bad_config(at, format!("is not a URL: {e}")))?;
    if !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
        return Err(bad_config(at, "must have no user, query or fragment"));
    }
    match (url.scheme(), is_loopback(&url)) {
        ("https", _) | ("http", true) => Ok(url),
        ("http", false) => Err(bad_config(at, "must be https: plain http is for loopback only")),
        _ => Err(bad_config(at, "must be an https URL")),
    }
}

/// A clock for tests: a fixed moment, or a simulator's clock on this machine.
fn clock(node: Option<&Node<'_>>) -> Result<CaseClock, Error> {
    let Some(clock) = node.filter(|n| !n.is_null()) else { return Ok(CaseClock::Machine) };
    match (clock.get("fixed").and_then(Node::as_str), clock.get("url").and_then(Node::as_str)) {
        (Some(fixed), None) => match unix_time::parse_rfc3339(fixed) {
            Some(at) => Ok(CaseClock::Fixed(at)),
            None => Err(bad_config("/clock/fixed", "must be a moment with its offset, such as 2026-03-02T08:00:00Z")),
        },
        (None, Some(url)) => match Url::parse(url) {
            Ok(url) if is_loopback(&url) && url.scheme() == "http" => Ok(CaseClock::At(url)),
            _ => Err(bad_config("/clock/url", "must be an http URL of this machine (loopback)")),
        },
        _ => Err(bad_config("/clock", "must have either `fixed` or `url`")),
    }
}

/// The settle time and the ages of offers.
fn case_policy(r: &Reader<'_>) -> Result<CasePolicy, Error> {
    let base = CasePolicy::default();
    let ages = r.node.get("offerMaxAgeMs");
    let age = |way: &str, otherwise: i64| {
        let millis = number(ages.and_then(|a| a.get(way)), &format!("/offerMaxAgeMs/{way}"), 0, MAX_MILLIS)?;
        Ok::<_, Error>(millis.map_or(otherwise, |ms| ms as i64))
    };
    Ok(CasePolicy {
        settle: r.millis("settleMs", 0)?.map_or(base.settle, |d| d.as_millis() as i64),
        void_offer_age: age("void", base.void_offer_age)?,
        refund_offer_age: age("refund", base.refund_offer_age)?,
        retry_after_max: r.millis("retryAfterMaxMs", 0)?.map_or(base.retry_after_max, |d| d.as_millis() as i64),
    })
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

/// The longest deadline: a day. Longer ones are mistakes of unit.
pub(crate) const MAX_MILLIS: u64 = 86_400_000;

/// Reads values whose types [`encode`] has checked.
pub(crate) struct Reader<'n> {
    pub node: &'n Node<'n>,
}

impl Reader<'_> {
    pub fn text(&self, key: &str) -> Option<String> {
        self.node.get(key).and_then(Node::as_str).map(str::to_owned)
    }

    fn required(&self, key: &str) -> String {
        self.text(key).unwrap_or_default()
    }

    /// Text that goes into a header.
    fn header(&self, key: &str) -> Result<Option<String>, Error> {
        let text = self.text(key);
        match &text {
            Some(t) if reqwest::header::HeaderValue::from_str(t).is_err() => {
                Err(bad_config(&format!("/{key}"), "has characters that a header cannot carry"))
            }
            _ => Ok(text),
        }
    }

    fn number(&self, key: &str, least: u64) -> Result<Option<u64>, Error> {
        number(self.node.get(key), &format!("/{key}"), least, u64::from(u32::MAX) * 4)
    }

    pub fn millis(&self, key: &str, least: u64) -> Result<Option<Duration>, Error> {
        Ok(number(self.node.get(key), &format!("/{key}"), least, MAX_MILLIS)?.map(Duration::from_millis))
    }
}

pub(crate) fn retry(node: Option<&Node<'_>>, path: &str, base: Option<RetryConfig>) -> Result<RetryConfig, Error> {
    let base = base.unwrap_or(RetryConfig {
        max_attempts: 3,
        base_delay: Duration::from_millis(200),
        max_delay: Duration::from_millis(5000),
    });
    let Some(node) = node else { return Ok(base) };
    let millis = |key: &str| number(node.get(key), &format!("{path}/{key}"), 0, MAX_MILLIS);
    Ok(RetryConfig {
        max_attempts: number(node.get("maxAttempts"), &format!("{path}/maxAttempts"), 1, 100)?
            .map_or(base.max_attempts, |n| n as u32),
        base_delay: millis("baseDelayMs")?.map_or(base.base_delay, Duration::from_millis),
        max_delay: millis("maxDelayMs")?.map_or(base.max_delay, Duration::from_millis),
    })
}

fn rate(node: Option<&Node<'_>>, path: &str) -> Result<Option<Rate>, Error> {
    let Some(node) = node.filter(|n| !n.is_null()) else { return Ok(None) };
    let per_second = match node.get("perSecond") {
        Some(Node::Num(token)) => token.parse::<f64>().ok().filter(|n| (1e-6..=1e6).contains(n)),
        _ => None,
    };
    let Some(per_second) = per_second else {
        return Err(bad_config(&format!("{path}/perSecond"), "must be from 0.000001 to 1000000"));
    };
    let burst = number(node.get("burst"), &format!("{path}/burst"), 1, 1_000_000)?.unwrap_or(1) as u32;
    Ok(Some(Rate { per_second, burst }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Status;

    fn parse(extra: &str) -> Result<Config, Error> {
        Config::parse(&format!(r#"{{"baseUrl":"http://127.0.0.1:1/x","clientId":"i","clientSecret":"s"{extra}}}"#))
    }

    #[test]
    fn names_what_is_wrong() {
        for (extra, field) in [
            (r#","timeoutMS":5"#, "/timeoutMS"),
            (r#","timeoutMs":"5""#, "/timeoutMs"),
            (r#","timeoutMs":0"#, "/timeoutMs"),
            (r#","retry":{"maxAttempt":5}"#, "/retry/maxAttempt"),
            (r#","caMode":"merge""#, "/caMode"),
            (r#","clientKeyFile":"k""#, "/clientCertFile"),
            (r#","rateLimit":{"perSecond":0,"burst":1}"#, "/rateLimit/perSecond"),
        ] {
            let error = parse(extra).unwrap_err();
            assert_eq!(
                (error.code, error.status, error.field.as_deref()),
                (ErrorCode::BadConfig, Status::CONFIG, Some(field)),
                "{extra}"
            );
        }
        assert!(parse(r#","timeoutMS":5"#).unwrap_err().message.contains("`timeoutMs`"));
        assert!(Config::parse("{}").unwrap_err().details.len() == 3);
    }

    #[test]
    fn plain_http_is_for_loopback_only() {
        let with = |url: &str| Config::parse(&format!(r#"{{"baseUrl":"{url}","clientId":"i","clientSecret":"s"}}"#));
        for good in ["https://sandbox.example/", "http://localhost:8080", "http://127.9.9.9", "http://[::1]:1/base"] {
            assert!(with(good).is_ok(), "{good}");
        }
        for bad in [
            "http://sandbox.example",
            "ftp://x",
            "nonsense",
            "https://u:p@host",
            "https://host/?q=1",
            "http://10.0.0.1",
        ] {
            assert_eq!(with(bad).unwrap_err().field.as_deref(), Some("/baseUrl"), "{bad}");
        }
    }

    #[test]
    fn debug_shows_no_secret() {
        assert!(!format!("{:?}", parse("").unwrap()).contains("\"s\""));
    }
}
