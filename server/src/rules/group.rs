//! A rule group at work: its rules evaluated at a time, their outputs stored, its state shown.
//!
//! Two locks: one is held for a whole evaluation, the other for moments, so that whoever looks
//! never waits for a query.

mod evaluated;

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use promql::value::InstantSample;
use scraper::cycle::Clock;
use tracing::{debug, warn};
use tsdb::model::{Labels, Timestamp};
use tsdb::{RowReport, Storage};

use super::alerting::Alerts;
use super::ask::QuestionLog;
use super::concurrency::{self, Permits};
use super::file::{Rule, RuleKind};
use super::metrics::Totals;
use super::notify::Notify;
use super::rows::Rows;
use super::schedule::Schedule;
use super::{ask, restore};
use crate::queries::Queries;
use evaluated::Evaluated;

pub use super::definition::{Definition, key};
pub use super::restore::Restoring;
pub use super::status::{GroupStatus, Health, RuleStatus};

/// What rules work with.
pub struct Context {
    /// Whom they ask.
    pub queries: Arc<dyn Queries>,
    /// Whom what they ask is told to.
    pub question_log: Arc<dyn QuestionLog>,
    /// Where their outputs go.
    pub storage: Arc<dyn Storage>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Whom alerts are told to.
    pub notify: Arc<dyn Notify>,
    /// How long a query may take.
    pub timeout: Duration,
    /// How often an alert is told again, in milliseconds; 1 minute as in Prometheus.
    pub resend_ms: i64,
    /// How many rules may be evaluated at the same time.
    pub permits: Permits,
    /// What of alerts before the start counts.
    pub restoring: Restoring,
}

/// What a rule remembers from one evaluation to the next.
#[derive(Default)]
struct Memory {
    /// The series that it gave.
    previous: HashSet<Labels>,
    alerts: Alerts,
}

/// What an evaluation changes.
struct Working {
    rows: Rows,
    /// One for each rule.
    memories: Vec<Memory>,
    /// Series of rules that are gone, to be marked.
    stale: Vec<Labels>,
}

/// A group at work.
pub struct Group {
    /// What it is.
    pub definition: Definition,
    pub(super) schedule: Schedule,
    /// Which rules may be evaluated at the same time.
    stages: Vec<Vec<usize>>,
    working: Mutex<Working>,
    status: Mutex<GroupStatus>,
}

impl Group {
    /// A group that has not been evaluated. If it `restores`, no alert becomes a series before
    /// [`Group::restore`] was called.
    pub fn new(definition: Definition, restores: bool) -> Self {
        let written = &definition.written;
        let new = |_: &Rule| Memory {
            alerts: Alerts { is_restored: !restores, ..Alerts::default() },
            ..Memory::default()
        };
        let working = Working {
            rows: Rows::new(&key(written)),
            memories: written.rules.iter().map(new).collect(),
            stale: Vec::new(),
        };
        let rules = vec![RuleStatus::default(); written.rules.len()];
        let status = GroupStatus { rules, ..GroupStatus::default() };
        let schedule = Schedule::new(&written.file, &written.name, definition.interval_ms);
        let (working, status) = (Mutex::new(working), Mutex::new(status));
        let stages = concurrency::stages(&written.rules);
        Self { definition, schedule, stages, working, status }
    }

    /// How it is.
    pub fn status(&self) -> GroupStatus {
        locked(&self.status).clone()
    }

    /// Evaluates all rules for time `now`.
    pub fn evaluate(&self, context: &Context, now: Timestamp, totals: &Totals) {
        let mut working = locked(&self.working);
        let began = (context.clock.now(), context.clock.monotonic());
        let mut samples = 0;
        for stage in self.stages(context) {
            for (index, evaluated) in self.ask(context, &mut working.memories, stage, now) {
                samples += self.finish(context, &mut working, (index, evaluated), now, totals);
            }
        }
        self.mark_stale(context, &mut working, now);
        let Working { rows, memories, .. } = &mut *working;
        rows.keep(&memories.iter().map(|memory| &memory.previous).collect::<Vec<_>>());
        let mut status = locked(&self.status);
        status.last_evaluation = Some(began.0);
        status.duration = context.clock.monotonic().saturating_sub(began.1);
        status.iterations += 1;
        status.samples = samples;
        totals.group_evaluated(status.duration);
    }

    /// Stores what a rule gave, and says how that went; how many samples it gave.
    fn finish(
        &self,
        context: &Context,
        working: &mut Working,
        (index, evaluated): (usize, Evaluated),
        now: Timestamp,
        totals: &Totals,
    ) -> usize {
        let clock = context.clock.monotonic();
        let Evaluated { outputs, began, took } = evaluated;
        let rule = self.definition.written.rules.get(index);
        let (Some(rule), Some(memory)) = (rule, working.memories.get_mut(index)) else { return 0 };
        let count = outputs.as_ref().map_or(0, Vec::len);
        let stored = outputs
            .and_then(|outputs| self.store(context, &mut working.rows, memory, &outputs, now));
        if let Err(error) = &stored {
            warn!("rule {} of group {}: {error}", rule.name, key(&self.definition.written));
        }
        let duration = took + context.clock.monotonic().saturating_sub(clock);
        totals.rule_evaluated(duration);
        let alerts = memory.alerts.active();
        let mut status = locked(&self.status);
        status.evaluations += 1;
        status.failures += u64::from(stored.is_err());
        if let Some(own) = status.rules.get_mut(index) {
            let health = if stored.is_ok() { Health::Good } else { Health::Bad };
            let last_evaluation = Some(began);
            let last_error = stored.err();
            *own = RuleStatus { health, last_error, duration, last_evaluation, alerts };
        }
        count
    }

