//! A request before it is sent: the operation in the first line, then any text.
#![no_main]

use atlas_fuzz::{check_reply, operation, split};
use atlas_postbooking::dispatch;
use libfuzzer_sys::fuzz_target;
use serde::Deserialize;
use serde_json::value::RawValue;

/// Where our reader gives more or less than serde_json: half surrogates, and how deep and how long a text may be.
const DIFFERENT: usize = 100;

fuzz_target!(|input: &[u8]| {
    let (name, request) = split(input, b'\n');
    let operation = operation(name);
    let reply = dispatch::validate(operation.as_bytes(), request);
    check_reply(reply.json(), reply.outcome().number(), reply.status().number(), input);
    let Ok(text) = std::str::from_utf8(request) else {
        assert_eq!(reply.status().number(), -2, "{}", reply.json());
        return;
    };
    if text.trim().len() > 1 && !text.contains("\\u") && text.matches(['[', '{']).count() < DIFFERENT {
        let is_json = serde_json::from_str::<&RawValue>(text).is_ok();
        assert_eq!(reply.status().number() != -3, is_json, "{text}: {}", reply.json());
    }
    // The body that would be sent is a request too, and is sent as it is.
    let body = |json: &str| {
        serde_json::from_str::<Valid<'_>>(json).ok().and_then(|reply| Some(reply.data?.body?.get().to_owned()))
    };
    if let Some(sent) = body(reply.json()) {
        let again = dispatch::validate(operation.as_bytes(), sent.as_bytes());
        assert_eq!(body(again.json()).as_ref(), Some(&sent), "{operation} {text}: {}", again.json());
    }
});

#[derive(Deserialize)]
struct Valid<'a> {
    #[serde(borrow)]
    data: Option<Data<'a>>,
}

#[derive(Deserialize)]
struct Data<'a> {
    /// With the digits that it has: an amount is no binary fraction.
    #[serde(borrow)]
    body: Option<&'a RawValue>,
}
