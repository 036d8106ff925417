//! Cancel tokens: slots of atomics, because apb_cancel_set() may run in a signal handler, where no lock may be taken and
//! no memory allocated.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use atlas_postbooking::Cancel;

use crate::fork;
use crate::guard::catch_panic_or;
use crate::handle;

/// A cancel token. Sticky; shared by any number of calls. The value is an id, not an address.
pub struct apb_cancel {
    _opaque: [u8; 0],
}

/// The bits of a slot's state: generation (32), number of calls that use it (30), freed, set.
const SET: u64 = 1;
const FREED: u64 = 2;
const USE: u64 = 4;
const GENERATION: u32 = 32;

/// The memory of a token. It is never given back to the allocator, so that a stale handle finds a slot.
struct Slot {
    state: AtomicU64,
    /// [`fork::process`] that made the token: a forked child does not inherit it.
    process: AtomicU64,
}

/// Slots come in chunks of doubling size. A chunk never moves, so a slot is found without a lock.
const FIRST_CHUNK: usize = 64;
static CHUNKS: [OnceLock<Box<[Slot]>>; 18] = [const { OnceLock::new() }; 18];

/// Slots to be used again, and how many were ever used.
pub static FREE: Mutex<(Vec<u32>, u32)> = Mutex::new((Vec::new(), 0));

fn slot(index: usize) -> Option<&'static Slot> {
    let chunk = ((index + FIRST_CHUNK) / FIRST_CHUNK).ilog2() as usize;
    let start = (FIRST_CHUNK << chunk) - FIRST_CHUNK;
    CHUNKS.get(chunk)?.get()?.get(index.checked_sub(start)?)
}

fn make_chunk(index: usize) -> Option<()> {
    let chunk = ((index + FIRST_CHUNK) / FIRST_CHUNK).ilog2() as usize;
    CHUNKS.get(chunk)?.get_or_init(|| {
        (0..FIRST_CHUNK << chunk)
            .map(|_| Slot { state: AtomicU64::new(1 << GENERATION), process: AtomicU64::new(0) })
            .collect()
    });
    Some(())
}

/// Set in the ids of tokens and not in those of clients, so that neither is taken for the other.
const KIND: usize = 1 << 31;

/// The slot and generation of a token, of whichever process.
fn find_any(id: usize) -> Option<(&'static Slot, u64)> {
    let slot = slot(index_of(id)?)?;
    Some((slot, (id as u64) >> GENERATION))
}

fn index_of(id: usize) -> Option<usize> {
    (id & KIND != 0).then_some(id & (KIND - 1))
}

/// The slot and generation of a token that this process made.
fn find(id: usize) -> Option<(&'static Slot, u64)> {
    find_any(id).filter(|(slot, _)| slot.process.load(Ordering::SeqCst) == fork::process())
}

/// Changes a slot's state, if it still has that generation and is not freed; the state before.
fn update(slot: &Slot, generation: u64, change: impl Fn(u64) -> u64) -> Option<u64> {
    slot.state
        .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |state| {
            (state >> GENERATION == generation && state & FREED == 0).then(|| change(state))
        })
        .ok()
}

/// A token that a call uses: its slot is not recycled meanwhile, even if the host frees it.
pub struct TokenInUse {
    slot: &'static Slot,
    index: u32,
    token: Cancel,
}

impl TokenInUse {
    pub fn token(&self) -> &Cancel {
        &self.token
    }

    /// A token that keeps the slot until its last copy is gone: for a call that outlives the function that starts it.
    pub fn into_token(self) -> Cancel {
        Cancel::watching(move || self.token.is_set())
    }
}

impl Drop for TokenInUse {
    fn drop(&mut self) {
        let before = self.slot.state.fetch_sub(USE, Ordering::SeqCst);
        let last = (before & (u64::MAX >> GENERATION)) / USE == 1;
        if last && before & FREED != 0 {
            recycle(self.slot, self.index);
        }
    }
}

/// The token of a handle, for the duration of a call; None if the handle is NULL, stale or freed.
pub fn acquire(cancel: *const apb_cancel) -> Option<TokenInUse> {
    let (slot, generation) = find(cancel.addr())?;
    update(slot, generation, |state| state + USE)?;
    let index = index_of(cancel.addr())? as u32;
    Some(TokenInUse { slot, index, token: Cancel::watching(move || slot.state.load(Ordering::SeqCst) & SET != 0) })
}

fn recycle(slot: &Slot, index: u32) {
    let generation = (slot.state.load(Ordering::SeqCst) >> GENERATION) + 1;
    slot.process.store(0, Ordering::SeqCst);
    // A slot whose generations are used up is retired.
    if generation < u64::from(u32::MAX) {
        slot.state.store(generation << GENERATION, Ordering::SeqCst);
        FREE.lock().unwrap_or_else(PoisonError::into_inner).0.push(index);
    }
}

/// Makes a cancel token; NULL if memory ran out or 16 million tokens exist. Free it with
/// apb_cancel_free().
#[unsafe(no_mangle)]
pub extern "C" fn apb_cancel_new() -> *mut apb_cancel {
    catch_panic_or(std::ptr::null_mut(), || {
        fork::watch();
        let index = {
            let mut free = FREE.lock().unwrap_or_else(PoisonError::into_inner);
            match free.0.pop() {
                Some(index) => index,
                None => {
                    if make_chunk(free.1 as usize).is_none() {
                        return std::ptr::null_mut();
                    }
                    free.1 += 1;
                    free.1 - 1
                }
            }
        };
        let Some(slot) = slot(index as usize) else { return std::ptr::null_mut() };
        slot.process.store(fork::process(), Ordering::SeqCst);
        let generation = slot.state.load(Ordering::SeqCst) >> GENERATION;
        handle::count_created();
        std::ptr::without_provenance_mut((generation << GENERATION) as usize | KIND | index as usize)
    })
}

/// Cancels every call that uses the token, now and later. May be called from any thread and from a
/// signal handler: it only changes atomics. NULL, stale and freed tokens are ignored.
///
/// A submit that is cancelled before its request was handed to a connection ends as APB_NOT_EXECUTED,
/// a later one as APB_UNKNOWN; apb_reply_outcome() says which.
#[unsafe(no_mangle)]
pub extern "C" fn apb_cancel_set(cancel: *const apb_cancel) {
    // Without catch_panic_or(): catching is not async-signal-safe, and nothing below can panic.
    if let Some((slot, generation)) = find(cancel.addr()) {
        update(slot, generation, |state| state | SET);
        Cancel::moved();
    }
}

/// Frees a token. NULL, stale and freed tokens are ignored. Calls that use it go on, and stay
/// cancelled if it was set.
#[unsafe(no_mangle)]
pub extern "C" fn apb_cancel_free(cancel: *mut apb_cancel) {
    catch_panic_or((), || {
        // A forked child may free the tokens of its parent, though it cannot use them.
        let Some((slot, generation)) = find_any(cancel.addr()) else { return };
        let Some(before) = update(slot, generation, |state| state | FREED) else { return };
        handle::count_freed();
        if (before & (u64::MAX >> GENERATION)) / USE == 0 {
            recycle(slot, index_of(cancel.addr()).unwrap_or_default() as u32);
        }
    });
}
