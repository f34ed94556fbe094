//! Catalog, sessions, dataset, batch.
use crate::config::ConfigView;
use crate::error::{check, Error, Result};
use crate::handle::{c_path, c_string, optional, owned, sized, text, viewed, CStrings};
use crate::sys;
use std::path::Path;

owned!(
    /// The items: keys, texts, text features.
    Catalog, alterrec_catalog, alterrec_catalog_free
);
viewed!(
    /// The items of a [`Catalog`], or those that another handle lends.
    Catalog, CatalogView, alterrec_catalog
);

impl CatalogView {
    /// The number of items.
    pub fn items(&self) -> i64 {
        unsafe { sys::alterrec_catalog_items(self.as_ptr()) }
    }
    /// The key of an item.
    pub fn key(&self, item: i32) -> Option<&str> {
        unsafe { text(sys::alterrec_catalog_key(self.as_ptr(), item)) }
    }
    /// The text of an item, "" if the catalog has no texts.
    pub fn text(&self, item: i32) -> Option<&str> {
        unsafe { text(sys::alterrec_catalog_text(self.as_ptr(), item)) }
    }
    /// The item of that key.
    pub fn find(&self, key: &str) -> Option<i32> {
        let key = c_string(key).ok()?;
        let item = unsafe { sys::alterrec_catalog_find(self.as_ptr(), key.as_ptr()) };
        (item >= 0).then_some(item)
    }
    /// The features' dimension, 0 if there are none.
    pub fn feature_dim(&self) -> i64 {
        unsafe { sys::alterrec_catalog_feature_dim(self.as_ptr()) }
    }
    /// `[items, feature_dim]`.
    pub fn features(&self) -> Option<&[f32]> {
        let values = unsafe { sys::alterrec_catalog_features(self.as_ptr()) };
        let count = (self.items() * self.feature_dim()) as usize;
        (!values.is_null()).then(|| unsafe { std::slice::from_raw_parts(values, count) })
    }
}

impl Catalog {
    /// Items whose keys are "0", "1", ..., without texts.
    pub fn numbered(items: i64) -> Result<Catalog> {
        let none = std::ptr::null();
        Catalog::make(|made| unsafe { sys::alterrec_catalog_create(made, none, none, items) })
    }

    /// Items of these keys, without texts.
    pub fn new<K: AsRef<str>>(keys: &[K]) -> Result<Catalog> {
        let keys = (CStrings::new(keys)?, keys.len() as i64);
        Catalog::make(|made| unsafe {
            sys::alterrec_catalog_create(made, keys.0.as_ptr(), std::ptr::null(), keys.1)
        })
    }

    /// Items of these keys, each with its text.
    pub fn with_texts<K: AsRef<str>, T: AsRef<str>>(keys: &[K], texts: &[T]) -> Result<Catalog> {
        sized("texts", texts.len(), keys.len() as i64, 1)?;
        let items = keys.len() as i64;
        let (keys, texts) = (CStrings::new(keys)?, CStrings::new(texts)?);
        Catalog::make(|made| unsafe {
            sys::alterrec_catalog_create(made, keys.as_ptr(), texts.as_ptr(), items)
        })
    }

    /// Reads an item file.
    pub fn read(path: impl AsRef<Path>, config: Option<&ConfigView>) -> Result<Catalog> {
        let path = c_path(path)?;
        let config = optional(config, ConfigView::as_ptr);
        Catalog::make(|made| unsafe { sys::alterrec_catalog_read(made, path.as_ptr(), config) })
    }

    /// `features`: `[items, dim]`.
    pub fn set_features(&mut self, features: &[f32], dim: i64) -> Result<()> {
        let items = self.items();
        sized("features", features.len(), items, dim)?;
        check(unsafe {
            sys::alterrec_catalog_set_features(self.0.as_ptr(), features.as_ptr(), items, dim)
        })
    }

    /// Reads the text features from a `.npy` file.
    pub fn read_features(&mut self, path: impl AsRef<Path>) -> Result<()> {
        let path = c_path(path)?;
        check(unsafe { sys::alterrec_catalog_read_features(self.0.as_ptr(), path.as_ptr()) })
    }

