//! The system calls, and the table of files behind them.

use std::cell::Cell;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, Once, OnceLock, PoisonError};

use rusqlite::ffi;

thread_local!(static OPEN_ERROR: Cell<c_int> = const { Cell::new(0) });

pub(crate) fn take_open_error() -> Option<std::io::Error> {
    let number = OPEN_ERROR.replace(0);
    (number != 0).then(|| std::io::Error::from_raw_os_error(number))
}

/// After an open that failed: whether the process or the machine has no descriptor left.
fn has_no_descriptor() -> bool {
    // SAFETY: the number of this thread's last error.
    let number = unsafe { *libc::__errno_location() };
    let is_none_left = matches!(number, libc::EMFILE | libc::ENFILE);
    if is_none_left {
        OPEN_ERROR.set(number);
    }
    is_none_left
}

type Open = unsafe extern "C" fn(*const c_char, c_int, c_int) -> c_int;
type Close = unsafe extern "C" fn(c_int) -> c_int;
type Fcntl = unsafe extern "C" fn(c_int, c_int, *mut c_void) -> c_int;

/// The system calls that SQLite had before.
struct Former {
    open: Open,
    close: Close,
}

static FORMER: OnceLock<Former> = OnceLock::new();

/// A file that SQLite has locked.
struct File {
    id: FileId,
    /// Holds the locks of all of this process' connections to the file.
    lock: c_int,
    /// Descriptors that SQLite has open.
    open: Vec<c_int>,
    /// Descriptors that SQLite has closed, with their access modes.
    kept: Vec<(c_int, c_int)>,
}

impl File {
    /// Whether nothing can reach the file any more: SQLite has closed it, and it was removed.
    fn is_gone(&self) -> bool {
        self.open.is_empty() && stat(self.lock).is_none_or(|found| found.st_nlink == 0)
    }
}

#[derive(Clone, Copy, PartialEq)]
struct FileId {
    device: u64,
    inode: u64,
}

/// One table for each generation of forks: a child must not wait for a mutex that a thread of the parent held. After
/// so many forks within forks the first table comes again.
const GENERATIONS: usize = 16;
static TABLES: [Mutex<(u32, Vec<File>)>; GENERATIONS] = [const { Mutex::new((0, Vec::new())) }; GENERATIONS];
static GENERATION: AtomicU32 = AtomicU32::new(0);
static WATCHED: AtomicBool = AtomicBool::new(false);

/// The kernel has no locks of open file descriptions: then SQLite's own are used.
static UNSUPPORTED: AtomicBool = AtomicBool::new(false);

/// The descriptors with locks and the kept ones, for a forked child to close; 0 is a free place. A child may do no more
/// than that. Not those that SQLite has open: in the child its connections are forgotten, not closed, and would use the
/// number for whatever has it next.
static INHERITED: [AtomicI32; 1024] = [const { AtomicI32::new(0) }; 1024];

/// False if there is no place left.
fn register(descriptor: c_int) -> bool {
    INHERITED.iter().any(|place| place.compare_exchange(0, descriptor, Ordering::SeqCst, Ordering::SeqCst).is_ok())
}

fn unregister(descriptor: c_int) {
    let _ =
        INHERITED.iter().any(|place| place.compare_exchange(descriptor, 0, Ordering::SeqCst, Ordering::SeqCst).is_ok());
}

/// Closes a descriptor that is in no table any more.
fn close_registered(descriptor: c_int) {
    unregister(descriptor);
    // SAFETY: opened by `open_lock` or by SQLite, which has closed it, and taken out of the table by the caller.
    unsafe { libc::close(descriptor) };
}

pub(crate) fn install() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // SAFETY: a VFS that SQLite gives lives as long as the process, and nothing else sets its system calls now. The
        // functions have the signatures with which SQLite calls these names (os_unix.c, "aSyscall").
        unsafe {
            let vfs = ffi::sqlite3_vfs_find(std::ptr::null());
            if vfs.is_null() {
                return;
            }
            let (Some(get), Some(set)) = ((*vfs).xGetSystemCall, (*vfs).xSetSystemCall) else { return };
            let (Some(open), Some(close)) = (get(vfs, c"open".as_ptr()), get(vfs, c"close".as_ptr())) else { return };
            let former = Former {
                open: std::mem::transmute::<unsafe extern "C" fn(), Open>(open),
                close: std::mem::transmute::<unsafe extern "C" fn(), Close>(close),
            };
            if FORMER.set(former).is_err() || !watch_forks() {
                return;
            }
            set(vfs, c"open".as_ptr(), Some(std::mem::transmute::<Open, unsafe extern "C" fn()>(open_file)));
            set(vfs, c"close".as_ptr(), Some(std::mem::transmute::<Close, unsafe extern "C" fn()>(close_file)));
            set(vfs, c"fcntl".as_ptr(), Some(std::mem::transmute::<Fcntl, unsafe extern "C" fn()>(control_file)));
        }
    });
}

