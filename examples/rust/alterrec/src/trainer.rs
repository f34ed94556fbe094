//! The alternating training.
use crate::config::ConfigView;
use crate::data::{Batch, SessionsView};
use crate::error::{check, guard, Result};
use crate::handle::{
    c_path, call_fusion_mut, call_progress, make, optional, text, Answer, FusionTile, Kept,
    Progress,
};
use crate::model::Model;
use crate::sys;
use std::ffi::{c_char, c_void};
use std::marker::PhantomData;
use std::path::Path;
use std::ptr::NonNull;
use std::sync::{Arc, Mutex};

/// A training of a model, which it has to itself as long as it lives: what changes a model takes
/// `&mut`. [`Trainer::model`] lends it meanwhile.
pub struct Trainer<'a> {
    handle: NonNull<sys::alterrec_trainer>,
    model: &'a Model,
    // Taken when the trainer ends, so that nobody cancels one that is gone.
    alive: Arc<Mutex<Option<Address>>>,
    progress: Option<Kept>,
    fusion: Option<Kept>,
    schedule: Option<Kept>,
    negatives: Option<Kept>,
    log: Option<Kept>,
    _closures: PhantomData<&'a mut ()>,
}

struct Address(NonNull<sys::alterrec_trainer>);
unsafe impl Send for Address {}

unsafe impl Send for Trainer<'_> {}
unsafe impl Sync for Trainer<'_> {}

impl Drop for Trainer<'_> {
    fn drop(&mut self) {
        let mut alive = self.alive.lock().unwrap_or_else(|broken| broken.into_inner());
        *alive = None;
        unsafe { sys::alterrec_trainer_free(self.handle.as_ptr()) }
    }
}

/// Stops a trainer from any thread, at any time; does nothing when the trainer is gone.
#[derive(Clone)]
pub struct Canceller(Arc<Mutex<Option<Address>>>);

impl Canceller {
    /// Stops the trainer at its next step.
    pub fn cancel(&self) -> Result<()> {
        let alive = self.0.lock().unwrap_or_else(|broken| broken.into_inner());
        match &*alive {
            Some(Address(handle)) => {
                check(unsafe { sys::alterrec_trainer_cancel(handle.as_ptr()) })
            }
            None => Ok(()),
        }
    }
}

/// What a line of the log is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LogLevel {
    /// What happens.
    Info,
    /// Options that are not followed to the letter.
    Warning,
}

/// The examples of one batch.
pub struct Examples<'a>(&'a sys::alterrec_examples);

impl Examples<'_> {
    /// The number of examples.
    pub fn count(&self) -> usize {
        self.0.count as usize
    }
    /// The label of each.
    pub fn labels(&self) -> &[i32] {
        unsafe { std::slice::from_raw_parts(self.0.labels, self.count()) }
    }
    /// The items before the label of example `index`.
    pub fn prefix(&self, index: usize) -> &[i32] {
        assert!(index < self.count());
        unsafe {
            let first = self.0.items.offset(*self.0.starts.add(index) as isize);
            std::slice::from_raw_parts(first, *self.0.lengths.add(index) as usize)
        }
    }
}

unsafe extern "C" fn call_schedule<F, A>(
    plan: *mut sys::alterrec_plan,
    last: *const sys::alterrec_epoch_report,
    closure: *mut c_void,
) -> i32
where
    F: FnMut(&mut sys::alterrec_plan, Option<&sys::alterrec_epoch_report>) -> A,
    A: Into<Answer>,
{
    guard(|| unsafe {
        let closure = &mut *closure.cast::<F>();
        closure(&mut *plan, last.as_ref()).into().code()
    })
}

unsafe extern "C" fn call_negatives<F, A>(
    negatives: *mut i32,
    examples: *const sys::alterrec_examples,
    per_example: i64,
    closure: *mut c_void,
) -> i32
where
    F: FnMut(&mut [i32], &Examples, usize) -> A,
    A: Into<Answer>,
{
    guard(|| unsafe {
        let closure = &mut *closure.cast::<F>();
        let (examples, per_example) = (Examples(&*examples), per_example as usize);
        let count = examples.count() * per_example;
        let negatives = std::slice::from_raw_parts_mut(negatives, count);
        closure(negatives, &examples, per_example).into().code()
    })
}

unsafe extern "C" fn call_log<F, A>(level: i32, message: *const c_char, closure: *mut c_void) -> i32
where
    F: FnMut(LogLevel, &str) -> A,
    A: Into<Answer>,
{
    guard(|| unsafe {
        let closure = &mut *closure.cast::<F>();
        let level = match level {
            sys::ALTERREC_LOG_WARNING => LogLevel::Warning,
            _ => LogLevel::Info,
        };
        closure(level, text(message).unwrap_or("")).into().code()
    })
}