    /// Makes the text features from the texts by feature hashing.
    pub fn hash_features(&mut self, config: Option<&ConfigView>) -> Result<()> {
        let config = optional(config, ConfigView::as_ptr);
        check(unsafe { sys::alterrec_catalog_hash_features(self.0.as_ptr(), config) })
    }
}

owned!(
    /// An ordered set of sessions over one catalog.
    Sessions, alterrec_sessions, alterrec_sessions_free
);
viewed!(
    /// The sessions of a [`Sessions`], or those that a dataset lends.
    Sessions, SessionsView, alterrec_sessions
);

impl SessionsView {
    /// The number of sessions.
    pub fn count(&self) -> i64 {
        unsafe { sys::alterrec_sessions_count(self.as_ptr()) }
    }
    /// The number of items over all sessions.
    pub fn interactions(&self) -> i64 {
        unsafe { sys::alterrec_sessions_interactions(self.as_ptr()) }
    }
    /// The items of one session.
    pub fn get(&self, index: i64) -> Result<&[i32]> {
        let (mut items, mut length) = (std::ptr::null(), 0);
        check(unsafe {
            sys::alterrec_sessions_get(&mut items, &mut length, self.as_ptr(), index)
        })?;
        Ok(unsafe { slice(items, length) })
    }
    /// What reading them from a file met.
    pub fn report(&self) -> Result<sys::alterrec_data_report> {
        data_report(|report| unsafe { sys::alterrec_sessions_report(report, self.as_ptr()) })
    }
}

fn data_report(
    fill: impl FnOnce(&mut sys::alterrec_data_report) -> sys::alterrec_status,
) -> Result<sys::alterrec_data_report> {
    let mut report: sys::alterrec_data_report = unsafe { std::mem::zeroed() };
    report.struct_size = size_of::<sys::alterrec_data_report>() as u32;
    check(fill(&mut report))?;
    Ok(report)
}

/// An empty slice's pointer must not be NULL in Rust.
unsafe fn slice<'a, T>(values: *const T, count: i64) -> &'a [T] {
    if count == 0 {
        return &[];
    }
    std::slice::from_raw_parts(values, count as usize)
}

impl Sessions {
    /// Session `s` is `items[offsets[s]..offsets[s + 1]]`.
    pub fn new(catalog: &CatalogView, items: &[i32], offsets: &[i64]) -> Result<Sessions> {
        match offsets.last() {
            Some(&last) if last <= items.len() as i64 => {}
            _ => return Err(Error::wrong("the offsets do not end within the items")),
        }
        Sessions::make(|made| unsafe {
            sys::alterrec_sessions_create(
                made,
                catalog.as_ptr(),
                items.as_ptr(),
                offsets.as_ptr(),
                offsets.len() as i64 - 1,
            )
        })
    }

    /// From one slice of items a session.
    pub fn from_lists<L: AsRef<[i32]>>(catalog: &CatalogView, lists: &[L]) -> Result<Sessions> {
        let (mut items, mut offsets) = (Vec::new(), vec![0]);
        for list in lists {
            items.extend_from_slice(list.as_ref());
            offsets.push(items.len() as i64);
        }
        Sessions::new(catalog, &items, &offsets)
    }

    /// Reads sessions of a known catalog.
    pub fn read(
        catalog: &CatalogView,
        path: impl AsRef<Path>,
        config: Option<&ConfigView>,
    ) -> Result<Sessions> {
        let path = c_path(path)?;
        let config = optional(config, ConfigView::as_ptr);
        Sessions::make(|made| unsafe {
            sys::alterrec_sessions_read(made, catalog.as_ptr(), path.as_ptr(), config)
        })
    }
}

/// Which sessions of a dataset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Split {
    /// Those to train on.
    Train = sys::ALTERREC_SPLIT_TRAIN as isize,
    /// Those that decide when to stop.
    Valid = sys::ALTERREC_SPLIT_VALID as isize,
    /// Those that are held out.
    Test = sys::ALTERREC_SPLIT_TEST as isize,
}

