//! Other people's pages: the OpenMetrics cases, and files of Prometheus's own tests.

use std::fs;
use std::path::PathBuf;

use scraper::parse::{Entry, Format, Parser};

/// A folder of the shared material; `None` (and a word about it) if it is not there.
pub(crate) fn shared(folder: &str) -> Option<PathBuf> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared").join(folder);
    if path.exists() {
        return Some(path);
    }
    let required = std::env::var("INFEROMETER_REQUIRE").is_ok_and(|value| value == "1");
    assert!(!required, "{} is not there", path.display());
    // Past the test harness, which shows nothing of a test that passes.
    drop(std::io::Write::write_all(&mut std::io::stderr(), b"skipped: ../shared is not there\n"));
    None
}

/// How many samples and comments a page has.
fn counts(page: &[u8], format: Format) -> Result<(usize, usize), String> {
    let (mut samples, mut comments) = (0, 0);
    for entry in Parser::new(page, format) {
        match entry.map_err(|error| error.to_string())? {
            Entry::Sample(sample) => {
                sample.series.decode();
                samples += 1;
            }
            _ => comments += 1,
        }
    }
    Ok((samples, comments))
}

#[test]
fn open_metrics_cases() {
    let Some(folder) = shared("openmetrics-parser-tests") else { return };
    let (mut good, mut bad_refused, mut bad_read) = (0, 0, Vec::new());
    for case in fs::read_dir(folder).unwrap().map(|case| case.unwrap().path()) {
        let Ok(page) = fs::read(case.join("metrics")) else { continue };
        let should_parse = fs::read_to_string(case.join("test.json")).unwrap();
        let should_parse = should_parse.contains("\"shouldParse\": true");
        let name = case.file_name().unwrap().to_string_lossy().into_owned();
        match (should_parse, counts(&page, Format::OpenMetrics)) {
            (true, Ok((samples, comments))) => {
                let lines = page.split(|b| *b == b'\n').filter(|line| !line.is_empty()).count();
                assert_eq!(samples + comments + 1, lines, "{name}");
                good += 1;
            }
            (true, Err(error)) => panic!("{name}: {error}"),
            (false, Err(_)) => bad_refused += 1,
            (false, Ok(_)) => bad_read.push(name),
        }
    }
    bad_read.sort();
    println!("{bad_read:?}");
    assert_eq!((good, bad_refused + bad_read.len()), (29, 111));
    // Grammar is refused, meaning is not looked at.
    let meaning = [
        "clashing",
        "counter_values",
        "exemplar_timestamp",
        "exemplars",
        "grouping",
        "histograms",
        "info_and",
        "missing_or_invalid_labels_for",
        "metadata_in_wrong",
        "repeated",
        "stateset",
        "unit",
        "value",
        "type",
        "timestamp",
        "help",
        "metric_names",
        "invalid_labels",
        "metadata",
        "missing_or_extra",
        "exemplar_complex",
    ];
    for name in &bad_read {
        assert!(meaning.iter().any(|part| name.contains(part)), "{name} was read");
    }
}

#[test]
fn files_of_prometheus() {
    let Some(folder) = shared("prometheus-testdata/textparse") else { return };
    let rows = [
        ("alltypes.237mfs.prom.txt", Format::Text),
        ("alltypes.237mfs.nometa.prom.txt", Format::Text),
        ("alltypes.5mfs.om.txt", Format::OpenMetrics),
        ("1histogram.om.txt", Format::OpenMetrics),
    ];
    for (name, format) in rows {
        let mut page = fs::read(folder.join(name)).unwrap();
        let ended = page.trim_ascii_end().ends_with(b"# EOF");
        if format == Format::OpenMetrics && !ended {
            page.extend_from_slice(b"# EOF\n");
        }
        let text = String::from_utf8_lossy(&page).into_owned();
        let lines = text.lines().filter(|line| !line.is_empty());
        let is_eof = |line: &&str| format == Format::OpenMetrics && *line == "# EOF";
        let (comments, samples): (Vec<_>, Vec<_>) =
            lines.filter(|line| !is_eof(line)).partition(|line| line.starts_with('#'));
        assert_eq!(counts(&page, format), Ok((samples.len(), comments.len())), "{name}");
    }
}
