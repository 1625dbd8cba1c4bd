//! What `std` would have brought: memory, a last word, and an end.

use core::alloc::{GlobalAlloc, Layout};
use core::ffi::{c_int, c_void};
use core::fmt::{self, Write};
use core::panic::PanicInfo;

#[link(name = "c")]
unsafe extern "C" {
    unsafe fn aligned_alloc(alignment: usize, size: usize) -> *mut c_void;
    unsafe fn free(pointer: *mut c_void);
    safe fn putchar(byte: c_int) -> c_int;
    safe fn exit(code: c_int) -> !;
}

struct Libc;

#[global_allocator]
static MEMORY: Libc = Libc;

// SAFETY: memory of `aligned_alloc` has the size and the alignment asked for,
// stays valid until it is given to `free`, and is given to it once by contract
// of the trait.
unsafe impl GlobalAlloc for Libc {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // libc wants no alignment below that of a pointer, and whole multiples.
        let alignment = layout.align().max(align_of::<usize>());
        let Some(size) = layout.size().checked_next_multiple_of(alignment) else {
            return core::ptr::null_mut();
        };
        // SAFETY: takes any size, and answers null if it cannot serve it.
        unsafe { aligned_alloc(alignment, size) }.cast()
    }

    unsafe fn dealloc(&self, pointer: *mut u8, _: Layout) {
        // SAFETY: the caller got `pointer` from `alloc`.
        unsafe { free(pointer.cast()) }
    }
}

struct Stdout;

impl Write for Stdout {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            putchar(byte.into());
        }
        Ok(())
    }
}

pub(crate) fn say(text: impl fmt::Display) {
    // `Stdout` never fails.
    let _ = write!(Stdout, "{text}");
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    say(format_args!("{info}\n"));
    exit(101)
}

/// Named by the precompiled `alloc`, though nothing unwinds here.
#[unsafe(no_mangle)]
extern "C" fn rust_eh_personality() {}

/// Called by the precompiled `alloc` while it unwinds, which it never does.
#[unsafe(no_mangle)]
extern "C" fn _Unwind_Resume() -> ! {
    exit(102)
}
