//! One HTTP exchange, and how much of it left this machine.

mod body;
mod decoder;
mod fault;
mod lookups;
mod tls;

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Request, Response};
use url::Url;

use crate::cancel::{CallCancel, Ticker};
use crate::config::{Config, bad_config};
use crate::contract::operation::OPERATIONS;
use crate::error::{Error, ErrorCode, FailedConnection};
use crate::threads::has_memory_for;
use crate::tolerance::Tolerance;
use crate::unix_time::Millis;
use body::{HandOver, OnceBody};
use decoder::Announced;
pub(crate) use fault::Fault;
use lookups::{Lookups, NoThread};
#[cfg(feature = "postgres")]
pub(crate) use tls::server_config as server_tls;

/// The head of an answer.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Head {
    pub status: u16,
    pub request_id: Option<String>,
    pub retry_after_ms: Option<u64>,
}

/// All that is known about one attempt.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Exchange {
    pub head: Option<Head>,
    /// The decoded body as received; partial if there is a fault; None if none began.
    pub body: Option<Vec<u8>>,
    pub fault: Option<Fault>,
    /// Of a fault before anything was sent: which connection could not be made, and why.
    pub connection: Option<FailedConnection>,
    /// What was tolerated to decompress the body.
    pub tolerated: Vec<Tolerance>,
    /// A whole request may have reached the vendor.
    pub sent: bool,
}

impl Exchange {
    /// An attempt that ended before anything was handed to a connection.
    pub fn unsent(fault: Fault) -> Exchange {
        Exchange { fault: Some(fault), ..Exchange::default() }
    }
}

/// What may end a wait: the call's deadline and its cancellation.
pub(crate) struct Limits<'l> {
    pub deadline: tokio::time::Instant,
    /// The same moment on [`boot_clock`]: after it no body is handed over. The lease of a case ends later.
    pub boot_deadline: Millis,
    /// The end of the lease that a submit rests on, on the same clock: after it no body is handed over either. It moves
    /// on while the lease is renewed.
    pub lease_end: Option<&'l Arc<AtomicI64>>,
    pub cancel: &'l CallCancel,
    pub ticker: &'static Ticker,
}

impl Limits<'_> {
    /// Runs a future to its end, unless one of the limits comes first.
    pub async fn run<F: Future>(&self, future: F) -> Result<F::Output, Fault> {
        match self.ticker.race(self.cancel, tokio::time::timeout_at(self.deadline, future)).await {
            None => Err(Fault::Cancelled),
            Some(Err(_)) => Err(Fault::Timeout),
            Some(Ok(output)) => Ok(output),
        }
    }

    /// Waits for a request budget's answer; None means that the budget allows nothing before the deadline.
    pub async fn sleep_for_budget(&self, wait: Option<Duration>) -> Result<(), Fault> {
        match wait {
            None => Err(Fault::RateWaitTimeout),
            Some(wait) if wait.is_zero() => Ok(()),
            Some(wait) => match self.run(tokio::time::sleep(wait)).await {
                Err(Fault::Timeout) => Err(Fault::RateWaitTimeout),
                other => other,
            },
        }
    }

    pub fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(tokio::time::Instant::now())
    }
}

/// Lines in the head of an answer; some proxies add a hundred.
const MAX_HEADERS: usize = 1000;

