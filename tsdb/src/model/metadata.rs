//! What a target says about its metrics (type, unit, help), and exemplars.

use super::labels::Labels;
use super::time::Timestamp;

/// The type of a metric family, as its `# TYPE` line names it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum MetricType {
    /// Only goes up, except for resets.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Buckets, `_sum` and `_count`; or a native histogram.
    Histogram,
    /// A histogram whose buckets may go down.
    GaugeHistogram,
    /// Quantiles, `_sum` and `_count`.
    Summary,
    /// Labels with the constant value 1.
    Info,
    /// Booleans, one for each state.
    StateSet,
    /// Nothing was said.
    #[default]
    Unknown,
}

impl MetricType {
    /// The name that the exposition formats and the API use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
            Self::GaugeHistogram => "gaugehistogram",
            Self::Summary => "summary",
            Self::Info => "info",
            Self::StateSet => "stateset",
            Self::Unknown => "unknown",
        }
    }

    /// The type with that name (`untyped` means unknown); `None` if there is none.
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "counter" => Self::Counter,
            "gauge" => Self::Gauge,
            "histogram" => Self::Histogram,
            "gaugehistogram" => Self::GaugeHistogram,
            "summary" => Self::Summary,
            "info" => Self::Info,
            "stateset" => Self::StateSet,
            "unknown" | "untyped" => Self::Unknown,
            _ => return None,
        })
    }
}

/// Type, unit and help of a metric family.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Metadata {
    /// The family's type.
    pub kind: MetricType,
    /// The unit (`seconds`), empty if none was given.
    pub unit: String,
    /// The help text, unescaped, empty if none was given.
    pub help: String,
}

/// An example of what was counted: labels (a trace id, usually), a value, and when.
#[derive(Clone, Debug, PartialEq)]
pub struct Exemplar {
    /// Its own labels, without those of the series.
    pub labels: Labels,
    /// The measured value.
    pub value: f64,
    /// When it was measured.
    pub timestamp: Timestamp,
}