impl<'a> Trainer<'a> {
    /// `valid`: the sessions that decide when to stop. `config` (what it does not set: the model's
    /// own): how to train.
    pub fn new(
        model: &'a mut Model,
        train: &SessionsView,
        valid: Option<&SessionsView>,
        config: Option<&ConfigView>,
    ) -> Result<Trainer<'a>> {
        let handle = make(|made| unsafe {
            sys::alterrec_trainer_create(
                made,
                model.as_ptr(),
                train.as_ptr(),
                optional(valid, SessionsView::as_ptr),
                optional(config, ConfigView::as_ptr),
            )
        })?;
        Ok(Trainer {
            handle,
            model,
            alive: Arc::new(Mutex::new(Some(Address(handle)))),
            progress: None,
            fusion: None,
            schedule: None,
            negatives: None,
            log: None,
            _closures: PhantomData,
        })
    }

    /// The model, between two calls of the trainer.
    pub fn model(&self) -> &Model {
        self.model
    }

    /// What stops this trainer from another thread.
    pub fn canceller(&self) -> Canceller {
        Canceller(self.alive.clone())
    }

    /// The closure is told where the work stands.
    pub fn on_progress<F, A>(&mut self, closure: F) -> Result<()>
    where
        F: FnMut(&Progress) -> A + Send + 'a,
        A: Into<Answer>,
    {
        let kept = Kept::new(closure);
        check(unsafe {
            let call = Some(call_progress::<F, A> as _);
            sys::alterrec_trainer_on_progress(self.as_ptr(), call, kept.pointer)
        })?;
        self.progress = Some(kept);
        Ok(())
    }

    /// The closure fuses the scores that validation ranks, in the place of the weighted sum.
    pub fn on_fusion<F, A>(&mut self, closure: F) -> Result<()>
    where
        F: FnMut(&mut FusionTile) -> A + Send + 'a,
        A: Into<Answer>,
    {
        let kept = Kept::new(closure);
        check(unsafe {
            let call = Some(call_fusion_mut::<F, A> as _);
            sys::alterrec_trainer_on_fusion(self.as_ptr(), call, kept.pointer)
        })?;
        self.fusion = Some(kept);
        Ok(())
    }

    /// The closure gets the built-in plan of the next epoch and the last epoch's report.
    pub fn on_schedule<F, A>(&mut self, closure: F) -> Result<()>
    where
        F: FnMut(&mut sys::alterrec_plan, Option<&sys::alterrec_epoch_report>) -> A + Send + 'a,
        A: Into<Answer>,
    {
        let kept = Kept::new(closure);
        check(unsafe {
            let call = Some(call_schedule::<F, A> as _);
            sys::alterrec_trainer_on_schedule(self.as_ptr(), call, kept.pointer)
        })?;
        self.schedule = Some(kept);
        Ok(())
    }

    /// The closure fills `[examples, per_example]` items.
    pub fn on_negatives<F, A>(&mut self, closure: F) -> Result<()>
    where
        F: FnMut(&mut [i32], &Examples, usize) -> A + Send + 'a,
        A: Into<Answer>,
    {
        let kept = Kept::new(closure);
        check(unsafe {
            let call = Some(call_negatives::<F, A> as _);
            sys::alterrec_trainer_on_negatives(self.as_ptr(), call, kept.pointer)
        })?;
        self.negatives = Some(kept);
        Ok(())
    }

    /// The closure gets what belongs into a log, line by line. [`Answer::Stop`] stops the trainer as
    /// a [`Canceller`] does.
    pub fn on_log<F, A>(&mut self, closure: F) -> Result<()>
    where
        F: FnMut(LogLevel, &str) -> A + Send + 'a,
        A: Into<Answer>,
    {
        let kept = Kept::new(closure);
        check(unsafe {
            let call = Some(call_log::<F, A> as _);
            sys::alterrec_trainer_on_log(self.as_ptr(), call, kept.pointer)
        })?;
        self.log = Some(kept);
        Ok(())
    }

    /// Takes all closures back.
    pub fn without_closures(&mut self) -> Result<()> {
        let none = std::ptr::null_mut();
        unsafe {
            check(sys::alterrec_trainer_on_progress(self.as_ptr(), None, none))?;
            check(sys::alterrec_trainer_on_fusion(self.as_ptr(), None, none))?;
            check(sys::alterrec_trainer_on_schedule(self.as_ptr(), None, none))?;
            check(sys::alterrec_trainer_on_negatives(self.as_ptr(), None, none))?;
            check(sys::alterrec_trainer_on_log(self.as_ptr(), None, none))?;
        }
        (self.progress, self.fusion, self.schedule) = (None, None, None);
        (self.negatives, self.log) = (None, None);
        Ok(())
    }

    /// Trains epoch after epoch, and gives the model its best weights.
    pub fn run(&mut self) -> Result<()> {
        check(unsafe { sys::alterrec_trainer_run(self.as_ptr()) })
    }

    /// The built-in schedule's plan for the next epoch.
    pub fn plan(&self) -> Result<sys::alterrec_plan> {
        let mut plan: sys::alterrec_plan = unsafe { std::mem::zeroed() };
        plan.struct_size = size_of::<sys::alterrec_plan>() as u32;
        check(unsafe { sys::alterrec_trainer_plan(&mut plan, self.as_ptr()) })?;
        Ok(plan)
    }

    /// Trains one epoch as the plan says; `None`: as the built-in schedule plans it.
    pub fn epoch(
        &mut self,
        plan: Option<&sys::alterrec_plan>,
    ) -> Result<sys::alterrec_epoch_report> {
        let plan = optional(plan, |plan| plan as *const _);
        self.reported(|report, handle| unsafe { sys::alterrec_trainer_epoch(report, handle, plan) })
    }

    /// Trains one step on the labelled sessions of a batch.
    pub fn step(
        &mut self,
        batch: &mut Batch,
        plan: Option<&sys::alterrec_plan>,
    ) -> Result<sys::alterrec_step_report> {
        let mut report: sys::alterrec_step_report = unsafe { std::mem::zeroed() };
        report.struct_size = size_of::<sys::alterrec_step_report>() as u32;
        check(unsafe {
            let plan = optional(plan, |plan| plan as *const _);
            sys::alterrec_trainer_step(&mut report, self.as_ptr(), batch.as_ptr(), plan)
        })?;
        Ok(report)
    }

    /// The number of batches of the next epoch.
    pub fn batches(&self) -> i64 {
        unsafe { sys::alterrec_trainer_batches(self.as_ptr()) }
    }

    /// Puts batch `index` of the next epoch into `batch`.
    pub fn get_batch(&self, batch: &mut Batch, index: i64) -> Result<()> {
        check(unsafe { sys::alterrec_trainer_batch(batch.as_ptr(), self.as_ptr(), index) })
    }

    /// Ends an epoch of [`Trainer::step`]s: validates, and keeps the best weights.
    pub fn end_epoch(&mut self) -> Result<sys::alterrec_epoch_report> {
        self.reported(|report, handle| unsafe { sys::alterrec_trainer_end_epoch(report, handle) })
    }

    /// Gives the model the weights of the best epoch so far.
    pub fn use_best(&mut self) -> Result<()> {
        check(unsafe { sys::alterrec_trainer_use_best(self.as_ptr()) })
    }

    /// Writes a checkpoint.
    pub fn save(&mut self, path: impl AsRef<Path>) -> Result<()> {
        let path = c_path(path)?;
        check(unsafe { sys::alterrec_trainer_save(self.as_ptr(), path.as_ptr()) })
    }

    /// Goes on where a checkpoint stands.
    pub fn resume(&mut self, path: impl AsRef<Path>) -> Result<()> {
        let path = c_path(path)?;
        check(unsafe { sys::alterrec_trainer_resume(self.as_ptr(), path.as_ptr()) })
    }

    /// The number of epochs trained so far.
    pub fn epochs(&self) -> i64 {
        unsafe { sys::alterrec_trainer_epochs(self.as_ptr()) }
    }

    /// The report of an epoch.
    pub fn report(&self, epoch: i64) -> Result<sys::alterrec_epoch_report> {
        self.reported(|report, handle| unsafe {
            sys::alterrec_trainer_report(report, handle, epoch)
        })
    }

    fn reported(
        &self,
        call: impl FnOnce(*mut sys::alterrec_epoch_report, *mut sys::alterrec_trainer) -> i32,
    ) -> Result<sys::alterrec_epoch_report> {
        let mut report: sys::alterrec_epoch_report = unsafe { std::mem::zeroed() };
        report.struct_size = size_of::<sys::alterrec_epoch_report>() as u32;
        check(call(&mut report, self.as_ptr()))?;
        Ok(report)
    }

    fn as_ptr(&self) -> *mut sys::alterrec_trainer {
        self.handle.as_ptr()
    }
}
