//! What the fuzz targets share: the operations, what must hold of every reply, and a place for stores.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::LazyLock;

use atlas_postbooking::dispatch;
use serde_json::Value;

pub mod rules;
pub mod store;

/// The clients' secret. No text that the library writes may have it.
pub const SECRET: &str = "zq9-fuzz-secret-7f3a";

/// Nothing listens there: a call ends before anything leaves.
pub const CLOSED_PORT: &str = "http://127.0.0.1:1";

/// Name and kind (`read`, `quote`, `submit`, `local`) of every operation.
pub static OPERATIONS: LazyLock<BTreeMap<String, String>> = LazyLock::new(|| {
    let reply: Value = serde_json::from_str(dispatch::describe(None).json()).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let rows = reply["data"]["operations"].as_array().unwrap();
    rows.iter().map(|row| (text(&row["name"]), text(&row["kind"]))).collect()
});

/// Whether this is an operation that changes something at the vendor.
pub fn is_submit(operation: &str) -> bool {
    OPERATIONS.get(operation).is_some_and(|kind| kind == "submit")
}

/// The operation that a name or, for any other text, a number made of it means: most inputs name one.
pub fn operation(name: &[u8]) -> &'static str {
    if let Some((known, _)) = std::str::from_utf8(name).ok().and_then(|name| OPERATIONS.get_key_value(name)) {
        return known;
    }
    let number = name.iter().fold(0_usize, |sum, byte| sum.wrapping_mul(31).wrapping_add(usize::from(*byte)));
    OPERATIONS.keys().nth(number % OPERATIONS.len()).unwrap()
}

/// An input up to its first `mark`, and what follows.
pub fn split(input: &[u8], mark: u8) -> (&[u8], &[u8]) {
    match input.iter().position(|byte| *byte == mark) {
        Some(at) => (&input[..at], &input[at + 1..]),
        None => (input, &[]),
    }
}

/// What holds of every reply; `input` is everything that the caller or the vendor wrote.
pub fn check_reply(json: &str, outcome: i32, status: i32, input: &[u8]) -> Value {
    let reply: Value =
        serde_json::from_str(json).unwrap_or_else(|error| panic!("a reply is not JSON: {error}: {json}"));
    let word = ["unknown", "executed", "not_executed", "pending"][outcome as usize];
    assert_eq!(reply["outcome"], word, "{json}");
    assert_eq!(reply["ok"], status == 0, "{json}");
    assert_eq!(reply["error"].is_null(), status == 0, "{json}");
    if status != 0 {
        assert_eq!(reply["error"]["status"], status, "{json}");
    }
    assert!(!matches!(status, -91 | -92), "an internal error: {json}");
    for words in ["panicked", "unwrap()", "index out of bounds", ".rs:"] {
        assert!(!json.contains(words) || contains(input, words.as_bytes()), "text of a panic: {json}");
    }
    if !contains(input, SECRET.as_bytes()) {
        assert!(!json.contains(SECRET), "the secret: {json}");
    }
    reply
}

/// Whether the bytes stand somewhere in the text.
pub fn contains(text: &[u8], bytes: &[u8]) -> bool {
    text.windows(bytes.len()).any(|window| window == bytes)
}

/// A folder of this process, in memory where the machine has that. Whoever runs the targets removes it.
pub fn folder() -> PathBuf {
    let parent = std::env::var_os("FUZZ_FOLDER").map_or_else(std::env::temp_dir, PathBuf::from);
    let folder = parent.join(format!("apb-fuzz-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}
