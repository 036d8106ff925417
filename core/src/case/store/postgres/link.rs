//! One connection to the server, with its own small event loop: store work blocks its thread, and nothing of it may
//! hang on another thread. Every wait has a limit.
//!
//! Statements are sent unnamed and with their types, so that a pooler in transaction mode, an old one too, may give
//! each transaction another connection of its own.

use std::error::Error as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio_postgres::config::{SslMode, TargetSessionAttrs};
use tokio_postgres::error::{DbError, SqlState};
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::types::{FromSqlOwned, ToSql, Type};
use tokio_postgres::{AsyncMessage, Client, Config, Connection, NoTls, Row, Socket};

use super::super::{moving, patience, rewound, store_error};
use super::tls::Tls;
use crate::config::ServerStore;
use crate::error::{Error, ErrorCode};

/// The longest wait for one host of the server to accept a connection.
const CONNECT: Duration = Duration::from_secs(5);
/// How long the other side may keep silent while data waits for it.
const SILENCE: Duration = Duration::from_secs(20);

/// A host that is stopped or cut off within a transaction keeps its locks no longer than this: nobody else may wait for
/// the moment when the server notices that its connection is dead, which takes hours by default.
const BEGIN: &str = "BEGIN; SET LOCAL idle_in_transaction_session_timeout = 5000";

/// Codes of the tables' own functions.
const MOVED: &str = "AP001";
const REWOUND: &str = "AP002";

/// Why a statement gave nothing.
#[derive(Debug)]
pub(super) struct Failure {
    pub error: Error,
    /// The connection is gone, or its answer did not come: whether the statement was carried out is not known.
    pub is_lost: bool,
    /// What the server says of its own refusal.
    pub state: Option<SqlState>,
}

impl Failure {
    /// An error of this library's, on a sound connection.
    pub fn own(error: Error) -> Failure {
        Failure { error, is_lost: false, state: None }
    }

    pub fn lost(message: &str) -> Failure {
        Failure { error: store_error(ErrorCode::StoreUnavailable, message), is_lost: true, state: None }
    }

    /// The intent was not written, since the store is rewound.
    pub fn is_of_rewound(&self) -> bool {
        self.state.as_ref().is_some_and(|state| state.code() == REWOUND)
    }

    /// Another transaction was in the way, and this one has changed nothing: it may be begun anew.
    pub fn is_conflict(&self) -> bool {
        // A key that somebody else has taken meanwhile is seen by the next look.
        let again = [SqlState::T_R_SERIALIZATION_FAILURE, SqlState::T_R_DEADLOCK_DETECTED, SqlState::UNIQUE_VIOLATION];
        self.state.as_ref().is_some_and(|state| again.contains(state))
    }
}

impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Failure {
        let state = error.code().cloned();
        match error.as_db_error() {
            // The server ends the connection after these.
            Some(refusal) => {
                Failure { is_lost: matches!(refusal.severity(), "FATAL" | "PANIC"), error: refused(refusal), state }
            }
            None if error.is_closed() => Failure::lost("the connection to the store's server was closed"),
            None => Failure { error: failed(&error), is_lost: true, state },
        }
    }
}

/// The server's own messages may hold values; its codes do not.
fn refused(refusal: &DbError) -> Error {
    let state = refusal.code();
    let (class, code) = (state.code().get(..2).unwrap_or_default(), state.code());
    match class {
        _ if code == MOVED => moving::moved("the store was moved into another one"),
        _ if code == REWOUND => rewound::store_rewound("the store is older than what was sent through it".to_owned()),
        _ if *state == SqlState::QUERY_CANCELED || *state == SqlState::LOCK_NOT_AVAILABLE => {
            store_error(ErrorCode::StoreBusy, "another process kept the store busy for too long")
        }
        _ if *state == SqlState::DISK_FULL => {
            store_error(ErrorCode::StoreFull, "the disk of the store's server is full")
        }
        // Of a server, or of a pooler that has no server for it (PgBouncer says so by 08P01).
        "08" => store_error(ErrorCode::StoreUnavailable, format!("the store's server has no connection now ({code})")),
        "40" => store_error(ErrorCode::StoreBusy, "other writers were in the way each time"),
        "53" => store_error(ErrorCode::StoreBusy, format!("the store's server has no room now ({code})")),
        "28" => store_error(ErrorCode::StoreUnavailable, format!("the store's server refuses the user ({code})")),
        "3D" => store_error(ErrorCode::StoreUnavailable, "the store's server has no such database"),
        "57" => store_error(ErrorCode::StoreUnavailable, format!("the store's server is going down ({code})")),
        "25" => store_error(ErrorCode::StoreReadonly, "the store's server takes no writes: it is a standby"),
        "XX" => store_error(ErrorCode::StoreCorrupt, format!("the store's server reports damage ({code})")),
        _ if *state == SqlState::INSUFFICIENT_PRIVILEGE => {
            store_error(ErrorCode::StoreReadonly, "the store's user may not do that; see the guide for its rights")
        }
        _ => store_error(ErrorCode::StoreIo, format!("the store's server refuses a statement ({code})")),
    }
}

