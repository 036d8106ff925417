//! A notification, which anybody can send: any text, in a store that has cases.
#![no_main]

use std::cell::RefCell;

use atlas_fuzz::check_reply;
use atlas_fuzz::store::{KEYS, TEMPLATE, config, place};
use atlas_postbooking::blocking::Client;
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};

/// Notifications are recorded: after so many inputs the store is made anew.
const INPUTS_PER_STORE: usize = 2000;

struct Scene {
    client: Client,
    inputs: usize,
    cases: Vec<Value>,
}

thread_local! {
    static SCENE: RefCell<Option<Scene>> = const { RefCell::new(None) };
}

fuzz_target!(|input: &[u8]| {
    let text = String::from_utf8_lossy(input);
    SCENE.with_borrow_mut(|slot| {
        let scene = slot.get_or_insert_with(scene);
        // In place of a word that a mutation cannot guess, an order of the store.
        let body = text.replace("ORDER", &TEMPLATE.orders[1]);
        let parsed = scene.client.call("parseWebhook", &body, "");
        check_reply(parsed.json(), parsed.outcome().number(), parsed.status().number(), body.as_bytes());
        let requests = [json!({"body": body}).to_string(), format!("{{\"body\":{body}}}")];
        for (request, is_text) in requests.iter().zip([true, false]) {
            let reply = scene.client.call("case.notify", request, "");
            let json = check_reply(reply.json(), reply.outcome().number(), reply.status().number(), request.as_bytes());
            if is_text {
                // What parseWebhook reads, case.notify takes; and nothing else.
                assert_eq!(reply.status().number() == 0, parsed.status().number() == 0, "{body}: {}", reply.json());
                let parsed: Value = serde_json::from_str(parsed.json()).unwrap();
                assert_eq!(json["data"]["orderNo"], parsed["data"]["orderNo"], "{body}");
            }
        }
        // It is unsigned: it proves nothing, and changes no case but for when it is asked about.
        assert_eq!(scene.cases, cases(&scene.client), "{body}");
        scene.inputs += 1;
        if scene.inputs > INPUTS_PER_STORE {
            *slot = None;
        }
    });
});

fn scene() -> Scene {
    let file = place(&TEMPLATE.bytes);
    let client = Client::new(&config(&file).to_string()).unwrap();
    let cases = cases(&client);
    assert_eq!(cases.len(), KEYS.len());
    Scene { client, inputs: 0, cases }
}

/// The cases without what a notification may change.
fn cases(client: &Client) -> Vec<Value> {
    let reply: Value = serde_json::from_str(client.call("case.list", "{}", "").json()).unwrap();
    let mut cases = reply["data"]["cases"].as_array().unwrap().clone();
    for case in &mut cases {
        for key in ["nextDueAt", "updatedAt", "change"] {
            case.as_object_mut().unwrap().remove(key);
        }
    }
    cases
}
