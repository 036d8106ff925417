//! The store's file, damaged: bytes of it (`f`), its end (`t`), or a value in a row (`v`: put, `e`: edited).
#![no_main]

use std::path::Path;
use std::sync::LazyLock;

use atlas_fuzz::check_reply;
use atlas_fuzz::store::{KEYS, TEMPLATE, config, place};
use atlas_postbooking::blocking::Client;
use libfuzzer_sys::fuzz_target;
use rusqlite::Connection;
use rusqlite::types::Value as Cell;
use serde_json::json;

/// Table and column of every value.
static COLUMNS: LazyLock<Vec<(String, String)>> = LazyLock::new(|| {
    let connection = Connection::open(place(&TEMPLATE.bytes)).unwrap();
    let names = |sql: &str| -> Vec<String> {
        let mut statement = connection.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| row.get(0)).unwrap();
        rows.map(Result::unwrap).collect()
    };
    let mut all = Vec::new();
    for table in names("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name")
    {
        // SQLite is built without its table of columns.
        let statement = connection.prepare(&format!("SELECT * FROM {table}")).unwrap();
        let columns = statement.column_names();
        all.extend(columns.into_iter().map(|column| (table.clone(), column.to_owned())));
    }
    all
});

fuzz_target!(|input: &[u8]| {
    let Some((kind, rest)) = input.split_first() else { return };
    let mut bytes = TEMPLATE.bytes.clone();
    match kind {
        b'f' => overwrite(&mut bytes, rest),
        b't' => bytes.truncate(number(rest) % (bytes.len() + 1)),
        _ => {}
    }
    let file = place(&bytes);
    if matches!(kind, b'v' | b'e') && change(&file, *kind == b'e', rest).is_none() {
        return;
    }
    use_it(&file, input);
});

/// A number of up to three bytes.
fn number(bytes: &[u8]) -> usize {
    bytes.iter().take(3).fold(0, |sum, byte| sum << 8 | usize::from(*byte))
}

/// Pieces: where (3 bytes), how many bytes (1), the bytes.
fn overwrite(bytes: &mut [u8], mut pieces: &[u8]) {
    while let [a, b, c, count, rest @ ..] = pieces {
        let at = number(&[*a, *b, *c]) % bytes.len();
        let piece = &rest[..usize::from(*count).min(rest.len()).min(bytes.len() - at)];
        bytes[at..at + piece.len()].copy_from_slice(piece);
        pieces = &rest[piece.len()..];
    }
}

/// Puts a value into the column and the row that the first bytes name: `[column, row, type, value…]`, or edits the text
/// that is there: `[column, row, at, at, removed, inserted…]`. None if there is no such row, or it may not stand there.
fn change(file: &Path, is_edit: bool, input: &[u8]) -> Option<()> {
    let [column, row, rest @ ..] = input else { return None };
    let (table, column) = &COLUMNS[usize::from(*column) % COLUMNS.len()];
    let connection = Connection::open(file).unwrap();
    let read = format!("SELECT {column} FROM {table} LIMIT 1 OFFSET ?1");
    let old: Cell = connection.query_row(&read, [row % 8], |row| row.get(0)).ok()?;
    let new = if is_edit { edited(old.clone(), rest)? } else { value(rest)? };
    // Tables without a rowid have no other name for a row; equal values are changed together.
    let write = format!("UPDATE {table} SET {column} = ?1 WHERE {column} IS ?2");
    connection.execute(&write, [&new, &old]).ok()?;
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).ok()
}

fn value(input: &[u8]) -> Option<Cell> {
    let (kind, value) = input.split_first()?;
    let text = || String::from_utf8_lossy(value).into_owned();
    let mut eight = [0; 8];
    value.iter().zip(&mut eight).for_each(|(byte, to)| *to = *byte);
    Some(match kind % 5 {
        0 => Cell::Null,
        1 => Cell::Integer(i64::from_le_bytes(eight)),
        2 => Cell::Real(f64::from_le_bytes(eight)),
        3 => Cell::Text(text()),
        _ => Cell::Blob(value.to_vec()),
    })
}

fn edited(old: Cell, input: &[u8]) -> Option<Cell> {
    let [a, b, removed, inserted @ ..] = input else { return None };
    let (mut bytes, is_text) = match old {
        Cell::Text(text) => (text.into_bytes(), true),
        Cell::Blob(bytes) => (bytes, false),
        _ => return None,
    };
    let at = number(&[*a, *b]) % (bytes.len() + 1);
    let end = (at + usize::from(*removed)).min(bytes.len());
    bytes.splice(at..end, inserted.iter().copied());
    Some(if is_text { Cell::Text(String::from_utf8_lossy(&bytes).into_owned()) } else { Cell::Blob(bytes) })
}

/// Whatever the file is, each call ends with a reply that says so.
fn use_it(file: &Path, input: &[u8]) {
    let client = match Client::new(&config(file).to_string()) {
        Ok(client) => client,
        Err(error) => {
            assert!(error.code.as_str().starts_with("store_"), "{error:?}");
            return;
        }
    };
    let order = &TEMPLATE.orders[1];
    let mut calls = vec![
        ("case.list", json!({})),
        ("case.list", json!({"changedSince": 0, "limit": 2})),
        ("case.stats", json!({})),
        ("case.export", json!({})),
        ("case.notify", json!({"body": json!({"type": "order.void", "data": {"orderNo": order}}).to_string()})),
        ("case.reconcile", json!({"all": true})),
        ("case.follow", json!({"all": true, "until": "step", "timeoutMs": 100})),
        ("case.open", json!({"kind": "void", "orderNo": order, "key": "another"})),
        ("case.open", json!({"kind": "void", "orderNo": TEMPLATE.orders[0], "key": "settled"})),
        ("void", json!({"orderNo": order, "voidOfferId": "q_00000000000000000000000000000a01"})),
        ("case.purge", json!({"olderThan": "2030-01-01T00:00:00Z"})),
    ];
    calls.extend(KEYS.map(|key| ("case.get", json!({"key": key}))));
    for (operation, request) in calls {
        let reply = client.call(operation, &request.to_string(), "");
        // What stands in the damaged rows may come back, so that nothing is known of its words.
        check_reply(reply.json(), reply.outcome().number(), reply.status().number(), input);
        if operation == "void" {
            // The vendor cannot be reached, so nothing can have been executed.
            assert_ne!(reply.outcome().name(), "executed", "{}", reply.json());
        }
    }
}
