//! The vendor's published samples, if available: no field of a sample may be lost.

use std::path::Path;

use atlas_postbooking::dispatch;
use serde_json::{Value, json};

use crate::server::Server;
use crate::vector::{Answer, Step, Vector, bytes_of};

/// Keys that are not in `data` or are renamed there: the envelope, a split currency, older names.
const IGNORED_KEYS: &[&str] =
    &["status", "msg", "requestId", "uuid", "clientRequestId", "refundReason", "refundable", "travelStartDate"];

/// Samples of endpoints that the library does not implement.
const OTHER_ENDPOINTS: &[&str] = &["order", "incidentConfirm", "incidentList", "queryMail"];

/// Runs every sample. The result: its name and the violations.
pub fn run(directory: &Path, vectors: &[&Vector]) -> Vec<(String, Vec<String>)> {
    let mut results = Vec::new();
    let mut folders: Vec<_> = list(directory).into_iter().filter(|p| p.is_dir()).collect();
    folders.sort();
    let server = Server::start(&[], None).expect("a server");
    let config = format!(
        r#"{{"baseUrl":"http://127.0.0.1:{}","clientId":"i","clientSecret":"s","retry":{{"maxAttempts":1}}}}"#,
        server.port
    );
    let Ok(client) = dispatch::open(config.as_bytes()) else { panic!("no client") };
    for folder in folders {
        let operation = name_of(&folder);
        if OTHER_ENDPOINTS.contains(&operation.as_str()) {
            continue;
        }
        let mut files = list(&folder);
        files.sort();
        for file in files {
            let name = format!("{operation}-{}", name_of(&file).replace("-live", ""));
            let Ok(text) = std::fs::read_to_string(&file) else { continue };
            let Ok(sample) = serde_json::from_str::<Value>(&text) else {
                results.push((name, vec!["is not JSON".to_owned()]));
                continue;
            };
            let vector = vectors.iter().find(|v| v.theme == "samples" && v.name == name);
            let Some(vector) = vector else {
                results.push((name, vec!["no vector in samples.json has this name".to_owned()]));
                continue;
            };
            let mismatches = if operation == "webhook" {
                success(&dispatch::call(None, b"parseWebhook", text.as_bytes(), b"", None))
            } else if name.ends_with("request") {
                // Samples of the first API version have fields outside the contract, which need an option.
                let options = bytes_of(vector.options.as_ref());
                server.push(answer(r#"{"status":100}"#));
                let reply = dispatch::call(Some(&client), operation.as_bytes(), text.as_bytes(), &options, None);
                let sent = server.requests().len();
                if sent == 1 { Vec::new() } else { vec![format!("was refused: {}", reply.message())] }
            } else {
                let mut request: Value = serde_json::from_slice(&bytes_of(vector.request.as_ref())).unwrap_or_default();
                for key in ["orderNo", "ticketOrderNo"] {
                    if request.get(key).is_some() && sample.get(key).is_some_and(Value::is_string) {
                        request[key] = sample[key].clone();
                    }
                }
                server.push(answer(&text));
                let reply =
                    dispatch::call(Some(&client), operation.as_bytes(), request.to_string().as_bytes(), b"", None);
                server.requests();
                let mut mismatches = Vec::new();
                if sample["status"] == json!(0) {
                    mismatches = success(&reply);
                }
                let data: Value = serde_json::from_str(reply.data()).unwrap_or_default();
                report_lost_keys(&sample, &data, "", &mut mismatches);
                // In generated samples an amount may be "string"; the documented result is null with a warning.
                let whole: Value = serde_json::from_str(reply.json()).unwrap_or_default();
                let warned =
                    |path: &str| whole["warnings"].as_array().is_some_and(|w| w.iter().any(|w| w["path"] == path));
                mismatches.retain(|f| !f.strip_suffix(" became null").is_some_and(warned));
                mismatches
            };
            results.push((name, mismatches));
        }
    }
    results
}

fn answer(text: &str) -> Step {
    Step { answer: Some(Answer { text: Some(text.to_owned()), ..Answer::default() }), ..Step::default() }
}

fn success(reply: &atlas_postbooking::Reply) -> Vec<String> {
    if reply.error().is_none() { Vec::new() } else { vec![format!("is not a success: {}", reply.message())] }
}

/// Reports the keys of the sample that are missing in the data.
fn report_lost_keys(sample: &Value, data: &Value, path: &str, mismatches: &mut Vec<String>) {
    match (sample, data) {
        (Value::Object(wanted), Value::Object(got)) => {
            for (key, value) in wanted.iter().filter(|(k, _)| !IGNORED_KEYS.contains(&k.as_str())) {
                match got.get(key).or_else(|| got.get("refundOrders")?.get(0)?.get(key)) {
                    Some(found) => report_lost_keys(value, found, &format!("{path}/{key}"), mismatches),
                    None => mismatches.push(format!("{path}/{key} was lost")),
                }
            }
        }
        (Value::Array(wanted), Value::Array(got)) => {
            if wanted.len() != got.len() {
                mismatches.push(format!("{path} had {} items, has {}", wanted.len(), got.len()));
            }
            for (i, (w, g)) in wanted.iter().zip(got).enumerate() {
                report_lost_keys(w, g, &format!("{path}/{i}"), mismatches);
            }
        }
        (Value::Number(_) | Value::String(_), Value::Null) if sample != "" => {
            mismatches.push(format!("{path} became null"));
        }
        _ => {}
    }
}

fn list(directory: &Path) -> Vec<std::path::PathBuf> {
    std::fs::read_dir(directory).into_iter().flatten().filter_map(|e| Some(e.ok()?.path())).collect()
}

fn name_of(path: &Path) -> String {
    path.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default()
}