/// Of a connection: the innermost cause, which never has the password in it.
fn failed(error: &tokio_postgres::Error) -> Error {
    let mut cause = error.source();
    while let Some(inner) = cause.and_then(|c| c.source()) {
        cause = Some(inner);
    }
    let cause = cause.map_or_else(|| error.to_string(), ToString::to_string);
    store_error(ErrorCode::StoreUnavailable, format!("the store's server cannot be used: {cause}"))
}

/// A value of a statement, with its type.
pub(super) enum Value<'v> {
    Text(Option<&'v str>),
    Int(Option<i64>),
    Real(f64),
    Bool(bool),
    Bytes(&'v [u8]),
    Texts(&'v [String]),
}

impl Value<'_> {
    fn typed(&self) -> (&(dyn ToSql + Sync), Type) {
        match self {
            Value::Text(value) => (value, Type::TEXT),
            Value::Int(value) => (value, Type::INT8),
            Value::Real(value) => (value, Type::FLOAT8),
            Value::Bool(value) => (value, Type::BOOL),
            Value::Bytes(value) => (value, Type::BYTEA),
            Value::Texts(value) => (value, Type::TEXT_ARRAY),
        }
    }
}

macro_rules! values {
    ($($from:ty => $value:expr;)*) => {
        $(impl<'v> From<$from> for Value<'v> {
            fn from(value: $from) -> Value<'v> {
                let make: fn($from) -> Value<'v> = $value;
                make(value)
            }
        })*
    };
}

values! {
    &'v str => |v| Value::Text(Some(v));
    &'v String => |v| Value::Text(Some(v.as_str()));
    Option<&'v str> => Value::Text;
    &'v Option<String> => |v| Value::Text(v.as_deref());
    i64 => |v| Value::Int(Some(v));
    Option<i64> => Value::Int;
    f64 => Value::Real;
    bool => Value::Bool;
    &'v [u8] => Value::Bytes;
    &'v [String] => Value::Texts;
}

/// The values of a statement.
macro_rules! values_of {
    ($($value:expr),* $(,)?) => { &[$($crate::case::store::postgres::link::Value::from($value)),*] };
}
pub(super) use values_of;

/// A column of a row.
pub(super) fn column<T: FromSqlOwned>(row: &Row, at: usize) -> Result<T, Failure> {
    row.try_get(at).map_err(|_| unreadable())
}

pub(super) fn unreadable() -> Failure {
    Failure::own(store_error(ErrorCode::StoreCorrupt, "the store has a row that cannot be read"))
}

/// A connection.
pub(super) struct Link {
    client: Client,
    /// A warning came: of a commit that did not wait for its standby, for one.
    warned: Arc<AtomicBool>,
    /// What was found when it was made: the server's start, and the table of the cases.
    pub seen: Option<(i64, i64)>,
    /// None once it is dropped.
    runtime: Option<Runtime>,
}

