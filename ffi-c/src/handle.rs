//! Handles are ids, not addresses: a stale, freed or invented one is answered with an error and never dereferenced.

use std::marker::PhantomData;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

/// Clients, replies and cancel tokens that are not freed, for apb_live_handles().
static LIVE: AtomicU64 = AtomicU64::new(0);

/// How many handles exist that are not freed.
pub fn live() -> u64 {
    LIVE.load(Ordering::Relaxed)
}

/// Counts a new handle.
pub fn count_created() {
    LIVE.fetch_add(1, Ordering::Relaxed);
}

/// Counts a freed handle.
pub fn count_freed() {
    LIVE.fetch_sub(1, Ordering::Relaxed);
}

struct Slot<T> {
    generation: u32,
    value: Option<Arc<T>>,
}

/// Objects of one type, each under an id made of a slot and a generation. The generation grows each time that a slot is
/// reused, so that old ids do not match, and starts at 1, so that no id is 0.
pub struct Registry<T> {
    slots: RwLock<(Vec<Slot<T>>, Vec<u32>)>,
    _type: PhantomData<T>,
}

/// Bits of an id that name the slot; the rest is the generation.
const SLOT_BITS: u32 = 32;

impl<T> Registry<T> {
    /// An empty registry.
    pub const fn new() -> Registry<T> {
        Registry { slots: RwLock::new((Vec::new(), Vec::new())), _type: PhantomData }
    }

    /// Adds a value and returns its id, never 0; None if all slots are in use.
    pub fn insert(&self, value: T) -> Option<usize> {
        let mut guard = self.slots.write().unwrap_or_else(PoisonError::into_inner);
        let (slots, free) = &mut *guard;
        let value = Some(Arc::new(value));
        let (index, generation) = match free.pop() {
            Some(index) => {
                let slot = slots.get_mut(index as usize)?;
                slot.value = value;
                (index as usize, slot.generation)
            }
            None => {
                if slots.len() + 1 >= 1 << (SLOT_BITS - 1) {
                    return None;
                }
                slots.push(Slot { generation: 1, value });
                (slots.len() - 1, 1)
            }
        };
        count_created();
        Some((generation as usize) << SLOT_BITS | index)
    }

    /// The value of an id. The caller shares its ownership, so it lives on if the handle is freed meanwhile.
    pub fn get(&self, id: usize) -> Option<Arc<T>> {
        let guard = self.slots.read().unwrap_or_else(PoisonError::into_inner);
        let slot = guard.0.get(id & ((1 << SLOT_BITS) - 1))?;
        if slot.generation as usize == id >> SLOT_BITS { slot.value.clone() } else { None }
    }

    /// Removes a value; None if the id is stale.
    pub fn remove(&self, id: usize) -> Option<Arc<T>> {
        let mut guard = self.slots.write().unwrap_or_else(PoisonError::into_inner);
        let (slots, free) = &mut *guard;
        let index = id & ((1 << SLOT_BITS) - 1);
        let slot = slots.get_mut(index)?;
        if slot.generation as usize != id >> SLOT_BITS {
            return None;
        }
        let value = slot.value.take()?;
        let last = u32::MAX >> (32 - (usize::BITS - SLOT_BITS).min(32));
        slot.generation += 1;
        // A slot whose generations are used up is retired: its ids never come back.
        if slot.generation < last {
            free.push(index as u32);
        }
        count_freed();
        Some(value)
    }
}