/// The two HTTP clients of a library client.
pub(crate) struct Transport {
    /// Keeps connections: reads and quotes may be repeated.
    pooled: reqwest::Client,
    /// A connection of its own for every request, and no layer that repeats anything.
    single: reqwest::Client,
    headers: HeaderMap,
    base: Url,
    /// The address of every path, so that none is put together for a call.
    urls: Vec<(&'static str, Url)>,
    max_bytes: usize,
    proxied: bool,
    /// Where the proxy is, if the configuration names it.
    proxy: Option<Url>,
}

impl Transport {
    pub fn new(config: &Config) -> Result<Transport, Error> {
        let tls = tls::client_config(config)?;
        let build = |single: bool| -> Result<reqwest::Client, Error> {
            let mut builder = reqwest::Client::builder()
                .tls_backend_preconfigured(tls.clone())
                .http1_only()
                .redirect(reqwest::redirect::Policy::none())
                .retry(reqwest::retry::never())
                .referer(false)
                // One malformed line, or many, must not cost the answer.
                .http1_ignore_invalid_headers_in_responses(true)
                .http1_allow_spaces_after_header_name_in_responses(true)
                .http1_allow_obsolete_multiline_headers_in_responses(true)
                .http1_max_headers(MAX_HEADERS)
                .tcp_nodelay(true)
                .dns_resolver(Arc::new(Lookups))
                .connect_timeout(config.connect_timeout)
                .pool_max_idle_per_host(if single { 0 } else { config.max_connections })
                // Below the minute after which many servers and middleboxes drop idle connections.
                .pool_idle_timeout(Duration::from_secs(50));
            builder = match config.proxy.as_deref() {
                None => builder.no_proxy(),
                Some("env") => builder,
                Some(url) => builder.no_proxy().proxy(reqwest::Proxy::all(url).map_err(|e| proxy_error(&e))?),
            };
            builder.build().map_err(|e| Error::new(ErrorCode::BadConfig, format!("HTTP client: {}", chain(&e))))
        };
        Ok(Transport {
            pooled: build(false)?,
            single: build(true)?,
            headers: fixed_headers(config)?,
            urls: OPERATIONS.iter().map(|op| (op.path, address(&config.base_url, op.path))).collect(),
            base: config.base_url.clone(),
            proxy: config.proxy.as_deref().and_then(|url| Url::parse(url).ok()).filter(Url::has_host),
            max_bytes: config.max_response_bytes,
            proxied: match config.proxy.as_deref() {
                None => false,
                Some("env") => ENV_PROXIES.iter().any(|name| std::env::var_os(name).is_some_and(|v| !v.is_empty())),
                Some(_) => true,
            },
        })
    }

    /// Reads a text by GET, without credentials: for test clocks on this machine.
    pub async fn text(&self, url: &Url) -> Option<String> {
        let answer = self.pooled.get(url.clone()).timeout(Duration::from_secs(5)).send().await.ok()?;
        let body = answer.bytes().await.ok()?;
        String::from_utf8(body.to_vec()).ok()
    }

