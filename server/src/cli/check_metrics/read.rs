//! A page in the text format, read as strictly as Prometheus's Go client reads it: that is what
//! promtool looks at, and not the scraper's reader, which takes more.
//!
//! One byte of lookahead (`current`); what follows the end is an error everywhere but at the start
//! of a line. Series of a histogram or summary that differ in `le` or `quantile` alone are one.

mod token;

use std::collections::{HashMap, HashSet};

use tsdb::model::labels::Quoted;

use self::token::{is_blank, number, quoted};

/// A type that a page may give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Counter,
    Gauge,
    Summary,
    Untyped,
    Histogram,
}

/// Names with values in the order of the line.
pub(super) type Labels = Vec<(String, String)>;

/// A metric and its series.
#[derive(Debug)]
pub(super) struct Family {
    pub(super) name: String,
    pub(super) has_help: bool,
    pub(super) kind: Option<Kind>,
    pub(super) series: Vec<Labels>,
    /// Buckets or quantiles of the first one.
    pub(super) parts: usize,
    /// Those of a histogram or summary, by their labels in order of names.
    known: HashMap<Labels, usize>,
}

/// Why a page cannot be read.
enum Wrong {
    End,
    At(String),
}

type Read<T> = Result<T, Wrong>;

/// The metrics that have series, in order of their names.
pub(super) fn read(page: &[u8]) -> Result<Vec<Family>, String> {
    let mut reader =
        Reader { page, at: 0, line: 0, current: 0, families: Vec::new(), by_name: HashMap::new() };
    let what = match reader.lines() {
        Ok(()) => {
            let mut families = reader.families;
            families.retain(|family| !family.series.is_empty());
            families.sort_by(|a, b| a.name.cmp(&b.name));
            return Ok(families);
        }
        Err(Wrong::End) => "unexpected end of input stream".to_owned(),
        Err(Wrong::At(what)) => what,
    };
    Err(format!("text format parsing error in line {}: {what}", reader.line))
}

struct Reader<'p> {
    page: &'p [u8],
    at: usize,
    line: usize,
    current: u8,
    families: Vec<Family>,
    by_name: HashMap<String, usize>,
}

