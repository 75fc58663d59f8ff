//! A column: one value at most for each step, of one series.
//!
//! Floats lie densely; a bit says whether a step has a value. Native histograms are rare and lie
//! in a vector beside the floats that is there only if one is. Invariant: a step with a histogram
//! has its bit set, and its float means nothing.

use std::sync::Arc;

use tsdb::model::Histogram;

/// Steps without a value that count as much as a sample.
const STEPS_PER_SAMPLE: usize = 4;

/// A set of steps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Presence {
    words: Vec<u64>,
    steps: usize,
}

impl Presence {
    pub(crate) fn none(steps: usize) -> Self {
        Self { words: vec![0; steps.div_ceil(64)], steps }
    }

    pub(crate) fn all(steps: usize) -> Self {
        let mut words = vec![u64::MAX; steps.div_ceil(64)];
        if let Some(last) = words.last_mut().filter(|_| !steps.is_multiple_of(64)) {
            *last = (1 << (steps % 64)) - 1;
        }
        Self { words, steps }
    }

    /// Number of steps that there are, in the set or not.
    pub(crate) fn steps(&self) -> usize {
        self.steps
    }

    #[inline]
    pub(crate) fn contains(&self, step: usize) -> bool {
        self.words[step / 64] >> (step % 64) & 1 == 1
    }

    #[inline]
    pub(crate) fn insert(&mut self, step: usize) {
        self.words[step / 64] |= 1 << (step % 64);
    }

    #[inline]
    pub(crate) fn remove(&mut self, step: usize) {
        self.words[step / 64] &= !(1 << (step % 64));
    }

    pub(crate) fn count(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.words.iter().all(|word| *word == 0)
    }

    pub(crate) fn is_full(&self) -> bool {
        self.count() == self.steps
    }

    pub(crate) fn union(&mut self, other: &Self) {
        self.combine(other, |own, other| own | other);
    }

    pub(crate) fn intersect(&mut self, other: &Self) {
        self.combine(other, |own, other| own & other);
    }

    pub(crate) fn subtract(&mut self, other: &Self) {
        self.combine(other, |own, other| own & !other);
    }

    fn combine(&mut self, other: &Self, op: impl Fn(u64, u64) -> u64) {
        for (own, other) in self.words.iter_mut().zip(&other.words) {
            *own = op(*own, *other);
        }
    }

    /// The first step that is in both.
    pub(crate) fn first_common(&self, other: &Self) -> Option<usize> {
        let mut common = self.words.iter().zip(&other.words).map(|(own, other)| own & other);
        let at = common.clone().position(|word| word != 0)?;
        Some(at * 64 + common.nth(at)?.trailing_zeros() as usize)
    }

    /// The steps in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.words.iter().enumerate().flat_map(|(at, word)| {
            let mut rest = *word;
            std::iter::from_fn(move || {
                let bit = (rest != 0).then(|| rest.trailing_zeros() as usize)?;
                rest &= rest - 1;
                Some(at * 64 + bit)
            })
        })
    }
}

/// What a step holds.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Cell<'a> {
    Float(f64),
    Histogram(&'a Arc<Histogram>),
}

/// A result for a step.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Float(f64),
    Histogram(Arc<Histogram>),
}

impl From<Histogram> for Value {
    fn from(histogram: Histogram) -> Self {
        Self::Histogram(Arc::new(histogram))
    }
}

impl From<Cell<'_>> for Value {
    fn from(cell: Cell<'_>) -> Self {
        match cell {
            Cell::Float(value) => Self::Float(value),
            Cell::Histogram(histogram) => Self::Histogram(histogram.clone()),
        }
    }
}

/// What a histogram counts for in a budget: as many samples (16 bytes) as it is large.
pub(super) fn histogram_weight(histogram: &Histogram) -> usize {
    let floats = histogram.positive_buckets.len()
        + histogram.negative_buckets.len()
        + histogram.custom_values.len();
    let spans = histogram.positive_spans.len() + histogram.negative_spans.len();
    (size_of::<Histogram>() + 8 * (floats + spans)).div_ceil(16)
}

/// The values of one series at the steps of a grid.
#[derive(Clone, Debug)]
pub(crate) struct Column {
    floats: Vec<f64>,
    present: Presence,
    histograms: Option<Vec<Option<Arc<Histogram>>>>,
}

impl Column {
    /// A column without values.
    pub(crate) fn empty(steps: usize) -> Self {
        Self { floats: vec![0.0; steps], present: Presence::none(steps), histograms: None }
    }

