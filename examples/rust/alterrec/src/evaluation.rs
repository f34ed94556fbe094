//! Every prefix of every held-out session, ranked against the whole catalog.
use crate::config::ConfigView;
use crate::data::SessionsView;
use crate::error::{check, Result};
use crate::handle::{
    call_fusion_mut, call_progress, make, optional, owned, text, Answer, FusionTile, Kept, Progress,
};
use crate::model::{Model, Scorer};
use crate::sys;
use std::marker::PhantomData;
use std::ptr::NonNull;

/// A metric at k.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metric {
    /// Whether the label is within the best k.
    Hits = sys::ALTERREC_HITS as isize,
    /// 1 / rank of the label within the best k, else 0.
    Mrr = sys::ALTERREC_MRR as isize,
    /// 1 / log2(rank + 1) of the label within the best k, else 0.
    Ndcg = sys::ALTERREC_NDCG as isize,
}

/// The examples whose label occurs `low` to `high - 1` times in the training set; -1: open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Group {
    /// The fewest occurrences.
    pub low: i64,
    /// One more than the most; -1: there is no most.
    pub high: i64,
    /// The number of examples.
    pub examples: i64,
}

owned!(
    /// The metrics of one evaluation.
    Evaluation, alterrec_evaluation, alterrec_evaluation_free
);

impl Evaluation {
    /// The number of examples: prefixes with a label.
    pub fn examples(&self) -> i64 {
        unsafe { sys::alterrec_evaluation_examples(self.as_ptr()) }
    }

    /// The popularity groups (option `eval.groups`).
    pub fn groups(&self) -> Result<Vec<Group>> {
        (0..unsafe { sys::alterrec_evaluation_groups(self.as_ptr()) })
            .map(|index| {
                let mut group = Group::default();
                check(unsafe {
                    sys::alterrec_evaluation_group(
                        &mut group.low,
                        &mut group.high,
                        &mut group.examples,
                        self.as_ptr(),
                        index,
                    )
                })?;
                Ok(group)
            })
            .collect()
    }

    /// One figure, of all examples or of a group's.
    pub fn metric(
        &self,
        scorer: Scorer,
        metric: Metric,
        k: i64,
        group: Option<i64>,
    ) -> Result<f64> {
        let mut value = 0.0;
        check(unsafe {
            let (scorer, metric, group) = (scorer as i32, metric as i32, group.unwrap_or(-1));
            sys::alterrec_evaluation_metric(&mut value, self.as_ptr(), scorer, metric, k, group)
        })?;
        Ok(value)
    }

    /// Every figure as one line of JSON.
    pub fn json(&self) -> &str {
        unsafe { text(sys::alterrec_evaluation_json(self.as_ptr())) }.unwrap_or("")
    }
}

/// Evaluates in one call, without closures.
pub fn evaluate(
    model: &Model,
    held_out: &SessionsView,
    train: Option<&SessionsView>,
    config: Option<&ConfigView>,
) -> Result<Evaluation> {
    Evaluation::make(|made| unsafe {
        sys::alterrec_evaluate(
            made,
            model.as_ptr(),
            held_out.as_ptr(),
            optional(train, SessionsView::as_ptr),
            optional(config, ConfigView::as_ptr),
            None,
            std::ptr::null_mut(),
        )
    })
}

/// A model together with what its evaluations are made by.
pub struct Evaluator<'a> {
    handle: NonNull<sys::alterrec_evaluator>,
    progress: Option<Kept>,
    fusion: Option<Kept>,
    _model: PhantomData<&'a Model>,
}

unsafe impl Send for Evaluator<'_> {}
unsafe impl Sync for Evaluator<'_> {}

impl Drop for Evaluator<'_> {
    fn drop(&mut self) {
        unsafe { sys::alterrec_evaluator_free(self.handle.as_ptr()) }
    }
}

impl<'a> Evaluator<'a> {
    /// With the options `eval.*` of `config` (what it does not set: the model's own).
    pub fn new(model: &'a Model, config: Option<&ConfigView>) -> Result<Evaluator<'a>> {
        let config = optional(config, ConfigView::as_ptr);
        let handle =
            make(|made| unsafe { sys::alterrec_evaluator_create(made, model.as_ptr(), config) })?;
        Ok(Evaluator { handle, progress: None, fusion: None, _model: PhantomData })
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
            sys::alterrec_evaluator_on_progress(self.handle.as_ptr(), call, kept.pointer)
        })?;
        self.progress = Some(kept);
        Ok(())
    }

    /// The closure fuses both towers' scores, in the place of the weighted sum.
    pub fn on_fusion<F, A>(&mut self, closure: F) -> Result<()>
    where
        F: FnMut(&mut FusionTile) -> A + Send + 'a,
        A: Into<Answer>,
    {
        let kept = Kept::new(closure);
        check(unsafe {
            let call = Some(call_fusion_mut::<F, A> as _);
            sys::alterrec_evaluator_on_fusion(self.handle.as_ptr(), call, kept.pointer)
        })?;
        self.fusion = Some(kept);
        Ok(())
    }

    /// `train`: the baseline by popularity, and the groups.
    pub fn run(
        &mut self,
        held_out: &SessionsView,
        train: Option<&SessionsView>,
    ) -> Result<Evaluation> {
        let train = optional(train, SessionsView::as_ptr);
        Evaluation::make(|made| unsafe {
            sys::alterrec_evaluator_run(made, self.handle.as_ptr(), held_out.as_ptr(), train)
        })
    }
}
