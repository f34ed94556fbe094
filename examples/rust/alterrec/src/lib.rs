//! libalterrec for Rust: session-based recommendation from item IDs and item text.
//!
//! What each function does stands in the comments of `alterrec.h`; here is what Rust adds.
//!
//! - A handle is a value that frees itself. What it lends (`&CatalogView`, `&str`, slices) lives no
//!   longer than the borrow says.
//! - A call that changes a handle takes `&mut self`, one that only reads takes `&self`: the
//!   library's rule for threads, held by the compiler. All handles are `Send` and `Sync`.
//! - A failing call gives [`Error`], with the library's text.
//! - A closure that panics ends the call that asked it with [`Status::Panic`] and the panic's text;
//!   nothing unwinds through C.
#![warn(missing_docs)]

mod config;
mod data;
mod error;
mod evaluation;
mod handle;
mod live_session;
mod model;
mod serving;
mod trainer;

pub use alterrec_sys as sys;
pub use config::{options, Config, ConfigView, OptionRow};
pub use data::{Batch, Catalog, CatalogView, Dataset, Sessions, SessionsView, Split};
pub use error::{Error, Result, Status};
pub use evaluation::{evaluate, Evaluation, Evaluator, Group, Metric};
pub use handle::{Answer, FusionTile, Progress};
pub use live_session::LiveSession;
pub use model::{Model, Scorer, Tensor};
pub use serving::{Filter, Found, Fusion, Recommendations, Recommender, Search};
pub use sys::{
    alterrec_data_report as DataReport, alterrec_epoch_report as EpochReport,
    alterrec_plan as Plan, alterrec_step_report as StepReport,
};
pub use trainer::{Canceller, Examples, LogLevel, Trainer};

/// The version of the library that is running: major * 1000000 + minor * 1000 + patch.
pub fn version() -> u32 {
    unsafe { sys::alterrec_version() }
}

/// Version, compiler, oneDNN version and instruction set, in one line.
pub fn build_info() -> &'static str {
    unsafe { handle::text(sys::alterrec_build_info()) }.unwrap_or("")
}