/// Whether forked children are known as such.
fn watch_forks() -> bool {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // SAFETY: the function is there as long as the process, and does what a handler may.
        let done = unsafe { libc::pthread_atfork(None, None, Some(in_child)) };
        WATCHED.store(done == 0, Ordering::SeqCst);
    });
    WATCHED.load(Ordering::SeqCst)
}

pub(crate) fn forks() -> u32 {
    watch_forks();
    GENERATION.load(Ordering::SeqCst)
}

/// In a forked child, which may hold any lock of the parent's threads: only system calls and atomics.
unsafe extern "C" fn in_child() {
    GENERATION.fetch_add(1, Ordering::SeqCst);
    for place in &INHERITED {
        let descriptor = place.swap(0, Ordering::SeqCst);
        if descriptor > 0 {
            // SAFETY: a descriptor of a table, which nothing in the child uses.
            unsafe { libc::close(descriptor) };
        }
    }
}

/// The files of this process; in a child none of its parent's.
fn files() -> MutexGuard<'static, (u32, Vec<File>)> {
    let generation = GENERATION.load(Ordering::SeqCst);
    let [first, ..] = &TABLES;
    let table = TABLES.get(generation as usize % GENERATIONS).unwrap_or(first);
    let mut table = table.lock().unwrap_or_else(PoisonError::into_inner);
    if table.0 != generation {
        *table = (generation, Vec::new());
    }
    table
}

fn stat(descriptor: c_int) -> Option<libc::stat> {
    let mut found = MaybeUninit::uninit();
    // SAFETY: `found` has room for what fstat writes, and is read only if it has.
    unsafe { if libc::fstat(descriptor, found.as_mut_ptr()) == 0 { Some(found.assume_init()) } else { None } }
}

fn id(found: &libc::stat) -> FileId {
    FileId { device: found.st_dev, inode: found.st_ino }
}

/// Opens the file of a descriptor once more; its locks are independent of those of the descriptor.
fn open_lock(descriptor: c_int) -> Option<c_int> {
    let path = format!("/proc/self/fd/{descriptor}\0");
    let path = CStr::from_bytes_with_nul(path.as_bytes()).ok()?;
    // SAFETY: the path ends with a NUL.
    let opened = unsafe { libc::open(path.as_ptr(), libc::O_RDWR | libc::O_CLOEXEC) };
    // Where the host has closed a standard stream, what is written to that stream must not go to the file.
    let opened = if (0..=2).contains(&opened) { move_up(opened) } else { opened };
    if opened < 0 {
        return None;
    }
    if !register(opened) {
        // SAFETY: opened above, and nobody else knows it; the number of an error that is not one of descriptors.
        unsafe {
            libc::close(opened);
            *libc::__errno_location() = 0;
        }
        return None;
    }
    Some(opened)
}

/// The same open file description under a number above those of the standard streams.
fn move_up(descriptor: c_int) -> c_int {
    // SAFETY: a descriptor of the caller's, which is not used any more.
    unsafe {
        let moved = libc::fcntl(descriptor, libc::F_DUPFD_CLOEXEC, 3);
        libc::close(descriptor);
        moved
    }
}

/// Where the locks of a file are taken.
enum Place {
    Own(c_int),
    /// On SQLite's own descriptor.
    Plain,
    /// Nowhere: no descriptor is left. A lock of SQLite's own kind beside those of this module would be dropped unseen.
    Nowhere,
}

/// The descriptor on which the locks of this one's file are taken.
fn lock_of(descriptor: c_int) -> Place {
    let Some(found) = stat(descriptor) else { return Place::Plain };
    let mut table = files();
    let files = &mut table.1;
    if let Some(file) = files.iter_mut().find(|file| file.id == id(&found)) {
        if !file.open.contains(&descriptor) {
            file.open.push(descriptor);
        }
        return Place::Own(file.lock);
    }
    let Some(lock) = open_lock(descriptor) else {
        return if has_no_descriptor() { Place::Nowhere } else { Place::Plain };
    };
    files.push(File { id: id(&found), lock, open: vec![descriptor], kept: Vec::new() });
    Place::Own(lock)
}