    /// Stores what a rule gave, and marks what it no longer gives.
    fn store(
        &self,
        context: &Context,
        rows: &mut Rows,
        memory: &mut Memory,
        outputs: &[InstantSample],
        now: Timestamp,
    ) -> Result<(), String> {
        let given: HashSet<Labels> = outputs.iter().map(|sample| sample.labels.clone()).collect();
        let mut gone: Vec<Labels> = memory.previous.difference(&given).cloned().collect();
        gone.sort();
        let at = now.plus_ms(-self.definition.query_offset_ms);
        let report = rows.write(&*context.storage, at, outputs, &gone)?;
        memory.previous = given;
        // Marks are refused if another rule gives the series: that is no failure.
        if report.rejected() > gone.len() || (gone.is_empty() && report.rejected() > 0) {
            return Err(refused(&report).to_owned());
        }
        Ok(())
    }

    /// Marks the series of rules that are gone. If that fails it is tried again next time.
    fn mark_stale(&self, context: &Context, working: &mut Working, now: Timestamp) {
        let at = now.plus_ms(-self.definition.query_offset_ms);
        match working.rows.write(&*context.storage, at, &[], &working.stale) {
            Ok(_) => working.stale.clear(),
            Err(error) => warn!("series of rules that are gone were not marked: {error}"),
        }
    }

    /// Marks all series: the group is gone.
    pub(super) fn end(&self, context: &Context, now: Timestamp) {
        let mut working = locked(&self.working);
        let all = working.memories.iter_mut().flat_map(|memory| memory.previous.drain());
        let mut all: Vec<Labels> = all.collect();
        all.sort();
        working.stale.extend(all);
        self.mark_stale(context, &mut working, now);
    }

    /// Restores since when alerts have been pending, at `now`; see `restore`.
    pub fn restore(&self, context: &Context, now: Timestamp) {
        let began = context.clock.monotonic();
        let mut working = locked(&self.working);
        let how = (ask::options(context.timeout), context.restoring);
        for (rule, memory) in self.definition.written.rules.iter().zip(&mut working.memories) {
            let RuleKind::Alerting { hold_ms, .. } = rule.kind else { continue };
            let (alerts, queries) = (&mut memory.alerts, &*context.queries);
            let done = restore::restore(alerts, &rule.name, hold_ms, queries, how, now);
            if let Err(error) = done {
                warn!("alert {}: since when it is pending was not restored: {error}", rule.name);
            }
        }
        locked(&self.status).restore_duration = context.clock.monotonic().saturating_sub(began);
        debug!("alerts of {} restored", key(&self.definition.written));
    }

    /// Takes over what the group knew that had this one's name before: rules are matched by name
    /// and labels, the first with the first. What no rule gives any more will be marked.
    pub(super) fn take_over(&self, from: &Self) {
        let (mut own, mut old) = (locked(&self.working), locked(&from.working));
        let mut status = locked(&self.status);
        let before = from.status();
        *status = GroupStatus { rules: std::mem::take(&mut status.rules), ..before };
        let old_rules = &from.definition.written.rules;
        let mut is_free = vec![true; old_rules.len()];
        for (rule, memory) in self.definition.written.rules.iter().zip(&mut own.memories) {
            let same = |(index, known): &(usize, &Rule)| {
                is_free[*index] && known.name == rule.name && known.labels == rule.labels
            };
            let Some((index, _)) = old_rules.iter().enumerate().find(same) else { continue };
            is_free[index] = false;
            memory.previous = std::mem::take(&mut old.memories[index].previous);
            memory.alerts.all = std::mem::take(&mut old.memories[index].alerts.all);
        }
        let unmatched = old.memories.iter_mut().flat_map(|memory| memory.previous.drain());
        let unmatched: Vec<Labels> = unmatched.collect();
        own.stale.extend(unmatched);
        own.stale.append(&mut old.stale);
    }

    /// Counts evaluations that did not take place.
    pub(super) fn count_missed(&self, missed: i64) {
        let missed = missed.max(0).unsigned_abs();
        let mut status = locked(&self.status);
        status.missed += missed;
        status.iterations += missed;
    }
}

/// Prometheus's words for why a sample was not stored.
fn refused(report: &RowReport) -> &'static str {
    match report {
        RowReport { out_of_order: 1.., .. } => "out of order sample",
        RowReport { duplicate: 1.., .. } => "duplicate sample for timestamp",
        _ => "out of bounds",
    }
}

/// What a panic left behind is as good as what was before: each value is whole.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
