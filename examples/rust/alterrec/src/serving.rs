//! The k best items of sessions.
use crate::config::ConfigView;
use crate::data::{Batch, CatalogView};
use crate::error::{check, Result};
use crate::handle::{c_path, call_fusion, make, optional, owned, sized, Answer, FusionTile, Kept};
use crate::model::Model;
use crate::sys;
use std::path::Path;
use std::ptr::NonNull;
use std::sync::Arc;

owned!(
    /// What may be recommended at all, whoever asks. Filled, then shared.
    Filter, alterrec_filter, alterrec_filter_free
);

impl Filter {
    pub fn new(items: i64) -> Result<Filter> {
        Filter::make(|made| unsafe { sys::alterrec_filter_create(made, items) })
    }
    /// Bit `i % 8` of `bits[i / 8]` says whether item `i` is allowed.
    pub fn allow_bitmap(&mut self, bits: &[u8], items: i64) -> Result<()> {
        sized("bits", bits.len(), items / 8 + i64::from(items % 8 != 0), 1)?;
        check(unsafe { sys::alterrec_filter_allow_bitmap(self.as_ptr(), bits.as_ptr(), items) })
    }
    pub fn allow_only(&mut self, items: &[i32]) -> Result<()> {
        let count = items.len() as i64;
        check(unsafe { sys::alterrec_filter_allow_only(self.as_ptr(), items.as_ptr(), count) })
    }
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

/// How a call searches; the default is exact, over all items.
#[derive(Clone, Copy, Default)]
pub struct Search<'f> {
    pub filter: Option<&'f Filter>,
    /// 0: the recommender's.
    pub threads: i32,
    /// 0: exact.
    pub candidates: i64,
}

/// What a search met.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Found {
    pub guaranteed: i64,
    pub reranked: i64,
    pub rescans: i64,
}

/// The best k items of each session, row after row; -1 where there are no more.
#[derive(Clone, Debug, PartialEq)]
pub struct Recommendations {
    pub k: usize,
    pub items: Vec<i32>,
    pub scores: Vec<f32>,
    pub found: Found,
}

impl Recommendations {
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
    fusion: Option<Arc<Kept>>,
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
        Recommender { handle: self.handle, fusion: self.fusion.clone() }
    }
}

impl Recommender {
    pub fn new(model: &Model, config: Option<&ConfigView>) -> Result<Recommender> {
        let config = optional(config, ConfigView::as_ptr);
        let handle =
            make(|made| unsafe { sys::alterrec_recommender_create(made, model.as_ptr(), config) })?;
        Ok(Recommender { handle, fusion: None })
    }

    /// Opens a file that [`Recommender::save`] wrote, by mapping it: it must not be changed while it
    /// is open. Of `config` compute.threads and serve.verify count.
    pub fn open(path: impl AsRef<Path>, config: Option<&ConfigView>) -> Result<Recommender> {
        let path = c_path(path)?;
        let config = optional(config, ConfigView::as_ptr);
        let handle =
            make(|made| unsafe { sys::alterrec_recommender_open(made, path.as_ptr(), config) })?;
        Ok(Recommender { handle, fusion: None })
    }

    /// Writes all that serving needs to one file.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = c_path(path)?;
        check(unsafe { sys::alterrec_recommender_save(self.as_ptr(), path.as_ptr()) })
    }

    /// With a fusion in the place of the weighted sum, which several threads call at once.
    pub fn with_fusion<F, A>(
        model: &Model,
        config: Option<&ConfigView>,
        closure: F,
    ) -> Result<Recommender>
    where
        F: Fn(&mut FusionTile) -> A + Send + Sync + 'static,
        A: Into<Answer>,
    {
        let mut recommender = Recommender::new(model, config)?;
        let kept = Arc::new(Kept::new(closure));
        check(unsafe {
            let call = Some(call_fusion::<F, A> as _);
            sys::alterrec_recommender_on_fusion(recommender.as_ptr(), call, kept.pointer)
        })?;
        recommender.fusion = Some(kept);
        Ok(recommender)
    }

    pub fn catalog(&self) -> &CatalogView {
        unsafe { CatalogView::lend(sys::alterrec_recommender_catalog(self.as_ptr())) }
            .expect("a recommender has a catalog")
    }

    /// The k best items of every session of the batch.
    pub fn top_k(&self, batch: &mut Batch, k: usize, search: &Search) -> Result<Recommendations> {
        // Bounded before memory of its size is taken; the library says what is wrong with k.
        let size = k.min(self.catalog().items() as usize) * batch.count() as usize;
        let mut best = Recommendations {
            k,
            items: vec![-1; size],
            scores: vec![f32::NEG_INFINITY; size],
            found: Found::default(),
        };
        best.found = with(search, |search| unsafe {
            let (items, scores) = (best.items.as_mut_ptr(), best.scores.as_mut_ptr());
            let (handle, batch) = (self.as_ptr(), batch.as_ptr());
            sys::alterrec_recommender_top_k(items, scores, handle, batch, k as i64, search)
        })?;
        Ok(best)
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
    ) -> Result<()> {
        let rows = batch.count();
        let count = items.len() as i64 / rows.max(1);
        sized("items", items.len(), rows, count)?;
        let place = |name, scores: Option<&mut [f32]>| match scores {
            None => Ok(std::ptr::null_mut()),
            Some(scores) => sized(name, scores.len(), rows, count).map(|_| scores.as_mut_ptr()),
        };
        let (fused, id, text) = (place("fused", fused)?, place("id", id)?, place("text", text)?);
        with(&Search::default(), |search| unsafe {
            let (handle, batch, items) = (self.as_ptr(), batch.as_ptr(), items.as_ptr());
            sys::alterrec_recommender_score(fused, id, text, handle, batch, items, count, search)
        })?;
        Ok(())
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

    fn as_ptr(&self) -> *mut sys::alterrec_recommender {
        self.handle.as_ptr()
    }
}

/// Calls with the struct that C has for how to search and what was met.
fn with(search: &Search, call: impl FnOnce(*mut sys::alterrec_search) -> i32) -> Result<Found> {
    let mut both = sys::alterrec_search {
        struct_size: size_of::<sys::alterrec_search>() as u32,
        threads: search.threads,
        filter: optional(search.filter, |filter| filter.as_ptr() as *const _),
        candidates: search.candidates,
        guaranteed: 0,
        reranked: 0,
        rescans: 0,
    };
    check(call(&mut both))?;
    Ok(Found { guaranteed: both.guaranteed, reranked: both.reranked, rescans: both.rescans })
}