impl Link {
    pub fn connect(server: &ServerStore, tls: Option<&Tls>) -> Result<Link, Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|e| Failure::lost(&format!("no connection to the store's server can be made: {e}")))?;
        let config = config(server);
        let warned = Arc::new(AtomicBool::new(false));
        let work = async {
            match tls {
                Some(tls) => connect(&config, tls.clone(), warned.clone()).await,
                None => connect(&config, NoTls, warned.clone()).await,
            }
        };
        let done = runtime.block_on(async { tokio::time::timeout(patience::left(), work).await });
        match done {
            Ok(Ok(client)) => Ok(Link { client, warned, seen: None, runtime: Some(runtime) }),
            other => {
                runtime.shutdown_background();
                Err(match other {
                    Ok(Err(error)) => error.into(),
                    _ => Failure::lost("the store's server did not answer in time"),
                })
            }
        }
    }

    pub fn is_open(&self) -> bool {
        !self.client.is_closed()
    }

    /// Runs one statement.
    pub fn query(&self, sql: &str, values: &[Value<'_>]) -> Result<Vec<Row>, Failure> {
        let typed: Vec<_> = values.iter().map(Value::typed).collect();
        self.run(self.client.query_typed(sql, &typed))
    }

    /// Runs two statements in one journey, of a transaction that begins with them or each on its own.
    pub fn first(
        &self,
        begins: bool,
        first: (&str, &[Value<'_>]),
        second: (&str, &[Value<'_>]),
    ) -> Result<(Vec<Row>, Vec<Row>), Failure> {
        self.warned.store(false, Ordering::Relaxed);
        let before: Vec<_> = first.1.iter().map(Value::typed).collect();
        let after: Vec<_> = second.1.iter().map(Value::typed).collect();
        self.run(async {
            let begin = async { if begins { self.client.batch_execute(BEGIN).await } else { Ok(()) } };
            let first = self.client.query_typed(first.0, &before);
            let second = self.client.query_typed(second.0, &after);
            let (begun, first, second) = tokio::join!(biased; begin, first, second);
            begun?;
            Ok((first?, second?))
        })
    }

    /// Ends a transaction; what it has written is certain only after this.
    pub fn commit(&self) -> Result<(), Failure> {
        self.warned.store(false, Ordering::Relaxed);
        self.run(self.client.batch_execute("COMMIT"))?;
        self.check_warning()
    }

    /// Gives a transaction up.
    pub fn roll_back(&self) -> Result<(), Failure> {
        self.run(self.client.batch_execute("ROLLBACK"))
    }

    /// Statements without values, as one transaction.
    pub fn batch(&self, sql: &str) -> Result<(), Failure> {
        self.run(self.client.batch_execute(sql))
    }

    /// A commit that was cancelled while it waited for a synchronous standby is reported as done, with a warning.
    pub fn check_warning(&self) -> Result<(), Failure> {
        match self.warned.load(Ordering::Relaxed) {
            true => Err(Failure::lost("the store's server committed with a warning")),
            false => Ok(()),
        }
    }

    fn run<T>(&self, work: impl Future<Output = Result<T, tokio_postgres::Error>>) -> Result<T, Failure> {
        let Some(runtime) = &self.runtime else { return Err(Failure::lost("the connection is closed")) };
        let left = patience::left();
        match runtime.block_on(async { tokio::time::timeout(left, work).await }) {
            Ok(done) => Ok(done?),
            Err(_) => Err(Failure::lost("the store's server did not answer in time")),
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        // Without waiting, also where waiting is not allowed.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

fn config(server: &ServerStore) -> Config {
    let mut config = Config::new();
    for (host, port) in &server.hosts {
        config.host(host).port(*port);
    }
    config
        .user(&server.user)
        .dbname(&server.database)
        .application_name("atlas-postbooking")
        .ssl_mode(if server.tls.is_some() { SslMode::Require } else { SslMode::Disable })
        .connect_timeout(CONNECT)
        .tcp_user_timeout(SILENCE)
        .keepalives(true)
        .keepalives_idle(SILENCE);
    if let Some(password) = &server.password {
        config.password(password.as_bytes());
    }
    if server.read_write {
        config.target_session_attrs(TargetSessionAttrs::ReadWrite);
    }
    config
}

async fn connect<T>(config: &Config, tls: T, warned: Arc<AtomicBool>) -> Result<Client, tokio_postgres::Error>
where
    T: MakeTlsConnect<Socket> + Send + 'static,
    T::Stream: Send + 'static,
{
    let (client, connection) = config.connect(tls).await?;
    tokio::spawn(serve(connection, warned));
    Ok(client)
}

/// Runs the connection until it ends, and looks at what the server says beside its answers.
async fn serve<S>(mut connection: Connection<Socket, S>, warned: Arc<AtomicBool>)
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    while let Some(Ok(message)) = std::future::poll_fn(|context| connection.poll_message(context)).await {
        if let AsyncMessage::Notice(notice) = message
            && notice.severity() == "WARNING"
        {
            warned.store(true, Ordering::Relaxed);
        }
    }
}
