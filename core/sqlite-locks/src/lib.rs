//! Locks of SQLite that survive other users of the same file in the same process.
//!
//! SQLite locks its files by POSIX record locks, and those belong to a process: they do not keep two copies of SQLite
//! in one process apart (a host's own, Python's `sqlite3`), and when one copy closes a file, the locks of the other
//! are gone (fcntl(2), "Record locks are automatically released"; sqlite.org, "How To Corrupt", 2.2). Then a log is
//! deleted or begun anew while it is in use.
//!
//! [`install`] gives SQLite's default VFS other system calls, once per process:
//!
//! * `fcntl`: the locks of a file are taken on one open file description of its own (`F_OFD_SETLK`), which excludes
//!   every other one, of this process too, and which nobody else closes. Per process and file there is one, so that
//!   for SQLite it is as before.
//! * `close` and `open`: a descriptor on which SQLite has locked is kept and used again, since closing it would drop
//!   the locks of another copy.
//!
//! In a forked child the descriptors with locks and the kept ones are closed at once, so that no lock outlives the
//! parent. On other systems than Linux, without `/proc`, and where the kernel does not have such locks (before 3.15),
//! SQLite's own are used.

#[cfg(target_os = "linux")]
mod linux;

/// See the module. May be called any number of times; must be called before SQLite opens a file.
pub fn install() {
    #[cfg(target_os = "linux")]
    linux::install();
}

/// Why SQLite could not open a file on this thread, if no descriptor was left; told once. SQLite itself does not tell
/// that from a file that is not there, or from a lock that another process has. None on other systems.
pub fn take_open_error() -> Option<std::io::Error> {
    #[cfg(target_os = "linux")]
    return linux::take_open_error();
    #[cfg(not(target_os = "linux"))]
    return None;
}

/// How many forks lie between the process that called this first and this one: a child differs from its parent, also
/// where it has its parent's number in a pid namespace of its own. Only `fork()` of the C library counts, not the bare
/// system call. 0 on other systems. Takes no lock after the first call.
pub fn forks() -> u32 {
    #[cfg(target_os = "linux")]
    return linux::forks();
    #[cfg(not(target_os = "linux"))]
    return 0;
}
