//! The allocator of the library, which keeps a reserve: where Rust finds no memory, it ends the process, which is the
//! host's. When the host's memory is used up, calls in progress go on in the reserve, and new ones are refused.
//!
//! The reserve is not given back to the system, where stacks of threads and SQLite would take it, which can do without.

use std::alloc::{GlobalAlloc, Layout, System};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU64, Ordering};

/// In bytes. Address space only, until it is used. Calls in progress need it for what is small; large answers are
/// asked for in ways that can fail.
const SIZE: usize = 2 << 20;
const RESERVE: Layout = layout(SIZE);

/// What must be there before another call begins.
const ENOUGH: Layout = layout(128 << 10);

const fn layout(size: usize) -> Layout {
    // SAFETY: 16 is a power of two, and the sizes above are far from overflowing.
    unsafe { Layout::from_size_align_unchecked(size, 16) }
}

/// Memory that is cut off from the front; all of it is free again when nothing of it is used.
struct Reserve {
    start: AtomicPtr<u8>,
    /// How many blocks of it are used, and how many bytes are cut off, 32 bits each.
    used: AtomicU64,
    /// Whether something was taken from it since there was last enough of the system's.
    is_touched: AtomicBool,
}

static KEPT: Reserve =
    Reserve { start: AtomicPtr::new(null_mut()), used: AtomicU64::new(0), is_touched: AtomicBool::new(false) };

impl Reserve {
    /// Asks the system for it.
    #[cold]
    fn make(&self) -> bool {
        // SAFETY: the layout's size is not 0.
        let made = unsafe { System.alloc(RESERVE) };
        if made.is_null() {
            return false;
        }
        if self.start.compare_exchange(null_mut(), made, Ordering::AcqRel, Ordering::Acquire).is_err() {
            // Another thread was faster.
            // SAFETY: from `System.alloc` with this layout, and nobody else has seen it.
            unsafe { System.dealloc(made, RESERVE) };
        }
        true
    }

    #[cold]
    fn alloc(&self, layout: Layout) -> *mut u8 {
        let start = self.start.load(Ordering::Acquire);
        if start.is_null() {
            return null_mut();
        }
        let mut at = 0;
        let cut = |used: u64| {
            let (blocks, end) = (used >> 32, (used & 0xffff_ffff) as usize);
            let free = start.addr() + end;
            at = free.checked_next_multiple_of(layout.align())? - start.addr();
            let end = at.checked_add(layout.size()).filter(|end| *end <= SIZE)?;
            Some((blocks + 1) << 32 | end as u64)
        };
        match self.used.fetch_update(Ordering::AcqRel, Ordering::Acquire, cut) {
            Ok(_) => {
                self.is_touched.store(true, Ordering::Release);
                // SAFETY: `at` and the block behind it are within the SIZE bytes at `start`.
                unsafe { start.add(at) }
            }
            Err(_) => null_mut(),
        }
    }

    fn has(&self, block: *mut u8) -> bool {
        let start = self.start.load(Ordering::Acquire);
        !start.is_null() && block.addr().wrapping_sub(start.addr()) < SIZE
    }

    #[cold]
    fn dealloc(&self) {
        let give_back = |used: u64| match (used >> 32) - 1 {
            0 => Some(0),
            blocks => Some(blocks << 32 | used & 0xffff_ffff),
        };
        let _ = self.used.fetch_update(Ordering::AcqRel, Ordering::Acquire, give_back);
    }
}

/// Whether there is memory for another call.
pub fn is_left() -> bool {
    if KEPT.start.load(Ordering::Acquire).is_null() && !KEPT.make() {
        return false;
    }
    !KEPT.is_touched.load(Ordering::Acquire) || is_left_again()
}

#[cold]
fn is_left_again() -> bool {
    // SAFETY: the layout's size is not 0. The compiler must not leave it out.
    let block = std::hint::black_box(unsafe { System.alloc(ENOUGH) });
    if block.is_null() {
        return false;
    }
    // SAFETY: from `System.alloc` with this layout.
    unsafe { System.dealloc(block, ENOUGH) };
    KEPT.is_touched.store(false, Ordering::Release);
    true
}

/// The system's, and where that has nothing, the reserve.
struct Allocator;

// SAFETY: a block is the system's, with the promises that the system makes, or one of the reserve: of the size and the
// alignment asked for, apart from all others that are used, and given back to where it came from.
unsafe impl GlobalAlloc for Allocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promises are those of the system's.
        let block = unsafe { System.alloc(layout) };
        if block.is_null() { KEPT.alloc(layout) } else { block }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as for `alloc`.
        let block = unsafe { System.alloc_zeroed(layout) };
        if !block.is_null() {
            return block;
        }
        let block = KEPT.alloc(layout);
        if !block.is_null() {
            // SAFETY: it has this size.
            unsafe { block.write_bytes(0, layout.size()) };
        }
        block
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if !KEPT.has(block) {
            // SAFETY: as for `alloc`. A block that could not be made larger is still there.
            let moved = unsafe { System.realloc(block, layout, size) };
            if !moved.is_null() {
                return moved;
            }
        }
        // SAFETY: the caller promises that this is a layout.
        let moved = unsafe { self.alloc(Layout::from_size_align_unchecked(size, layout.align())) };
        if !moved.is_null() {
            // SAFETY: both have that many bytes, and the new one is none of the old one's.
            unsafe { moved.copy_from_nonoverlapping(block, layout.size().min(size)) };
            // SAFETY: the caller's promise about `block` and `layout`.
            unsafe { self.dealloc(block, layout) };
        }
        moved
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if KEPT.has(block) {
            return KEPT.dealloc();
        }
        // SAFETY: as for `alloc`.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Allocator = Allocator;
