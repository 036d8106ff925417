//! Who uses a store.

use crate::digest::sha256_hex;

/// Who uses the store: where its vendor is, by which credentials, under which name.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    /// Digest of base URL and client id. The secret does not belong to it.
    pub client: String,
    pub host: String,
    pub last_four: String,
    pub name: Option<String>,
}

impl Identity {
    /// `base_url` is a parsed URL's text; a slash at its end does not matter.
    pub fn new(base_url: &str, host: &str, client_id: &str, name: Option<String>) -> Identity {
        let identity = format!("{}\n{client_id}", base_url.trim_end_matches('/'));
        let start = client_id.char_indices().rev().nth(3).map_or(0, |(at, _)| at);
        Identity {
            // As earlier releases shortened it.
            client: sha256_hex(identity.as_bytes()).chars().take(24).collect(),
            host: host.to_owned(),
            last_four: client_id.get(start..).unwrap_or_default().to_owned(),
            name,
        }
    }

    /// Of somebody who looks at a store as a whole.
    #[cfg(feature = "postgres")]
    pub fn nobody() -> Identity {
        Identity { client: String::new(), host: String::new(), last_four: String::new(), name: Some(String::new()) }
    }

    /// Whether the client gave a name: then it can be made, and is refused at its calls.
    pub fn is_named(&self) -> bool {
        self.name.is_some()
    }
}
