// Written by tests/ffi/prototypes.py from alterrec.h, where every comment stands.
use core::ffi::{c_char, c_void};
use core::marker::{PhantomData, PhantomPinned};

pub type alterrec_status = i32;

pub const ALTERREC_VERSION_MAJOR: i32 = 0;
pub const ALTERREC_VERSION_MINOR: i32 = 1;
pub const ALTERREC_VERSION_PATCH: i32 = 0;
pub const ALTERREC_OK: i32 = 0;
pub const ALTERREC_ERROR_INVALID_ARGUMENT: i32 = -1;
pub const ALTERREC_ERROR_OUT_OF_MEMORY: i32 = -2;
pub const ALTERREC_ERROR_IO: i32 = -3;
pub const ALTERREC_ERROR_PARSE: i32 = -4;
pub const ALTERREC_ERROR_NOT_FOUND: i32 = -5;
pub const ALTERREC_ERROR_MISMATCH: i32 = -6;
pub const ALTERREC_ERROR_NOT_FINITE: i32 = -7;
pub const ALTERREC_ERROR_UNSUPPORTED: i32 = -8;
pub const ALTERREC_ERROR_BUSY: i32 = -9;
pub const ALTERREC_ERROR_BACKEND: i32 = -10;
pub const ALTERREC_SPLIT_TRAIN: i32 = 0;
pub const ALTERREC_SPLIT_VALID: i32 = 1;
pub const ALTERREC_SPLIT_TEST: i32 = 2;
pub const ALTERREC_ID: i32 = 1;
pub const ALTERREC_TEXT: i32 = 2;
pub const ALTERREC_FUSED: i32 = 3;
pub const ALTERREC_POPULARITY: i32 = 4;
pub const ALTERREC_NEGATIVES_RANDOM: i32 = 0;
pub const ALTERREC_NEGATIVES_HARD: i32 = 1;
pub const ALTERREC_NEGATIVES_FULL: i32 = 2;
pub const ALTERREC_NEGATIVES_BATCH: i32 = 3;
pub const ALTERREC_NEGATIVES_HOST: i32 = 4;
pub const ALTERREC_STAGE_TRAIN: i32 = 0;
pub const ALTERREC_STAGE_VALIDATE: i32 = 1;
pub const ALTERREC_STAGE_EPOCH: i32 = 2;
pub const ALTERREC_LOG_INFO: i32 = 1;
pub const ALTERREC_LOG_WARNING: i32 = 2;
pub const ALTERREC_PART_ROWS: i32 = 0;
pub const ALTERREC_PART_TEACHER: i32 = 1;
pub const ALTERREC_PART_TABLE: i32 = 2;
pub const ALTERREC_PART_ENCODER: i32 = 3;
pub const ALTERREC_PART_SCORES: i32 = 4;
pub const ALTERREC_PART_LOSS: i32 = 5;
pub const ALTERREC_PART_OPTIMIZER: i32 = 6;
pub const ALTERREC_HITS: i32 = 0;
pub const ALTERREC_MRR: i32 = 1;
pub const ALTERREC_NDCG: i32 = 2;

#[repr(C)]
pub struct alterrec_config {
    _opaque: [u8; 0],
    _pinned: PhantomData<(*mut u8, PhantomPinned)>,
}

#[repr(C)]
pub struct alterrec_catalog {
    _opaque: [u8; 0],
    _pinned: PhantomData<(*mut u8, PhantomPinned)>,
}

#[repr(C)]
pub struct alterrec_sessions {
    _opaque: [u8; 0],
    _pinned: PhantomData<(*mut u8, PhantomPinned)>,
}

#[repr(C)]
pub struct alterrec_dataset {
    _opaque: [u8; 0],
    _pinned: PhantomData<(*mut u8, PhantomPinned)>,
}

#[repr(C)]
pub struct alterrec_batch {
    _opaque: [u8; 0],
    _pinned: PhantomData<(*mut u8, PhantomPinned)>,
}