    /// Sends one request and reads the whole answer, until the deadline.
    pub async fn exchange(
        &self,
        path: &str,
        body: Bytes,
        extra: &[(String, String)],
        single: bool,
        limits: &Limits<'_>,
    ) -> Exchange {
        let (body, hand_over) = OnceBody::new(body, limits.boot_deadline, limits.lease_end.cloned());
        let known = self.urls.iter().find(|(p, _)| *p == path).map(|(_, url)| url.clone());
        let mut request = Request::new(Method::POST, known.unwrap_or_else(|| address(&self.base, path)));
        let mut headers = self.headers.clone();
        for (name, value) in extra {
            if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value)) {
                headers.insert(name, value);
            }
        }
        if single {
            // Envoy, and the meshes made of it, would repeat a request whose answer is lost (router filter, 2026).
            headers.insert("x-envoy-max-retries", HeaderValue::from_static("0"));
        }
        let client = if single { &self.single } else { &self.pooled };
        // Moved in whole: the builder would copy them one by one.
        *request.headers_mut() = headers;
        *request.body_mut() = Some(reqwest::Body::wrap(body));
        let (mut exchange, mut announced) = (Exchange::default(), None);
        // `exchange` lives outside the timed future, so that a partial body survives the deadline.
        let run = self.run(client.execute(request), &hand_over, &mut exchange, &mut announced);
        if let Err(fault) = limits.run(run).await {
            exchange.fault = Some(fault);
        }
        if let (Some(body), Some(announced)) = (&mut exchange.body, announced) {
            let fault = announced.decode(body, self.max_bytes, &mut exchange.tolerated);
            exchange.fault = exchange.fault.or(fault).or_else(|| (!can_be_read(body)).then_some(Fault::NoMemory));
        }
        exchange.sent = !hand_over.revoke();
        exchange
    }

    async fn run(
        &self,
        response: impl Future<Output = reqwest::Result<Response>>,
        hand_over: &HandOver,
        exchange: &mut Exchange,
        announced: &mut Option<Announced>,
    ) {
        let mut response = match response.await {
            Ok(response) => response,
            Err(e) => {
                // Revoked at once: after an error the connection's task must not still take the body.
                let unsent = hand_over.revoke();
                let late = hand_over.is_late();
                let fault = if late { Fault::Timeout } else { self.classify(&e, unsent) };
                exchange.connection = self.failed_connection(fault, &e);
                exchange.fault = Some(fault);
                return;
            }
        };
        exchange.head = Some(head(&response));
        let room = announced.insert(Announced::of(response.headers())).room(response.content_length());
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) => {
                    let body = exchange.body.get_or_insert_default();
                    if chunk.len() > self.max_bytes - body.len() {
                        exchange.fault = Some(Fault::TooLarge);
                        return;
                    }
                    // Its length is the sender's: where there is no memory for it, the host goes on.
                    if body.try_reserve(chunk.len().max(room.saturating_sub(body.len()))).is_err() {
                        exchange.fault = Some(Fault::NoMemory);
                        return;
                    }
                    body.extend_from_slice(&chunk);
                }
                Ok(None) => {
                    exchange.body.get_or_insert_default();
                    return;
                }
                Err(_) => {
                    exchange.fault = Some(Fault::Io);
                    return;
                }
            }
        }
    }

    /// Which connection a fault is about, with the innermost cause. No text of reqwest's own is in it, which may have
    /// the proxy's password.
    fn failed_connection(&self, fault: Fault, error: &reqwest::Error) -> Option<FailedConnection> {
        let url = match fault {
            Fault::Proxy => self.proxy.as_ref().unwrap_or(&self.base),
            Fault::Dns
            | Fault::Connect
            | Fault::ConnectTimeout
            | Fault::Tls
            | Fault::NoDescriptor
            | Fault::NoMemory => &self.base,
            _ => return None,
        };
        let (mut cause, mut errno) = (String::new(), None);
        visit_causes(error, &mut |e| {
            errno = e.downcast_ref::<std::io::Error>().and_then(std::io::Error::raw_os_error).or(errno);
            cause = e.to_string();
        });
        if fault == Fault::ConnectTimeout {
            cause = "no answer within connectTimeoutMs".to_owned();
        }
        // The number stands beside it.
        let cause = cause.split(" (os error ").next().unwrap_or_default().to_owned();
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        Some(FailedConnection { host, port: url.port_or_known_default().unwrap_or(0), cause, errno })
    }

    fn classify(&self, error: &reqwest::Error, unsent: bool) -> Fault {
        if unsent && has_no_descriptor(error) {
            return Fault::NoDescriptor;
        }
        if unsent && has_no_memory(error) {
            return Fault::NoMemory;
        }
        if is_tls(error) {
            return Fault::Tls;
        }
        if !error.is_connect() {
            return Fault::Io;
        }
        let text = chain(error);
        if self.proxied && !error.is_timeout() || text.contains("tunnel") {
            // With a proxy every connection goes to it first, and reqwest does not say who refused.
            return Fault::Proxy;
        }
        match () {
            () if error.is_timeout() => Fault::ConnectTimeout,
            () if error.is_dns() => Fault::Dns,
            () if unsent => Fault::Connect,
            () => Fault::Io,
        }
    }
}

/// Where `proxy: "env"` looks.
const ENV_PROXIES: [&str; 6] = ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];

fn address(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    url.set_path(&format!("{}{path}", base.path().trim_end_matches('/')));
    url
}

fn fixed_headers(config: &Config) -> Result<HeaderMap, Error> {
    let value = |text: &str| {
        HeaderValue::from_str(text).map_err(|_| Error::new(ErrorCode::BadConfig, "a header value is not text"))
    };
    // The bytes of the secret are shared by every request and wiped when the last one drops them.
    let secret = Bytes::from_owner(zeroize::Zeroizing::new(config.client_secret.as_bytes().to_vec()));
    let mut secret = HeaderValue::from_maybe_shared(secret)
        .map_err(|_| Error::new(ErrorCode::BadConfig, "clientSecret is not text that a header can carry"))?;
    secret.set_sensitive(true);
    let mut headers = HeaderMap::new();
    headers.insert("accept", value(&config.accept)?);
    headers.insert("accept-encoding", HeaderValue::from_static("gzip"));
    headers.insert("content-type", HeaderValue::from_static("application/json"));
    headers.insert("user-agent", value(&config.user_agent)?);
    headers.insert("x-atlas-client-id", value(&config.client_id)?);
    headers.insert("x-atlas-client-secret", secret);
    Ok(headers)
}