    /// A float at each step.
    pub(crate) fn full(floats: Vec<f64>) -> Self {
        Self { present: Presence::all(floats.len()), floats, histograms: None }
    }

    /// A float at each step that is present.
    pub(crate) fn of_floats(floats: Vec<f64>, present: Presence) -> Self {
        assert_eq!(floats.len(), present.steps(), "BUG: a float for each step");
        Self { floats, present, histograms: None }
    }

    /// At each step the float at one index of `floats`, if there is an index and the float is
    /// `wanted`.
    pub(crate) fn pick(
        floats: &[f64],
        indexes: impl ExactSizeIterator<Item = Option<usize>>,
        wanted: impl Fn(f64) -> bool,
    ) -> Self {
        let mut column = Self::empty(indexes.len());
        for (step, index) in indexes.enumerate() {
            let value = index.map_or(0.0, |index| floats[index]);
            column.floats[step] = value;
            let is_there = index.is_some() && wanted(value);
            column.present.words[step / 64] |= u64::from(is_there) << (step % 64);
        }
        column
    }

    /// The float that `value` gives for each step.
    pub(crate) fn from_fn(steps: usize, mut value: impl FnMut(usize) -> Option<f64>) -> Self {
        let mut column = Self::empty(steps);
        for step in 0..steps {
            if let Some(value) = value(step) {
                column.set(step, value);
            }
        }
        column
    }

    pub(crate) fn steps(&self) -> usize {
        self.floats.len()
    }

    /// What the column counts for in a budget: its samples, but not less than a part of its steps,
    /// since memory is there for all of them.
    pub(crate) fn weight(&self) -> usize {
        let samples = self.present.count().max(self.steps() / STEPS_PER_SAMPLE);
        let histograms = self.histograms.iter().flatten().flatten();
        samples + histograms.map(|histogram| histogram_weight(histogram)).sum::<usize>()
    }

    /// Steps that have a value.
    pub(crate) fn present(&self) -> &Presence {
        &self.present
    }

    pub(crate) fn set(&mut self, step: usize, value: f64) {
        self.floats[step] = value;
        self.present.insert(step);
        if let Some(histograms) = &mut self.histograms {
            histograms[step] = None;
        }
    }

    /// Takes the value of a step away.
    pub(crate) fn remove(&mut self, step: usize) {
        self.present.remove(step);
        if let Some(histograms) = &mut self.histograms {
            histograms[step] = None;
        }
    }

    pub(crate) fn set_histogram(&mut self, step: usize, histogram: Arc<Histogram>) {
        let steps = self.steps();
        self.histograms.get_or_insert_with(|| vec![None; steps])[step] = Some(histogram);
        self.present.insert(step);
    }

    pub(crate) fn set_value(&mut self, step: usize, value: Value) {
        match value {
            Value::Float(value) => self.set(step, value),
            Value::Histogram(histogram) => self.set_histogram(step, histogram),
        }
    }

    fn histogram(&self, step: usize) -> Option<&Arc<Histogram>> {
        self.histograms.as_ref()?[step].as_ref()
    }

    pub(crate) fn has_histograms(&self) -> bool {
        self.histograms().next().is_some()
    }

