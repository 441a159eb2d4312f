//! The process's allocator, and what it does with freed memory.
//!
//! Must not know: who needs the memory.

use std::ffi::c_long;

// Freed memory goes back to the system sooner, and small allocations of many threads do not contend.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How much memory there is beside what is in use.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Room {
    /// Freed memory is kept for the next task for a while: pages that it would use again are costly to give back and to get, above all
    /// in virtual machines (half of the time of a large aggregation).
    Plenty,
    /// What is freed must not be held beside what is reserved: it goes back at once. What comes then is small pages: of a huge one the
    /// system clears all of its two megabytes, however little of it is used before it goes back (a third of the time of a large shuffle
    /// was spent so).
    Tight,
}

/// `mi_option_purge_delay`, which the bindings do not name.
const PURGE_DELAY: libmimalloc_sys::mi_option_t = 15;

/// From now on. Any thread may call it at any time.
pub fn set(room: Room) {
    let milliseconds: c_long = if room == Room::Tight { 10 } else { 20_000 };
    // SAFETY: sets a number that the allocator reads; any option and value are allowed.
    unsafe { libmimalloc_sys::mi_option_set(PURGE_DELAY, milliseconds) };
    #[cfg(target_os = "linux")]
    // SAFETY: tells the kernel something about this process; called with numbers only. Where it is refused, all is as before.
    unsafe {
        libc::prctl(libc::PR_SET_THP_DISABLE, c_long::from(room == Room::Tight), 0, 0, 0);
    }
    if room == Room::Tight {
        // SAFETY: gives free pages back.
        unsafe { libmimalloc_sys::mi_collect(true) };
    }
}
