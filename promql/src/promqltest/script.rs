//! Text → commands.
//!
//! Lines are trimmed; a line that starts with `#` counts as empty, and an empty line ends a
//! command. An expression is not parsed here, so that one that is wrong fails its case alone.

use std::sync::Arc;

use regex::Regex;
use thiserror::Error;
use tsdb::model::duration::parse_duration;
use tsdb::model::number::parse_float;
use tsdb::model::{Histogram, Labels, Sample, Timestamp, Value};

use super::LoadedSeries;
use super::classic::native_histograms;
use super::start::Starts;
use crate::parse::series::{SeriesValue, parse_series};
use crate::value::Steps;

/// Largest script, in bytes.
pub(super) const SCRIPT_BYTES_MAX: usize = 16 << 20;

/// A script that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("line {line}: {what}")]
pub struct ScriptError {
    /// From 1.
    pub line: usize,
    /// What is wrong there.
    pub what: String,
}

/// One command.
#[derive(Debug)]
pub(super) enum Command {
    Clear,
    Load(Load),
    Eval(Box<Eval>),
}

/// What is loaded.
#[derive(Debug, Default)]
pub(super) struct Load {
    pub(super) series: Vec<LoadedSeries>,
}

impl Load {
    /// A series that is written twice is the last one.
    fn add(&mut self, labels: Labels, mut samples: Vec<Sample>) {
        mark_resets(&mut samples);
        match self.series.iter_mut().find(|series| series.labels == labels) {
            Some(series) => series.samples = samples,
            None => self.series.push(LoadedSeries { labels, samples }),
        }
    }
}

/// A query and what is expected of it.
#[derive(Debug)]
pub(super) struct Eval {
    pub(super) line: usize,
    pub(super) text: String,
    pub(super) time: EvalTime,
    pub(super) expected: Vec<Expected>,
    pub(super) fails: Option<Pattern>,
    pub(super) warnings: Expectations,
    pub(super) infos: Expectations,
    pub(super) ordered: bool,
    pub(super) string: Option<String>,
    /// Times of an instant query's range vector.
    pub(super) matrix: Option<Steps>,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum EvalTime {
    Instant(Timestamp),
    Range(Steps),
}

/// A line of the expected result.
#[derive(Debug)]
pub(super) enum Expected {
    Scalar(f64),
    Series(Labels, Vec<SeriesValue>),
}

/// What is expected of annotations of one kind.
#[derive(Debug, Default)]
pub(super) struct Expectations {
    /// Each needs a match, and each annotation has to match one of them.
    pub(super) patterns: Vec<Pattern>,
    /// At least one, of whatever text (the old spelling).
    pub(super) any: bool,
    pub(super) none: bool,
}

/// What a text has to be.
#[derive(Debug)]
pub(super) enum Pattern {
    Any,
    Text(String),
    Regex(Regex),
}

impl Pattern {
    pub(super) fn matches(&self, text: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Text(own) => own == text,
            Self::Regex(regex) => regex.is_match(text),
        }
    }
}

/// Reads a script.
pub(super) fn parse(text: &str) -> Result<Vec<Command>, ScriptError> {
    if text.len() > SCRIPT_BYTES_MAX {
        let what = format!("the script is longer than {SCRIPT_BYTES_MAX} bytes");
        return Err(ScriptError { line: 1, what });
    }
    let lines = text.lines().map(str::trim);
    let lines = lines.map(|line| if line.starts_with('#') { "" } else { line }).collect();
    let mut parser = Parser { lines, at: 0 };
    let mut commands = Vec::new();
    while let Some(line) = parser.lines.get(parser.at).copied() {
        parser.at += 1;
        if !line.is_empty() {
            commands.push(parser.command(line)?);
        }
    }
    Ok(commands)
}

struct Parser<'a> {
    lines: Vec<&'a str>,
    /// The line after the one that is looked at.
    at: usize,
}

impl<'a> Parser<'a> {
    fn error(&self, what: impl Into<String>) -> ScriptError {
        ScriptError { line: self.at, what: what.into() }
    }

