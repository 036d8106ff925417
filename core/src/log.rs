//! The log lines of a call, delivered with its reply.
//!
//! Lines hold the operation, statuses, numbers and times: never a body, a header, a secret, a card or
//! a passenger.

/// How much a line matters; a client's limit lets this level and all before it through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// A submit whose outcome is unknown; a fault of this library.
    Error = 1,
    /// A call that failed, a repetition, a warning in a reply.
    Warn = 2,
    /// A call and its end.
    Info = 3,
    /// Each attempt.
    Debug = 4,
    /// Sizes and pauses.
    Trace = 5,
}

/// One line.
#[derive(Debug, Clone, PartialEq)]
pub struct LogLine {
    /// How much it matters.
    pub level: LogLevel,
    /// The part of the library that wrote it: `call`, `retry`, `transport`, `case`.
    pub target: &'static str,
    /// English text without a line end.
    pub message: String,
}

/// Collects the lines of one call up to a level; 0 collects nothing.
#[derive(Debug, Default)]
pub(crate) struct Log {
    limit: u8,
    pub lines: Vec<LogLine>,
}

impl Log {
    pub fn new(limit: u8) -> Log {
        Log { limit, lines: Vec::new() }
    }

    /// Adds a line; `message` is only asked for when it will be kept.
    pub fn add(&mut self, level: LogLevel, target: &'static str, message: impl FnOnce() -> String) {
        if level as u8 <= self.limit {
            self.lines.push(LogLine { level, target, message: message() });
        }
    }
}
