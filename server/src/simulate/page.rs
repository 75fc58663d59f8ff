//! The renderer: a dialect and a target's scopes become text with holes; a ledger fills them.
//!
//! 1. [`Page::new`] writes every comment and every line up to its value, once.
//! 2. [`Page::render`] copies that text and writes the values between; it allocates nothing but
//!    the output's growth.
//!
//! Order of lines per client library: buckets, then Python `_count` and `_sum`, Go `_sum` and
//! `_count`. Python sorts all labels (`le` among them) and shows the comments of a family without
//! series; Go puts `le` last and hides such a family.

use super::family::{Dialect, Family, Kind, Labels, Scope, Scopes};
use super::ledger::{Distribution, Ledger};
use super::measure::Measure;
use super::number::{Style, write_count, write_float};

/// The fixed text of one target's page.
#[derive(Debug)]
pub(crate) struct Page {
    style: Style,
    blocks: Vec<Block>,
}

#[derive(Debug)]
struct Block {
    header: String,
    created_header: Option<String>,
    kind: Kind,
    measure: Measure,
    series: Vec<Series>,
}

/// The lines of one series up to the values: the only one, or buckets, `_count`, `_sum`.
#[derive(Debug)]
struct Series {
    lines: Vec<String>,
    created_line: String,
}

impl Page {
    /// The fixed text of `dialect` for a target.
    pub(crate) fn new(dialect: &Dialect, scopes: &Scopes) -> Page {
        let style = dialect.style;
        let blocks = dialect.families.iter().map(|family| Block::new(family, scopes, style));
        Page { style, blocks: blocks.collect() }
    }

    /// Appends the page to `out`.
    pub(crate) fn render(&self, ledger: &Ledger, out: &mut String) {
        for block in &self.blocks {
            block.render(ledger, self.style, out);
        }
    }
}

impl Block {
    fn new(family: &Family, scopes: &Scopes, style: Style) -> Block {
        let created_name = format!("{}_created", family.name_without_total());
        let mut series = Vec::new();
        for scope in scopes.of(family.each) {
            for own in family.series {
                let labels = resolve(family.labels, own, scope, style);
                let bounds = match family.kind {
                    Kind::Histogram(buckets) => Some(buckets.bounds(scopes.max_model_len)),
                    _ => None,
                };
                series.push(Series {
                    lines: lines(family, &labels, bounds.as_deref(), style),
                    created_line: line(&created_name, &labels),
                });
            }
        }
        Block {
            header: header(family.name, family.help, family.kind.word()),
            created_header: family.created.then(|| header(&created_name, family.help, "gauge")),
            kind: family.kind,
            measure: family.measure,
            series,
        }
    }

    fn render(&self, ledger: &Ledger, style: Style, out: &mut String) {
        let shown = (0..self.series.len()).any(|cell| self.created_s(ledger, cell) > 0.0);
        if !shown && style == Style::Go {
            return;
        }
        out.push_str(&self.header);
        for cell in self.shown(ledger) {
            self.render_series(ledger, cell, style, out);
        }
        if let (Some(header), true) = (&self.created_header, shown) {
            out.push_str(header);
            for cell in self.shown(ledger) {
                out.push_str(&self.series[cell].created_line);
                write_float(out, self.created_s(ledger, cell), style);
                out.push('\n');
            }
        }
    }

    fn shown<'a>(&'a self, ledger: &'a Ledger) -> impl Iterator<Item = usize> + 'a {
        (0..self.series.len()).filter(|cell| self.created_s(ledger, *cell) > 0.0)
    }

    fn created_s(&self, ledger: &Ledger, cell: usize) -> f64 {
        match self.kind {
            Kind::Counter | Kind::Gauge => ledger.number(self.measure, cell).created_s,
            _ => ledger.distribution(self.measure, cell).map_or(0.0, |seen| seen.created_s),
        }
    }

    fn render_series(&self, ledger: &Ledger, cell: usize, style: Style, out: &mut String) {
        let lines = &self.series[cell].lines;
        match self.kind {
            Kind::Counter | Kind::Gauge => {
                out.push_str(&lines[0]);
                write_float(out, ledger.number(self.measure, cell).value, style);
                out.push('\n');
            }
            _ => {
                if let Some(seen) = ledger.distribution(self.measure, cell) {
                    render_distribution(seen, lines, style, out);
                }
            }
        }
    }
}

/// `lines` holds the buckets' lines (none for a summary), then `_count`, then `_sum`.
fn render_distribution(seen: &Distribution, lines: &[String], style: Style, out: &mut String) {
    let [buckets @ .., count_line, sum_line] = lines else { return };
    let mut cumulative = 0;
    for (line, count) in buckets.iter().zip(&seen.counts) {
        cumulative += count;
        out.push_str(line);
        write_count(out, cumulative, style);
        out.push('\n');
    }
    let write_sum = |out: &mut String| {
        out.push_str(sum_line);
        write_float(out, seen.sum, style);
        out.push('\n');
    };
    if style == Style::Go {
        write_sum(out);
    }
    out.push_str(count_line);
    write_count(out, seen.count(), style);
    out.push('\n');
    if style == Style::Python {
        write_sum(out);
    }
}

