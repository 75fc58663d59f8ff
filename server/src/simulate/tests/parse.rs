//! A parser of the text format, small and strict: it panics on what the fleet never shows.

/// One line with a value.
#[derive(Debug)]
pub(super) struct Sample {
    pub(super) name: String,
    pub(super) labels: Vec<(String, String)>,
    pub(super) value: f64,
}

/// One family of a page.
#[derive(Debug)]
pub(super) struct Parsed {
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) samples: Vec<Sample>,
}

impl Sample {
    pub(super) fn label(&self, wanted: &str) -> Option<&str> {
        self.labels.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str())
    }

    /// Name and labels, `le` apart.
    pub(super) fn key(&self) -> String {
        let labels = self.labels.iter().filter(|(name, _)| name != "le");
        format!("{}{:?}", self.name, labels.collect::<Vec<_>>())
    }
}

/// The families of a page in order.
pub(super) fn parse(page: &str) -> Vec<Parsed> {
    assert!(page.ends_with('\n') && !page.contains("\n\n"), "one newline ends the page");
    let mut families: Vec<Parsed> = Vec::new();
    let mut helped = "";
    for line in page.lines() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            helped = help.split_once(' ').expect("a text").0;
        } else if let Some(typed) = line.strip_prefix("# TYPE ") {
            let (name, kind) = typed.split_once(' ').expect("a type");
            assert_eq!(name, helped, "HELP stands before TYPE");
            families.push(Parsed { name: name.into(), kind: kind.into(), samples: Vec::new() });
        } else {
            let family = families.last_mut().expect("a family before samples");
            family.samples.push(parse_sample(line));
        }
    }
    families
}

pub(super) fn parse_sample(line: &str) -> Sample {
    let (series, value) = line.rsplit_once(' ').expect("a value");
    let (name, mut rest) = series.split_once('{').unwrap_or((series, "}"));
    let mut labels = Vec::new();
    while let Some((label, after)) = rest.split_once("=\"") {
        let (value, after) = after.split_once('"').expect("a quoted value");
        labels.push((label.trim_start_matches(',').to_owned(), value.to_owned()));
        rest = after;
    }
    assert_eq!(rest, "}", "{line}");
    Sample { name: name.into(), labels, value: value.parse().expect("a number") }
}
