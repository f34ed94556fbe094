//! What every handle and callback is made of.
use crate::error::{guard, Error, Result};
use crate::sys;
use std::ffi::{c_char, c_void, CStr, CString};
use std::ops::Deref;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Defines an owned handle that its C function frees. Every one may be moved to, and its `&self`
/// functions be called from, any thread: they take `const` in C.
macro_rules! owned {
    ($(#[$comment:meta])* $name:ident, $c:ident, $free:ident) => {
        $(#[$comment])*
        pub struct $name(pub(crate) std::ptr::NonNull<sys::$c>);
        unsafe impl Send for $name {}
        unsafe impl Sync for $name {}
        impl Drop for $name {
            fn drop(&mut self) {
                unsafe { sys::$free(self.0.as_ptr()) }
            }
        }
        impl $name {
            #[allow(dead_code)]
            pub(crate) fn as_ptr(&self) -> *mut sys::$c {
                self.0.as_ptr()
            }
            #[allow(dead_code)]
            pub(crate) fn make(
                create: impl FnOnce(*mut *mut sys::$c) -> i32,
            ) -> crate::error::Result<Self> {
                crate::handle::make(create).map(Self)
            }
        }
    };
}

/// Defines what is common to an owned handle and to one that another handle lends: the view, to
/// which the owned one dereferences.
macro_rules! viewed {
    ($(#[$comment:meta])* $name:ident, $view:ident, $c:ident) => {
        $(#[$comment])*
        #[repr(transparent)]
        pub struct $view(sys::$c);
        unsafe impl Sync for $view {}
        impl $view {
            pub(crate) fn as_ptr(&self) -> *const sys::$c {
                &self.0
            }
            /// The handle must live for 'a, and none of its changing functions be called.
            #[allow(dead_code)]
            pub(crate) unsafe fn lend<'a>(pointer: *const sys::$c) -> Option<&'a $view> {
                pointer.cast::<$view>().as_ref()
            }
        }
        impl std::ops::Deref for $name {
            type Target = $view;
            fn deref(&self) -> &$view {
                unsafe { self.0.cast::<$view>().as_ref() }
            }
        }
    };
}

pub(crate) use {owned, viewed};

pub(crate) fn make<T>(create: impl FnOnce(*mut *mut T) -> i32) -> Result<std::ptr::NonNull<T>> {
    let mut pointer = std::ptr::null_mut();
    crate::error::check(create(&mut pointer))?;
    std::ptr::NonNull::new(pointer).ok_or_else(|| Error::wrong("no handle was made"))
}

pub(crate) fn optional<V, T>(view: Option<&V>, pointer: impl FnOnce(&V) -> *const T) -> *const T {
    view.map_or(std::ptr::null(), pointer)
}

/// A string of the library's; None for NULL.
pub(crate) unsafe fn text<'a>(pointer: *const c_char) -> Option<&'a str> {
    if pointer.is_null() {
        return None;
    }
    Some(CStr::from_ptr(pointer).to_str().unwrap_or(""))
}

pub(crate) fn c_string(text: &str) -> Result<CString> {
    CString::new(text).map_err(|_| Error::wrong(format!("{text:?} holds a 0")))
}

pub(crate) fn c_path(path: impl AsRef<Path>) -> Result<CString> {
    CString::new(path.as_ref().as_os_str().as_bytes())
        .map_err(|_| Error::wrong("the path holds a 0"))
}

/// Strings as C takes an array of them.
pub(crate) struct CStrings {
    _strings: Vec<CString>,
    pointers: Vec<*const c_char>,
}

impl CStrings {
    pub(crate) fn new<S: AsRef<str>>(texts: &[S]) -> Result<CStrings> {
        let strings =
            texts.iter().map(|text| c_string(text.as_ref())).collect::<Result<Vec<_>>>()?;
        let pointers = strings.iter().map(|string| string.as_ptr()).collect();
        Ok(CStrings { _strings: strings, pointers })
    }

    pub(crate) fn as_ptr(&self) -> *const *const c_char {
        self.pointers.as_ptr()
    }
}

/// Fails unless the array has so many values.
pub(crate) fn sized(name: &str, length: usize, rows: i64, columns: i64) -> Result<()> {
    if i64::try_from(length).ok() == rows.checked_mul(columns) && rows >= 0 && columns >= 0 {
        return Ok(());
    }
    Err(Error::wrong(format!("{name} has {length} values, not {rows} * {columns}")))
}

/// What a closure answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Goes on.
    GoOn,
    /// Stops the work cleanly; of a fusion: leaves the tile to the weighted sum; of negatives:
    /// leaves the batch to random draws.
    Stop,
    /// Fails with `Status::Other` of this number, which must be negative.
    Fail(i32),
}

impl From<()> for Answer {
    fn from(_: ()) -> Answer {
        Answer::GoOn
    }
}

impl Answer {
    pub(crate) fn code(self) -> i32 {
        match self {
            Answer::GoOn => 0,
            Answer::Stop => 1,
            Answer::Fail(number) => {
                assert!(number < 0, "Answer::Fail({number}): not a negative number");
                number
            }
        }
    }
}

/// A closure that C knows by its address, until this is dropped.
pub(crate) struct Kept {
    pub(crate) pointer: *mut c_void,
    drop: unsafe fn(*mut c_void),
}

impl Kept {
    pub(crate) fn new<F>(closure: F) -> Kept {
        unsafe fn drop_it<F>(pointer: *mut c_void) {
            drop(Box::from_raw(pointer.cast::<F>()));
        }
        Kept { pointer: Box::into_raw(Box::new(closure)).cast(), drop: drop_it::<F> }
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        unsafe { (self.drop)(self.pointer) }
    }
}

// Only closures that are Send are ever kept.
unsafe impl Send for Kept {}

/// Where a running epoch or evaluation stands: the fields of `alterrec_progress`.
pub struct Progress<'a>(&'a sys::alterrec_progress);

impl Progress<'_> {
    /// The epoch that is finished, at `ALTERREC_STAGE_EPOCH`.
    pub fn report(&self) -> Option<&sys::alterrec_epoch_report> {
        unsafe { self.0.report.as_ref() }
    }
}

impl Deref for Progress<'_> {
    type Target = sys::alterrec_progress;
    fn deref(&self) -> &sys::alterrec_progress {
        self.0
    }
}