fn header(name: &str, help: &str, word: &str) -> String {
    format!("# HELP {name} {help}\n# TYPE {name} {word}\n")
}

type Resolved = Vec<(&'static str, String)>;

/// The labels of one series with their variables replaced.
fn resolve(common: Labels, own: Labels, scope: &Scope, style: Style) -> Resolved {
    let fill = |(name, value): &(&'static str, &'static str)| {
        let variable = value.strip_prefix('$');
        let found = variable.and_then(|wanted| scope.iter().find(|(name, _)| *name == wanted));
        (*name, found.map_or_else(|| (*value).to_owned(), |(_, value)| value.clone()))
    };
    let mut labels: Resolved = common.iter().chain(own).map(fill).collect();
    if style == Style::Python {
        labels.sort();
    }
    labels
}

fn lines(family: &Family, labels: &Resolved, bounds: Option<&[f64]>, style: Style) -> Vec<String> {
    let name = family.name;
    if let Kind::Counter | Kind::Gauge = family.kind {
        return vec![line(name, labels)];
    }
    let mut lines = Vec::new();
    for bound in bounds.into_iter().flat_map(|bounds| bounds.iter().chain([&f64::INFINITY])) {
        let mut le = String::new();
        write_float(&mut le, *bound, style);
        let mut labels = labels.clone();
        labels.push(("le", le));
        if style == Style::Python {
            labels.sort();
        }
        lines.push(line(&format!("{name}_bucket"), &labels));
    }
    lines.extend([line(&format!("{name}_count"), labels), line(&format!("{name}_sum"), labels)]);
    lines
}

/// `name{label="value",...} ` with the blank before the value; values hold nothing to escape.
fn line(name: &str, labels: &Resolved) -> String {
    let pairs: Vec<String> =
        labels.iter().map(|(name, value)| format!("{name}=\"{value}\"")).collect();
    if pairs.is_empty() { format!("{name} ") } else { format!("{name}{{{}}} ", pairs.join(",")) }
}

impl Family {
    /// What `_created` is appended to: Python takes `_total` off counters only.
    fn name_without_total(&self) -> &'static str {
        match self.kind {
            Kind::Counter => self.name.strip_suffix("_total").unwrap_or(self.name),
            _ => self.name,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::family::{Buckets, Each};
    use super::*;

    static FAMILIES: &[Family] = &[
        Family::new("a_total", Kind::Counter, Measure::Routed, "Counts.")
            .labels(&[("z", "$who")])
            .series(&[&[("kind", "x")], &[("kind", "y")]])
            .created(),
        Family::new("b", Kind::Histogram(Buckets::Fixed(&[0.5, 2.0])), Measure::EndToEnd, "Times.")
            .labels(&[("z", "$who")]),
        Family::new("c", Kind::Gauge, Measure::Running, "Late.").each(Each::Target).late(),
    ];

    fn page(style: Style) -> String {
        let dialect = Dialect { style, content_type: "text/plain", families: FAMILIES };
        let scopes = Scopes { target: vec![("who", "me".into())], ..Scopes::default() };
        let mut ledger = Ledger::new(&dialect, &scopes, 10.0);
        ledger.add(Measure::Routed, 1, 2.0);
        for value in [0.5, 0.6, 9.0] {
            ledger.observe(Measure::EndToEnd, 0, value, 1);
        }
        let mut out = String::new();
        Page::new(&dialect, &scopes).render(&ledger, &mut out);
        out
    }

    #[test]
    fn python_page() {
        let expected = "# HELP a_total Counts.\n# TYPE a_total counter\n\
            a_total{kind=\"x\",z=\"me\"} 0.0\na_total{kind=\"y\",z=\"me\"} 2.0\n\
            # HELP a_created Counts.\n# TYPE a_created gauge\n\
            a_created{kind=\"x\",z=\"me\"} 10.0\na_created{kind=\"y\",z=\"me\"} 10.0\n\
            # HELP b Times.\n# TYPE b histogram\n\
            b_bucket{le=\"0.5\",z=\"me\"} 1.0\nb_bucket{le=\"2.0\",z=\"me\"} 2.0\n\
            b_bucket{le=\"+Inf\",z=\"me\"} 3.0\nb_count{z=\"me\"} 3.0\nb_sum{z=\"me\"} 10.1\n\
            # HELP c Late.\n# TYPE c gauge\n";
        assert_eq!(page(Style::Python), expected);
    }

    #[test]
    fn go_page() {
        let text = page(Style::Go);
        assert!(text.contains("b_bucket{z=\"me\",le=\"2\"} 2\n"), "{text}");
        assert!(text.contains("b_sum{z=\"me\"} 10.1\nb_count{z=\"me\"} 3\n"), "{text}");
        assert!(!text.contains("# HELP c "), "{text}");
    }
}
