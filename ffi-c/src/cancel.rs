//! Cancel tokens: slots of atomics, because apb_cancel_set() may run in a signal handler, where no lock
//! may be taken and no memory allocated.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use atlas_postbooking::Cancel;

use crate::guard::quietly;
use crate::handle;

/// A cancel token. Sticky; shared by any number of calls. The value is an id, not an address.
pub struct apb_cancel {
    _opaque: [u8; 0],
}

/// The word of a slot: generation (32 bits), calls that use it (30), freed, set.
const SET: u64 = 1;
const FREED: u64 = 2;
const USE: u64 = 4;
const GENERATION: u32 = 32;

/// A token's place. It is never given back to the allocator, so that a stale handle finds a slot.
struct Slot {
    word: AtomicU64,
    /// Tokens are not inherited by a forked child.
    pid: AtomicU32,
}

/// Slots come in chunks of doubling size; a chunk never moves, so finding one needs no lock.
const FIRST_CHUNK: usize = 64;
static CHUNKS: [OnceLock<Box<[Slot]>>; 18] = [const { OnceLock::new() }; 18];

/// Free slots, and how many were ever used.
static FREE: Mutex<(Vec<u32>, u32)> = Mutex::new((Vec::new(), 0));

fn slot(index: usize) -> Option<&'static Slot> {
    let chunk = ((index + FIRST_CHUNK) / FIRST_CHUNK).ilog2() as usize;
    let start = (FIRST_CHUNK << chunk) - FIRST_CHUNK;
    CHUNKS.get(chunk)?.get()?.get(index.checked_sub(start)?)
}

fn make_chunk(index: usize) -> Option<()> {
    let chunk = ((index + FIRST_CHUNK) / FIRST_CHUNK).ilog2() as usize;
    CHUNKS.get(chunk)?.get_or_init(|| {
        (0..FIRST_CHUNK << chunk)
            .map(|_| Slot { word: AtomicU64::new(1 << GENERATION), pid: AtomicU32::new(0) })
            .collect()
    });
    Some(())
}

/// Set in the ids of tokens, so that a token is no client and a client no token.
const KIND: usize = 1 << 31;

/// A token's slot and generation, whoever made it.
fn find_any(id: usize) -> Option<(&'static Slot, u64)> {
    let slot = slot(index_of(id)?)?;
    Some((slot, (id as u64) >> GENERATION))
}

fn index_of(id: usize) -> Option<usize> {
    (id & KIND != 0).then_some(id & (KIND - 1))
}

/// The slot of a token that this process made.
fn find(id: usize) -> Option<(&'static Slot, u64)> {
    find_any(id).filter(|(slot, _)| slot.pid.load(Ordering::SeqCst) == std::process::id())
}

/// Changes a slot's word, if it is still of that generation and not freed.
fn update(slot: &Slot, generation: u64, change: impl Fn(u64) -> u64) -> Option<u64> {
    slot.word
        .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |word| {
            (word >> GENERATION == generation && word & FREED == 0).then(|| change(word))
        })
        .ok()
}

/// A token that a call uses: its slot is not recycled meanwhile, even if the host frees it.
pub struct InUse {
    slot: &'static Slot,
    index: u32,
    token: Cancel,
}

impl InUse {
    pub fn token(&self) -> &Cancel {
        &self.token
    }
}

impl Drop for InUse {
    fn drop(&mut self) {
        let before = self.slot.word.fetch_sub(USE, Ordering::SeqCst);
        let last = (before & (u64::MAX >> GENERATION)) / USE == 1;
        if last && before & FREED != 0 {
            recycle(self.slot, self.index);
        }
    }
}

/// The token of a handle, for the length of a call; None for NULL, stale and freed ones.
pub fn token(cancel: *const apb_cancel) -> Option<InUse> {
    let (slot, generation) = find(cancel.addr())?;
    update(slot, generation, |word| word + USE)?;
    let index = index_of(cancel.addr())? as u32;
    Some(InUse { slot, index, token: Cancel::watching(move || slot.word.load(Ordering::SeqCst) & SET != 0) })
}

fn recycle(slot: &Slot, index: u32) {
    let generation = (slot.word.load(Ordering::SeqCst) >> GENERATION) + 1;
    slot.pid.store(0, Ordering::SeqCst);
    // A slot whose generations are used up is retired.
    if generation < u64::from(u32::MAX) {
        slot.word.store(generation << GENERATION, Ordering::SeqCst);
        FREE.lock().unwrap_or_else(PoisonError::into_inner).0.push(index);
    }
}

/// Makes a cancel token; NULL only if there are millions. Free it with apb_cancel_free().
#[unsafe(no_mangle)]
pub extern "C" fn apb_cancel_new() -> *mut apb_cancel {
    quietly(std::ptr::null_mut(), || {
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
        slot.pid.store(std::process::id(), Ordering::SeqCst);
        let generation = slot.word.load(Ordering::SeqCst) >> GENERATION;
        handle::born();
        std::ptr::without_provenance_mut((generation << GENERATION) as usize | KIND | index as usize)
    })
}

/// Cancels every call that uses the token, now and later. From any thread, also from a signal
/// handler: it only touches atomics. NULL, stale and freed tokens are ignored.
///
/// A call that is cancelled before its request was taken ends as APB_NOT_EXECUTED, any other submit
/// as APB_UNKNOWN; apb_reply_outcome() says which.
#[unsafe(no_mangle)]
pub extern "C" fn apb_cancel_set(cancel: *const apb_cancel) {
    // No catch_unwind here: it is not async-signal-safe, and nothing below can panic.
    if let Some((slot, generation)) = find(cancel.addr()) {
        update(slot, generation, |word| word | SET);
        Cancel::moved();
    }
}

/// Frees a token. NULL, stale and freed ones are fine. Calls that use it go on, and stay cancelled if
/// it was set.
#[unsafe(no_mangle)]
pub extern "C" fn apb_cancel_free(cancel: *mut apb_cancel) {
    quietly((), || {
        // A forked child may free what it inherited, though it cannot use it.
        let Some((slot, generation)) = find_any(cancel.addr()) else { return };
        let Some(before) = update(slot, generation, |word| word | FREED) else { return };
        handle::died();
        if (before & (u64::MAX >> GENERATION)) / USE == 0 {
            recycle(slot, index_of(cancel.addr()).unwrap_or_default() as u32);
        }
    });
}
