//! What cases keep others from, in the table of a store: taken, given up, compared. The holds of some passengers of an
//! order overlap without being equal.

use rusqlite::{Connection, params};

use super::file::Sqlite;
use super::sqlite::{COLUMNS, row};
use super::tables::Tx;
use super::{Name, Row, remnants};
use crate::case::hold::Hold;
use crate::case::model::Case;
use crate::case::vocabulary::CaseOutcome;

/// Closed cases of an order that are due. The plus keeps the planner from the index of all that is due, which is every
/// open case of the store: without statistics it would choose that.
fn closed_of_order() -> String {
    format!("SELECT {COLUMNS} FROM cases WHERE account = ?1 AND order_no = ?2 AND open = 0 AND +due IS NOT NULL")
}

impl Sqlite {
    /// Watched cases on the order: their effect may still show up.
    fn watched(&self, tx: &Connection, order_no: Option<&str>) -> rusqlite::Result<Vec<Row>> {
        let mut statement = tx.prepare_cached(&closed_of_order())?;
        let rows = statement.query_map(params![self.account(), order_no], row)?;
        // A final case that a notification has made due is not a watched one.
        rows.filter(|row| !matches!(row, Ok(row) if !row.case.watched)).collect()
    }

    /// Another case that has one of the holds of this one, but for a closed one that it was opened after. Otherwise the
    /// watched cases of the order learn that this one came after them.
    pub(super) fn take_holds(&self, tx: &Tx<'_>, case: &Case) -> rusqlite::Result<Option<Case>> {
        if let Some(other) = self.other_holder(tx, case)? {
            return Ok(Some(other));
        }
        for earlier in self.watched(tx, case.order_no.as_deref())?.into_iter().filter(|row| row.case.id != case.id) {
            let earlier = Row { case: Case { superseded: true, ..earlier.case }, ..earlier };
            self.put(tx, &earlier, None)?;
        }
        Ok(None)
    }

    /// The cases that have a hold which overlaps this one. The primary key alone keeps equal holds apart; those of some
    /// passengers are compared one by one.
    fn holders(&self, tx: &Connection, hold: &Hold) -> rusqlite::Result<Vec<String>> {
        let exact = hold.to_text();
        let (first, end) = hold.order().map_or((exact.clone(), exact.clone()), Hold::passenger_texts);
        let order = hold.order().unwrap_or(&exact);
        // Two parts: for an OR of both, the planner reads all holds of the account.
        let sql = "SELECT order_no, case_id FROM holds WHERE account = ?1 AND order_no = ?2
             UNION SELECT order_no, case_id FROM holds WHERE account = ?1 AND order_no >= ?3 AND order_no < ?4";
        let mut statement = tx.prepare_cached(sql)?;
        let rows = statement.query_map(params![self.account(), order, first, end], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
        })?;
        let mut holders = Vec::new();
        for row in rows {
            let (text, holder) = row?;
            if Hold::from_text(&text).overlaps(hold) && !holders.contains(&holder) {
                holders.push(holder);
            }
        }
        Ok(holders)
    }

    /// Writes the holds of the case.
    pub(super) fn write_holds(&self, tx: &Tx<'_>, case: &Case) -> rusqlite::Result<()> {
        tx.prepare_cached("DELETE FROM holds WHERE case_id = ?1")?.execute([&case.id])?;
        if case.is_holding() {
            for hold in &case.holds {
                tx.prepare_cached("INSERT OR IGNORE INTO holds (account, order_no, case_id) VALUES (?1, ?2, ?3)")?
                    .execute(params![self.account(), hold.to_text(), case.id])?;
            }
        }
        Ok(())
    }

    /// The case that this one was opened after, the one that that one was opened after, and so on.
    fn opened_after(&self, connection: &Connection, case: &Case) -> rusqlite::Result<Vec<String>> {
        let (mut earlier, mut next) = (Vec::new(), case.after.clone());
        while let Some(id) = next.filter(|id| !earlier.contains(id)) {
            next = self.by_id(connection, &id)?.and_then(|row| row.case.after);
            earlier.push(id);
        }
        Ok(earlier)
    }

    /// Another case that has one of the holds of this one. A closed one keeps its holds while it is watched, and stands
    /// in the way of every case that does not name it; what was paid stands in the way of every other payment.
    pub(super) fn other_holder(&self, connection: &Connection, case: &Case) -> rusqlite::Result<Option<Case>> {
        let earlier = self.opened_after(connection, case)?;
        for hold in &case.needs() {
            for holder in self.holders(connection, hold)?.into_iter().filter(|holder| *holder != case.id) {
                let is_payment = matches!(hold, Hold::Payment(_));
                let is_given_up = |case: &Case| case.closed && case.outcome == CaseOutcome::NotExecuted;
                match self.by_id(connection, &holder)? {
                    Some(row) if is_given_up(&row.case) && earlier.contains(&holder) && !is_payment => {}
                    Some(row) => return Ok(Some(row.case)),
                    // What a purged case has paid stays paid.
                    None => {
                        if let Some(remnant) = remnants::find(connection, &self.account(), &Name::Id(holder))? {
                            return Ok(Some(remnant.case()));
                        }
                    }
                }
            }
        }
        Ok(None)
    }
}
