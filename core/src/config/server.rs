//! A store on a PostgreSQL server: its address, how it is proved, and who logs in. All of it comes from the
//! configuration: no environment variable and no password file is read.

use std::path::{Path, PathBuf};

use url::Url;
use zeroize::Zeroizing;

use super::values::{bad_config, number};
use crate::error::Error;
use crate::json::Node;

/// Where a server is, and how it proves who it is.
#[derive(Clone)]
pub(crate) struct ServerStore {
    /// Names or addresses with their ports, in the order in which they are tried.
    pub hosts: Vec<(String, u16)>,
    pub user: String,
    pub password: Option<Zeroizing<String>>,
    pub database: String,
    /// Of several hosts, only one that takes writes.
    pub read_write: bool,
    /// None only on loopback.
    pub tls: Option<ServerTls>,
    /// The most connections of one client.
    pub pool_size: usize,
    /// Names the last intent of this host; None: kept in memory only.
    pub witness: Option<PathBuf>,
}

/// Files of the connection's encryption.
#[derive(Debug, Clone, Default)]
pub(crate) struct ServerTls {
    /// Root certificates; None for the system's.
    pub ca_file: Option<String>,
    pub client_cert: Option<(String, String)>,
}

const URL: &str = "/store/url";
const PORT: u16 = 5432;

/// Reads `store` with a `url`. No error has a part of the URL in it, which may hold the password.
pub(super) fn server(node: &Node<'_>) -> Result<ServerStore, Error> {
    let text = |key: &str| node.get(key).and_then(Node::as_str).filter(|text| !text.is_empty()).map(str::to_owned);
    for key in ["path"] {
        if text(key).is_some() {
            return Err(bad_config(&format!("/store/{key}"), "cannot be given with url"));
        }
    }
    let (url, hosts) = split_hosts(&text("url").unwrap_or_default())?;
    let options = Options::read(&url)?;
    let decoded = |text: &str, what: &str| {
        percent_decoded(text).ok_or_else(|| bad_config(URL, format!("its {what} is not UTF-8 text")))
    };
    let user = decoded(url.username(), "user")?;
    let database = decoded(url.path().trim_start_matches('/'), "database")?;
    if user.is_empty() {
        return Err(bad_config(URL, "must name a user: postgres://user@host/database"));
    }
    if database.is_empty() {
        return Err(bad_config(URL, "must name a database: postgres://user@host/database"));
    }
    let in_url = url.password().map(|text| decoded(text, "password")).transpose()?.map(Zeroizing::new);
    let password = match (in_url, text("password").map(Zeroizing::new)) {
        (Some(_), Some(_)) => return Err(bad_config("/store/password", "is in the URL as well")),
        (a, b) => a.or(b),
    };
    let is_local = hosts.iter().all(|(host, _)| is_loopback(host));
    let tls = match options.sslmode.as_deref() {
        // Without a word, the safe one.
        None | Some("require" | "verify-ca" | "verify-full") => Some(tls(&text)?),
        Some("disable") if is_local => None,
        Some("disable") => {
            return Err(bad_config(URL, "sslmode=disable is for loopback only"));
        }
        Some("prefer" | "allow") => {
            return Err(bad_config(
                URL,
                "sslmode prefer and allow go on without encryption; take verify-full, or disable on loopback",
            ));
        }
        Some(_) => {
            return Err(bad_config(URL, "sslmode must be require, verify-ca or verify-full, or disable on loopback"));
        }
    };
    let pool_size = number(node.get("poolSize"), "/store/poolSize", 1, 100)?.unwrap_or(4) as usize;
    let witness = text("witnessFile")
        .map(|path| std::path::absolute(Path::new(&path)))
        .transpose()
        .map_err(|_| bad_config("/store/witnessFile", "must be the path of a file"))?;
    Ok(ServerStore { hosts, user, password, database, read_write: options.read_write, tls, pool_size, witness })
}

fn tls(text: &dyn Fn(&str) -> Option<String>) -> Result<ServerTls, Error> {
    let client_cert = match (text("clientCertFile"), text("clientKeyFile")) {
        (Some(cert), Some(key)) => Some((cert, key)),
        (None, None) => None,
        (Some(_), None) => return Err(bad_config("/store/clientKeyFile", "is required with clientCertFile")),
        (None, Some(_)) => return Err(bad_config("/store/clientCertFile", "is required with clientKeyFile")),
    };
    Ok(ServerTls { ca_file: text("caFile"), client_cert })
}

