//! `--enable-feature`: Prometheus's optional features by name, and what they switch on here.
//!
//! Names that switch on nothing are said, and no error: a command line that Prometheus takes is
//! taken.

use promql::EngineOptions;
use promql::parse::Features;

/// What is done with the times at which counters started.
#[derive(Clone, Copy, Debug, Default)]
pub struct Starts {
    /// `st-storage`: they are kept with the samples.
    pub kept: bool,
    /// `created-timestamp-zero-ingestion`: samples of 0 are stored there.
    pub zeros: bool,
}

/// What is switched on.
#[derive(Clone, Debug, Default)]
pub struct Enabled {
    /// Of the language.
    pub language: Features,
    /// `promql-delayed-name-removal`.
    pub delayed_name_removal: bool,
    /// `use-start-timestamps`.
    pub use_start_timestamps: bool,
    /// What is done with the times at which counters started.
    pub starts: Starts,
    /// `concurrent-rule-eval`.
    pub concurrent_rules: bool,
    /// Names that have no effect.
    pub idle: Vec<String>,
}

impl Enabled {
    /// What `names` say, each of which may be several between commas.
    pub fn new(names: &[String]) -> Self {
        let mut enabled = Self::default();
        let names = names.iter().flat_map(|list| list.split(','));
        for name in names.map(str::trim).filter(|name| !name.is_empty()) {
            let Self { language, idle, .. } = &mut enabled;
            match name {
                "promql-experimental-functions" => language.experimental_functions = true,
                "promql-extended-range-selectors" => language.extended_range_selectors = true,
                "promql-binop-fill-modifiers" => language.fill_modifiers = true,
                "promql-duration-expr" => language.duration_expressions = true,
                "promql-delayed-name-removal" => enabled.delayed_name_removal = true,
                "use-start-timestamps" => enabled.use_start_timestamps = true,
                "st-storage" => enabled.starts.kept = true,
                "created-timestamp-zero-ingestion" => enabled.starts.zeros = true,
                "concurrent-rule-eval" => enabled.concurrent_rules = true,
                other => idle.push(other.to_owned()),
            }
        }
        enabled
    }

    /// The engine's options with what is switched on.
    pub fn engine(&self, options: EngineOptions) -> EngineOptions {
        let Self { delayed_name_removal, use_start_timestamps, .. } = *self;
        EngineOptions { delayed_name_removal, use_start_timestamps, ..options }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_becomes_of_starts() {
        let rows = [
            ("", (false, false), 0),
            ("st-storage", (true, false), 0),
            ("created-timestamp-zero-ingestion", (false, true), 0),
            ("st-storage, created-timestamp-zero-ingestion,other", (true, true), 1),
        ];
        for (names, expected, idle) in rows {
            let Enabled { starts, idle: unknown, .. } = Enabled::new(&[names.to_owned()]);
            assert_eq!(((starts.kept, starts.zeros), unknown.len()), (expected, idle), "{names}");
        }
    }
}
