//! The format of a vector file, as `README.md` describes it. Bodies, requests and replies stay raw
//! text, because bytes are what is compared.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::{MapAccess, Visitor};
use serde_json::value::RawValue;

/// JSON as it stands in the file.
pub type Raw = Box<RawValue>;

/// The members of an object, in the order of the text.
#[derive(Debug, Clone, Default)]
pub struct Ordered(pub Vec<(String, Raw)>);

impl<'de> Deserialize<'de> for Ordered {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Ordered;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Ordered, M::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Ordered(members))
            }
        }
        d.deserialize_map(Members)
    }
}

/// What a caller is asked to do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verb {
    /// Makes a client and calls.
    #[default]
    Call,
    /// Calls without a client.
    Local,
    Validate,
    Describe,
}

/// What the server listens with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Listen {
    #[default]
    Plain,
    Tls,
    TlsExpired,
    TlsNotYet,
    TlsWrongHost,
    TlsUnknownCa,
    TlsClientCert,
    TlsGarbage,
    /// Nobody listens on that port.
    Dead,
    /// The queue of connections is full, so that connecting takes for ever.
    Full,
}

/// What the proxy in between does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Proxy {
    /// A tunnel by CONNECT.
    Tunnel,
    /// As above, and asks for `user:pass`.
    TunnelAuth,
    Answers407,
    Answers502,
    Closes,
    Stalls,
    Garbage,
    Socks5,
    Socks5Refuses,
    Dead,
}

/// One thing that the server does, each with one request.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Step {
    pub answer: Option<Answer>,
    /// `reset`, `close`, `stall`, `garbage`, all after the request was read.
    #[serde(rename = "do")]
    pub act: Option<String>,
    /// `accept`: acts before anything is read.
    pub at: Option<String>,
    pub times: Option<usize>,
}

/// An HTTP answer.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Answer {
    pub status: Option<u16>,
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// JSON, sent with exactly these bytes.
    pub body: Option<Raw>,
    pub text: Option<String>,
    pub hex: Option<String>,
    /// Sends the body so often.
    pub repeat: Option<usize>,
    #[serde(default)]
    pub gzip: bool,
    #[serde(default)]
    pub chunked: bool,
    /// No length at all: the end of the connection ends the body.
    #[serde(default)]
    pub until_close: bool,
    /// Claims this length.
    pub length: Option<usize>,
    /// Sends only so many bytes of the body, then does `then`.
    pub cut: Option<usize>,
    /// `close` (default), `reset` or `stall`, after a cut.
    pub then: Option<String>,
    /// Waits before the answer.
    pub delay_ms: Option<u64>,
    /// Waits after every byte of the body.
    pub trickle_ms: Option<u64>,
    /// An interim answer first.
    pub interim: Option<u16>,
}

/// The request that must arrive.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wire {
    pub path: String,
    pub body: Option<Raw>,
    /// These headers, with these values; null means that it must be absent.
    #[serde(default)]
    pub headers: BTreeMap<String, Option<String>>,
}

/// A simulated Atlas with these orders.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Atlas {
    pub profile: Option<String>,
    #[serde(default)]
    pub orders: Vec<Raw>,
}

/// A control call of the simulator, or an earlier call by a client of its own on the same store.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Earlier {
    pub control: Option<String>,
    pub body: Option<Raw>,
    pub operation: Option<String>,
    pub request: Option<Raw>,
    /// By a client without the vector's own configuration: somebody else.
    #[serde(default)]
    pub stranger: bool,
    /// `executed` unless it says otherwise.
    pub outcome: Option<String>,
}

/// What was written by hand from the surface; the whole reply is compared besides.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Expect {
    pub outcome: Option<String>,
    pub status: Option<i32>,
    pub code: Option<String>,
    pub advice: Option<String>,
    pub next: Option<String>,
    pub vendor_code: Option<String>,
    pub field: Option<String>,
    pub retry_after_ms: Option<u64>,
    /// Codes of the warnings, in order.
    pub warnings: Option<Vec<String>>,
    /// JSON Pointers into the reply, and the exact text that stands there.
    #[serde(default)]
    pub at: BTreeMap<String, Raw>,
    /// `none`, or the exact text of apb_reply_raw.
    pub raw: Option<String>,
}

