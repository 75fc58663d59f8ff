//! The words a page is described with: families, their kinds, labels and buckets.
//!
//! A [`Dialect`] is a list of families in page order; it is plain data. The series of a family are
//! the product of a scope (the target itself, each model, endpoint or GPU) and the label sets that
//! the family lists. A label value that begins with `$` names a variable of the scope.

use super::measure::Measure;
use super::number::Style;

/// Labels in the order in which a Go page shows them; Python's are sorted when rendered.
pub(crate) type Labels = &'static [(&'static str, &'static str)];

/// Bounds of a histogram's buckets, without `+Inf`.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Buckets {
    /// These.
    Fixed(&'static [f64]),
    /// 1, 2, 5, 10, 20, 50, ... up to the model's longest sequence, as vLLM makes them.
    Lengths,
}

impl Buckets {
    /// The bounds for a model with sequences of up to `max_model_len` tokens.
    pub(crate) fn bounds(self, max_model_len: u32) -> Vec<f64> {
        match self {
            Buckets::Fixed(bounds) => bounds.to_vec(),
            Buckets::Lengths => (0..)
                .flat_map(|power| [1.0, 2.0, 5.0].map(|first| first * 10f64.powi(power)))
                .take_while(|bound| *bound <= f64::from(max_model_len))
                .collect(),
        }
    }
}

/// The type of a family.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    /// Only goes up.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Cumulative buckets, a count and a sum.
    Histogram(Buckets),
    /// A count and a sum; none of the simulated exporters gives quantiles.
    Summary,
}

impl Kind {
    /// The word on the TYPE line.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram(_) => "histogram",
            Kind::Summary => "summary",
        }
    }
}

/// For what a family has its series.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Each {
    /// The target as a whole.
    Target,
    /// Each model behind the endpoint picker.
    Model,
    /// Each endpoint behind the endpoint picker.
    Endpoint,
    /// Each GPU of the node.
    Gpu,
}

/// One metric family of a page.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Family {
    /// The name on the TYPE line; counters have their `_total`.
    pub(crate) name: &'static str,
    /// The type.
    pub(crate) kind: Kind,
    /// The text of the HELP line.
    pub(crate) help: &'static str,
    /// What it shows.
    pub(crate) measure: Measure,
    /// What its series are for.
    pub(crate) each: Each,
    /// Labels of every series.
    pub(crate) labels: Labels,
    /// Labels that tell the series of one scope apart.
    pub(crate) series: &'static [Labels],
    /// A second family `…_created` with the times of creation follows (Python).
    pub(crate) created: bool,
    /// A series appears with its first event, not at start.
    pub(crate) late: bool,
}

impl Family {
    /// A family with one series and no labels.
    pub(crate) const fn new(
        name: &'static str,
        kind: Kind,
        measure: Measure,
        help: &'static str,
    ) -> Family {
        let (labels, series): (Labels, &[Labels]) = (&[], &[&[]]);
        let each = Each::Target;
        Family { name, kind, help, measure, each, labels, series, created: false, late: false }
    }

    /// With these labels on every series.
    pub(crate) const fn labels(self, labels: Labels) -> Family {
        Family { labels, ..self }
    }

    /// With one series per label set.
    pub(crate) const fn series(self, series: &'static [Labels]) -> Family {
        Family { series, ..self }
    }

    /// With series for each of these.
    pub(crate) const fn each(self, each: Each) -> Family {
        Family { each, ..self }
    }

    /// Followed by its `_created` family.
    pub(crate) const fn created(self) -> Family {
        Family { created: true, ..self }
    }

    /// With series that appear when something happens.
    pub(crate) const fn late(self) -> Family {
        Family { late: true, ..self }
    }
}

/// How one kind of exporter writes its page.
#[derive(Debug)]
pub(crate) struct Dialect {
    /// The client library.
    pub(crate) style: Style,
    /// The answer's Content-Type.
    pub(crate) content_type: &'static str,
    /// The families in page order.
    pub(crate) families: &'static [Family],
}

/// Variables for label values: name without `$`, value.
pub(crate) type Scope = Vec<(&'static str, String)>;

/// The scopes of one target.
#[derive(Debug, Default)]
pub(crate) struct Scopes {
    /// The target itself.
    pub(crate) target: Scope,
    /// Each model.
    pub(crate) models: Vec<Scope>,
    /// Each endpoint.
    pub(crate) endpoints: Vec<Scope>,
    /// Each GPU.
    pub(crate) gpus: Vec<Scope>,
    /// The longest sequence of the target's model, for [`Buckets::Lengths`].
    pub(crate) max_model_len: u32,
}

impl Scopes {
    /// The scopes that a family's series are for.
    pub(crate) fn of(&self, each: Each) -> &[Scope] {
        match each {
            Each::Target => std::slice::from_ref(&self.target),
            Each::Model => &self.models,
            Each::Endpoint => &self.endpoints,
            Each::Gpu => &self.gpus,
        }
    }
}
