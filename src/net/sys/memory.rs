//! Memory that has been freed and is still held by the allocator.

/// Gives it back to the system, as far as the allocator can: glibc keeps what threads free in pools of their own.
pub fn release() {
    #[cfg(target_env = "gnu")]
    // SAFETY: the call takes no pointer, and the allocator locks what it looks at.
    unsafe {
        libc::malloc_trim(0);
    }
}