pub(crate) unsafe extern "C" fn call_progress<F, A>(
    progress: *const sys::alterrec_progress,
    closure: *mut c_void,
) -> i32
where
    F: FnMut(&Progress) -> A,
    A: Into<Answer>,
{
    guard(|| unsafe {
        let closure = &mut *closure.cast::<F>();
        closure(&Progress(&*progress)).into().code()
    })
}

/// Both towers' scores of some sessions for all items, and the place for the fused ones.
pub struct FusionTile<'a>(&'a sys::alterrec_fusion_tile);

impl FusionTile<'_> {
    /// Where the first row stands among the batch's sessions, or among the examples of an
    /// evaluation.
    pub fn first_session(&self) -> i64 {
        self.0.first_session
    }
    /// The number of rows.
    pub fn sessions(&self) -> usize {
        self.0.sessions as usize
    }
    /// The number of columns: the catalog's items.
    pub fn items(&self) -> usize {
        self.0.items as usize
    }
    /// The rows of `id`, `text` and `fused`, one session after the other.
    pub fn rows(&mut self) -> impl Iterator<Item = (&[f32], &[f32], &mut [f32])> {
        let (count, items) = (self.sessions() * self.items(), self.items());
        // The three arrays do not overlap, and are the library's for the length of the call.
        let (id, text, fused) = unsafe {
            (
                std::slice::from_raw_parts(self.0.id, count),
                std::slice::from_raw_parts(self.0.text, count),
                std::slice::from_raw_parts_mut(self.0.fused, count),
            )
        };
        id.chunks_exact(items)
            .zip(text.chunks_exact(items))
            .zip(fused.chunks_exact_mut(items))
            .map(|((id, text), fused)| (id, text, fused))
    }
}

/// One thread at a time: the closure may keep state.
pub(crate) unsafe extern "C" fn call_fusion_mut<F, A>(
    tile: *const sys::alterrec_fusion_tile,
    closure: *mut c_void,
) -> i32
where
    F: FnMut(&mut FusionTile) -> A,
    A: Into<Answer>,
{
    guard(|| unsafe {
        let closure = &mut *closure.cast::<F>();
        closure(&mut FusionTile(&*tile)).into().code()
    })
}

/// The closure is only lent.
pub(crate) unsafe extern "C" fn call_fusion<F, A>(
    tile: *const sys::alterrec_fusion_tile,
    closure: *mut c_void,
) -> i32
where
    F: Fn(&mut FusionTile) -> A,
    A: Into<Answer>,
{
    guard(|| unsafe {
        let closure = &*closure.cast::<F>();
        closure(&mut FusionTile(&*tile)).into().code()
    })
}