    /// The next line of the same command.
    fn next(&mut self) -> Option<&'a str> {
        let line = self.lines.get(self.at).copied().filter(|line| !line.is_empty())?;
        self.at += 1;
        Some(line)
    }

    fn command(&mut self, line: &'a str) -> Result<Command, ScriptError> {
        let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        match word.to_ascii_lowercase().as_str() {
            "clear" => Ok(Command::Clear),
            "load" => Ok(Command::Load(self.load(rest, false)?)),
            "load_with_nhcb" => Ok(Command::Load(self.load(rest, true)?)),
            word if word.starts_with("eval") => {
                let modifier = word.trim_start_matches("eval").trim_start_matches('_');
                Ok(Command::Eval(Box::new(self.eval(modifier, rest)?)))
            }
            _ => Err(self.error(format!("invalid command \"{line}\""))),
        }
    }

    fn duration(&self, text: &str) -> Result<i64, ScriptError> {
        parse_duration(text).map_err(|error| self.error(error.to_string()))
    }

    fn load(&mut self, step: &str, with_nhcb: bool) -> Result<Load, ScriptError> {
        let step_ms = self.duration(step.trim())?;
        let mut load = Load::default();
        let (mut default_starts, mut own_starts) = (Starts::default(), None);
        while let Some(line) = self.next() {
            if let Some((metric, starts)) = Starts::parse(line).map_err(|what| self.error(what))? {
                match metric.is_empty() {
                    true => default_starts = starts,
                    false => own_starts = Some(starts),
                }
                continue;
            }
            let series = parse_series(line).map_err(|error| self.error(error.to_string()))?;
            let starts = own_starts.take();
            let starts = starts.as_ref().unwrap_or(&default_starts);
            load.add(series.labels, samples(&series.values, step_ms, starts));
        }
        if with_nhcb {
            let natives = native_histograms(&load.series).map_err(|what| self.error(what))?;
            natives.into_iter().for_each(|series| load.add(series.labels, series.samples));
        }
        Ok(load)
    }

    fn eval(&mut self, modifier: &str, rest: &'a str) -> Result<Eval, ScriptError> {
        let line = self.at;
        let (time, text) = self.eval_head(rest)?;
        let mut eval = Eval {
            line,
            text: text.to_owned(),
            time,
            expected: Vec::new(),
            fails: None,
            warnings: Expectations::default(),
            infos: Expectations::default(),
            ordered: false,
            string: None,
            matrix: None,
        };
        match modifier {
            "" => {}
            "fail" => eval.fails = Some(Pattern::Any),
            "warn" => eval.warnings.any = true,
            "info" => eval.infos.any = true,
            "ordered" => eval.ordered = true,
            other => return Err(self.error(format!("unknown modifier \"{other}\" of eval"))),
        }
        while let Some(line) = self.next() {
            self.expectation(&mut eval, line)?;
        }
        Ok(eval)
    }

    fn eval_head(&self, rest: &'a str) -> Result<(EvalTime, &'a str), ScriptError> {
        let (kind, mut rest) = word(rest);
        let mut duration = |name: &str| {
            let (own, after) = word(rest);
            if own != name {
                return Err(self.error(format!("expected \"{name}\", found \"{own}\"")));
            }
            let (text, after) = word(after);
            rest = after;
            self.duration(text)
        };
        let time = match kind {
            "instant" => EvalTime::Instant(Timestamp::from_ms(duration("at")?)),
            "range" => {
                let (start, end) = (duration("from")?, duration("to")?);
                EvalTime::Range(self.steps(start, end, duration("step")?)?)
            }
            other => return Err(self.error(format!("expected instant or range, found {other}"))),
        };
        Ok((time, rest))
    }

    fn steps(&self, start: i64, end: i64, step_ms: i64) -> Result<Steps, ScriptError> {
        if end < start || step_ms < 1 {
            return Err(self.error("the end is before the start, or the step is nothing"));
        }
        let (start, end) = (Timestamp::from_ms(start), Timestamp::from_ms(end));
        Ok(Steps { start, end, step_ms })
    }

    fn expectation(&self, eval: &mut Eval, line: &str) -> Result<(), ScriptError> {
        let text = |rest: &str| Pattern::Text(rest.trim().to_owned());
        if let Some(rest) = line.strip_prefix("expected_fail_message") {
            eval.fails = Some(text(rest));
        } else if let Some(rest) = line.strip_prefix("expected_fail_regexp") {
            eval.fails = Some(self.regex(rest)?);
        } else if let Some(rest) = line.strip_prefix("expect range vector") {
            eval.matrix = Some(self.matrix_steps(rest)?);
        } else if let Some(rest) = line.strip_prefix("expect string ") {
            eval.string = Some(self.unquote(rest)?);
        } else if let Some(rest) = line.strip_prefix("expect ") {
            self.annotation(eval, rest)?;
        } else if let Some(number) = parse_number(line) {
            eval.expected.push(Expected::Scalar(number));
        } else {
            let series = parse_series(line).map_err(|error| self.error(error.to_string()))?;
            eval.expected.push(Expected::Series(series.labels, series.values));
        }
        Ok(())
    }

    fn matrix_steps(&self, rest: &str) -> Result<Steps, ScriptError> {
        let words: Vec<&str> = rest.split_whitespace().collect();
        match words.as_slice() {
            ["from", from, "to", to, "step", step] => {
                self.steps(self.duration(from)?, self.duration(to)?, self.duration(step)?)
            }
            _ => Err(self.error("expected: range vector from … to … step …")),
        }
    }

    fn annotation(&self, eval: &mut Eval, rest: &str) -> Result<(), ScriptError> {
        let (kind, rest) = word(rest);
        let pattern = if rest.is_empty() {
            Pattern::Any
        } else if let Some(message) = rest.strip_prefix("msg:") {
            Pattern::Text(message.trim().to_owned())
        } else if let Some(regex) = rest.strip_prefix("regex:") {
            self.regex(regex)?
        } else {
            return Err(self.error(format!("expected msg: or regex:, found \"{rest}\"")));
        };
        match kind {
            "ordered" => eval.ordered = true,
            "fail" => eval.fails = Some(pattern),
            "warn" => eval.warnings.patterns.push(pattern),
            "info" => eval.infos.patterns.push(pattern),
            "no_warn" => eval.warnings.none = true,
            "no_info" => eval.infos.none = true,
            other => return Err(self.error(format!("unknown expectation \"{other}\""))),
        }
        Ok(())
    }

    fn regex(&self, text: &str) -> Result<Pattern, ScriptError> {
        let regex = Regex::new(text.trim()).map_err(|error| self.error(error.to_string()))?;
        Ok(Pattern::Regex(regex))
    }

    /// A text literal, with escapes as PromQL has them.
    fn unquote(&self, text: &str) -> Result<String, ScriptError> {
        let parsed = crate::parse(text, &crate::Features::default());
        match parsed.map(|expr| expr.kind) {
            Ok(crate::ast::ExprKind::Text(text)) => Ok(text),
            _ => Err(self.error(format!("not a quoted text: {text}"))),
        }
    }
}

