//! The format of a vector file, as `README.md` describes it. Bodies, requests and replies stay raw
//! text, because bytes are what is compared.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::{MapAccess, Visitor};
use serde_json::value::RawValue;

/// JSON with the bytes of the file.
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

/// The function that a caller calls.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verb {
    /// Makes a client and a call.
    #[default]
    Call,
    /// A call without a client.
    Local,
    Validate,
    Describe,
}

/// How the server listens.
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
    /// Nothing listens on the port.
    Dead,
    /// The accept queue is full, so that connecting times out.
    Full,
}

/// The behaviour of the proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Proxy {
    /// A tunnel with CONNECT.
    Tunnel,
    /// A tunnel with CONNECT that requires `user:pass`.
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

/// The server's reaction to one request.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Step {
    pub answer: Option<Answer>,
    /// `reset`, `close`, `stall` or `garbage`, after the request was read.
    #[serde(rename = "do")]
    pub perform_action: Option<String>,
    /// `accept`: the action happens before anything is read.
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
    /// Further lines of the head, malformed ones too.
    #[serde(default)]
    pub head: Vec<String>,
    /// JSON, sent with exactly these bytes.
    pub body: Option<Raw>,
    pub text: Option<String>,
    pub hex: Option<String>,
    /// The number of times that the body is sent.
    pub repeat: Option<usize>,
    #[serde(default)]
    pub gzip: bool,
    #[serde(default)]
    pub chunked: bool,
    /// No length: the body ends with the connection.
    #[serde(default)]
    pub until_close: bool,
    /// A false Content-Length.
    pub length: Option<usize>,
    /// The number of bytes of the body that are sent before `then`.
    pub cut: Option<usize>,
    /// `close` (default), `reset` or `stall`, after a cut.
    pub then: Option<String>,
    /// Delay before the answer.
    pub delay_ms: Option<u64>,
    /// Delay after each byte of the body.
    pub trickle_ms: Option<u64>,
    /// The status of an interim response before the answer.
    pub interim: Option<u16>,
}

/// The request that must arrive.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wire {
    pub path: String,
    pub body: Option<Raw>,
    /// Headers and their values; null: the header must be absent.
    #[serde(default)]
    pub headers: BTreeMap<String, Option<String>>,
}

/// The simulator with these orders.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Atlas {
    pub profile: Option<String>,
    #[serde(default)]
    pub orders: Vec<Raw>,
}

/// A control call of the simulator, or an earlier call by a separate client on the same store.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Earlier {
    pub control: Option<String>,
    pub body: Option<Raw>,
    pub operation: Option<String>,
    pub request: Option<Raw>,
    /// By another client, with the default configuration instead of the vector's.
    #[serde(default)]
    pub stranger: bool,
    /// The expected outcome; `executed` by default.
    pub outcome: Option<String>,
}

/// Expectations written by hand from the documentation. The whole reply is compared too.
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
    /// JSON Pointers into the reply, and the exact text there.
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
    #[expect(dead_code, reason = "documentation in the file")]
    pub about: Option<String>,
    #[serde(default)]
    pub verb: Verb,
    pub operation: String,
    pub config: Option<Raw>,
    pub options: Option<Raw>,
    pub request: Option<Raw>,
    pub request_hex: Option<String>,
    /// The number of calls with one client; the last reply is compared.
    pub times: Option<usize>,
    #[serde(default)]
    pub listen: Listen,
    pub proxy: Option<Proxy>,
    #[serde(default)]
    pub server: Vec<Step>,
    pub wire: Option<Wire>,
    /// The number of complete requests; by default the number of steps.
    pub requests: Option<usize>,
    pub connections: Option<usize>,
    /// The simulator instead of the scripted server.
    pub atlas: Option<Atlas>,
    /// Control calls and calls before the vector's own.
    #[serde(default)]
    pub before: Vec<Earlier>,
    /// The number of submits that the simulator has executed after the call.
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

    /// The number of complete requests that must arrive.
    pub fn expected_requests(&self) -> usize {
        self.requests.unwrap_or_else(|| self.server.iter().map(|s| s.times.unwrap_or(1)).sum())
    }
}

/// The bytes of raw JSON: the characters of a string, anything else as written.
pub fn bytes_of(raw: Option<&Raw>) -> Vec<u8> {
    match raw.map(|r| r.get()) {
        None => Vec::new(),
        Some(text) if text.starts_with('"') => {
            serde_json::from_str::<String>(text).expect("a JSON string").into_bytes()
        }
        Some(text) => text.as_bytes().to_vec(),
    }
}

/// Decodes hexadecimal.
pub fn unhex(text: &str) -> Vec<u8> {
    text.as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).expect("ASCII"), 16).expect("hexadecimal"))
        .collect()
}

/// A file of vectors.
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
        if vectors.iter().any(|(is_other_order, _)| is_other_order.name == vector.name) {
            return Err(wrong(format!("two vectors are named {}", vector.name)));
        }
        vectors.push((vector, members));
    }
    Ok(File { path: path.to_owned(), about: file.about, vectors })
}

impl File {
    /// Writes the file, with each member of a vector on a line.
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
