//! The passengers of an order, as this store first read them: digests, of which positions are counted.

use rusqlite::{Connection, OptionalExtension, params};

use crate::case::passengers::OrderPassengers;

pub(super) fn find(
    connection: &Connection,
    account: &str,
    order_no: &str,
) -> rusqlite::Result<Option<OrderPassengers>> {
    let sql = "SELECT body FROM order_passengers WHERE account = ?1 AND order_no = ?2";
    let text: Option<String> =
        connection.prepare_cached(sql)?.query_row(params![account, order_no], |row| row.get(0)).optional()?;
    text.map(|text| serde_json::from_str(&text))
        .transpose()
        .map_err(|e| rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, Box::new(e)))
}
