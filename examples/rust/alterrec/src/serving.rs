//! The k best items of sessions.
use crate::config::ConfigView;
use crate::data::{Batch, CatalogView};
use crate::error::{check, Result};
use crate::handle::{c_path, call_fusion, make, optional, owned, sized, Answer, FusionTile};
use crate::model::Model;
use crate::sys;
use std::ffi::c_void;
use std::marker::PhantomData;
use std::path::Path;
use std::ptr::NonNull;

owned!(
    /// What may be recommended at all, whoever asks. Filled, then shared.
    Filter, alterrec_filter, alterrec_filter_free
);

impl Filter {
    /// A filter that allows all of so many items.
    pub fn new(items: i64) -> Result<Filter> {
        Filter::make(|made| unsafe { sys::alterrec_filter_create(made, items) })
    }
    /// Bit `i % 8` of `bits[i / 8]` says whether item `i` is allowed.
    pub fn allow_bitmap(&mut self, bits: &[u8], items: i64) -> Result<()> {
        sized("bits", bits.len(), items / 8 + i64::from(items % 8 != 0), 1)?;
        check(unsafe { sys::alterrec_filter_allow_bitmap(self.as_ptr(), bits.as_ptr(), items) })
    }
    /// Allows only these items.
    pub fn allow_only(&mut self, items: &[i32]) -> Result<()> {
        let count = items.len() as i64;
        check(unsafe { sys::alterrec_filter_allow_only(self.as_ptr(), items.as_ptr(), count) })
    }
    /// Allows none of these items.
    pub fn exclude(&mut self, items: &[i32]) -> Result<()> {
        let count = items.len() as i64;
        check(unsafe { sys::alterrec_filter_exclude(self.as_ptr(), items.as_ptr(), count) })
    }
    /// At most `per_list` items of a category in a list; `categories`: `[items]`.
    pub fn cap(&mut self, categories: &[i32], per_list: i64) -> Result<()> {
        let items = categories.len() as i64;
        check(unsafe {
            sys::alterrec_filter_cap(self.as_ptr(), categories.as_ptr(), items, per_list)
        })
    }
}

/// A closure that fuses both towers' scores in the place of the weighted sum, on the thread of the
/// call that it is given to.
#[derive(Clone, Copy)]
pub struct Fusion<'f> {
    call: sys::alterrec_fusion_fn,
    closure: *mut c_void,
    _closure: PhantomData<&'f ()>,
}

impl<'f> Fusion<'f> {
    /// Lends a closure, as long as the fusion is used.
    pub fn new<F, A>(closure: &'f F) -> Fusion<'f>
    where
        F: Fn(&mut FusionTile) -> A,
        A: Into<Answer>,
    {
        let pointer = std::ptr::from_ref(closure).cast_mut().cast();
        Fusion { call: Some(call_fusion::<F, A>), closure: pointer, _closure: PhantomData }
    }
}

/// How a call searches; the default is exact, over all items.
#[derive(Clone, Copy, Default)]
pub struct Search<'f> {
    /// In the place of the weighted sum.
    pub fusion: Option<Fusion<'f>>,
    /// What may be recommended at all; `None`: everything.
    pub filter: Option<&'f Filter>,
    /// 0: the recommender's.
    pub threads: i32,
    /// 0: exact.
    pub candidates: i64,
}

impl Search<'_> {
    pub(crate) fn to_c(self) -> sys::alterrec_search {
        sys::alterrec_search {
            struct_size: size_of::<sys::alterrec_search>() as u32,
            threads: self.threads,
            filter: optional(self.filter, |filter| filter.as_ptr() as *const _),
            candidates: self.candidates,
            fusion: self.fusion.and_then(|fusion| fusion.call),
            user_data: self.fusion.map_or(std::ptr::null_mut(), |fusion| fusion.closure),
        }
    }
}

/// What a search met.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Sessions whose list is the exact one for certain.
    pub guaranteed: i64,
    /// Items scored again in f32, over all sessions.
    pub reranked: i64,
    /// Sessions for which the f32 table had to be read.
    pub rescans: i64,
}