/// The URL with one host, and all of its hosts: several are no URL by the standard.
fn split_hosts(text: &str) -> Result<(Url, Vec<(String, u16)>), Error> {
    let bad = |message: &str| bad_config(URL, message);
    let rest = text
        .strip_prefix("postgres://")
        .or_else(|| text.strip_prefix("postgresql://"))
        .ok_or_else(|| bad("must begin with postgres://"))?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let (user, hosts) = match authority.rsplit_once('@') {
        Some((user, hosts)) => (format!("{user}@"), hosts),
        None => (String::new(), authority),
    };
    let mut found = Vec::new();
    for host in hosts.split(',') {
        // Only the host's own form is checked by the standard's rules.
        let url = Url::parse(&format!("postgres://{host}/")).map_err(|_| bad("has a host that is none"))?;
        let name = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
        if name.is_empty() || !url.username().is_empty() {
            return Err(bad("must name a host: postgres://user@host/database"));
        }
        found.push((name.to_owned(), url.port().unwrap_or(PORT)));
    }
    let url = Url::parse(&format!("postgres://{user}host{path}")).map_err(|_| bad("is not a URL"))?;
    if url.fragment().is_some() {
        return Err(bad("must have no fragment"));
    }
    Ok((url, found))
}

/// What follows the `?`.
#[derive(Default)]
struct Options {
    sslmode: Option<String>,
    read_write: bool,
}

impl Options {
    fn read(url: &Url) -> Result<Options, Error> {
        let mut options = Options::default();
        for (name, value) in url.query_pairs() {
            match (&*name, &*value) {
                ("sslmode", mode) => options.sslmode = Some(mode.to_owned()),
                ("target_session_attrs", "read-write" | "primary") => options.read_write = true,
                ("target_session_attrs", "any") => options.read_write = false,
                ("target_session_attrs", _) => {
                    return Err(bad_config(URL, "target_session_attrs must be read-write or any"));
                }
                // Another one could change what the rest means.
                _ => return Err(bad_config(URL, "has an option other than sslmode and target_session_attrs")),
            }
        }
        Ok(options)
    }
}

fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

fn percent_decoded(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let (mut out, mut at) = (Vec::with_capacity(bytes.len()), 0);
    while let Some(byte) = bytes.get(at) {
        let hex = |at: usize| bytes.get(at).and_then(|b| (*b as char).to_digit(16));
        match (byte, hex(at + 1), hex(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                out.push((high * 16 + low) as u8);
                at += 3;
            }
            _ => {
                out.push(*byte);
                at += 1;
            }
        }
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<ServerStore, Error> {
        server(&Node::parse(text).unwrap())
    }

    #[test]
    fn a_url_is_read_whole_and_its_password_is_the_configurations() {
        let store = read(r#"{"url":"postgresql://a%40b:p%2Fw@one:7,[::1],two/c%20d?target_session_attrs=read-write"}"#)
            .unwrap();
        let hosts = [("one".to_owned(), 7), ("::1".to_owned(), 5432), ("two".to_owned(), 5432)];
        assert_eq!((&store.hosts[..], store.user.as_str(), store.database.as_str()), (&hosts[..], "a@b", "c d"));
        assert_eq!(store.password.as_deref().map(String::as_str), Some("p/w"));
        assert!(store.read_write && store.tls.is_some() && store.pool_size == 4);
        let store = read(r#"{"url":"postgres://u@h/d?sslmode=verify-full","password":"x","caFile":"ca.pem"}"#).unwrap();
        assert_eq!(store.tls.unwrap().ca_file.as_deref(), Some("ca.pem"));
    }

    #[test]
    fn encryption_is_left_out_on_loopback_only() {
        for host in ["127.0.0.1", "localhost", "[::1]"] {
            let store = read(&format!(r#"{{"url":"postgres://u@{host}/d?sslmode=disable"}}"#)).unwrap();
            assert!(store.tls.is_none(), "{host}");
        }
        for url in [
            "postgres://u@h/d?sslmode=disable",
            "postgres://u@127.0.0.1,h/d?sslmode=disable",
            "postgres://u@127.0.0.1/d?sslmode=prefer",
            "postgres://u@127.0.0.1/d?sslmode=allow",
            "postgres://u@127.0.0.1/d?options=-cfsync",
            "postgres://u@h/",
            "postgres://h/d",
            "http://u@h/d",
            "postgres://u:canary@/d",
        ] {
            let error = read(&format!(r#"{{"url":"{url}"}}"#)).err().unwrap();
            assert_eq!(error.field.as_deref(), Some("/store/url"), "{url}");
            assert!(!error.message.contains("canary"), "{error}");
        }
        let twice = read(r#"{"url":"postgres://u:a@h/d","password":"b"}"#).err().unwrap();
        assert_eq!(twice.field.as_deref(), Some("/store/password"));
    }
}
