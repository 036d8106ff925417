//! The operations of cases under their own name: `client.cases().open(…)`.

use super::{Answer, Client, Failure, blocking};
use crate::wire;

/// The cases of a client with a store; [`Client::cases`] gives it. Every method is that of the client with `case_` before
/// its name.
#[derive(Debug, Clone, Copy)]
pub struct Cases<'c> {
    client: &'c Client,
}

/// The same for [`blocking::Client`].
#[derive(Debug, Clone, Copy)]
pub struct BlockingCases<'c> {
    client: &'c blocking::Client,
}

impl Client {
    /// The operations of cases.
    pub fn cases(&self) -> Cases<'_> {
        Cases { client: self }
    }
}

impl blocking::Client {
    /// The operations of cases.
    pub fn cases(&self) -> BlockingCases<'_> {
        BlockingCases { client: self }
    }
}

macro_rules! case_methods {
    ($($method:ident, $of_client:ident, $request:ident, $reply:ident, $doc:literal;)*) => {
        impl Cases<'_> {
            $(
                #[doc = $doc]
                pub async fn $method(&self, request: &wire::$request) -> Result<Answer<wire::$reply>, Failure> {
                    self.client.$of_client(request).await
                }
            )*
        }

        impl BlockingCases<'_> {
            $(
                #[doc = $doc]
                pub fn $method(&self, request: &wire::$request) -> Result<Answer<wire::$reply>, Failure> {
                    self.client.$of_client(request)
                }
            )*
        }

        #[cfg(test)]
        const METHODS: &[&str] = &[$(stringify!($of_client)),*];
    };
}

case_methods! {
    plan, case_plan, CasePlanRequest, CasePlanReply, "What a void and what a refund would give back. Submits nothing.";
    open, case_open, CaseOpenRequest, Case, "Starts a case, or resumes the one with this key. A failure whose outcome is pending or unknown has it in [`Failure::case`].";
    get, case_get, CaseGetRequest, Case, "Reads a case; asks the vendor nothing.";
    list, case_list, CaseListRequest, CaseListReply, "Lists cases, newest first, or what changed since a number.";
    reconcile, case_reconcile, CaseReconcileRequest, Case, "Asks the vendor now whether a lost submit was executed.";
    follow, case_follow, CaseFollowRequest, CaseFollowReply, "Makes the queries that are due; sends nothing.";
    notify, case_notify, CaseNotifyRequest, CaseNotifyReply, "Takes a notification: the cases that it is about are asked about next.";
    resolve, case_resolve, CaseResolveRequest, Case, "A human's word on a case that no query settles.";
    export, case_export, CaseExportRequest, CaseExportReply, "Exports cases as newline-delimited JSON.";
    purge, case_purge, CasePurgeRequest, CasePurgeReply, "Removes final cases that did not change for long.";
    stats, case_stats, CaseStatsRequest, CaseStatsReply, "Counts the cases of the account.";
    backup, case_backup, CaseBackupRequest, CaseBackupReply, "Copies a file store; the copy opens as rewound.";
    import, case_import, CaseImportRequest, CaseImportReply, "Moves all accounts of another store into this one.";
    unpause, case_unpause, CaseUnpauseRequest, CaseUnpauseReply, "Ends a pause that a Retry-After began.";
    adopt_account, case_adopt_account, CaseAdoptAccountRequest, CaseAdoptAccountReply, "Names the account that a client without a name made.";
    confirm_store, case_confirm_store, CaseConfirmStoreRequest, CaseConfirmStoreReply, "A human's word about a rewound store.";
}

#[cfg(test)]
mod tests {
    use super::METHODS;
    use crate::contract::operation::OPERATIONS;

    #[test]
    fn every_operation_of_cases_has_its_method() {
        let table: Vec<String> = OPERATIONS.iter().filter(|op| op.is_case()).map(|op| op.python_name()).collect();
        let mut methods = METHODS.to_vec();
        let mut table: Vec<&str> = table.iter().map(String::as_str).collect();
        methods.sort_unstable();
        table.sort_unstable();
        assert_eq!(methods, table);
    }
}