impl Found {
    fn to_c(self) -> sys::alterrec_search_report {
        sys::alterrec_search_report {
            struct_size: size_of::<sys::alterrec_search_report>() as u32,
            reserved: 0,
            guaranteed: self.guaranteed,
            reranked: self.reranked,
            rescans: self.rescans,
        }
    }
    fn of(report: &sys::alterrec_search_report) -> Found {
        Found { guaranteed: report.guaranteed, reranked: report.reranked, rescans: report.rescans }
    }
}

/// The best k items of each session, row after row; -1 where there are no more.
#[derive(Clone, Debug, PartialEq)]
pub struct Recommendations {
    /// How many were asked for.
    pub k: usize,
    /// `[sessions, k]`, best first.
    pub items: Vec<i32>,
    /// `[sessions, k]`, minus infinity where there are no more.
    pub scores: Vec<f32>,
    /// What the search met.
    pub found: Found,
}

impl Recommendations {
    /// Makes room for the k best items of so many sessions, of `most` in all, and has a function of
    /// C fill it. k is bounded before memory of its size is taken; the library says what is wrong
    /// with it.
    pub(crate) fn find(
        k: usize,
        sessions: usize,
        most: i64,
        search: &Search,
        fill: impl FnOnce(
            *mut i32,
            *mut f32,
            *mut sys::alterrec_search_report,
            *const sys::alterrec_search,
        ) -> i32,
    ) -> Result<Recommendations> {
        let size = k.min(most as usize) * sessions;
        let (mut items, mut scores) = (vec![-1; size], vec![f32::NEG_INFINITY; size]);
        let (mut found, search) = (Found::default().to_c(), search.to_c());
        check(fill(items.as_mut_ptr(), scores.as_mut_ptr(), &mut found, &search))?;
        Ok(Recommendations { k, items, scores, found: Found::of(&found) })
    }

    /// Items and scores of each session, without the places that nothing is left for.
    pub fn lists(&self) -> impl Iterator<Item = (&[i32], &[f32])> {
        let rows = self.items.chunks(self.k).zip(self.scores.chunks(self.k));
        rows.map(|(items, scores)| {
            let length = items.iter().position(|&item| item < 0).unwrap_or(items.len());
            (&items[..length], &scores[..length])
        })
    }
}

/// An immutable serving snapshot of a model. Threads share it by reference or by clone (another
/// holder of the same snapshot), each with a [`Batch`] of its own.
pub struct Recommender {
    handle: NonNull<sys::alterrec_recommender>,
}

unsafe impl Send for Recommender {}
unsafe impl Sync for Recommender {}

impl Drop for Recommender {
    fn drop(&mut self) {
        unsafe { sys::alterrec_recommender_free(self.handle.as_ptr()) }
    }
}

impl Clone for Recommender {
    fn clone(&self) -> Recommender {
        unsafe { sys::alterrec_recommender_hold(self.handle.as_ptr()) };
        Recommender { handle: self.handle }
    }
}

impl Recommender {
    /// A snapshot of the model as it is.
    pub fn new(model: &Model, config: Option<&ConfigView>) -> Result<Recommender> {
        let config = optional(config, ConfigView::as_ptr);
        let handle =
            make(|made| unsafe { sys::alterrec_recommender_create(made, model.as_ptr(), config) })?;
        Ok(Recommender { handle })
    }

    /// Opens a file that [`Recommender::save`] wrote, by mapping it: it must not be changed while it
    /// is open. Of `config` compute.threads and serve.verify count.
    pub fn open(path: impl AsRef<Path>, config: Option<&ConfigView>) -> Result<Recommender> {
        let path = c_path(path)?;
        let config = optional(config, ConfigView::as_ptr);
        let handle =
            make(|made| unsafe { sys::alterrec_recommender_open(made, path.as_ptr(), config) })?;
        Ok(Recommender { handle })
    }

