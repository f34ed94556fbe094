//! The parameters of both towers.
use crate::config::ConfigView;
use crate::data::{Batch, CatalogView, SessionsView};
use crate::error::{check, Result};
use crate::handle::{c_path, c_string, optional, owned, sized, text, CStrings};
use crate::sys;
use std::path::Path;

/// Whose item table, vectors or scores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scorer {
    /// The ID tower's.
    Id = sys::ALTERREC_ID as isize,
    /// The text tower's.
    Text = sys::ALTERREC_TEXT as isize,
    /// Both together.
    Fused = sys::ALTERREC_FUSED as isize,
    /// In evaluations only.
    Popularity = sys::ALTERREC_POPULARITY as isize,
}

/// One parameter tensor: its name and shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tensor {
    /// Such as "id.encoder.blocks.0.attention.query.weight".
    pub name: String,
    /// One or two sizes.
    pub shape: Vec<i64>,
}

owned!(
    /// Parameters, options and catalog. `&mut self` is what changes them, so that a model may be
    /// read by any number of threads otherwise.
    Model, alterrec_model, alterrec_model_free
);

impl Model {
    /// A model with fresh parameters.
    pub fn new(catalog: &CatalogView, config: Option<&ConfigView>) -> Result<Model> {
        let config = optional(config, ConfigView::as_ptr);
        Model::make(|made| unsafe { sys::alterrec_model_create(made, catalog.as_ptr(), config) })
    }

    /// Opens a model file.
    pub fn load(path: impl AsRef<Path>) -> Result<Model> {
        let path = c_path(path)?;
        Model::make(|made| unsafe { sys::alterrec_model_load(made, path.as_ptr()) })
    }

    /// Writes a model file.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = c_path(path)?;
        check(unsafe { sys::alterrec_model_save(self.as_ptr(), path.as_ptr()) })
    }

    /// Sets parameters from a safetensors file.
    pub fn import(&mut self, path: impl AsRef<Path>) -> Result<()> {
        let path = c_path(path)?;
        check(unsafe { sys::alterrec_model_import(self.as_ptr(), path.as_ptr()) })
    }

    /// `features`: `[keys, feature_dim]`; `None`: hashed from the texts.
    pub fn add_items<K: AsRef<str>, T: AsRef<str>>(
        &mut self,
        keys: &[K],
        texts: Option<&[T]>,
        features: Option<&[f32]>,
    ) -> Result<()> {
        let count = keys.len() as i64;
        if let Some(texts) = texts {
            sized("texts", texts.len(), count, 1)?;
        }
        if let Some(features) = features {
            let dim = self.catalog().feature_dim();
            sized("features", features.len(), count, dim)?;
        }
        let keys = CStrings::new(keys)?;
        let texts = texts.map(CStrings::new).transpose()?;
        check(unsafe {
            sys::alterrec_model_add_items(
                self.as_ptr(),
                keys.as_ptr(),
                optional(texts.as_ref(), CStrings::as_ptr),
                optional(features.as_ref(), |features| features.as_ptr()),
                count,
            )
        })
    }

    /// The items.
    pub fn catalog(&self) -> &CatalogView {
        unsafe { CatalogView::lend(sys::alterrec_model_catalog(self.as_ptr())) }
            .expect("a model has a catalog")
    }

    /// The options that the model was made with.
    pub fn config(&self) -> &ConfigView {
        unsafe { ConfigView::lend(sys::alterrec_model_config(self.as_ptr())) }
            .expect("a model has options")
    }

    /// The option `model.dim`.
    pub fn dim(&self) -> i64 {
        unsafe { sys::alterrec_model_dim(self.as_ptr()) }
    }

    /// Every parameter tensor.
    pub fn tensors(&self) -> Result<Vec<Tensor>> {
        (0..unsafe { sys::alterrec_model_tensor_count(self.as_ptr()) })
            .map(|index| {
                tensor(|found| unsafe {
                    sys::alterrec_model_tensor_describe(found, self.as_ptr(), index)
                })
            })
            .collect()
    }

    /// One parameter tensor.
    pub fn tensor(&self, name: &str) -> Result<Tensor> {
        let name = c_string(name)?;
        tensor(|found| unsafe {
            sys::alterrec_model_tensor_find(found, self.as_ptr(), name.as_ptr())
        })
    }

    /// Copies the values of a parameter tensor out.
    pub fn get_tensor(&self, values: &mut [f32], name: &str) -> Result<()> {
        let (name, count) = (c_string(name)?, values.len() as i64);
        check(unsafe {
            let values = values.as_mut_ptr();
            sys::alterrec_model_get_tensor(values, self.as_ptr(), name.as_ptr(), count)
        })
    }

    /// Sets the values of a parameter tensor.
    pub fn set_tensor(&mut self, name: &str, values: &[f32]) -> Result<()> {
        let (name, count) = (c_string(name)?, values.len() as i64);
        check(unsafe {
            let values = values.as_ptr();
            sys::alterrec_model_set_tensor(self.as_ptr(), name.as_ptr(), values, count)
        })
    }

    /// `[items, dim]` of one tower.
    pub fn item_vectors(&self, vectors: &mut [f32], tower: Scorer) -> Result<()> {
        sized("vectors", vectors.len(), self.catalog().items(), self.dim())?;
        check(unsafe {
            let vectors = vectors.as_mut_ptr();
            sys::alterrec_model_item_vectors(vectors, self.as_ptr(), tower as i32)
        })
    }

    /// `[sessions, dim]` of one tower.
    pub fn session_vectors(
        &self,
        vectors: &mut [f32],
        tower: Scorer,
        batch: &mut Batch,
    ) -> Result<()> {
        sized("vectors", vectors.len(), batch.count(), self.dim())?;
        check(unsafe {
            let (vectors, batch) = (vectors.as_mut_ptr(), batch.as_ptr());
            sys::alterrec_model_session_vectors(vectors, self.as_ptr(), tower as i32, batch)
        })
    }

    /// `[sessions, items]`.
    pub fn score(&self, scores: &mut [f32], scorer: Scorer, batch: &mut Batch) -> Result<()> {
        sized("scores", scores.len(), batch.count(), self.catalog().items())?;
        check(unsafe {
            let (scores, batch) = (scores.as_mut_ptr(), batch.as_ptr());
            sys::alterrec_model_score(scores, self.as_ptr(), scorer as i32, batch)
        })
    }

    /// Chooses the weight of the fusion: the choice, and the metric at each of `points` weights.
    pub fn choose_alpha(
        &mut self,
        valid: &SessionsView,
        points: usize,
        config: Option<&ConfigView>,
    ) -> Result<(f64, Vec<f64>)> {
        // The library refuses more.
        let (mut alpha, mut curve) = (0.0, vec![0.0; points.min(1001)]);
        check(unsafe {
            sys::alterrec_model_choose_alpha(
                &mut alpha,
                curve.as_mut_ptr(),
                self.as_ptr(),
                valid.as_ptr(),
                points as i64,
                optional(config, ConfigView::as_ptr),
            )
        })?;
        Ok((alpha, curve))
    }
}

fn tensor(describe: impl FnOnce(*mut sys::alterrec_tensor) -> i32) -> Result<Tensor> {
    let mut found: sys::alterrec_tensor = unsafe { std::mem::zeroed() };
    found.struct_size = size_of::<sys::alterrec_tensor>() as u32;
    check(describe(&mut found))?;
    Ok(Tensor {
        name: unsafe { text(found.name) }.unwrap_or("").into(),
        shape: found.shape[..found.dims as usize].into(),
    })
}
