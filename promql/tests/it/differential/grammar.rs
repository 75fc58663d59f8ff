//! Random expressions, as text: well-typed, of bounded depth, and such that series often match.
//! Here are selectors and operators; calls stand in `functions`.

use crate::random::Random;

pub(super) const RANGES: [&str; 9] = ["30s", "1m", "90s", "2m", "5m", "2m", "1m", "17s", "1s"];
const DURATIONS: [&str; 6] = ["5s", "-10s", "1m", "45s", "3m", "1ms"];
pub(super) const LABELS: [&str; 4] = ["job", "pod", "zone", "le"];

const ARITHMETIC: [&str; 7] = ["+", "-", "*", "/", "%", "^", "atan2"];
const COMPARISONS: [&str; 6] = ["==", "!=", ">", "<", ">=", "<="];

/// What is written in one query.
pub(super) struct Grammar<'a> {
    pub(super) random: &'a mut Random,
    /// Seconds at which the samples begin.
    base: i64,
    /// Subqueries that may still be nested.
    subqueries: usize,
}

/// An expression that gives a vector, or once in a while a scalar.
pub(crate) fn expression(random: &mut Random, base_ms: i64) -> String {
    let depth = 1 + random.below(4);
    let mut grammar = Grammar { random, base: base_ms / 1000, subqueries: 2 };
    if grammar.random.once_in(25) { grammar.scalar(depth) } else { grammar.vector(depth) }
}