    /// Writes all that serving needs to one file.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = c_path(path)?;
        check(unsafe { sys::alterrec_recommender_save(self.as_ptr(), path.as_ptr()) })
    }

    /// The items that it recommends of.
    pub fn catalog(&self) -> &CatalogView {
        unsafe { CatalogView::lend(sys::alterrec_recommender_catalog(self.as_ptr())) }
            .expect("a recommender has a catalog")
    }

    /// The k best items of every session of the batch.
    pub fn top_k(&self, batch: &mut Batch, k: usize, search: &Search) -> Result<Recommendations> {
        let (sessions, most) = (batch.count() as usize, self.catalog().items());
        Recommendations::find(k, sessions, most, search, |items, scores, found, search| unsafe {
            let (handle, batch) = (self.as_ptr(), batch.as_ptr());
            sys::alterrec_recommender_top_k(items, scores, found, handle, batch, k as i64, search)
        })
    }

    /// The fused, ID and text scores of given items, `[sessions, count]` all of them; `None`: not
    /// wanted.
    pub fn score(
        &self,
        fused: Option<&mut [f32]>,
        id: Option<&mut [f32]>,
        text: Option<&mut [f32]>,
        batch: &mut Batch,
        items: &[i32],
        search: &Search,
    ) -> Result<()> {
        let rows = batch.count();
        let count = items.len() as i64 / rows.max(1);
        sized("items", items.len(), rows, count)?;
        let (fused, id, text) = places(fused, id, text, rows, count)?;
        let search = &search.to_c();
        check(unsafe {
            let (handle, batch, items) = (self.as_ptr(), batch.as_ptr(), items.as_ptr());
            sys::alterrec_recommender_score(fused, id, text, handle, batch, items, count, search)
        })
    }

    /// The width of the vectors below.
    pub fn width(&self) -> i64 {
        unsafe { sys::alterrec_recommender_width(self.as_ptr()) }
    }

    /// `[count, width]`, of the items from `first` on.
    pub fn item_vectors(&self, vectors: &mut [f32], first: i64, count: i64) -> Result<()> {
        sized("vectors", vectors.len(), count, self.width())?;
        check(unsafe {
            let vectors = vectors.as_mut_ptr();
            sys::alterrec_recommender_item_vectors(vectors, self.as_ptr(), first, count)
        })
    }

    /// `[sessions, width]`.
    pub fn session_vectors(&self, vectors: &mut [f32], batch: &mut Batch) -> Result<()> {
        sized("vectors", vectors.len(), batch.count(), self.width())?;
        check(unsafe {
            let (vectors, batch) = (vectors.as_mut_ptr(), batch.as_ptr());
            sys::alterrec_recommender_session_vectors(vectors, self.as_ptr(), batch)
        })
    }

    /// All items' vectors as a `.npy` file.
    pub fn write_item_vectors(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = c_path(path)?;
        check(unsafe { sys::alterrec_recommender_write_item_vectors(self.as_ptr(), path.as_ptr()) })
    }

    /// The vectors of the batch's sessions as a `.npy` file.
    pub fn write_session_vectors(&self, batch: &mut Batch, path: impl AsRef<Path>) -> Result<()> {
        let path = c_path(path)?;
        check(unsafe {
            let (batch, path) = (batch.as_ptr(), path.as_ptr());
            sys::alterrec_recommender_write_session_vectors(self.as_ptr(), batch, path)
        })
    }

    pub(crate) fn as_ptr(&self) -> *mut sys::alterrec_recommender {
        self.handle.as_ptr()
    }
}

/// Where the scores go, `[rows, count]` each; NULL: not wanted.
pub(crate) fn places(
    fused: Option<&mut [f32]>,
    id: Option<&mut [f32]>,
    text: Option<&mut [f32]>,
    rows: i64,
    count: i64,
) -> Result<(*mut f32, *mut f32, *mut f32)> {
    let place = |name, scores: Option<&mut [f32]>| match scores {
        None => Ok(std::ptr::null_mut()),
        Some(scores) => sized(name, scores.len(), rows, count).map(|_| scores.as_mut_ptr()),
    };
    Ok((place("fused", fused)?, place("id", id)?, place("text", text)?))
}
