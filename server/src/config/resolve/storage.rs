//! The section `storage`: how samples are kept, and how late they may come.

use super::super::Storage;
use super::super::error::Problem;
use super::super::raw::{self, given, section};
use super::{size, value};

/// What the file says; nothing but defaults if it says nothing.
pub(super) fn storage(file: &raw::File) -> Result<Storage, Problem> {
    let Some(storage) = section(&file.storage) else { return Ok(Storage::default()) };
    let exemplars = section(&storage.exemplars).and_then(|section| given(&section.max_exemplars));
    let exemplars_max = exemplars.map(|(max, _)| usize::try_from(*max).unwrap_or(0));
    let Some(tsdb) = section(&storage.tsdb) else {
        return Ok(Storage { exemplars_max, ..Storage::default() });
    };
    check_encoding(tsdb)?;
    let nothing = raw::Retention::default();
    let retention = section(&tsdb.retention).unwrap_or(&nothing);
    Ok(Storage {
        out_of_order_ms: value::duration(&tsdb.out_of_order_time_window)?.unwrap_or(0),
        retention_ms: value::duration(&retention.time)?,
        retention_bytes: size::bytes(&retention.size)?,
        retention_percent: percent(retention)?,
        exemplars_max,
    })
}

/// A part of the disk; `None` if it does not stand there or is 0.
fn percent(raw: &raw::Retention) -> Result<Option<f64>, Problem> {
    let Some((percent, place)) = given(&raw.percentage) else { return Ok(None) };
    if !(0.0..=100.0).contains(percent) {
        let what = format!("retention percentage {percent} is not between 0 and 100");
        return Err(Problem::new(place, what, "write how much of the disk samples may take"));
    }
    Ok(Some(*percent).filter(|percent| *percent > 0.0))
}

/// Each column is stored in the form that suits it, whatever stands here.
fn check_encoding(tsdb: &raw::Tsdb) -> Result<(), Problem> {
    let encoding = section(&tsdb.chunk_encoding);
    let Some((text, place)) = encoding.and_then(|section| value::text(&section.floats)) else {
        return Ok(());
    };
    if ["xor", "xor2"].contains(&text) {
        return Ok(());
    }
    let what = format!("unknown chunk encoding {text:?} for floats");
    Err(Problem::new(place, what, "write xor or xor2, or leave it out"))
}
