//! A page of metrics in OpenMetrics text: writing one's own, and reading it again.
//!
//! What is read is only ever what this server wrote; a line that is none is passed over.

use scraper::totals::Durations;
use tsdb::model::number::format_json;

/// The quantiles of Prometheus's summaries.
const QUANTILES: [f64; 3] = [0.5, 0.9, 0.99];

/// Writes families to a page.
#[derive(Debug, Default)]
pub struct Page(pub String);

impl Page {
    /// Begins a family; `kind` is its type. Of counters, `name` has no `_total`.
    pub fn family(&mut self, name: &str, kind: &str, help: &str) {
        self.0.push_str(&format!("# HELP {name} {help}\n# TYPE {name} {kind}\n"));
    }

    /// A sample.
    pub fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: f64) {
        self.0.push_str(name);
        for (index, (label, value)) in labels.iter().enumerate() {
            let separator = if index == 0 { '{' } else { ',' };
            self.0.push_str(&format!("{separator}{label}=\"{}\"", escaped(value)));
        }
        let end = if labels.is_empty() { "" } else { "}" };
        self.0.push_str(&format!("{end} {}\n", format_json(value)));
    }

    /// A family with one sample that has no labels.
    pub fn one(&mut self, name: &str, kind: &str, help: &str, value: f64) {
        self.family(name, kind, help);
        let end = if kind == "counter" { "_total" } else { "" };
        self.sample(&format!("{name}{end}"), &[], value);
    }

    /// The samples of one label set of a summary.
    pub fn durations(&mut self, name: &str, labels: &[(&str, &str)], own: &Durations) {
        for quantile in QUANTILES {
            let text = format_json(quantile);
            self.sample(name, &with(labels, ("quantile", &text)), own.quantile(quantile));
        }
        self.sum_and_count(name, labels, (own.count, own.sum));
    }

    /// The samples of one label set of a histogram: of each bucket its upper bound and how many it
    /// has that the one before does not have; then how many there are, and their sum.
    pub fn histogram(
        &mut self,
        name: &str,
        labels: &[(&str, &str)],
        buckets: impl Iterator<Item = (f64, u64)>,
        (count, sum): (u64, f64),
    ) {
        let mut below = 0;
        let bucket = format!("{name}_bucket");
        for (bound, own) in buckets {
            below += own;
            self.sample(&bucket, &with(labels, ("le", &format_json(bound))), below as f64);
        }
        self.sample(&bucket, &with(labels, ("le", "+Inf")), count as f64);
        self.sum_and_count(name, labels, (count, sum));
    }

    fn sum_and_count(&mut self, name: &str, labels: &[(&str, &str)], (count, sum): (u64, f64)) {
        self.sample(&format!("{name}_sum"), labels, sum);
        self.sample(&format!("{name}_count"), labels, count as f64);
    }
}

fn with<'a>(labels: &[(&'a str, &'a str)], last: (&'a str, &'a str)) -> Vec<(&'a str, &'a str)> {
    labels.iter().copied().chain([last]).collect()
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// A family of a page.
#[derive(Debug)]
pub struct Family<'a> {
    /// Its name; of a counter with `_total`, as clients of the older formats know it.
    pub name: &'a str,
    /// What it says.
    pub help: &'a str,
    /// Its type.
    pub kind: &'a str,
    lines: Vec<Line<'a>>,
}

/// A sample of a page.
#[derive(Clone, Debug)]
pub struct Line<'a> {
    /// The family's name, or with `_sum`, `_count`, `_bucket` or `_total` behind it.
    pub name: &'a str,
    /// The value as it was written.
    pub value: &'a str,
    labels: Vec<(String, String)>,
}

impl<'a> Line<'a> {
    /// The value of a label.
    pub fn label(&self, name: &str) -> Option<&str> {
        self.labels.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    fn parse(text: &'a str) -> Option<Self> {
        let (series, value) = text.rsplit_once(' ')?;
        let labels = promql::parse::parse_metric(series).ok()?;
        let pairs = labels.iter().filter(|(name, _)| *name != tsdb::model::METRIC_NAME);
        let labels = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Some(Self { name: series.split('{').next()?, value, labels })
    }
}

/// The lines of one label set.
#[derive(Debug)]
pub struct Metric<'a> {
    /// Without `le` and `quantile`.
    pub labels: Vec<(String, String)>,
    /// One, or those of a histogram or summary.
    pub lines: Vec<Line<'a>>,
}

impl<'a> Family<'a> {
    /// Its lines by label sets, in order of the page.
    pub fn metrics(&self) -> Vec<Metric<'a>> {
        let mut metrics: Vec<Metric<'a>> = Vec::new();
        for line in &self.lines {
            let mut labels = line.labels.clone();
            labels.retain(|(name, _)| name != "le" && name != "quantile");
            match metrics.iter_mut().find(|metric| metric.labels == labels) {
                Some(metric) => metric.lines.push(line.clone()),
                None => metrics.push(Metric { labels, lines: vec![line.clone()] }),
            }
        }
        metrics
    }
}

/// The families of a page that have samples.
pub fn families(page: &str) -> Vec<Family<'_>> {
    let mut families: Vec<Family<'_>> = Vec::new();
    for line in page.lines() {
        let comment = line.strip_prefix("# ").map(|rest| rest.splitn(3, ' '));
        let words: Vec<&str> = comment.map(Iterator::collect).unwrap_or_default();
        match words[..] {
            ["HELP", name, help] => families.push(Family { name, help, kind: "", lines: vec![] }),
            ["TYPE", name, kind] => match families.last_mut().filter(|last| last.name == name) {
                Some(last) => last.kind = kind,
                None => families.push(Family { name, help: "", kind, lines: vec![] }),
            },
            [] => {
                let last = families.last_mut();
                last.into_iter().for_each(|last| last.lines.extend(Line::parse(line)));
            }
            _ => {}
        }
    }
    families.retain(|family| !family.lines.is_empty());
    for family in families.iter_mut().filter(|family| family.kind == "counter") {
        family.name = family.lines.first().map_or(family.name, |line| line.name);
    }
    families
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let mut page = Page::default();
        page.one("a", "gauge", "Some a", 1.5);
        page.family("b", "counter", "Some b");
        page.sample("b_total", &[("x", "1\"\n"), ("y", "")], 2.0);
        page.family("c", "summary", "Some c");
        page.sample("c", &[("x", "1"), ("quantile", "0.5")], f64::NAN);
        page.sample("c_count", &[("x", "1")], 3.0);
        page.sample("c_count", &[("x", "2")], 4.0);
        page.family("d", "gauge", "Nothing");
        page.0.push_str("# EOF\n");
        let read = families(&page.0);
        let names: Vec<_> = read.iter().map(|own| (own.name, own.kind, own.help)).collect();
        let expected = [
            ("a", "gauge", "Some a"),
            ("b_total", "counter", "Some b"),
            ("c", "summary", "Some c"),
        ];
        assert_eq!(names, expected);
        let counts: Vec<_> = read[2].metrics().iter().map(|own| own.lines.len()).collect();
        assert_eq!(counts, [2, 1]);
        assert_eq!(read[1].metrics()[0].labels[0], ("x".to_owned(), "1\"\n".to_owned()));
        assert_eq!(read[0].metrics()[0].lines[0].value, "1.5");
    }
}