/// One vector.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Vector {
    pub name: String,
    #[expect(dead_code, reason = "for the reader of the file")]
    pub about: Option<String>,
    #[serde(default)]
    pub verb: Verb,
    pub operation: String,
    pub config: Option<Raw>,
    pub options: Option<Raw>,
    pub request: Option<Raw>,
    pub request_hex: Option<String>,
    /// Calls so often with one client; the last reply counts.
    pub times: Option<usize>,
    #[serde(default)]
    pub listen: Listen,
    pub proxy: Option<Proxy>,
    #[serde(default)]
    pub server: Vec<Step>,
    pub wire: Option<Wire>,
    /// Requests that arrive whole; as many as there are steps unless given.
    pub requests: Option<usize>,
    pub connections: Option<usize>,
    /// A simulated Atlas instead of the scripted server.
    pub atlas: Option<Atlas>,
    /// What happens in it before the call.
    #[serde(default)]
    pub before: Vec<Earlier>,
    /// Submits that the simulated Atlas carried out when the call is over.
    pub executed: Option<usize>,
    #[serde(default)]
    pub expect: Expect,
    pub reply: Option<Raw>,
    #[serde(skip)]
    pub theme: String,
}

impl Vector {
    /// `theme/name`.
    pub fn id(&self) -> String {
        format!("{}/{}", self.theme, self.name)
    }

    /// Whole requests that must arrive.
    pub fn expected_requests(&self) -> usize {
        self.requests.unwrap_or_else(|| self.server.iter().map(|s| s.times.unwrap_or(1)).sum())
    }
}

/// Raw JSON as the bytes it stands for: text in a string, anything else as written.
pub fn bytes_of(raw: Option<&Raw>) -> Vec<u8> {
    match raw.map(|r| r.get()) {
        None => Vec::new(),
        Some(text) if text.starts_with('"') => {
            serde_json::from_str::<String>(text).expect("a JSON string").into_bytes()
        }
        Some(text) => text.as_bytes().to_vec(),
    }
}

/// Bytes written in hexadecimal.
pub fn unhex(text: &str) -> Vec<u8> {
    text.as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).expect("ASCII"), 16).expect("hexadecimal"))
        .collect()
}

/// One file of vectors.
pub struct File {
    pub path: PathBuf,
    pub about: String,
    pub vectors: Vec<(Vector, Ordered)>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    about: String,
    vectors: Vec<Raw>,
}

/// Reads all vector files of a directory.
pub fn load(directory: &Path) -> Result<Vec<File>, String> {
    let mut paths: Vec<_> = std::fs::read_dir(directory)
        .map_err(|e| format!("{}: {e}", directory.display()))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|e| e == "json"))
        .collect();
    paths.sort();
    paths.into_iter().map(|path| load_file(&path)).collect()
}

fn load_file(path: &Path) -> Result<File, String> {
    let wrong = |e: String| format!("{}: {e}", path.display());
    let text = std::fs::read_to_string(path).map_err(|e| wrong(e.to_string()))?;
    let file: Text = serde_json::from_str(&text).map_err(|e| wrong(e.to_string()))?;
    let theme = path.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
    let mut vectors: Vec<(Vector, Ordered)> = Vec::new();
    for raw in file.vectors {
        let members: Ordered = serde_json::from_str(raw.get()).map_err(|e| wrong(e.to_string()))?;
        let mut vector: Vector = serde_json::from_str(raw.get())
            .map_err(|e| wrong(format!("{e} in {}", raw.get().chars().take(120).collect::<String>())))?;
        vector.theme.clone_from(&theme);
        if vectors.iter().any(|(other, _)| other.name == vector.name) {
            return Err(wrong(format!("two vectors are named {}", vector.name)));
        }
        vectors.push((vector, members));
    }
    Ok(File { path: path.to_owned(), about: file.about, vectors })
}

impl File {
    /// Writes the file again: one member of a vector per line.
    pub fn save(&self) -> std::io::Result<()> {
        let mut out = format!("{{\n\"about\": {},\n\"vectors\": [", serde_json::Value::from(self.about.as_str()));
        for (i, (_, members)) in self.vectors.iter().enumerate() {
            out.push_str(if i > 0 { ",\n{\n" } else { "\n{\n" });
            for (j, (key, value)) in members.0.iter().enumerate() {
                let end = if j + 1 < members.0.len() { "," } else { "" };
                out.push_str(&format!("  \"{key}\": {}{end}\n", value.get()));
            }
            out.push('}');
        }
        out.push_str("\n]\n}\n");
        std::fs::write(&self.path, out)
    }
}
