//! Metric families of a page: what `TYPE`, `HELP` and `UNIT` lines say, and who belongs to them.

use std::hash::BuildHasher;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use hashbrown::{DefaultHashBuilder, HashTable};
use tsdb::model::{Metadata, MetricType};

use super::held_once::HeldOnce;
use crate::parse::series::unescape;
use crate::parse::{Entry, Format, Parser};
use crate::target::FamilyMetadata;

/// Pages after which a family that is no longer mentioned is forgotten (Prometheus's number).
const PAGES_KEPT: u64 = 10;
/// Most families of one target that are remembered.
const FAMILIES_MAX: usize = 10_000;

/// What some target says about a family.
static SAID: LazyLock<Mutex<HeldOnce<FamilyMetadata>>> = LazyLock::new(Mutex::default);

/// What a target says about its families.
#[derive(Debug, Default)]
pub(super) struct Families {
    known: HashTable<Family>,
    hasher: DefaultHashBuilder,
    /// The family that the last comment of the page spoke of.
    current: String,
    /// The type in the page's last `TYPE` line.
    kind: MetricType,
    /// The page that is being read.
    page: u64,
    /// Whether anything was learnt or forgotten since [`Families::take_changes`].
    changed: bool,
    /// Whether there are some that the last page did not mention.
    any_gone: bool,
}

#[derive(Debug)]
struct Family {
    /// Its name and what is said about it.
    said: Arc<FamilyMetadata>,
    seen: u64,
    told: bool,
}

impl Families {
    /// Begins a page.
    pub(super) fn begin(&mut self) {
        self.page += 1;
        self.rewind();
    }

    /// Begins to read the page before once more.
    pub(super) fn rewind(&mut self) {
        self.current.clear();
        self.kind = MetricType::Unknown;
    }

    /// Makes the family current that `series` belongs to, if one is known.
    pub(super) fn recall(&mut self, series: &str) {
        let belongs = |family: &&str| {
            let known = self.find(family);
            known.is_some_and(|known| suffix(series, family, known.said.1.kind).is_some())
        };
        let stem = series.rfind('_').map_or(series, |end| &series[..end]);
        match [series, stem].into_iter().find(belongs) {
            Some(family) => {
                self.kind = self.find(family).map_or(MetricType::Unknown, |own| own.said.1.kind);
                family.clone_into(&mut self.current);
            }
            None => self.rewind(),
        }
    }

    /// Learns from a comment of the page.
    pub(super) fn learn(&mut self, entry: &Entry<'_>, format: Format) {
        match *entry {
            Entry::Type { family, kind } => {
                self.kind = kind;
                self.update(family, |known| known.kind != kind, |metadata| metadata.kind = kind);
            }
            Entry::Help { family, text } => {
                let text = &*unescape(text, format == Format::OpenMetrics);
                self.update(
                    family,
                    |known| known.help != text,
                    |metadata| metadata.help = text.into(),
                );
            }
            Entry::Unit { family, unit } => {
                self.update(
                    family,
                    |known| known.unit != unit,
                    |metadata| metadata.unit = unit.into(),
                );
            }
            Entry::Comment | Entry::Sample(_) => {}
        }
    }

    /// Learns what a format without comments says of a family.
    pub(super) fn declare(&mut self, name: &str, kind: MetricType, unit: &str, help: &str) {
        self.kind = kind;
        let differs =
            |known: &Metadata| known.kind != kind || known.unit != unit || known.help != help;
        self.update(name, differs, |metadata| {
            *metadata = Metadata { kind, unit: unit.into(), help: help.into() };
        });
    }

    /// Learns from all comments in `text`, which were read before.
    pub(super) fn learn_all(&mut self, text: &[u8], format: Format) {
        let mut comments = Parser::new(text, format);
        while let Ok(Some(entry)) = comments.next(b"") {
            self.learn(&entry, format);
        }
    }

    /// The page begun said what the page before said.
    pub(super) fn pass(&mut self) {
        let page = self.page;
        if self.any_gone {
            let seen = self.known.iter_mut().filter(|family| family.seen + 1 == page);
            seen.for_each(|family| family.seen = page);
        } else {
            self.page -= 1;
        }
    }

    fn find(&self, name: &str) -> Option<&Family> {
        self.known.find(self.hasher.hash_one(name), |family| family.said.0 == name)
    }

    /// Takes note that the page speaks of a family, and of what it says, if that differs.
    fn update(
        &mut self,
        name: &str,
        differs: impl FnOnce(&Metadata) -> bool,
        set: impl FnOnce(&mut Metadata),
    ) {
        if self.current != name {
            name.clone_into(&mut self.current);
        }
        let hasher = &self.hasher;
        let is_it = |family: &Family| family.said.0 == name;
        let hash = |family: &Family| hasher.hash_one(family.said.0.as_str());
        let is_full = self.known.len() >= FAMILIES_MAX;
        let family = match self.known.entry(hasher.hash_one(name), is_it, hash) {
            hashbrown::hash_table::Entry::Vacant(_) if is_full => return,
            entry => entry.or_insert_with(|| Family::new(name)).into_mut(),
        };
        let is_new = std::mem::replace(&mut family.seen, self.page) == 0;
        let differs = differs(&family.said.1);
        if differs {
            set(&mut Arc::make_mut(&mut family.said).1);
        }
        if differs || is_new {
            family.told = false;
            self.changed = true;
        }
    }