owned!(
    /// Everything one training needs, read from the files that the options `data.*` name.
    Dataset, alterrec_dataset, alterrec_dataset_free
);

impl Dataset {
    /// Reads all the files.
    pub fn read(config: &ConfigView) -> Result<Dataset> {
        Dataset::make(|made| unsafe { sys::alterrec_dataset_read(made, config.as_ptr()) })
    }

    /// The items.
    pub fn catalog(&self) -> &CatalogView {
        unsafe { CatalogView::lend(sys::alterrec_dataset_catalog(self.as_ptr())) }
            .expect("a dataset has a catalog")
    }

    /// The sessions of a part; `None` if there are none.
    pub fn sessions(&self, split: Split) -> Option<&SessionsView> {
        unsafe { SessionsView::lend(sys::alterrec_dataset_sessions(self.as_ptr(), split as i32)) }
    }

    /// What was read and what was dropped.
    pub fn report(&self) -> Result<sys::alterrec_data_report> {
        data_report(|report| unsafe { sys::alterrec_dataset_report(report, self.as_ptr()) })
    }
}

owned!(
    /// Sessions to score or to train on, and the working memory of the calls: one a thread, used
    /// again and again.
    Batch, alterrec_batch, alterrec_batch_free
);

impl Batch {
    /// An empty batch.
    pub fn new() -> Result<Batch> {
        Batch::make(|made| unsafe { sys::alterrec_batch_create(made) })
    }
    /// Removes all sessions, labels, negatives and exclusions.
    pub fn clear(&mut self) -> Result<()> {
        check(unsafe { sys::alterrec_batch_clear(self.as_ptr()) })
    }
    /// Appends one session.
    pub fn add(&mut self, items: &[i32]) -> Result<()> {
        let length = items.len() as i64;
        check(unsafe { sys::alterrec_batch_add(self.as_ptr(), items.as_ptr(), length) })
    }
    /// `labels[t]` is the item that is to follow `items[..=t]`, or -1.
    pub fn add_labelled(&mut self, items: &[i32], labels: &[i32]) -> Result<()> {
        let length = items.len() as i64;
        sized("labels", labels.len(), length, 1)?;
        check(unsafe {
            let (items, labels) = (items.as_ptr(), labels.as_ptr());
            sys::alterrec_batch_add_labelled(self.as_ptr(), items, labels, length)
        })
    }
    /// `negatives`: `[examples, per_example]`.
    pub fn set_negatives(&mut self, negatives: &[i32], per_example: i64) -> Result<()> {
        let examples = self.examples();
        sized("negatives", negatives.len(), examples, per_example)?;
        check(unsafe {
            let negatives = negatives.as_ptr();
            sys::alterrec_batch_set_negatives(self.as_ptr(), negatives, examples, per_example)
        })
    }
    /// What must not be recommended for one session; `None`: for none of them.
    pub fn exclude(&mut self, session: Option<i64>, items: &[i32]) -> Result<()> {
        if session.is_some_and(|session| session < 0) {
            return Err(Error::wrong("a session's number is negative"));
        }
        check(unsafe {
            let count = items.len() as i64;
            sys::alterrec_batch_exclude(self.as_ptr(), session.unwrap_or(-1), items.as_ptr(), count)
        })
    }
    /// Whether a session's own items are left out of its recommendations; at first they are not.
    pub fn exclude_own(&mut self, exclude: bool) -> Result<()> {
        check(unsafe { sys::alterrec_batch_exclude_own(self.as_ptr(), exclude.into()) })
    }
    /// The number of sessions.
    pub fn count(&self) -> i64 {
        unsafe { sys::alterrec_batch_count(self.as_ptr()) }
    }
    /// The number of examples: of labels that are not -1.
    pub fn examples(&self) -> i64 {
        unsafe { sys::alterrec_batch_examples(self.as_ptr()) }
    }
}