fn word(text: &str) -> (&str, &str) {
    let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    (word, rest.trim_start())
}

/// A lone number, also hexadecimal.
fn parse_number(text: &str) -> Option<f64> {
    match text.strip_prefix("0x") {
        Some(digits) => i64::from_str_radix(digits, 16).ok().map(|value| value as f64),
        None => parse_float(text),
    }
}

/// The samples of a line.
fn samples(values: &[SeriesValue], step_ms: i64, starts: &Starts) -> Vec<Sample> {
    let mut samples = Vec::new();
    for (index, value) in values.iter().enumerate() {
        let timestamp = Timestamp::from_ms(index as i64 * step_ms);
        let value = match value {
            SeriesValue::Omitted => continue,
            SeriesValue::Float(value) => Value::Float(*value),
            SeriesValue::Histogram { histogram, .. } => Value::Histogram(histogram.clone()),
        };
        samples.push(Sample { timestamp, value, start: starts.at(index, timestamp) });
    }
    samples
}

/// What a store says about counter resets, whatever was written: only that there was none since the
/// sample before.
fn mark_resets(samples: &mut [Sample]) {
    let mut before: Option<Arc<Histogram>> = None;
    for sample in samples {
        let is_stale = sample.value.is_stale();
        before = match &mut sample.value {
            Value::Histogram(histogram) if !is_stale => {
                let hint = histogram.hint_after(before.as_deref());
                let marked = Arc::make_mut(histogram);
                marked.counter_reset_hint = hint;
                Some(Arc::clone(histogram))
            }
            _ => None,
        };
    }
}
