//! Queries that people really run, and those of the conformance suites: all parse, and all print
//! to a text that parses to the same tree.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use promql::parse::{Features, parse};
use promql::print::format;
use regex::Regex;

/// The folder of reference material; none is fine unless `INFEROMETER_REQUIRE=1`.
fn shared() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared");
    if folder.is_dir() {
        return Some(folder);
    }
    let is_required = std::env::var("INFEROMETER_REQUIRE").is_ok_and(|value| value == "1");
    assert!(!is_required, "../shared is not there");
    // Past the test harness, which shows nothing of a test that passes.
    drop(std::io::Write::write_all(&mut std::io::stderr(), b"skipped: ../shared is not there\n"));
    None
}

/// The texts of all files of a folder with that extension, in order of their names.
fn texts(folder: &Path, extension: &str) -> Vec<String> {
    let mut paths: Vec<_> = fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("a file").path())
        .collect();
    paths.retain(|path| path.extension().is_some_and(|found| found == extension));
    paths.sort();
    paths.iter().map(|path| fs::read_to_string(path).expect("a text")).collect()
}

fn check(queries: impl IntoIterator<Item = String>, what: &str) -> usize {
    let queries: HashSet<_> = queries.into_iter().collect();
    for query in &queries {
        let expr = parse(query, &Features::ALL).unwrap_or_else(|e| panic!("{query}: {e}"));
        let printed = format(&expr);
        let again = parse(&printed, &Features::ALL).unwrap_or_else(|e| panic!("{printed}: {e}"));
        assert_eq!(again, expr, "{query} was printed as {printed}");
        assert_eq!(format(&again), printed);
    }
    println!("{} {what} parse, print and parse again to the same tree", queries.len());
    queries.len()
}

/// The value of a text field in one line of JSON.
pub(crate) fn json_text(line: &str, field: &str) -> Option<String> {
    let (_, rest) = line.split_once(&format!("\"{field}\": \""))?;
    let mut text = String::new();
    let mut chars = rest.chars();
    loop {
        match chars.next()? {
            '"' => return Some(text),
            '\\' => text.push(match chars.next()? {
                'n' => '\n',
                't' => '\t',
                'r' => '\r',
                'u' => {
                    let code: String = chars.by_ref().take(4).collect();
                    char::from_u32(u32::from_str_radix(&code, 16).ok()?)?
                }
                other => other,
            }),
            c => text.push(c),
        }
    }
}

#[test]
fn published_queries_parse() {
    let Some(shared) = shared() else { return };
    let files = texts(&shared.join("corpus"), "jsonl");
    let lines = files.iter().flat_map(|text| text.lines()).filter(|line| !line.is_empty());
    let queries = lines.map(|line| json_text(line, "expr").expect("a line without expr"));
    assert!(check(queries, "published queries") > 1000);
}

#[test]
fn conformance_queries_parse() {
    let Some(shared) = shared() else { return };
    let eval = r"^eval\w*\s+(?:instant at \S+|range from \S+ to \S+ step \S+)\s+(.*)$";
    let eval = Regex::new(eval).unwrap();
    let mut queries = Vec::new();
    for text in texts(&shared.join("promqltest"), "test") {
        let lines: Vec<_> = text.lines().map(str::trim).collect();
        for command in lines.split(|line| line.is_empty()) {
            // A command ends at an empty line; `expect fail` may follow the query anywhere in it.
            if !command
                .iter()
                .any(|line| line.starts_with("expect fail") || line.starts_with("eval_fail"))
            {
                queries.extend(
                    command.iter().filter_map(|line| Some(eval.captures(line)?[1].to_owned())),
                );
            }
        }
    }
    assert!(check(queries, "conformance queries") > 1000);
}

#[test]
fn compliance_queries_parse() {
    let Some(shared) = shared() else { return };
    let text = fs::read_to_string(shared.join("promqltest/compliance-queries.yml")).unwrap();
    let lines: Vec<_> = text.lines().map(str::trim).collect();
    let mut queries = Vec::new();
    for pair in lines.windows(3) {
        let Some(query) = pair[0].strip_prefix("- query: ") else { continue };
        let fails = pair[1..].iter().take_while(|line| !line.starts_with('-'));
        if !fails.into_iter().any(|line| line.starts_with("should_fail")) {
            queries.extend(expand(query.trim_matches(['\'', '"'])));
        }
    }
    assert!(check(queries, "compliance queries") > 300);
}

/// All queries that a template stands for.
fn expand(template: &str) -> Vec<String> {
    let Some((before, rest)) = template.split_once("{{.") else { return vec![template.to_owned()] };
    let (name, after) = rest.split_once("}}").expect("an open template");
    let (_, values) = VARIANTS.iter().find(|(known, _)| *known == name).expect("unknown variant");
    values.split(' ').flat_map(|value| expand(&format!("{before}{value}{after}"))).collect()
}

/// What templates are filled with.
const VARIANTS: &[(&str, &str)] = &[
    ("range", "1s 15s 1m 5m 15m 1h"),
    ("offset", "1m 5m 10m"),
    ("simpleAggrOp", "sum avg max min count stddev stdvar"),
    ("simpleTimeAggrOp", "sum avg max min count stddev stdvar absent last"),
    ("topBottomOp", "topk bottomk"),
    ("quantile", "-0.5 0.1 0.5 0.75 0.95 0.90 0.99 1 1.5"),
    ("arithBinOp", "+ - * / % ^"),
    ("compBinOp", "== != < > <= >="),
    ("binOp", "+ - * / % ^ == != < > <= >="),
    ("simpleMathFunc", "abs ceil floor exp sqrt ln log2 log10 round"),
    ("extrapolatedRateFunc", "delta rate increase"),
    ("clampFunc", "clamp_min clamp_max"),
    ("instantRateFunc", "idelta irate"),
    ("dateFunc", "day_of_month day_of_week days_in_month hour minute month year"),
];
