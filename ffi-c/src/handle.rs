//! Handles are ids, not addresses: a stale, freed or invented one is answered with an error and never dereferenced.

use std::marker::PhantomData;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use crate::fork::{self, ShortLock};

/// Clients, replies, queues and cancel tokens that are not freed, for apb_live_handles().
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
    /// A bit that is set in the ids of this registry and in no others.
    kind: usize,
    _type: PhantomData<T>,
}

/// Bits of an id that name the slot; the rest is the generation.
const SLOT_BITS: u32 = 32;

/// The bits of the slot that tell what sort of handle an id is.
const KINDS: usize = 3 << (SLOT_BITS - 2);

impl<T> Registry<T> {
    /// An empty registry.
    pub const fn new() -> Registry<T> {
        Registry::of_kind(0)
    }

    /// An empty registry whose ids have one of the two bits below the generation set.
    pub const fn of_kind(kind: usize) -> Registry<T> {
        Registry { slots: RwLock::new((Vec::new(), Vec::new())), kind, _type: PhantomData }
    }

    /// The slot and the generation of an id of this kind.
    fn parts(&self, id: usize) -> Option<(usize, usize)> {
        let low = id & ((1 << SLOT_BITS) - 1);
        (low & KINDS == self.kind).then_some((low & !KINDS, id >> SLOT_BITS))
    }

    /// Adds a value and returns its id, never 0; None if all slots are in use.
    pub fn insert(&self, value: T) -> Option<usize> {
        fork::watch();
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
                if slots.len() + 1 >= 1 << (SLOT_BITS - 2) {
                    return None;
                }
                slots.push(Slot { generation: 1, value });
                (slots.len() - 1, 1)
            }
        };
        count_created();
        Some((generation as usize) << SLOT_BITS | self.kind | index)
    }

    /// The value of an id. The caller shares its ownership, so it lives on if the handle is freed meanwhile.
    pub fn get(&self, id: usize) -> Option<Arc<T>> {
        let guard = self.slots.read().unwrap_or_else(PoisonError::into_inner);
        let (index, generation) = self.parts(id)?;
        let slot = guard.0.get(index)?;
        if slot.generation as usize == generation { slot.value.clone() } else { None }
    }

    /// Removes a value; None if the id is stale.
    pub fn remove(&self, id: usize) -> Option<Arc<T>> {
        let mut guard = self.slots.write().unwrap_or_else(PoisonError::into_inner);
        let (slots, free) = &mut *guard;
        let (index, generation) = self.parts(id)?;
        let slot = slots.get_mut(index)?;
        if slot.generation as usize != generation {
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

impl<T: Send + Sync> ShortLock for Registry<T> {
    fn hold(&'static self) -> Option<Box<dyn std::any::Any>> {
        self.slots.hold()
    }
}
