//! Writes whose answer does not come: what was written is found out on another connection, and nothing is sent on a
//! guess.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::fixture::{Fixture, server};
use crate::needs_server;

/// What a proxy does to a connection once it has seen an intent.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Cut {
    /// The server never gets it.
    Before,
    /// The server carries it out, and its answer is lost.
    After,
    /// As [`Cut::After`], each time.
    AfterEach,
    /// The server carries it out, and its answer never comes.
    Silence,
}

/// A proxy before the server, and its port; the counter says how often it has cut.
fn proxy(to: u16, cut: Cut) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let cuts = Arc::new(AtomicUsize::new(0));
    let counter = cuts.clone();
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let counter = counter.clone();
            thread::spawn(move || pass(client, TcpStream::connect(("127.0.0.1", to)).unwrap(), cut, &counter));
        }
    });
    (port, cuts)
}

fn pass(mut client: TcpStream, mut server: TcpStream, cut: Cut, cuts: &AtomicUsize) {
    let (mut back, mut forth) = (server.try_clone().unwrap(), client.try_clone().unwrap());
    let is_cut = Arc::new(AtomicUsize::new(0));
    let seen = is_cut.clone();
    thread::spawn(move || {
        let mut buffer = [0; 65_536];
        while let Ok(read @ 1..) = back.read(&mut buffer) {
            match seen.load(Ordering::SeqCst) {
                0 => forth.write_all(&buffer[..read]).unwrap_or(()),
                // The first answer after the intent: it is carried out.
                1 => break,
                _ => {}
            }
        }
        let _ = forth.shutdown(Shutdown::Both);
        let _ = back.shutdown(Shutdown::Both);
    });
    let mut buffer = [0; 65_536];
    while let Ok(read @ 1..) = client.read(&mut buffer) {
        let is_intent = buffer[..read].windows(17).any(|bytes| bytes == br#""state":"sending""#);
        let may_cut = cut == Cut::AfterEach || cuts.load(Ordering::SeqCst) == 0;
        if is_intent && may_cut {
            cuts.fetch_add(1, Ordering::SeqCst);
            match cut {
                Cut::Before => break,
                Cut::After | Cut::AfterEach => is_cut.store(1, Ordering::SeqCst),
                Cut::Silence => is_cut.store(2, Ordering::SeqCst),
            }
        }
        if server.write_all(&buffer[..read]).is_err() {
            break;
        }
    }
    let _ = server.shutdown(Shutdown::Both);
    let _ = client.shutdown(Shutdown::Both);
}

fn opened_through(cut: Cut) -> (Fixture, Value, usize) {
    let fixture = Fixture::new("default");
    let url = server::url(&fixture.file);
    let port: u16 = url.split(':').nth(3).unwrap().split('/').next().unwrap().parse().unwrap();
    let (through, cuts) = proxy(port, cut);
    let store = json!({"url": url.replace(&format!(":{port}/"), &format!(":{through}/"))});
    let client = Fixture::client(&fixture.vendor, &fixture.file, &json!({"store": store}));
    let order = fixture.order(json!({"airline": "Y4", "paymentMethod": 1}));
    let request = json!({"kind": "void", "orderNo": order, "key": "k"}).to_string();
    let options = if cut == Cut::Silence { r#"{"timeoutMs": 4000}"# } else { "" };
    let reply = serde_json::from_str(client.call("case.open", &request, options).json()).unwrap();
    let cuts = cuts.load(Ordering::SeqCst);
    (fixture, reply, cuts)
}

#[test]
fn an_intent_whose_answer_was_lost_is_read_back_before_anything_is_sent() {
    needs_server!();
    for cut in [Cut::Before, Cut::After] {
        let (fixture, reply, cuts) = opened_through(cut);
        assert_eq!(cuts, 1, "{cut:?}");
        assert_eq!((&reply["outcome"], fixture.sent("void")), (&json!("executed"), 1), "{cut:?} {reply}");
        assert_eq!(fixture.stored()["outcome"], "executed");
    }
}

#[test]
fn an_intent_of_unknown_fate_is_never_followed_by_a_send() {
    needs_server!();
    for cut in [Cut::AfterEach, Cut::Silence] {
        let (fixture, reply, cuts) = opened_through(cut);
        assert!(cuts >= 1, "{cut:?}");
        assert_eq!(fixture.sent("void"), 0, "{cut:?} {reply}");
        let seen = (&reply["outcome"], &reply["error"]["status"]);
        assert!(seen == (&json!("unknown"), &json!(-60)) || reply["ok"] == false, "{cut:?} {reply}");
        assert_ne!(reply["outcome"], "not_executed", "{cut:?} {reply}");
        // Another client finds it out.
        thread::sleep(Duration::from_millis(200));
        let mut case = Value::Null;
        for _ in 0..6 {
            fixture.vendor.advance("70s").unwrap();
            case = fixture.call("case.reconcile", json!({"key": "k"}))["case"].clone();
        }
        assert_eq!((&case["outcome"], fixture.executed("void")), (&json!("not_executed"), 0), "{cut:?} {case}");
    }
}