/// fcntl(2) as SQLite calls it: the third argument is a pointer to a lock, or a number.
unsafe extern "C" fn control_file(descriptor: c_int, command: c_int, argument: *mut c_void) -> c_int {
    let own = match command {
        libc::F_SETLK => Some(libc::F_OFD_SETLK),
        libc::F_GETLK => Some(libc::F_OFD_GETLK),
        _ => None,
    };
    let own = own.filter(|_| !UNSUPPORTED.load(Ordering::SeqCst));
    let (own, lock) = match own.map(|own| (own, lock_of(descriptor))) {
        Some((own, Place::Own(lock))) => (own, lock),
        // `errno` is that of the open that failed.
        Some((_, Place::Nowhere)) => return -1,
        // SAFETY: the arguments of the caller.
        _ => return unsafe { libc::fcntl(descriptor, command, argument) },
    };
    let flock = argument.cast::<libc::flock>();
    // SAFETY: with these commands SQLite gives a `struct flock` that may be read and written.
    unsafe {
        (*flock).l_pid = 0;
        let done = libc::fcntl(lock, own, flock);
        if done == -1 && *libc::__errno_location() == libc::EINVAL {
            // The first lock of all: there is none of the other kind yet.
            UNSUPPORTED.store(true, Ordering::SeqCst);
            return libc::fcntl(descriptor, command, argument);
        }
        done
    }
}

/// open(2): uses a kept descriptor of the file again.
unsafe extern "C" fn open_file(path: *const c_char, flags: c_int, mode: c_int) -> c_int {
    let is_new = flags & (libc::O_EXCL | libc::O_TRUNC) != 0;
    if !is_new && let Some(descriptor) = kept(path, flags & libc::O_ACCMODE) {
        return descriptor;
    }
    let Some(former) = FORMER.get() else { return -1 };
    // SAFETY: the arguments of the caller.
    let opened = unsafe { (former.open)(path, flags, mode) };
    if opened < 0 {
        has_no_descriptor();
    }
    opened
}

fn kept(path: *const c_char, mode: c_int) -> Option<c_int> {
    let mut found = MaybeUninit::uninit();
    // SAFETY: SQLite gives a path that ends with a NUL; `found` is read only if it was written.
    let found = unsafe { if libc::stat(path, found.as_mut_ptr()) == 0 { found.assume_init() } else { return None } };
    let mut table = files();
    let file = table.1.iter_mut().find(|file| file.id == id(&found))?;
    let at = file.kept.iter().position(|(_, kept)| *kept == mode)?;
    let (descriptor, _) = file.kept.swap_remove(at);
    unregister(descriptor);
    file.open.push(descriptor);
    Some(descriptor)
}

/// close(2): keeps a descriptor of a file that was locked.
unsafe extern "C" fn close_file(descriptor: c_int) -> c_int {
    if keep(descriptor) {
        return 0;
    }
    let Some(former) = FORMER.get() else { return -1 };
    // SAFETY: the caller's own descriptor.
    unsafe { (former.close)(descriptor) }
}

/// Whether the descriptor is kept, or closed here. Those of files that have been removed are closed for good.
fn keep(descriptor: c_int) -> bool {
    let mut table = files();
    let files = &mut table.1;
    let Some(file) = files.iter_mut().find(|file| file.open.contains(&descriptor)) else { return false };
    file.open.retain(|open| *open != descriptor);
    // SAFETY: F_GETFL of the caller's own descriptor.
    let mode = unsafe { libc::fcntl(descriptor, libc::F_GETFL) } & libc::O_ACCMODE;
    let is_kept = register(descriptor);
    if is_kept {
        file.kept.push((descriptor, mode));
    }
    if file.open.is_empty() {
        // SQLite leaves some locks to the close.
        let mut all =
            libc::flock { l_type: libc::F_UNLCK as _, l_whence: libc::SEEK_SET as _, l_start: 0, l_len: 0, l_pid: 0 };
        // SAFETY: a descriptor of this module, and a lock that may be read.
        unsafe { libc::fcntl(file.lock, libc::F_OFD_SETLK, &raw mut all) };
    }
    for gone in files.extract_if(.., |file| file.is_gone()) {
        close_registered(gone.lock);
        for (descriptor, _) in gone.kept {
            close_registered(descriptor);
        }
    }
    is_kept
}