#[repr(C)]
pub struct alterrec_model {
    _opaque: [u8; 0],
    _pinned: PhantomData<(*mut u8, PhantomPinned)>,
}

#[repr(C)]
pub struct alterrec_trainer {
    _opaque: [u8; 0],
    _pinned: PhantomData<(*mut u8, PhantomPinned)>,
}

#[repr(C)]
pub struct alterrec_evaluation {
    _opaque: [u8; 0],
    _pinned: PhantomData<(*mut u8, PhantomPinned)>,
}

#[repr(C)]
pub struct alterrec_evaluator {
    _opaque: [u8; 0],
    _pinned: PhantomData<(*mut u8, PhantomPinned)>,
}

#[repr(C)]
pub struct alterrec_recommender {
    _opaque: [u8; 0],
    _pinned: PhantomData<(*mut u8, PhantomPinned)>,
}

#[repr(C)]
pub struct alterrec_filter {
    _opaque: [u8; 0],
    _pinned: PhantomData<(*mut u8, PhantomPinned)>,
}

#[repr(C)]
pub struct alterrec_live_session {
    _opaque: [u8; 0],
    _pinned: PhantomData<(*mut u8, PhantomPinned)>,
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct alterrec_option {
    pub struct_size: u32,
    pub reserved: u32,
    pub key: *const c_char,
    pub r#type: *const c_char,
    pub default_value: *const c_char,
    pub range: *const c_char,
    pub help: *const c_char,
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct alterrec_data_report {
    pub struct_size: u32,
    pub reserved: u32,
    pub rows_read: i64,
    pub rows_condition: i64,
    pub rows_missing: i64,
    pub rows_unknown_item: i64,
    pub interactions_read: i64,
    pub repeats_dropped: i64,
    pub rare_items_dropped: i64,
    pub rare_interactions: i64,
    pub sessions_read: i64,
    pub sessions_too_short: i64,
    pub sessions_too_long: i64,
    pub items: i64,
    pub items_with_text: i64,
    pub sessions: [i64; 3],
    pub interactions: [i64; 3],
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct alterrec_tensor {
    pub struct_size: u32,
    pub dims: i32,
    pub name: *const c_char,
    pub shape: [i64; 2],
    pub count: i64,
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct alterrec_fusion_tile {
    pub struct_size: u32,
    pub reserved: u32,
    pub first_session: i64,
    pub sessions: i64,
    pub items: i64,
    pub id: *const f32,
    pub text: *const f32,
    pub fused: *mut f32,
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct alterrec_plan {
    pub struct_size: u32,
    pub tower: i32,
    pub negatives: i32,
    pub stop: i32,
    pub k1: i64,
    pub k2: i64,
    pub negative_count: i64,
    pub positive_count: i64,
    pub hard_share: f64,
    pub popularity: f64,
    pub shared: i32,
    pub correct: i32,
    pub positives_weight: f64,
    pub learning_rate: f64,
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct alterrec_epoch_report {
    pub struct_size: u32,
    pub epoch: i32,
    pub tower: i32,
    pub negatives: i32,
    pub examples: i64,
    pub steps: i64,
    pub learning_rate: f64,
    pub loss: f64,
    pub positives_loss: f64,
    pub part_loss: [f64; 2],
    pub seconds: f64,
    pub valid_seconds: f64,
    pub valid_metric: [f64; 3],
    pub best: i32,
    pub epochs_since_best: i32,
    pub stopped: i32,
    pub reserved: i32,
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct alterrec_progress {
    pub struct_size: u32,
    pub stage: i32,
    pub epoch: i32,
    pub epochs: i32,
    pub step: i64,
    pub steps: i64,
    pub examples: i64,
    pub loss: f64,
    pub seconds: f64,
    pub report: *const alterrec_epoch_report,
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct alterrec_examples {
    pub struct_size: u32,
    pub reserved: u32,
    pub count: i64,
    pub items: *const i32,
    pub starts: *const i64,
    pub lengths: *const i64,
    pub labels: *const i32,
    pub item_count: i64,
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct alterrec_step_report {
    pub struct_size: u32,
    pub tower: i32,
    pub examples: i64,
    pub loss: f64,
    pub positives_loss: f64,
    pub part_loss: [f64; 2],
    pub rows: i64,
    pub tokens: i64,
    pub seconds: [f64; 16],
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct alterrec_search {
    pub struct_size: u32,
    pub threads: i32,
    pub filter: *const alterrec_filter,
    pub candidates: i64,
    pub fusion: alterrec_fusion_fn,
    pub user_data: *mut c_void,
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct alterrec_search_report {
    pub struct_size: u32,
    pub reserved: u32,
    pub guaranteed: i64,
    pub reranked: i64,
    pub rescans: i64,
}

pub type alterrec_fusion_fn = Option<unsafe extern "C" fn(tile: *const alterrec_fusion_tile, user_data: *mut c_void) -> i32>;
pub type alterrec_progress_fn = Option<unsafe extern "C" fn(progress: *const alterrec_progress, user_data: *mut c_void) -> i32>;
pub type alterrec_schedule_fn = Option<unsafe extern "C" fn(plan: *mut alterrec_plan, last: *const alterrec_epoch_report, user_data: *mut c_void) -> i32>;
pub type alterrec_negatives_fn = Option<unsafe extern "C" fn(negatives: *mut i32, examples: *const alterrec_examples, per_example: i64, user_data: *mut c_void) -> i32>;
pub type alterrec_log_fn = Option<unsafe extern "C" fn(level: i32, message: *const c_char, user_data: *mut c_void) -> i32>;

unsafe extern "C" {
    pub fn alterrec_version() -> u32;
    pub fn alterrec_build_info() -> *const c_char;
    pub fn alterrec_status_name(status: alterrec_status) -> *const c_char;
    pub fn alterrec_last_error() -> *const c_char;
    pub fn alterrec_last_error_copy(buffer: *mut c_char, size: usize) -> usize;
    pub fn alterrec_config_create(config: *mut *mut alterrec_config) -> alterrec_status;
    pub fn alterrec_config_clone(config: *mut *mut alterrec_config, source: *const alterrec_config) -> alterrec_status;
    pub fn alterrec_config_free(config: *mut alterrec_config);
    pub fn alterrec_config_set(config: *mut alterrec_config, key: *const c_char, value: *const c_char) -> alterrec_status;
    pub fn alterrec_config_get(value: *mut *const c_char, config: *const alterrec_config, key: *const c_char) -> alterrec_status;
    pub fn alterrec_config_read(config: *mut alterrec_config, path: *const c_char) -> alterrec_status;
    pub fn alterrec_config_read_text(config: *mut alterrec_config, text: *const c_char, size: usize) -> alterrec_status;
    pub fn alterrec_config_write(config: *const alterrec_config, path: *const c_char) -> alterrec_status;
    pub fn alterrec_option_count() -> i64;
    pub fn alterrec_option_describe(option: *mut alterrec_option, index: i64) -> alterrec_status;
    pub fn alterrec_catalog_create(catalog: *mut *mut alterrec_catalog, keys: *const *const c_char, texts: *const *const c_char, items: i64) -> alterrec_status;
    pub fn alterrec_catalog_read(catalog: *mut *mut alterrec_catalog, path: *const c_char, config: *const alterrec_config) -> alterrec_status;
    pub fn alterrec_catalog_hold(catalog: *const alterrec_catalog) -> *mut alterrec_catalog;
    pub fn alterrec_catalog_free(catalog: *mut alterrec_catalog);
    pub fn alterrec_catalog_set_features(catalog: *mut alterrec_catalog, features: *const f32, rows: i64, dim: i64) -> alterrec_status;
    pub fn alterrec_catalog_read_features(catalog: *mut alterrec_catalog, path: *const c_char) -> alterrec_status;
    pub fn alterrec_catalog_hash_features(catalog: *mut alterrec_catalog, config: *const alterrec_config) -> alterrec_status;
    pub fn alterrec_catalog_items(catalog: *const alterrec_catalog) -> i64;
    pub fn alterrec_catalog_key(catalog: *const alterrec_catalog, item: i32) -> *const c_char;
    pub fn alterrec_catalog_text(catalog: *const alterrec_catalog, item: i32) -> *const c_char;
    pub fn alterrec_catalog_find(catalog: *const alterrec_catalog, key: *const c_char) -> i32;
    pub fn alterrec_catalog_feature_dim(catalog: *const alterrec_catalog) -> i64;
    pub fn alterrec_catalog_features(catalog: *const alterrec_catalog) -> *const f32;
    pub fn alterrec_sessions_create(sessions: *mut *mut alterrec_sessions, catalog: *const alterrec_catalog, items: *const i32, offsets: *const i64, count: i64) -> alterrec_status;
    pub fn alterrec_sessions_read(sessions: *mut *mut alterrec_sessions, catalog: *const alterrec_catalog, path: *const c_char, config: *const alterrec_config) -> alterrec_status;
    pub fn alterrec_sessions_free(sessions: *mut alterrec_sessions);
    pub fn alterrec_sessions_count(sessions: *const alterrec_sessions) -> i64;
    pub fn alterrec_sessions_interactions(sessions: *const alterrec_sessions) -> i64;
    pub fn alterrec_sessions_get(items: *mut *const i32, length: *mut i64, sessions: *const alterrec_sessions, index: i64) -> alterrec_status;
    pub fn alterrec_sessions_report(report: *mut alterrec_data_report, sessions: *const alterrec_sessions) -> alterrec_status;
    pub fn alterrec_dataset_read(dataset: *mut *mut alterrec_dataset, config: *const alterrec_config) -> alterrec_status;
    pub fn alterrec_dataset_free(dataset: *mut alterrec_dataset);
    pub fn alterrec_dataset_catalog(dataset: *const alterrec_dataset) -> *const alterrec_catalog;
    pub fn alterrec_dataset_sessions(dataset: *const alterrec_dataset, split: i32) -> *const alterrec_sessions;
    pub fn alterrec_dataset_report(report: *mut alterrec_data_report, dataset: *const alterrec_dataset) -> alterrec_status;
    pub fn alterrec_batch_create(batch: *mut *mut alterrec_batch) -> alterrec_status;
    pub fn alterrec_batch_free(batch: *mut alterrec_batch);
    pub fn alterrec_batch_clear(batch: *mut alterrec_batch) -> alterrec_status;
    pub fn alterrec_batch_add(batch: *mut alterrec_batch, items: *const i32, length: i64) -> alterrec_status;
    pub fn alterrec_batch_add_labelled(batch: *mut alterrec_batch, items: *const i32, labels: *const i32, length: i64) -> alterrec_status;
    pub fn alterrec_batch_examples(batch: *const alterrec_batch) -> i64;
    pub fn alterrec_batch_set_negatives(batch: *mut alterrec_batch, negatives: *const i32, examples: i64, count: i64) -> alterrec_status;
    pub fn alterrec_batch_count(batch: *const alterrec_batch) -> i64;
    pub fn alterrec_batch_exclude(batch: *mut alterrec_batch, session: i64, items: *const i32, count: i64) -> alterrec_status;
    pub fn alterrec_batch_exclude_own(batch: *mut alterrec_batch, exclude: i32) -> alterrec_status;
    pub fn alterrec_model_create(model: *mut *mut alterrec_model, catalog: *const alterrec_catalog, config: *const alterrec_config) -> alterrec_status;
    pub fn alterrec_model_load(model: *mut *mut alterrec_model, path: *const c_char) -> alterrec_status;
    pub fn alterrec_model_save(model: *const alterrec_model, path: *const c_char) -> alterrec_status;
    pub fn alterrec_model_free(model: *mut alterrec_model);
    pub fn alterrec_model_import(model: *mut alterrec_model, path: *const c_char) -> alterrec_status;
    pub fn alterrec_model_add_items(model: *mut alterrec_model, keys: *const *const c_char, texts: *const *const c_char, features: *const f32, count: i64) -> alterrec_status;
    pub fn alterrec_model_catalog(model: *const alterrec_model) -> *const alterrec_catalog;
    pub fn alterrec_model_config(model: *const alterrec_model) -> *const alterrec_config;
    pub fn alterrec_model_dim(model: *const alterrec_model) -> i64;
    pub fn alterrec_model_tensor_count(model: *const alterrec_model) -> i64;
    pub fn alterrec_model_tensor_describe(tensor: *mut alterrec_tensor, model: *const alterrec_model, index: i64) -> alterrec_status;
    pub fn alterrec_model_tensor_find(tensor: *mut alterrec_tensor, model: *const alterrec_model, name: *const c_char) -> alterrec_status;
    pub fn alterrec_model_get_tensor(values: *mut f32, model: *const alterrec_model, name: *const c_char, count: i64) -> alterrec_status;
    pub fn alterrec_model_set_tensor(model: *mut alterrec_model, name: *const c_char, values: *const f32, count: i64) -> alterrec_status;
    pub fn alterrec_model_item_vectors(vectors: *mut f32, model: *const alterrec_model, tower: i32) -> alterrec_status;
    pub fn alterrec_model_session_vectors(vectors: *mut f32, model: *const alterrec_model, tower: i32, batch: *mut alterrec_batch) -> alterrec_status;
    pub fn alterrec_model_score(scores: *mut f32, model: *const alterrec_model, scorer: i32, batch: *mut alterrec_batch) -> alterrec_status;
    pub fn alterrec_trainer_create(trainer: *mut *mut alterrec_trainer, model: *mut alterrec_model, train: *const alterrec_sessions, valid: *const alterrec_sessions, config: *const alterrec_config) -> alterrec_status;
    pub fn alterrec_trainer_free(trainer: *mut alterrec_trainer);
    pub fn alterrec_trainer_on_progress(trainer: *mut alterrec_trainer, progress: alterrec_progress_fn, user_data: *mut c_void) -> alterrec_status;
    pub fn alterrec_trainer_on_fusion(trainer: *mut alterrec_trainer, fusion: alterrec_fusion_fn, user_data: *mut c_void) -> alterrec_status;
    pub fn alterrec_trainer_on_schedule(trainer: *mut alterrec_trainer, schedule: alterrec_schedule_fn, user_data: *mut c_void) -> alterrec_status;
    pub fn alterrec_trainer_on_negatives(trainer: *mut alterrec_trainer, negatives: alterrec_negatives_fn, user_data: *mut c_void) -> alterrec_status;
    pub fn alterrec_trainer_on_log(trainer: *mut alterrec_trainer, log: alterrec_log_fn, user_data: *mut c_void) -> alterrec_status;
    pub fn alterrec_trainer_cancel(trainer: *mut alterrec_trainer) -> alterrec_status;
    pub fn alterrec_trainer_plan(plan: *mut alterrec_plan, trainer: *const alterrec_trainer) -> alterrec_status;
    pub fn alterrec_trainer_step(report: *mut alterrec_step_report, trainer: *mut alterrec_trainer, batch: *mut alterrec_batch, plan: *const alterrec_plan) -> alterrec_status;
    pub fn alterrec_trainer_batches(trainer: *const alterrec_trainer) -> i64;
    pub fn alterrec_trainer_batch(batch: *mut alterrec_batch, trainer: *const alterrec_trainer, index: i64) -> alterrec_status;
    pub fn alterrec_trainer_end_epoch(report: *mut alterrec_epoch_report, trainer: *mut alterrec_trainer) -> alterrec_status;
    pub fn alterrec_trainer_epoch(report: *mut alterrec_epoch_report, trainer: *mut alterrec_trainer, plan: *const alterrec_plan) -> alterrec_status;
    pub fn alterrec_trainer_use_best(trainer: *mut alterrec_trainer) -> alterrec_status;
    pub fn alterrec_trainer_run(trainer: *mut alterrec_trainer) -> alterrec_status;
    pub fn alterrec_trainer_save(trainer: *mut alterrec_trainer, path: *const c_char) -> alterrec_status;
    pub fn alterrec_trainer_resume(trainer: *mut alterrec_trainer, path: *const c_char) -> alterrec_status;
    pub fn alterrec_trainer_epochs(trainer: *const alterrec_trainer) -> i64;
    pub fn alterrec_trainer_report(report: *mut alterrec_epoch_report, trainer: *const alterrec_trainer, epoch: i64) -> alterrec_status;
    pub fn alterrec_evaluator_create(evaluator: *mut *mut alterrec_evaluator, model: *const alterrec_model, config: *const alterrec_config) -> alterrec_status;
    pub fn alterrec_evaluator_free(evaluator: *mut alterrec_evaluator);
    pub fn alterrec_evaluator_on_progress(evaluator: *mut alterrec_evaluator, progress: alterrec_progress_fn, user_data: *mut c_void) -> alterrec_status;
    pub fn alterrec_evaluator_on_fusion(evaluator: *mut alterrec_evaluator, fusion: alterrec_fusion_fn, user_data: *mut c_void) -> alterrec_status;
    pub fn alterrec_evaluator_run(evaluation: *mut *mut alterrec_evaluation, evaluator: *mut alterrec_evaluator, held_out: *const alterrec_sessions, train: *const alterrec_sessions) -> alterrec_status;
    pub fn alterrec_evaluate(evaluation: *mut *mut alterrec_evaluation, model: *const alterrec_model, held_out: *const alterrec_sessions, train: *const alterrec_sessions, config: *const alterrec_config, progress: alterrec_progress_fn, user_data: *mut c_void) -> alterrec_status;
    pub fn alterrec_evaluation_free(evaluation: *mut alterrec_evaluation);
    pub fn alterrec_evaluation_examples(evaluation: *const alterrec_evaluation) -> i64;
    pub fn alterrec_evaluation_groups(evaluation: *const alterrec_evaluation) -> i64;
    pub fn alterrec_evaluation_group(low: *mut i64, high: *mut i64, examples: *mut i64, evaluation: *const alterrec_evaluation, group: i64) -> alterrec_status;
    pub fn alterrec_evaluation_metric(value: *mut f64, evaluation: *const alterrec_evaluation, scorer: i32, metric: i32, k: i64, group: i64) -> alterrec_status;
    pub fn alterrec_evaluation_json(evaluation: *const alterrec_evaluation) -> *const c_char;
    pub fn alterrec_model_choose_alpha(alpha: *mut f64, curve: *mut f64, model: *mut alterrec_model, valid: *const alterrec_sessions, points: i64, config: *const alterrec_config) -> alterrec_status;
    pub fn alterrec_recommender_create(recommender: *mut *mut alterrec_recommender, model: *const alterrec_model, config: *const alterrec_config) -> alterrec_status;
    pub fn alterrec_recommender_save(recommender: *const alterrec_recommender, path: *const c_char) -> alterrec_status;
    pub fn alterrec_recommender_open(recommender: *mut *mut alterrec_recommender, path: *const c_char, config: *const alterrec_config) -> alterrec_status;
    pub fn alterrec_recommender_hold(recommender: *const alterrec_recommender) -> *mut alterrec_recommender;
    pub fn alterrec_recommender_free(recommender: *mut alterrec_recommender);
    pub fn alterrec_recommender_catalog(recommender: *const alterrec_recommender) -> *const alterrec_catalog;
    pub fn alterrec_filter_create(filter: *mut *mut alterrec_filter, items: i64) -> alterrec_status;
    pub fn alterrec_filter_free(filter: *mut alterrec_filter);
    pub fn alterrec_filter_allow_bitmap(filter: *mut alterrec_filter, bits: *const u8, items: i64) -> alterrec_status;
    pub fn alterrec_filter_allow_only(filter: *mut alterrec_filter, items: *const i32, count: i64) -> alterrec_status;
    pub fn alterrec_filter_exclude(filter: *mut alterrec_filter, items: *const i32, count: i64) -> alterrec_status;
    pub fn alterrec_filter_cap(filter: *mut alterrec_filter, categories: *const i32, items: i64, per_list: i64) -> alterrec_status;
    pub fn alterrec_recommender_top_k(items: *mut i32, scores: *mut f32, report: *mut alterrec_search_report, recommender: *const alterrec_recommender, batch: *mut alterrec_batch, k: i64, search: *const alterrec_search) -> alterrec_status;
    pub fn alterrec_recommender_score(fused: *mut f32, id: *mut f32, text: *mut f32, recommender: *const alterrec_recommender, batch: *mut alterrec_batch, items: *const i32, count: i64, search: *const alterrec_search) -> alterrec_status;
    pub fn alterrec_recommender_width(recommender: *const alterrec_recommender) -> i64;
    pub fn alterrec_recommender_item_vectors(vectors: *mut f32, recommender: *const alterrec_recommender, first: i64, count: i64) -> alterrec_status;
    pub fn alterrec_recommender_session_vectors(vectors: *mut f32, recommender: *const alterrec_recommender, batch: *mut alterrec_batch) -> alterrec_status;
    pub fn alterrec_recommender_write_item_vectors(recommender: *const alterrec_recommender, path: *const c_char) -> alterrec_status;
    pub fn alterrec_recommender_write_session_vectors(recommender: *const alterrec_recommender, batch: *mut alterrec_batch, path: *const c_char) -> alterrec_status;
    pub fn alterrec_live_session_create(live: *mut *mut alterrec_live_session, recommender: *const alterrec_recommender) -> alterrec_status;
    pub fn alterrec_live_session_free(live: *mut alterrec_live_session);
    pub fn alterrec_live_session_push(live: *mut alterrec_live_session, item: i32) -> alterrec_status;
    pub fn alterrec_live_sessions_push(sessions: *const *mut alterrec_live_session, items: *const i32, count: i64, threads: i32) -> alterrec_status;
    pub fn alterrec_live_session_length(live: *const alterrec_live_session) -> i64;
    pub fn alterrec_live_session_items(live: *const alterrec_live_session) -> *const i32;
    pub fn alterrec_live_session_reset(live: *mut alterrec_live_session);
    pub fn alterrec_live_session_exclude_own(live: *mut alterrec_live_session, exclude_own: i32) -> alterrec_status;
    pub fn alterrec_live_session_exclude(live: *mut alterrec_live_session, items: *const i32, count: i64) -> alterrec_status;
    pub fn alterrec_live_session_top_k(items: *mut i32, scores: *mut f32, report: *mut alterrec_search_report, live: *const alterrec_live_session, k: i64, search: *const alterrec_search) -> alterrec_status;
    pub fn alterrec_live_sessions_top_k(items: *mut i32, scores: *mut f32, report: *mut alterrec_search_report, sessions: *const *mut alterrec_live_session, count: i64, k: i64, search: *const alterrec_search) -> alterrec_status;
    pub fn alterrec_live_session_score(fused: *mut f32, id: *mut f32, text: *mut f32, live: *const alterrec_live_session, items: *const i32, count: i64, search: *const alterrec_search) -> alterrec_status;
    pub fn alterrec_live_session_size(live: *const alterrec_live_session) -> usize;
    pub fn alterrec_live_session_serialize(bytes: *mut c_void, live: *const alterrec_live_session, size: usize) -> alterrec_status;
    pub fn alterrec_live_session_restore(live: *mut alterrec_live_session, bytes: *const c_void, size: usize) -> alterrec_status;
}