    /// Steps and histograms, in order.
    pub(crate) fn histograms(&self) -> impl Iterator<Item = (usize, &Arc<Histogram>)> + '_ {
        let all = self.histograms.iter().flatten().enumerate();
        all.filter_map(|(step, histogram)| Some((step, histogram.as_ref()?)))
    }

    /// The float of each histogram; floats vanish.
    pub(crate) fn of_histograms(&self, mut value: impl FnMut(&Histogram) -> f64) -> Self {
        let mut column = Self::empty(self.steps());
        self.histograms().for_each(|(step, histogram)| column.set(step, value(histogram)));
        column
    }

    /// Changes all values: floats, and histograms in place.
    pub(crate) fn map_all(
        mut self,
        float: impl Fn(f64) -> f64,
        histogram: impl Fn(&mut Histogram),
    ) -> Self {
        self.floats.iter_mut().for_each(|value| *value = float(*value));
        let all = self.histograms.iter_mut().flatten().flatten();
        all.for_each(|own| histogram(Arc::make_mut(own)));
        self
    }

    pub(crate) fn get(&self, step: usize) -> Option<Cell<'_>> {
        if !self.present.contains(step) {
            return None;
        }
        Some(match self.histogram(step) {
            Some(histogram) => Cell::Histogram(histogram),
            None => Cell::Float(self.floats[step]),
        })
    }

    #[inline]
    pub(crate) fn float(&self, step: usize) -> Option<f64> {
        let is_float = self.present.contains(step) && self.histogram(step).is_none();
        is_float.then(|| self.floats[step])
    }

    /// All floats, if each step has one.
    pub(crate) fn dense(&self) -> Option<&[f64]> {
        (self.histograms.is_none() && self.present.is_full()).then_some(self.floats.as_slice())
    }

    /// Steps and floats, in order.
    pub(crate) fn floats(&self) -> impl Iterator<Item = (usize, f64)> + '_ {
        let floats = self.present.iter().filter(|step| self.histogram(*step).is_none());
        floats.map(|step| (step, self.floats[step]))
    }

    /// Steps and values, in order.
    pub(crate) fn cells(&self) -> impl Iterator<Item = (usize, Cell<'_>)> + '_ {
        self.present.iter().filter_map(|step| Some((step, self.get(step)?)))
    }

    /// Replaces each float or takes it away; histograms vanish.
    pub(crate) fn filter_map(mut self, value: impl Fn(usize, f64) -> Option<f64>) -> Self {
        self.drop_histograms();
        for step in 0..self.floats.len() {
            if !self.present.contains(step) {
                continue;
            }
            match value(step, self.floats[step]) {
                Some(value) => self.floats[step] = value,
                None => self.present.remove(step),
            }
        }
        self
    }

    pub(crate) fn drop_histograms(&mut self) {
        for (step, histogram) in self.histograms.take().into_iter().flatten().enumerate() {
            if histogram.is_some() {
                self.present.remove(step);
            }
        }
    }

    /// Keeps the values at `steps` only.
    pub(crate) fn keep(&mut self, steps: &Presence) {
        self.present.intersect(steps);
        for step in 0..self.steps() {
            if let Some(histograms) = self.histograms.as_mut().filter(|_| !steps.contains(step)) {
                histograms[step] = None;
            }
        }
    }

    /// Adds the values of `other`; `false` if a step has a value in both.
    pub(crate) fn merge(&mut self, other: &Self) -> bool {
        if self.present.first_common(&other.present).is_some() {
            return false;
        }
        for (step, cell) in other.cells() {
            self.set_value(step, cell.into());
        }
        true
    }

    /// The value of this column's only step, at each of `steps` steps.
    pub(crate) fn repeat(&self, steps: usize) -> Self {
        match self.get(0) {
            None => Self::empty(steps),
            Some(Cell::Float(value)) => Self::full(vec![value; steps]),
            Some(Cell::Histogram(histogram)) => Self {
                floats: vec![0.0; steps],
                present: Presence::all(steps),
                histograms: Some(vec![Some(Arc::clone(histogram)); steps]),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presence_is_a_set() {
        for steps in [0, 1, 63, 64, 65, 200] {
            let all = Presence::all(steps);
            assert_eq!(all.iter().collect::<Vec<_>>(), (0..steps).collect::<Vec<_>>());
            assert!(all.is_full());
            let mut odd = Presence::none(steps);
            (0..steps).filter(|step| step % 2 == 1).for_each(|step| odd.insert(step));
            assert_eq!(odd.count(), steps / 2);
            assert_eq!(odd.first_common(&all), (steps > 1).then_some(1));
            let mut even = all.clone();
            even.subtract(&odd);
            assert_eq!(even.first_common(&odd), None);
            even.union(&odd);
            assert_eq!(even, all);
        }
    }

    #[test]
    fn histograms_live_beside_floats() {
        let mut column = Column::empty(4);
        column.set(0, 1.0);
        column.set_histogram(2, Arc::default());
        assert_eq!(column.floats().collect::<Vec<_>>(), [(0, 1.0)]);
        assert!(matches!(column.get(2), Some(Cell::Histogram(_))));
        assert_eq!(column.float(2), None);
        let doubled = column.clone().filter_map(|_, value| Some(value * 2.0));
        assert_eq!(doubled.present().iter().collect::<Vec<_>>(), [0]);
        let mut other = Column::empty(4);
        other.set(2, 5.0);
        assert!(!column.merge(&other));
        other = Column::empty(4);
        other.set(3, 5.0);
        assert!(column.merge(&other));
        assert_eq!(column.present().count(), 3);
    }
}
