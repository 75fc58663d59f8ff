//! Which column a series is: remembered by the bytes of its labels.
//!
//! A sender repeats a series' labels in every request. Their hash (128 bits, seeded for each
//! process so that nobody can aim at it) finds the column without decoding them. The store forgets
//! groups that get nothing for long; whoever hears so calls [`Columns::forget`].

use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault, Hasher, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tsdb::model::{Labels, METRIC_NAME, Metadata};
use tsdb::{Append, ColumnRef, FamilyColumns, GroupRef};
use twox_hash::XxHash3_128;

use super::{WriteError, wire};

/// Columns that are remembered; when there are more, all are looked up anew. 48 bytes each.
const COLUMNS_MAX: usize = 1 << 20;

/// Labels that name a target; they make the group.
const TARGET_LABELS: [&str; 2] = ["job", "instance"];

/// A series' place in the store.
pub(super) type Place = (GroupRef, ColumnRef);

/// Finds columns.
pub(super) struct Columns {
    seed: u64,
    places: Mutex<Places>,
}

type Places = HashMap<u128, Place, BuildHasherDefault<KeyHasher>>;

/// Takes a key for its own hash: it is one, and seeded.
#[derive(Default)]
struct KeyHasher(u64);

impl Hasher for KeyHasher {
    fn write_u128(&mut self, key: u128) {
        self.0 = key as u64;
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

impl Columns {
    pub(super) fn new() -> Self {
        Self { seed: RandomState::new().hash_one(0), places: Mutex::default() }
    }

    /// The place of the series with these labels; made if it is not there.
    pub(super) fn place(
        &self,
        label_bytes: &[u8],
        appender: &mut dyn Append,
    ) -> Result<Place, WriteError> {
        let key = XxHash3_128::oneshot_with_seed(self.seed, label_bytes);
        if let Some(place) = self.places().get(&key) {
            return Ok(*place);
        }
        let place = register(&labels(label_bytes)?, appender)?;
        let mut places = self.places();
        if places.len() >= COLUMNS_MAX {
            places.clear();
        }
        places.insert(key, place);
        Ok(place)
    }

    /// Forgets the columns of these groups, which rise: they are looked up anew.
    pub(super) fn forget(&self, groups: &[GroupRef]) {
        self.places().retain(|_, (group, _)| groups.binary_search(group).is_err());
    }

    fn places(&self) -> MutexGuard<'_, Places> {
        // Every change is one call, so a panic elsewhere leaves nothing half done.
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The label set that the bytes stand for.
pub(super) fn labels(label_bytes: &[u8]) -> Result<Labels, WriteError> {
    let pairs = wire::labels(label_bytes)?;
    let names = pairs.iter().filter(|(_, value)| !value.is_empty()).count();
    let is_nameless = pairs.iter().any(|(name, _)| name.is_empty());
    let labels = Labels::from_pairs(pairs);
    if is_nameless {
        return Err(WriteError::Invalid(format!("a label of {labels} has no name")));
    }
    if labels.len() != names {
        return Err(WriteError::Invalid(format!("duplicate label name in {labels}")));
    }
    if labels.metric_name().is_none() {
        return Err(WriteError::Invalid(format!("{labels} has no metric name")));
    }
    Ok(labels)
}

/// Makes the group and a family of one column: nothing else is known of a series whose page was
/// never seen.
fn register(labels: &Labels, appender: &mut dyn Append) -> Result<Place, WriteError> {
    let group = appender.group(&labels.filtered(|name| TARGET_LABELS.contains(&name)))?;
    let own = labels.iter().filter(|(name, _)| !TARGET_LABELS.contains(name));
    let own = own.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let name = labels.get(METRIC_NAME).unwrap_or("").to_owned();
    let family = FamilyColumns { name, metadata: Metadata::default(), columns: vec![own] };
    let columns = appender.columns(group, &[family])?;
    let column = columns.first().ok_or(WriteError::Rejected(tsdb::Rejected::UnknownRef))?;
    Ok((group, *column))
}