impl Reader<'_> {
    fn lines(&mut self) -> Read<()> {
        loop {
            self.line += 1;
            match self.skip_blanks() {
                Err(Wrong::End) => return Ok(()),
                other => other?,
            }
            match self.current {
                b'#' => self.comment()?,
                b'\n' => {}
                _ => self.sample()?,
            }
        }
    }

    fn comment(&mut self) -> Read<()> {
        self.skip_blanks()?;
        let keyword = self.word()?;
        let is_help = keyword == b"HELP";
        if !is_help && keyword != b"TYPE" {
            while self.current != b'\n' {
                self.next()?;
            }
            return Ok(());
        }
        if self.current == b'\n' {
            return Ok(());
        }
        self.skip_blanks()?;
        let name = self.name(b":", "metric")?;
        if self.current == b'\n' {
            return Ok(());
        }
        if !is_blank(self.current) {
            return wrong("invalid metric name in comment");
        }
        let (family, _) = self.family(&name)?;
        self.skip_blanks()?;
        match self.current {
            b'\n' => Ok(()),
            _ if is_help => self.help(family),
            _ => self.kind(family),
        }
    }

    fn help(&mut self, family: usize) -> Read<()> {
        if self.families[family].has_help {
            let name = &self.families[family].name;
            return wrong(format!("second HELP line for metric name {}", Quoted(name)));
        }
        while self.current != b'\n' {
            if self.current == b'\\' {
                self.next()?;
                if !matches!(self.current, b'\\' | b'n' | b'"') {
                    return self.wrong_escape();
                }
            }
            self.next()?;
        }
        self.families[family].has_help = true;
        Ok(())
    }

    fn kind(&mut self, family: usize) -> Read<()> {
        if self.families[family].kind.is_some() {
            let name = Quoted(&self.families[family].name);
            return wrong(format!(
                "second TYPE line for metric name {name}, or TYPE reported after samples"
            ));
        }
        let word = self.until(|byte| byte == b'\n')?;
        let kind = match word.to_ascii_lowercase().as_slice() {
            b"counter" => Kind::Counter,
            b"gauge" => Kind::Gauge,
            b"summary" => Kind::Summary,
            b"untyped" => Kind::Untyped,
            b"histogram" => Kind::Histogram,
            _ => return wrong(format!("unknown metric type {}", quoted(&word))),
        };
        self.families[family].kind = Some(kind);
        Ok(())
    }

    fn sample(&mut self) -> Read<()> {
        let mut named = None;
        if self.current != b'{' {
            let name = self.name(b":", "metric")?;
            if name.is_empty() {
                return wrong("invalid metric name");
            }
            named = Some(self.family_of_sample(&name)?);
            if is_blank(self.current) {
                self.skip_blanks()?;
            }
        }
        let (mut labels, mut part) = (Labels::new(), false);
        if self.current == b'{' {
            part = self.labels(&mut named, &mut labels)?;
        }
        let Some((family, is_sum)) = named else { return wrong("invalid metric name") };
        self.series(family, labels, part && !is_sum);
        self.value()
    }

    /// Up to the closing brace and the blanks behind it; whether there is a bucket or quantile.
    fn labels(&mut self, named: &mut Option<(usize, bool)>, labels: &mut Labels) -> Read<bool> {
        let (mut names, mut part, is_inside) = (HashSet::new(), false, named.is_none());
        loop {
            self.skip_blanks()?;
            if self.current == b'}' {
                break;
            }
            let name = self.name(b"", "label")?;
            let metric = named.map_or("", |(family, _)| self.families[family].name.as_str());
            let metric = Quoted(metric).to_string();
            if name.is_empty() {
                return wrong(format!("invalid label name for metric {metric}"));
            }
            if is_blank(self.current) {
                self.skip_blanks()?;
            }
            if self.current != b'=' {
                if !is_inside {
                    return wrong(format!("expected '=' after label name, found {}", self.shown()));
                }
                *named = Some(self.family_of_sample(&name)?);
                match self.current {
                    b',' => continue,
                    b'}' => break,
                    _ => return wrong(format!("unexpected end of metric value {}", self.shown())),
                }
            }
            if name == "__name__" {
                return wrong("label name \"__name__\" is reserved");
            }
            let kind = named.and_then(|(family, _)| self.families[family].kind);
            let special = match (kind, name.as_str()) {
                (Some(Kind::Summary), "quantile") | (Some(Kind::Histogram), "le") => true,
                _ if !names.insert(name.clone()) => {
                    return wrong(format!("duplicate label names for metric {metric}"));
                }
                _ => false,
            };
            let value = self.label_value()?;
            if special {
                part = true;
                if number(value.as_bytes()).is_none() {
                    let value = Quoted(&value);
                    let what = format!("expected float as value for '{name}' label, got {value}");
                    return wrong(what);
                }
            }
            self.skip_blanks()?;
            let shown = Quoted(&value).to_string();
            if !special {
                labels.push((name, value));
            }
            match self.current {
                b',' => {}
                b'}' => break,
                _ => return wrong(format!("unexpected end of label value {shown}")),
            }
        }
        self.skip_blanks()?;
        Ok(part)
    }

    /// Adds a series, unless it is one of a histogram or summary that is there.
    fn series(&mut self, family: usize, labels: Labels, is_part: bool) {
        let family = &mut self.families[family];
        let mut at = family.series.len();
        if matches!(family.kind, Some(Kind::Summary | Kind::Histogram)) {
            let mut key = labels.clone();
            key.sort();
            at = *family.known.entry(key).or_insert(at);
        }
        if at == family.series.len() {
            family.series.push(labels);
        }
        family.parts += usize::from(is_part && at == 0);
    }

    fn family_of_sample(&mut self, name: &str) -> Read<(usize, bool)> {
        let (family, is_sum) = self.family(name)?;
        self.families[family].kind.get_or_insert(Kind::Untyped);
        Ok((family, is_sum))
    }

    /// The family of that name, or of which that is a sum, count or bucket, made if there is none;
    /// whether it is a sum or count.
    fn family(&mut self, name: &str) -> Read<(usize, bool)> {
        if let Some(family) = self.by_name.get(name) {
            return Ok((*family, false));
        }
        let of = |kind: Kind, ends: &[&str]| {
            let end = ends.iter().find(|end| name.len() > end.len() && name.ends_with(**end))?;
            let family = *self.by_name.get(name.strip_suffix(end)?)?;
            let is_sum = *end != "_bucket";
            (self.families[family].kind == Some(kind)).then_some((family, is_sum))
        };
        let of_summary = of(Kind::Summary, &["_count", "_sum"]);
        let found = of_summary.or_else(|| of(Kind::Histogram, &["_count", "_sum", "_bucket"]));
        if let Some(found) = found {
            return Ok(found);
        }
        self.by_name.insert(name.to_owned(), self.families.len());
        self.families.push(Family {
            name: name.to_owned(),
            has_help: false,
            kind: None,
            series: Vec::new(),
            parts: 0,
            known: HashMap::new(),
        });
        Ok((self.families.len() - 1, false))
    }
}

fn wrong<T>(what: impl Into<String>) -> Read<T> {
    Err(Wrong::At(what.into()))
}