fn proxy_error(error: &reqwest::Error) -> Error {
    let message = format!("is no proxy URL: {}", chain(error));
    bad_config("/proxy", message)
}

/// The texts of an error's causes; never the URL, which may hold a proxy's password.
fn chain(error: &dyn std::error::Error) -> String {
    let mut texts = Vec::new();
    let mut cause = error.source();
    while let Some(e) = cause {
        texts.push(e.to_string());
        cause = e.source();
    }
    texts.join(": ")
}

/// Whether TLS is anywhere among the causes. An I/O error hides what it wraps from `source()`, and
/// may wrap another one.
fn is_tls(error: &(dyn std::error::Error + 'static)) -> bool {
    if error.is::<rustls::Error>() {
        return true;
    }
    let hidden = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
    hidden.is_some_and(|e| is_tls(e)) || error.source().is_some_and(is_tls)
}

/// Calls `visit` with an error and all its causes, the innermost last. An I/O error hides what it wraps.
fn visit_causes(error: &(dyn std::error::Error + 'static), visit: &mut dyn FnMut(&(dyn std::error::Error + 'static))) {
    visit(error);
    let hidden = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
    match (hidden, error.source()) {
        (Some(hidden), _) => visit_causes(hidden, visit),
        (None, Some(source)) => visit_causes(source, visit),
        (None, None) => {}
    }
}

fn has_no_descriptor(error: &reqwest::Error) -> bool {
    // EMFILE of the process, ENFILE of the machine: 24 and 23 on every Unix.
    let mut found = false;
    visit_causes(error, &mut |e| {
        let number = e.downcast_ref::<std::io::Error>().and_then(std::io::Error::raw_os_error);
        found |= cfg!(unix) && matches!(number, Some(23 | 24));
    });
    found
}

/// Whether there is memory to read a large answer. Reading takes a few times its length, and cannot stop half-way.
fn can_be_read(body: &[u8]) -> bool {
    const SMALL: usize = 64 * 1024;
    body.len() <= SMALL || has_memory_for(body.len().saturating_mul(4))
}

fn has_no_memory(error: &reqwest::Error) -> bool {
    // ENOMEM: 12 on every Unix.
    let mut found = false;
    visit_causes(error, &mut |e| {
        let number = e.downcast_ref::<std::io::Error>().and_then(std::io::Error::raw_os_error);
        found |= e.is::<NoThread>() || (cfg!(unix) && number == Some(12));
    });
    found
}

fn head(response: &Response) -> Head {
    let headers = response.headers();
    let text =
        |name: &str| headers.get(name).and_then(|v| v.to_str().ok()).map(|v| v.chars().take(200).collect::<String>());
    Head {
        status: response.status().as_u16(),
        request_id: text("x-request-id").or_else(|| text("x-atlas-request-id")),
        retry_after_ms: text("retry-after-ms")
            .and_then(|t| t.trim().parse::<u64>().ok().map(|ms| ms.min(LONGEST_WAIT)))
            .or_else(|| text("retry-after").and_then(|t| retry_after(&t))),
    }
}

/// Seconds (a fraction too, and however many) as milliseconds; None for less than none and for what is no number.
pub(crate) fn millis_of_seconds(text: &str) -> Option<u64> {
    let text = text.trim();
    let is_number = text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '.' | '+' | '-'));
    let seconds = text.parse::<f64>().ok().filter(|seconds| is_number && *seconds >= 0.0)?;
    // Conversions of floats saturate.
    Some(((seconds * 1000.0) as u64).min(LONGEST_WAIT))
}

/// A hundred years: longer waits are the same, and every clock can still be added to it.
const LONGEST_WAIT: u64 = 100 * 366 * 86_400_000;

/// Seconds (a fraction too) or an HTTP date, as milliseconds from now.
fn retry_after(text: &str) -> Option<u64> {
    let until = |at: SystemTime| at.duration_since(SystemTime::now()).map_or(0, |d| d.as_millis() as u64);
    millis_of_seconds(text).or_else(|| httpdate::parse_http_date(text.trim()).ok().map(until))
}
