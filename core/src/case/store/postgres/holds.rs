//! What cases keep others from, on the server. Whoever takes holds has locked their names before it looks.

use super::super::{Name, Row};
use super::cases::CASES;
use super::database::Postgres;
use super::link::{Failure, column, values_of};
use super::remnants;
use super::session::Tx;
use crate::case::hold::Hold;
use crate::case::model::Case;
use crate::case::vocabulary::CaseOutcome;

/// The names that the holds of a case are locked by: everybody of an order, and each passenger, by the order.
pub(super) fn names(case: &Case) -> Vec<String> {
    let mut names: Vec<String> =
        case.holds.iter().map(|hold| hold.order().map_or_else(|| hold.to_text(), str::to_owned)).collect();
    // Watched cases of the order are changed as well.
    names.extend(case.order_no.clone());
    names
}

impl Postgres {
    /// Another case that has one of the holds of this one, but for a closed one that it was opened after. Otherwise the
    /// watched cases of the order learn that this one came after them. The names are locked.
    pub(super) fn take_holds(&self, tx: &Tx<'_>, case: &Case) -> Result<Option<Case>, Failure> {
        if let Some(other) = self.other_holder(tx, case)? {
            return Ok(Some(other));
        }
        let sql = format!("{CASES} WHERE c.account = $1 AND c.order_no = $2 AND NOT c.open AND c.due IS NOT NULL");
        for row in tx.query(&sql, values_of![&tx.account, &case.order_no])? {
            let earlier = self.row(&row)?;
            // A final case that a notification has made due is not a watched one.
            if earlier.case.watched && earlier.case.id != case.id {
                let earlier = Row { case: Case { superseded: true, ..earlier.case }, ..earlier };
                self.put(tx, &earlier, None)?;
            }
        }
        Ok(None)
    }

    /// The cases that have a hold which overlaps one of these, with that hold's place.
    fn holders(&self, tx: &Tx<'_>, holds: &[Hold]) -> Result<Vec<(usize, String)>, Failure> {
        let exact: Vec<String> = holds.iter().map(Hold::to_text).collect();
        let whole = holds.iter().filter_map(|hold| hold.order().map(str::to_owned));
        let texts: Vec<String> = exact.iter().cloned().chain(whole).collect();
        let (first, end): (Vec<String>, Vec<String>) =
            holds.iter().filter_map(Hold::order).map(Hold::passenger_texts).unzip();
        let sql = "SELECT order_no, case_id FROM apb.holds WHERE account = $1 AND order_no = ANY ($2)
             UNION SELECT h.order_no, h.case_id FROM unnest($3::text[], $4::text[]) AS r (first, past)
                   JOIN apb.holds h ON h.account = $1 AND h.order_no >= r.first AND h.order_no < r.past";
        let rows = tx.query(sql, values_of![&tx.account, &*texts, &*first, &*end])?;
        let mut holders = Vec::new();
        for row in rows {
            let (text, holder): (String, String) = (column(&row, 0)?, column(&row, 1)?);
            let theirs = Hold::from_text(&text);
            let overlapping = holds.iter().enumerate().filter(|(_, hold)| hold.overlaps(&theirs));
            holders.extend(overlapping.map(|(at, _)| (at, holder.clone())));
        }
        holders.sort();
        holders.dedup();
        Ok(holders)
    }

    /// The case that this one was opened after, the one that that one was opened after, and so on.
    fn opened_after(&self, tx: &Tx<'_>, case: &Case) -> Result<Vec<String>, Failure> {
        let (mut earlier, mut next) = (Vec::new(), case.after.clone());
        while let Some(id) = next.filter(|id| !earlier.contains(id)) {
            next = self.by_id(tx, &id)?.and_then(|row| row.case.after);
            earlier.push(id);
        }
        Ok(earlier)
    }

    /// Another case that has one of the holds of this one. A closed one keeps its holds while it is watched, and stands
    /// in the way of every case that does not name it; what was paid stands in the way of every other payment.
    pub(super) fn other_holder(&self, tx: &Tx<'_>, case: &Case) -> Result<Option<Case>, Failure> {
        let needs = case.needs();
        let holders: Vec<_> = self.holders(tx, &needs)?.into_iter().filter(|(_, holder)| *holder != case.id).collect();
        if holders.is_empty() {
            return Ok(None);
        }
        let earlier = self.opened_after(tx, case)?;
        for (at, holder) in holders {
            let is_payment = matches!(needs.get(at), Some(Hold::Payment(_)));
            let is_given_up = |case: &Case| case.closed && case.outcome == CaseOutcome::NotExecuted;
            match self.by_id(tx, &holder)? {
                Some(row) if is_given_up(&row.case) && earlier.contains(&holder) && !is_payment => {}
                Some(row) => return Ok(Some(row.case)),
                // What a purged case has paid stays paid.
                None => {
                    if let Some(remnant) = remnants::find(tx, &Name::Id(holder))? {
                        return Ok(Some(remnant.case()));
                    }
                }
            }
        }
        Ok(None)
    }
}
