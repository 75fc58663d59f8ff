//! `double_exponential_smoothing` (Holt's linear method).

use super::Series;
use crate::error::EvalError;
use crate::eval::column::Column;
use crate::notes::Notes;

pub(super) fn column(series: &Series<'_>, notes: &mut Notes) -> Result<Column, EvalError> {
    let [smoothing, trend] = series.call.params.as_slice() else {
        return Ok(Column::empty(series.steps()));
    };
    for step in (0..series.steps()).filter(|step| series.all_windows[*step].len() > 0) {
        check("smoothing", "sf", smoothing[step])?;
        check("trend", "tf", trend[step])?;
    }
    Ok(series.of_floats(notes, |step, samples| {
        (samples.floats.len() >= 2).then(|| smooth(samples.floats, smoothing[step], trend[step]))
    }))
}

fn check(name: &str, short: &str, factor: f64) -> Result<(), EvalError> {
    if factor <= 0.0 || factor >= 1.0 {
        return Err(EvalError::Execution(format!(
            "invalid {name} factor. Expected: 0 < {short} < 1, got: {factor:.6}"
        )));
    }
    Ok(())
}

fn smooth(values: &[f64], smoothing: f64, trend: f64) -> f64 {
    let (mut before, mut level) = (0.0, values[0]);
    let mut slope = values[1] - values[0];
    for (index, value) in values.iter().enumerate().skip(1) {
        let scaled = smoothing * value;
        if index > 1 {
            slope = trend * (level - before) + (1.0 - trend) * slope;
        }
        let expected = (1.0 - smoothing) * (level + slope);
        (before, level) = (level, scaled + expected);
    }
    level
}