impl Grammar<'_> {
    pub(super) fn vector(&mut self, depth: usize) -> String {
        if depth == 0 {
            return self.selector(&["g", "g", "h", "c_total", "d_total", "t_bucket", "n", "mixed"]);
        }
        let inner = depth - 1;
        match self.random.weighted(&[2, 8, 8, 8, 4, 5, 2, 3, 2, 2, 1, 1]) {
            0 => self.vector(0),
            1 => self.range_function(inner),
            2 => self.aggregate(inner),
            3 => self.binary(inner),
            4 => self.with_scalar(inner),
            5 => self.function(inner),
            6 => format!("{}{}", self.random.of(&["-", "+"]), self.operand(inner)),
            7 => self.histogram(inner),
            8 => self.labels(inner),
            9 => self.date(inner),
            10 => format!("vector({})", self.scalar(inner)),
            _ => format!("({})", self.vector(inner)),
        }
    }

    pub(super) fn scalar(&mut self, depth: usize) -> String {
        let number = ["0", "1", "2", "0.5", "-1", "0.9", "3.25", "1e3", "NaN", "Inf", "-Inf", "30"];
        if depth == 0 {
            return self.random.of(&number).to_owned();
        }
        match self.random.weighted(&[6, 2, 3, 3, 1, 1]) {
            0 => self.scalar(0),
            1 => "time()".into(),
            2 => format!("scalar({})", self.vector(depth - 1)),
            3 => {
                let bool = self.random.once_in(3);
                let ops: &[&str] = if bool { &COMPARISONS } else { &ARITHMETIC };
                let op = self.random.of(ops);
                let word = if bool { " bool" } else { "" };
                format!("({} {op}{word} {})", self.scalar(depth - 1), self.scalar(depth - 1))
            }
            4 => "pi()".into(),
            _ => format!("-({})", self.scalar(depth - 1)),
        }
    }

    pub(super) fn selector(&mut self, names: &[&str]) -> String {
        let (name, modifiers) = (self.random.of(names), self.modifiers());
        format!("{}{modifiers}", self.series(name))
    }

    fn series(&mut self, name: &str) -> String {
        let matchers = [
            "job=\"a\"",
            "job!=\"a\"",
            "pod=~\"0|1\"",
            "pod!~\"2.*\"",
            "zone=\"\"",
            "zone!=\"\"",
            "zone=\"x\"",
            "job=~\".+\"",
            "job=\"nowhere\"",
        ];
        match self.random.weighted(&[6, 6, 2, 1]) {
            0 => name.to_owned(),
            1 => format!("{name}{{{}}}", self.random.of(&matchers)),
            2 => format!("{name}{{{},{}}}", self.random.of(&matchers), self.random.of(&matchers)),
            // Several names: what drops the name may make series equal.
            _ => self
                .random
                .of(&["{__name__=~\"g|h\"}", "{__name__=~\"[cd]_total\", pod=\"0\"}"])
                .to_owned(),
        }
    }

    fn modifiers(&mut self) -> String {
        let offset = format!(" offset {}", self.random.of(&DURATIONS));
        let time = self.base as f64 + self.random.below(600) as f64 / 2.0;
        let at = match self.random.below(3) {
            0 => format!(" @ {time:.3}"),
            1 => " @ start()".into(),
            _ => " @ end()".into(),
        };
        match self.random.weighted(&[16, 3, 2, 1]) {
            0 => String::new(),
            1 => offset,
            2 => at,
            _ if self.random.once_in(2) => format!("{at}{offset}"),
            _ => format!("{offset}{at}"),
        }
    }

    pub(super) fn range(&mut self, depth: usize) -> String {
        let range = self.random.of(&RANGES);
        if self.subqueries == 0 || self.random.weighted(&[3, 1]) == 0 {
            let name = self
                .random
                .of(&["c_total", "c_total", "d_total", "g", "h", "t_bucket", "n", "mixed"]);
            let series = self.series(name);
            return format!("{series}[{range}]{}", self.modifiers());
        }
        self.subqueries -= 1;
        let inner = self.operand(depth.min(2));
        self.subqueries += 1;
        let step = self.random.of(&["", "5s", "7s", "20s", "1m"]);
        // Not too many steps.
        let step = if self.subqueries < 2 && step == "5s" { "20s" } else { step };
        format!("{inner}[{range}:{step}]{}", self.modifiers())
    }

    fn names(&mut self) -> String {
        let count = self.random.weighted(&[1, 5, 4, 1]);
        let names: Vec<&str> = (0..count).map(|_| self.random.of(&LABELS)).collect();
        names.join(", ")
    }

    fn aggregate(&mut self, depth: usize) -> String {
        let grouping = match self.random.below(4) {
            0 => String::new(),
            1 => format!(" without ({})", self.names()),
            _ => format!(" by ({})", self.names()),
        };
        let inner = self.vector(depth);
        let k = self.random.of(&[
            "1",
            "2",
            "3",
            "0",
            "1.9",
            "-1",
            "100",
            "scalar(g{pod=\"0\",job=\"a\"})",
        ]);
        let call = match self.random.weighted(&[12, 4, 2, 1, 1]) {
            0 => {
                let ops = ["sum", "sum", "avg", "count", "min", "max", "group", "stddev", "stdvar"];
                return format!("{}{grouping} ({inner})", self.random.of(&ops));
            }
            1 => {
                let op = self.random.of(&["topk", "bottomk", "limitk"]);
                return format!("{op}{grouping} ({k}, {})", self.in_order(depth));
            }
            2 => ("quantile", self.scalar(depth.min(1))),
            3 => ("limit_ratio", self.random.of(&["0.5", "-0.5", "0.1", "1", "-2"]).to_owned()),
            _ => {
                let floats = format!("({inner}) + 0");
                let label = self.random.of(&["v", "pod", "zone"]);
                return format!("count_values{grouping} (\"{label}\", {floats})");
            }
        };
        format!("{}{grouping} ({}, {inner})", call.0, call.1)
    }

    /// A vector whose order is certain: which of equal values, or of any, are picked depends on it.
    fn in_order(&mut self, depth: usize) -> String {
        match self.random.below(3) {
            0 => self.vector(0),
            1 => format!("{}({})", self.random.of(&["abs", "floor", "sgn"]), self.vector(0)),
            _ => {
                let subqueries = std::mem::take(&mut self.subqueries);
                let vector = self.range_function(depth);
                self.subqueries = subqueries;
                vector
            }
        }
    }

    /// A vector, in parentheses unless nothing can go wrong without.
    fn operand(&mut self, depth: usize) -> String {
        let inner = self.vector(depth);
        let is_bare = depth == 0 || !inner.starts_with(['-', '+']) && self.random.once_in(3);
        if is_bare && !inner.contains(" ") { inner } else { format!("({inner})") }
    }

    fn matching(&mut self) -> String {
        let labels = match self.random.weighted(&[4, 4, 3]) {
            0 => return String::new(),
            1 => format!(
                " on ({})",
                self.random.of(&["job, pod", "pod, job, le", "job", "pod", "", "zone"])
            ),
            _ => format!(" ignoring ({})", self.random.of(&["zone", "le", "zone, le", "", "pod"])),
        };
        // A label cannot both be compared by `on` and be copied.
        let copied = if labels.starts_with(" on") { "version" } else { "zone, le" };
        let copied = if labels.contains("zone") { "version" } else { copied };
        match self.random.below(5) {
            0 => format!("{labels} group_left ()"),
            1 => format!("{labels} group_right ({copied})"),
            2 => format!("{labels} group_left ({copied})"),
            _ => labels,
        }
    }

    fn binary(&mut self, depth: usize) -> String {
        let (left, right) = match self.random.weighted(&[2, 3]) {
            0 => (self.operand(depth), self.operand(depth)),
            // Of the same shape, so that something matches.
            _ => {
                let labels = self.names();
                let mut side = |op: &str| format!("{op} by ({labels}) ({})", self.vector(depth));
                (side("sum"), side("max"))
            }
        };
        let matching = self.matching();
        if self.random.once_in(4) {
            let on = matching.split(" group").next().unwrap_or("");
            return format!("{left} {}{on} {right}", self.random.of(&["and", "or", "unless"]));
        }
        let is_comparison = self.random.once_in(3);
        let op = self.random.of(if is_comparison { &COMPARISONS[..] } else { &ARITHMETIC[..] });
        let bool = if is_comparison && self.random.once_in(2) { " bool" } else { "" };
        format!("{left} {op}{bool}{matching} {right}")
    }

    fn with_scalar(&mut self, depth: usize) -> String {
        let is_comparison = self.random.once_in(2);
        let op = self.random.of(if is_comparison { &COMPARISONS[..] } else { &ARITHMETIC[..] });
        let bool = if is_comparison && self.random.once_in(2) { " bool" } else { "" };
        let (vector, scalar) = (self.operand(depth), self.scalar(depth));
        match self.random.below(3) {
            0 => format!("{scalar} {op}{bool} {vector}"),
            _ => format!("{vector} {op}{bool} {scalar}"),
        }
    }
}