    /// The type in force, as far as the spelling of `le` and `quantile` depends on it.
    pub(super) fn kind(&self) -> MetricType {
        self.kind
    }

    /// The family that the last comment spoke of, and the type in the last `TYPE` line.
    pub(super) fn current(&self) -> (&str, MetricType) {
        (&self.current, self.kind)
    }

    /// The family of a series: the current one if `raw`, its name on the page, belongs to that
    /// by its type, else one of its own. `renamed` is its name after relabelling: the family is
    /// renamed likewise.
    pub(super) fn of(&self, raw: &str, renamed: &str) -> (String, Metadata) {
        let own = || (renamed.to_owned(), Metadata::default());
        let Some(family) = self.find(&self.current) else { return own() };
        let metadata = &family.said.1;
        let suffix = match suffix(raw, &self.current, metadata.kind) {
            Some(suffix) => suffix,
            None => return own(),
        };
        match renamed.strip_suffix(suffix) {
            Some(stem) if !stem.is_empty() => (stem.to_owned(), metadata.clone()),
            _ => own(),
        }
    }

    /// Ends a page: forgets what was not mentioned for long.
    pub(super) fn end(&mut self) {
        let (page, before) = (self.page, self.known.len());
        if !self.any_gone && self.known.iter().all(|family| family.seen == page) {
            return;
        }
        self.known.retain(|family| family.seen + PAGES_KEPT > page);
        self.any_gone = self.known.iter().any(|family| family.seen != page);
        self.changed |= self.known.len() != before;
    }

    /// The families that nobody was told about yet, or not of their latest change.
    pub(super) fn untold(&mut self) -> impl Iterator<Item = (&str, &Metadata)> {
        let untold = self.known.iter_mut().filter(|family| !family.told);
        untold.map(|family| {
            family.told = true;
            (family.said.0.as_str(), &family.said.1)
        })
    }

    /// Makes everything untold again.
    pub(super) fn forget_telling(&mut self) {
        self.known.iter_mut().for_each(|family| family.told = false);
    }

    /// All families by name, if there was a change since the last call.
    pub(super) fn take_changes(&mut self) -> Option<Vec<Arc<FamilyMetadata>>> {
        if !std::mem::take(&mut self.changed) {
            return None;
        }
        let mut said = SAID.lock().unwrap_or_else(PoisonError::into_inner);
        let all = self.known.iter_mut().map(|family| {
            let own = &family.said;
            family.said = said.share(own, |other| *other == **own, || own.clone());
            family.said.clone()
        });
        let mut all: Vec<_> = all.collect();
        all.sort_by(|a, b| a.0.cmp(&b.0));
        Some(all)
    }
}

impl Family {
    fn new(name: &str) -> Self {
        let said = Arc::new((name.to_owned(), Metadata::default()));
        Self { said, seen: 0, told: false }
    }
}

/// What `name` has behind `family`, if a family of that type has such a series.
fn suffix<'n>(name: &'n str, family: &str, kind: MetricType) -> Option<&'n str> {
    let suffix = name.strip_prefix(family)?;
    let allowed: &[&str] = match kind {
        MetricType::Counter => &["", "_total", "_created"],
        MetricType::Histogram => &["", "_bucket", "_sum", "_count", "_created"],
        MetricType::GaugeHistogram => &["", "_bucket", "_gsum", "_gcount"],
        MetricType::Summary => &["", "_sum", "_count", "_created"],
        MetricType::Info => &["", "_info"],
        MetricType::Gauge | MetricType::StateSet | MetricType::Unknown => &[""],
    };
    allowed.contains(&suffix).then_some(suffix)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_belongs_to_whom() {
        use MetricType::*;
        let rows = [
            ("a_bucket", "a", Histogram, Some("_bucket")),
            ("iteration_tokens_total_sum", "iteration_tokens_total", Histogram, Some("_sum")),
            ("a_created", "a", Histogram, Some("_created")),
            ("a_bucket", "a", Counter, None),
            ("a_total", "a", Counter, Some("_total")),
            ("a_total", "a_total", Counter, Some("")),
            ("a", "a", Gauge, Some("")),
            ("ab", "a", Gauge, None),
            ("b", "a", Gauge, None),
            ("a_info", "a", Info, Some("_info")),
            ("a_gsum", "a", GaugeHistogram, Some("_gsum")),
            ("a_count", "a", Summary, Some("_count")),
            ("a_count", "a", Unknown, None),
        ];
        for (name, family, kind, expected) in rows {
            assert_eq!(suffix(name, family, kind), expected, "{name} in {family}");
        }
    }
}
