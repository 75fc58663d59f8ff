//! Calls of functions, of the grammar of random expressions.

use super::grammar::{Grammar, LABELS, RANGES};

/// Functions of a range vector alone.
const OF_RANGE: [&str; 23] = [
    "rate",
    "rate",
    "increase",
    "delta",
    "irate",
    "idelta",
    "sum_over_time",
    "avg_over_time",
    "min_over_time",
    "max_over_time",
    "count_over_time",
    "last_over_time",
    "first_over_time",
    "present_over_time",
    "stddev_over_time",
    "stdvar_over_time",
    "changes",
    "resets",
    "deriv",
    "absent_over_time",
    "mad_over_time",
    "ts_of_min_over_time",
    "ts_of_last_over_time",
];

const OF_FLOATS: [&str; 20] = [
    "abs",
    "ceil",
    "floor",
    "exp",
    "sqrt",
    "ln",
    "log2",
    "log10",
    "sin",
    "cos",
    "tan",
    "atan",
    "tanh",
    "sinh",
    "rad",
    "deg",
    "sgn",
    "round",
    "sort",
    "sort_desc",
];

const DATES: [&str; 8] = [
    "hour",
    "minute",
    "month",
    "year",
    "day_of_month",
    "day_of_week",
    "day_of_year",
    "days_in_month",
];

impl Grammar<'_> {
    pub(super) fn range_function(&mut self, depth: usize) -> String {
        let (range, scalar) = (self.range(depth), self.scalar(depth.min(1)));
        match self.random.weighted(&[12, 1, 1, 1]) {
            0 => format!("{}({range})", self.random.of(&OF_RANGE)),
            1 => format!("quantile_over_time({scalar}, {range})"),
            2 => format!("predict_linear({range}, {scalar})"),
            _ => {
                let factors = ["0.1", "0.5", "0.9", "1", "0.3"];
                let (a, b) = (self.random.of(&factors), self.random.of(&factors));
                format!("double_exponential_smoothing({range}, {a}, {b})")
            }
        }
    }

    pub(super) fn function(&mut self, depth: usize) -> String {
        let inner = self.vector(depth);
        match self.random.weighted(&[10, 1, 1, 1, 2, 3]) {
            0 => format!("{}({inner})", self.random.of(&OF_FLOATS)),
            1 => format!("clamp({inner}, {}, {})", self.scalar(0), self.scalar(0)),
            2 => format!(
                "{}({inner}, {})",
                self.random.of(&["clamp_min", "clamp_max"]),
                self.scalar(depth)
            ),
            3 => format!("round({inner}, {})", self.random.of(&["0.5", "10", "0.1", "3", "0"])),
            4 => format!("absent({inner})"),
            _ => format!("timestamp({inner})"),
        }
    }

    /// Functions of histograms: of classic ones a quantile, of native ones their parts.
    pub(super) fn histogram(&mut self, depth: usize) -> String {
        let q = if self.random.once_in(4) {
            self.scalar(depth)
        } else {
            self.random.of(&["0.5", "0.9", "0", "1"]).to_owned()
        };
        let (range, by) = (self.random.of(&RANGES), self.random.of(&["le", "le, job", "le, pod"]));
        let buckets = self.selector(&["t_bucket"]);
        let function = self.random.of(&[
            "rate",
            "increase",
            "delta",
            "sum_over_time",
            "last_over_time",
            "rate",
        ]);
        match self.random.below(6) {
            0 => format!("histogram_quantile({q}, {buckets})"),
            1 => format!("histogram_quantile({q}, sum by ({by}) ({function}(t_bucket[{range}])))"),
            2 => format!("histogram_quantile({q}, {function}(t_bucket[{range}]))"),
            3 => {
                let part = self.random.of(&["histogram_count", "histogram_sum", "histogram_avg"]);
                format!("{part}({})", self.vector(depth))
            }
            4 => format!("histogram_sum(sum by (job) ({function}(n[{range}])))"),
            _ => format!("avg by (job) ({function}({}[{range}]))", self.random.of(&["n", "mixed"])),
        }
    }

    pub(super) fn labels(&mut self, depth: usize) -> String {
        let (inner, to) = (self.vector(depth), self.random.of(&["pod", "new", "zone", "__name__"]));
        if self.random.once_in(3) {
            let from = self.random.of(&["\"job\"", "\"job\", \"pod\"", "\"zone\", \"missing\""]);
            return format!("label_join({inner}, \"{to}\", \"-\", {from})");
        }
        let with = self.random.of(&["$1", "x-$1", "", "c"]);
        let pattern = self.random.of(&["(.*)", "(a|0)", "([a-z])?", "none(.)"]);
        let from = self.random.of(&LABELS);
        format!("label_replace({inner}, \"{to}\", \"{with}\", \"{from}\", \"{pattern}\")")
    }

    pub(super) fn date(&mut self, depth: usize) -> String {
        let function = self.random.of(&DATES);
        let seconds = ["951782400", "-1", "4102444800", "-34128000", "1709164800.75", "86399"];
        match self.random.below(4) {
            0 => format!("{function}()"),
            1 => format!("{function}(vector({}))", self.random.of(&seconds)),
            2 => format!("{function}(vector(time() * 1000))"),
            _ => format!("{function}(timestamp({}))", self.vector(depth)),
        }
    }
}
