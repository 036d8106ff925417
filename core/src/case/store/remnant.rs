//! What stays of a purged case.

use crate::case::clock;
use crate::case::hold::Hold;
use crate::case::model::Case;
use crate::case::vocabulary::{CaseOutcome, Kind};

/// What stays of a purged case whose key was bound. Of cases that an earlier release purged, only the key.
#[derive(Debug, Clone)]
pub(crate) struct Remnant {
    pub key: String,
    pub id: Option<String>,
    pub kind: Option<Kind>,
    pub order_no: Option<String>,
    pub content: Option<String>,
    pub outcome: Option<CaseOutcome>,
    /// Orders that it paid.
    pub paid: Vec<String>,
}

impl Remnant {
    /// The case as far as it is known, for those whose way it is in.
    pub fn case(&self) -> Case {
        let stamp = clock::at(0);
        let (id, kind) = (self.id.clone().unwrap_or_default(), self.kind.unwrap_or(Kind::Pay));
        let content = self.content.clone().unwrap_or_default();
        let mut case = Case::new(id, self.key.clone(), kind, self.order_no.clone(), content, stamp);
        case.closed = true;
        case.outcome = self.outcome.unwrap_or(CaseOutcome::Unknown);
        case.holds = self.paid.iter().cloned().map(Hold::Payment).collect();
        case
    }
}
