//! Errors: a status and the library's text.
use crate::sys;
use std::cell::RefCell;
use std::fmt;

/// What kind of error it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Status {
    /// An argument is out of range, or not finite.
    InvalidArgument,
    /// There is no memory.
    OutOfMemory,
    /// A file can't be opened, read, written or synced.
    Io,
    /// A file's or text's content is malformed.
    Parse,
    /// There is no such key, item, tensor, option or column.
    NotFound,
    /// Handles, shapes or files that don't belong together.
    Mismatch,
    /// A NaN or an infinity.
    NotFinite,
    /// Well-formed, but outside what this version does.
    Unsupported,
    /// The handle is inside another call.
    Busy,
    /// oneDNN refused.
    Backend,
    /// A closure panicked; the text is the panic's.
    Panic,
    /// A number that a closure of the host's answered, or that this crate does not know.
    Other(i32),
}

/// A failed call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    status: Status,
    text: String,
}

/// What a call that can fail gives.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// What kind of error it is.
    pub fn status(&self) -> Status {
        self.status
    }

    /// What is wrong with the arguments before the library sees them.
    pub(crate) fn wrong(text: impl Into<String>) -> Error {
        Error { status: Status::InvalidArgument, text: text.into() }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Error {}

/// The answer of a closure that panicked, on its way through C.
pub(crate) const PANICKED: i32 = i32::MIN + 77;

thread_local! {
    static PANIC_TEXT: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Runs a closure for C: a panic becomes PANICKED, and its text is kept for `check`.
pub(crate) fn guard(work: impl FnOnce() -> i32) -> i32 {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).unwrap_or_else(|payload| {
        let text = payload
            .downcast_ref::<&str>()
            .map(|text| text.to_string())
            .or_else(|| payload.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| "a closure panicked".into());
        // What was thrown may itself panic when it is dropped.
        std::mem::forget(payload);
        PANIC_TEXT.with(|place| *place.borrow_mut() = text);
        PANICKED
    })
}

/// Makes a result of a status, on the thread of the call.
pub(crate) fn check(status: i32) -> Result<()> {
    use Status::*;
    let kind = match status {
        sys::ALTERREC_OK => return Ok(()),
        sys::ALTERREC_ERROR_INVALID_ARGUMENT => InvalidArgument,
        sys::ALTERREC_ERROR_OUT_OF_MEMORY => OutOfMemory,
        sys::ALTERREC_ERROR_IO => Io,
        sys::ALTERREC_ERROR_PARSE => Parse,
        sys::ALTERREC_ERROR_NOT_FOUND => NotFound,
        sys::ALTERREC_ERROR_MISMATCH => Mismatch,
        sys::ALTERREC_ERROR_NOT_FINITE => NotFinite,
        sys::ALTERREC_ERROR_UNSUPPORTED => Unsupported,
        sys::ALTERREC_ERROR_BUSY => Busy,
        sys::ALTERREC_ERROR_BACKEND => Backend,
        PANICKED => {
            return Err(Error { status: Panic, text: PANIC_TEXT.with(|place| place.take()) })
        }
        other => Other(other),
    };
    let size = unsafe { sys::alterrec_last_error_copy(std::ptr::null_mut(), 0) } + 1;
    let mut bytes = vec![0u8; size];
    unsafe { sys::alterrec_last_error_copy(bytes.as_mut_ptr().cast(), size) };
    bytes.pop();
    Err(Error { status: kind, text: String::from_utf8_lossy(&bytes).into_owned() })
}
