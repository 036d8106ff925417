//! What cases keep others from, in the table of one store: taken, given up, compared. Holds of some passengers of an
//! order overlap without being equal.

use rusqlite::{Connection, Transaction, params};

use super::file::Sqlite;
use super::sqlite::{COLUMNS, row};
use super::{Name, Row, remnants};
use crate::case::hold::Hold;
use crate::case::model::Case;
use crate::case::vocabulary::StepName;

impl Sqlite {
    /// Watched cases on the order: their effect may still show up.
    fn watched(&self, tx: &Connection, order_no: Option<&str>) -> rusqlite::Result<Vec<Row>> {
        let sql = format!(
            "SELECT {COLUMNS} FROM cases WHERE account = ?1 AND order_no = ?2 AND open = 0 AND due IS NOT NULL"
        );
        tx.prepare_cached(&sql)?.query_map(params![self.account(), order_no], row)?.collect()
    }

    /// Frees the holds of the case from what may give them up; gives the case that has one of them.
    pub(super) fn take_holds(
        &self,
        tx: &Transaction<'_>,
        case: &Case,
        after: Option<&str>,
    ) -> rusqlite::Result<Option<Case>> {
        let mut earlier = Vec::new();
        for hold in &case.holds {
            for holder in self.other_holders(tx, case, hold)? {
                let gives_up = after == Some(holder.as_str()) && !matches!(hold, Hold::Payment(_));
                match self.by_id(tx, &holder)? {
                    // Only a closed case gives up its holds, and only to a case that names it; never that of a payment.
                    Some(row) if row.case.closed && gives_up => earlier.push(holder),
                    Some(row) => return Ok(Some(row.case)),
                    // What a purged case has paid stays paid.
                    None => {
                        if let Some(remnant) = remnants::find(tx, &self.account(), &Name::Id(holder))? {
                            return Ok(Some(remnant.case()));
                        }
                    }
                }
            }
        }
        // Only now, when nothing else is in the way.
        earlier.dedup();
        for holder in earlier {
            if let Some(mut row) = self.by_id(tx, &holder)? {
                row.case.holds.retain(|hold| matches!(hold, Hold::Payment(_)));
                self.put(tx, &row, None)?;
            }
        }
        for earlier in self.watched(tx, case.order_no.as_deref())?.into_iter().filter(|row| row.case.id != case.id) {
            let earlier = Row { case: Case { superseded: true, ..earlier.case }, ..earlier };
            self.put(tx, &earlier, None)?;
        }
        Ok(None)
    }

