//! The functions of the C library that stand behind those of this crate.
#![expect(unsafe_code, reason = "they are found by name, as what they are declared to be")]

use std::ffi::CStr;
use std::mem;
use std::sync::atomic::{AtomicPtr, Ordering};

use libc::c_void;

/// A function that is looked for when it is first called.
pub(crate) struct Real {
    name: &'static CStr,
    found: AtomicPtr<c_void>,
}

impl Real {
    pub(crate) const fn named(name: &'static CStr) -> Self {
        Self { name, found: AtomicPtr::new(std::ptr::null_mut()) }
    }

    /// Returns the function.
    ///
    /// # Safety
    /// `F` is the type of a pointer to the function of this name.
    pub(crate) unsafe fn function<F: Copy>(&self) -> F {
        let mut found = self.found.load(Ordering::Relaxed);
        if found.is_null() {
            // SAFETY: the name ends with a zero, and looking for it changes nothing.
            found = unsafe { libc::dlsym(libc::RTLD_NEXT, self.name.as_ptr()) };
            if found.is_null() {
                // Nothing may panic here, and there is nothing to go on with.
                std::process::abort();
            }
            self.found.store(found, Ordering::Relaxed);
        }
        const { assert!(size_of::<F>() == size_of::<*mut c_void>()) };
        // SAFETY: the caller says that this is the type; pointers to functions are pointers on Linux.
        unsafe { mem::transmute_copy(&found) }
    }
}
