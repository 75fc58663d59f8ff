//! The first half of an evaluation: what rules give, before it is stored. The rules of a stage are
//! asked at the same time as far as there are permits; each changes nothing but its own memory.

use std::sync::Arc;
use std::thread::ScopedJoinHandle;
use std::time::Duration;

use promql::value::InstantSample;
use tsdb::model::Timestamp;

use super::super::alerting::AlertRule;
use super::super::ask::{self, Asker, Asking};
use super::super::file::{Rule, RuleGroup, RuleKind};
use super::super::recording;
use super::super::template::{AskVector, Expander};
use super::{Context, Group, Memory};

/// What a rule gives at one evaluation.
pub(super) type Outputs = Result<Vec<InstantSample>, String>;

/// The same, with when it began and how long it took.
pub(super) struct Evaluated {
    pub(super) outputs: Outputs,
    pub(super) began: Timestamp,
    pub(super) took: Duration,
}

impl Group {
    /// Rules by their places, one stage after the other.
    pub(super) fn stages(&self, context: &Context) -> Vec<Vec<usize>> {
        match context.permits.are_wanted() {
            true => self.stages.clone(),
            false => (0..self.definition.written.rules.len()).map(|index| vec![index]).collect(),
        }
    }

    /// What the rules of a stage give; on threads of their own as far as there are permits.
    pub(super) fn ask(
        &self,
        context: &Context,
        memories: &mut [Memory],
        stage: Vec<usize>,
        now: Timestamp,
    ) -> Vec<(usize, Evaluated)> {
        let rules = self.definition.written.rules.iter().enumerate().zip(memories);
        let chosen = rules.filter(|((index, _), _)| stage.binary_search(index).is_ok());
        std::thread::scope(|scope| {
            let each = chosen.map(|((index, rule), memory)| {
                let mut evaluate = move || (index, self.evaluated(context, memory, rule, now));
                let permit = if stage.len() > 1 { context.permits.take() } else { None };
                match permit {
                    None => Ok(evaluate()),
                    Some(permit) => Err(scope.spawn(move || {
                        let _permit = permit;
                        evaluate()
                    })),
                }
            });
            let all: Vec<_> = each.collect();
            let join = |running: ScopedJoinHandle<'_, (usize, Evaluated)>| {
                running.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            };
            all.into_iter().map(|one| one.unwrap_or_else(join)).collect()
        })
    }

    fn evaluated(
        &self,
        context: &Context,
        memory: &mut Memory,
        rule: &Rule,
        now: Timestamp,
    ) -> Evaluated {
        let (began, clock) = (context.clock.now(), context.clock.monotonic());
        let outputs = self.outputs(context, memory, rule, now);
        Evaluated { outputs, began, took: context.clock.monotonic().saturating_sub(clock) }
    }

    fn asking(&self, context: &Context) -> Asking {
        let RuleGroup { file, name, .. } = &self.definition.written;
        Asking {
            queries: context.queries.clone(),
            log: context.question_log.clone(),
            by: Asker { file: file.clone(), group: name.clone() },
            options: ask::options(context.timeout),
        }
    }

    fn outputs(
        &self,
        context: &Context,
        memory: &mut Memory,
        rule: &Rule,
        now: Timestamp,
    ) -> Outputs {
        let at = now.plus_ms(-self.definition.query_offset_ms);
        let asking = self.asking(context);
        let vector = asking.vector(&rule.query, at)?;
        let limit = self.definition.written.limit;
        let RuleKind::Alerting { hold_ms, keep_firing_ms, annotations } = &rule.kind else {
            return recording::outputs(rule, vector, limit);
        };
        let question: AskVector = Arc::new(move |text| asking.vector(text, now));
        let around = &self.definition.surroundings;
        let expander = Expander::new(&rule.name, &question, around, now.seconds());
        let (hold_ms, keep_firing_ms) = (*hold_ms, *keep_firing_ms);
        let alerting = AlertRule { rule, hold_ms, keep_firing_ms, annotations };
        let outputs = memory.alerts.evaluate(&alerting, &vector, &expander, (now, at), limit)?;
        let interval_ms = self.definition.interval_ms;
        let notices = memory.alerts.notices(rule, now, context.resend_ms, interval_ms);
        if !notices.is_empty() {
            context.notify.notify(notices);
        }
        Ok(outputs)
    }
}
