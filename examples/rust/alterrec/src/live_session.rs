//! Visitors whose items come one by one.
use crate::data::CatalogView;
use crate::error::{check, Result};
use crate::handle::{make, sized};
use crate::serving::{places, Recommendations, Recommender, Search};
use crate::sys;
use std::ptr::NonNull;

/// A visitor's session that grows: a further item costs what one item costs, and lists and scores
/// are those of the whole session in a [`Batch`](crate::Batch), bit for bit.
///
/// It is another holder of its recommender, and so has no lifetime of its own to heed. It may be
/// sent to any thread; what only reads it, lists and scores, any number of threads may ask for.
pub struct LiveSession {
    handle: NonNull<sys::alterrec_live_session>,
    // Whose catalog bounds the lists.
    recommender: Recommender,
}

// What takes `&self` only reads in C, too; its working memory is the call's own.
unsafe impl Send for LiveSession {}
unsafe impl Sync for LiveSession {}

impl Drop for LiveSession {
    fn drop(&mut self) {
        unsafe { sys::alterrec_live_session_free(self.handle.as_ptr()) }
    }
}

impl LiveSession {
    /// A session without items.
    pub fn new(recommender: &Recommender) -> Result<LiveSession> {
        let handle =
            make(|made| unsafe { sys::alterrec_live_session_create(made, recommender.as_ptr()) })?;
        Ok(LiveSession { handle, recommender: recommender.clone() })
    }

    /// The catalog of its recommender.
    pub fn catalog(&self) -> &CatalogView {
        self.recommender.catalog()
    }

    /// Adds the visitor's next item, on the calling thread alone.
    pub fn push(&mut self, item: i32) -> Result<()> {
        check(unsafe { sys::alterrec_live_session_push(self.as_ptr(), item) })
    }

    /// Adds `items[s]` to the s-th session, all of them or none, in one product, on at most so many
    /// threads (0: the recommender's). The sessions are of one recommender.
    pub fn push_many<'s>(
        sessions: impl IntoIterator<Item = &'s mut LiveSession>,
        items: &[i32],
        threads: i32,
    ) -> Result<()> {
        let sessions: Vec<_> = sessions.into_iter().map(|session| session.as_ptr()).collect();
        let count = sessions.len() as i64;
        sized("items", items.len(), count, 1)?;
        check(unsafe {
            sys::alterrec_live_sessions_push(sessions.as_ptr(), items.as_ptr(), count, threads)
        })
    }

    /// The number of items.
    pub fn len(&self) -> usize {
        unsafe { sys::alterrec_live_session_length(self.as_ptr()) as usize }
    }

    /// Whether there is no item yet.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All items in their order.
    pub fn items(&self) -> &[i32] {
        let items = unsafe { sys::alterrec_live_session_items(self.as_ptr()) };
        if items.is_null() {
            return &[];
        }
        unsafe { std::slice::from_raw_parts(items, self.len()) }
    }

    /// Takes away all items and exclusions; memory and `exclude_own` stay for the next visitor.
    pub fn reset(&mut self) {
        unsafe { sys::alterrec_live_session_reset(self.as_ptr()) }
    }

    /// Whether the session's own items are left out of its lists; at first they are not.
    pub fn exclude_own(&mut self, exclude: bool) -> Result<()> {
        check(unsafe { sys::alterrec_live_session_exclude_own(self.as_ptr(), exclude.into()) })
    }

    /// Leaves out these items from now on, besides those named before.
    pub fn exclude(&mut self, items: &[i32]) -> Result<()> {
        let count = items.len() as i64;
        check(unsafe { sys::alterrec_live_session_exclude(self.as_ptr(), items.as_ptr(), count) })
    }

    /// The k best items, as one list.
    pub fn top_k(&self, k: usize, search: &Search) -> Result<Recommendations> {
        let most = self.catalog().items();
        Recommendations::find(k, 1, most, search, |items, scores, found, search| unsafe {
            let handle = self.as_ptr();
            sys::alterrec_live_session_top_k(items, scores, found, handle, k as i64, search)
        })
    }

    /// The lists of many sessions of one recommender, in one search.
    pub fn top_k_many<'s>(
        sessions: impl IntoIterator<Item = &'s LiveSession>,
        k: usize,
        search: &Search,
    ) -> Result<Recommendations> {
        let sessions: Vec<_> = sessions.into_iter().collect();
        let handles: Vec<_> = sessions.iter().map(|session| session.as_ptr()).collect();
        // The library refuses to work on none.
        let most = sessions.first().map_or(0, |first| first.catalog().items());
        let (count, k_) = (handles.len() as i64, k as i64);
        Recommendations::find(k, handles.len(), most, search, |items, scores, found, search| {
            let handles = handles.as_ptr();
            unsafe {
                sys::alterrec_live_sessions_top_k(items, scores, found, handles, count, k_, search)
            }
        })
    }

    /// The fused, ID and text scores of given items, `[items]` each; `None`: not wanted.
    pub fn score(
        &self,
        fused: Option<&mut [f32]>,
        id: Option<&mut [f32]>,
        text: Option<&mut [f32]>,
        items: &[i32],
        search: &Search,
    ) -> Result<()> {
        let count = items.len() as i64;
        let (fused, id, text) = places(fused, id, text, 1, count)?;
        let search = &search.to_c();
        check(unsafe {
            let (handle, items) = (self.as_ptr(), items.as_ptr());
            sys::alterrec_live_session_score(fused, id, text, handle, items, count, search)
        })
    }

    /// Items and exclusions as bytes, for [`LiveSession::restore`].
    pub fn serialize(&self) -> Result<Vec<u8>> {
        let mut bytes = vec![0; unsafe { sys::alterrec_live_session_size(self.as_ptr()) }];
        check(unsafe {
            let to = bytes.as_mut_ptr().cast();
            sys::alterrec_live_session_serialize(to, self.as_ptr(), bytes.len())
        })?;
        Ok(bytes)
    }

    /// Replaces what the session holds by what the bytes say, which may come from a session of
    /// another recommender over as many items. Bytes of any content are safe.
    pub fn restore(&mut self, bytes: &[u8]) -> Result<()> {
        check(unsafe {
            sys::alterrec_live_session_restore(self.as_ptr(), bytes.as_ptr().cast(), bytes.len())
        })
    }

    fn as_ptr(&self) -> *mut sys::alterrec_live_session {
        self.handle.as_ptr()
    }
}