    /// The other cases that have a hold which overlaps this one: the primary key keeps only equal holds apart.
    fn other_holders(&self, tx: &Connection, case: &Case, hold: &Hold) -> rusqlite::Result<Vec<String>> {
        let exact = hold.to_text();
        let (first, end) = hold.order().map_or((exact.clone(), exact.clone()), Hold::passenger_texts);
        let order = hold.order().unwrap_or(&exact);
        let sql = "SELECT order_no, case_id FROM holds WHERE account = ?1 AND case_id <> ?5
             AND (order_no = ?2 OR (order_no >= ?3 AND order_no < ?4))";
        let mut statement = tx.prepare_cached(sql)?;
        let rows = statement.query_map(params![self.account(), order, first, end, case.id], |row| {
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

    /// Whether a refund or void is about to be sent of passengers whom the case does not hold.
    pub(super) fn lacks_hold(&self, tx: &Connection, case: &Case) -> rusqlite::Result<bool> {
        let gives_back = case.last_step().is_some_and(|s| matches!(s.name, StepName::Refund | StepName::Void));
        let Some(hold) = case.order_hold().filter(|_| gives_back) else { return Ok(false) };
        Ok(!case.holds.contains(&hold) || !self.other_holders(tx, case, &hold)?.is_empty())
    }

    /// Writes the holds of the case.
    pub(super) fn write_holds(&self, tx: &Transaction<'_>, case: &Case) -> rusqlite::Result<()> {
        tx.prepare_cached("DELETE FROM holds WHERE case_id = ?1")?.execute([&case.id])?;
        if case.is_holding() {
            for hold in &case.holds {
                // Another case has it by now, or some of it.
                if !self.other_holders(tx, case, hold)?.is_empty() {
                    continue;
                }
                tx.prepare_cached("INSERT OR IGNORE INTO holds (account, order_no, case_id) VALUES (?1, ?2, ?3)")?
                    .execute(params![self.account(), hold.to_text(), case.id])?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::clock;
    use crate::case::machine::event::Now;
    use crate::case::machine::transition::record_intent;
    use crate::case::store::identity::Identity;
    use crate::case::store::{Claim, Lease, Store};
    use crate::case::vocabulary::Kind;
    use crate::config::{CasePolicy, StoreConfig};
    use crate::error::ErrorCode;

    fn lease() -> Lease {
        Lease { owner: "o".to_owned(), until: i64::MAX }
    }

    fn refund(id: &str, positions: &[usize]) -> Case {
        let order = Some("TESTA1".to_owned());
        let mut case = Case::new(id.to_owned(), id.to_owned(), Kind::Refund, order, String::new(), clock::at(0));
        case.set_passengers(Some(positions.to_vec()));
        case
    }

    fn with_store(test: impl Fn(&Sqlite)) {
        let path = std::env::temp_dir().join(format!("apb-holds-{}-{}.db", std::process::id(), fastrand::u64(..)));
        let config = StoreConfig { path: path.clone(), witness: path.with_extension("witness") };
        let identity = Identity::new("http://h", "h", "client", None);
        let store = Sqlite::open(&config, identity, |_, _| false).unwrap();
        test(&store);
        for end in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(format!("{}{end}", path.display()));
        }
    }

    fn claimed(store: &Sqlite, case: &Case, after: Option<&str>) -> Result<Row, String> {
        match store.claim(case, &lease(), after).unwrap() {
            Claim::New(row) => Ok(row),
            Claim::Held(other) => Err(other.id),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn disjoint_passengers_are_held_at_once_and_nothing_that_overlaps() {
        with_store(|store| {
            claimed(store, &refund("a", &[1, 3]), None).unwrap();
            claimed(store, &refund("b", &[2]), None).unwrap();
            for (id, positions, holder) in [("c", &[3, 4][..], "a"), ("d", &[2], "b"), ("e", &[], "a")] {
                assert_eq!(claimed(store, &refund(id, positions), None).unwrap_err(), holder, "{id}");
            }
            claimed(store, &refund("f", &[4]), None).unwrap();
            assert_eq!(store.cases_for_order("TESTA1").unwrap(), ["a", "b", "f"]);
        });
    }

    /// Of several in the way, only the one that is named gives up what it holds.
    #[test]
    fn a_case_of_everybody_needs_each_of_them_to_give_up() {
        with_store(|store| {
            for (id, positions) in [("a", [1]), ("b", [2])] {
                let mut row = claimed(store, &refund(id, &positions), None).unwrap();
                row.case.closed = true;
                row.case.watched = true;
                store.save(&row, None).unwrap().unwrap();
            }
            assert_eq!(claimed(store, &refund("c", &[]), Some("a")).unwrap_err(), "b");
            assert_eq!(claimed(store, &refund("d", &[1, 2]), Some("b")).unwrap_err(), "a");
            claimed(store, &refund("e", &[1]), Some("a")).unwrap();
        });
    }

    #[test]
    fn an_intent_without_its_hold_is_not_written() {
        with_store(|store| {
            let policy = CasePolicy::default();
            let now = Now { stamp: clock::at(0), policy: &policy };
            let mut row = claimed(store, &refund("a", &[1, 2]), None).unwrap();
            record_intent(&mut row.case, StepName::Refund, &now);
            // The positions are no longer those that are held.
            let mut moved = row.clone();
            moved.case.positions = vec![1, 3];
            assert_eq!(store.save(&moved, Some(&lease())).unwrap_err().code, ErrorCode::Conflict);
            // Another case has one of them.
            let sql = "INSERT INTO holds (account, order_no, case_id) VALUES (?1, 'pax:TESTA1#2,5', 'z')";
            store.write(|tx| tx.execute(sql, [store.account()])).unwrap();
            assert_eq!(store.save(&row, Some(&lease())).unwrap_err().code, ErrorCode::Conflict);
            store.write(|tx| tx.execute("DELETE FROM holds WHERE case_id = 'z'", [])).unwrap();
            assert!(store.save(&row, Some(&lease())).unwrap().is_some());
        });
    }
}
