//! Rule files and their unit tests on the command line: what promtool says of Prometheus's own
//! files (`verdicts.tsv`), we say.

mod api;
mod concurrent;
mod corpus;
mod evaluation;
mod evaluator;
mod vmalert;

use std::path::{Path, PathBuf};
use std::process::Command;

/// Bad files whose fault we say in other words than promtool 3.5.3.
const OUR_WORDS: &[(&str, &str)] = &[
    (
        "rulefmt/bad_field.bad.yaml",
        "field annotation not found in type rulefmt.Rule; did you mean `annotations`?",
    ),
    (
        "rule-fixtures/invalid_rules.yaml",
        "field unexpected_field not found in type rulefmt.Rule; fields",
    ),
    // The series of a match group come in label order.
    (
        "promtool/bad-promql.yml",
        "    expr: \"join_1 + on(a) join_2\", time: 0s, err: found duplicate series for the match group",
    ),
    (
        "promtool/bad-rules-error-test.yml",
        "    rule: joined, time: 0s, err: found duplicate series for the match group",
    ),
    ("promtool/rules_extrafields.yml", "field namespace not found in type rulefmt.RuleGroup"),
    ("promtool/rules_run_extrafields.yml", "field namespace not found in type rulefmt.RuleGroup"),
];

pub(crate) fn shared(folder: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared").join(folder);
    if path.is_dir() {
        return Some(path);
    }
    let required = std::env::var("INFEROMETER_REQUIRE").is_ok_and(|value| value == "1");
    assert!(!required, "../shared/{folder} is not there");
    // Past the test harness, which shows nothing of a test that passes.
    drop(std::io::Write::write_all(&mut std::io::stderr(), b"skipped: ../shared is not there\n"));
    None
}

/// Exit code, and stdout and stderr.
fn run(folder: &Path, args: &[&str]) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_inferometer"));
    let done = command.current_dir(folder).args(args).output().unwrap();
    let text = [done.stdout, done.stderr].concat();
    (done.status.code().unwrap_or(-1), String::from_utf8(text).unwrap())
}

/// A text without `line:column: ` at its beginning: promtool has some that are 0:0.
fn without_places(text: &str) -> &str {
    match text.split_once(": ") {
        Some((place, rest)) if place.chars().all(|c| c.is_ascii_digit() || c == ':') => {
            without_places(rest)
        }
        _ => text,
    }
}

/// The rows of `verdicts.tsv` that are about a command: file, exit code, last line.
fn verdicts(folder: &Path, command: &str) -> Vec<(String, i32, String)> {
    let text = std::fs::read_to_string(folder.join("verdicts.tsv")).unwrap();
    let rows = text.lines().map(|line| line.split('\t').collect::<Vec<_>>());
    let rows = rows.filter(|row| row.len() == 4 && row[1] == command);
    rows.map(|row| (row[0].to_owned(), row[2].parse().unwrap(), row[3].to_owned())).collect()
}

/// Compares each verdict with ours.
fn compare(command: &[&str], count: usize, skip: &[&str]) {
    let Some(folder) = shared("prometheus-testdata") else { return };
    let rows = verdicts(&folder, &command.join(" "));
    assert_eq!(rows.len(), count);
    let mut problems = Vec::new();
    for (file, code, line) in rows.iter().filter(|(file, ..)| !skip.contains(&file.as_str())) {
        let (own_code, said) = run(&folder, &[command, &[file.as_str()]].concat());
        let ours = OUR_WORDS.iter().find(|(own, _)| own == file).map(|(_, words)| *words);
        let line = line.strip_prefix(&format!("{file}: ")).unwrap_or(line);
        let wanted = ours.unwrap_or(without_places(line));
        if own_code != *code || !said.contains(wanted) {
            problems.push(format!("{file}: {code} {wanted}\n  ours: {own_code} {said}"));
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn promtool_agrees_on_rule_files() {
    compare(&["check", "rules"], 39, &[]);
}

#[test]
fn promtool_agrees_on_unit_tests() {
    // Uses what came after promtool 3.5.3: it is right, as it says of itself.
    let newer = "promtool/start-time-test.yml";
    compare(&["test", "rules"], 15, &[newer]);
    let Some(folder) = shared("prometheus-testdata") else { return };
    let (code, said) = run(&folder, &["test", "rules", newer]);
    assert!(code == 0 && said.contains("  SUCCESS"), "{said}");
}

#[test]
fn rules_of_the_field_are_right() {
    let Some(folder) = shared("corpus/rules") else { return };
    let mut files: Vec<String> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".yaml"))
        .collect();
    files.sort();
    assert_eq!(files.len(), 10);
    for file in files {
        let (code, said) = run(&folder, &["check", "rules", "--lint=none", &file]);
        let text = std::fs::read_to_string(folder.join(&file)).unwrap();
        if text.contains("\nkind: PrometheusRule") {
            // An object of Kubernetes around the file, which promtool refuses too.
            assert!(code == 1 && said.contains("field apiVersion not found"), "{file}: {said}");
            continue;
        }
        assert!(code == 0 && said.contains("SUCCESS"), "{file}: {said}");
    }
}

#[test]
fn exit_codes_of_checks() {
    let folder = tempfile::tempdir().unwrap();
    let text = "groups: [{name: a, rules: [{record: x, expr: '1'}, {record: x, expr: '2'}]}]";
    std::fs::write(folder.path().join("a.yml"), text).unwrap();
    let text = "groups: [{name: a, rules: [{record: x, expr: 'mad_over_time(y[5m])'}]}]";
    std::fs::write(folder.path().join("c.yml"), text).unwrap();
    let rows: [(&[&str], i32, &str); 6] = [
        (&["c.yml"], 1, "could not parse expression: 1:1: parse error: function"),
        (&["--enable-feature=promql-experimental-functions", "c.yml"], 0, "1 rules found"),
        (&["a.yml"], 0, "lint error 1 duplicate rule(s) found.\nMetric: x\nLabel(s):\nMight cause"),
        (&["--lint-fatal", "a.yml"], 3, "lint error"),
        (
            &["--lint=none", "--lint-fatal", "a.yml"],
            0,
            "Checking a.yml\n  SUCCESS: 2 rules found\n",
        ),
        (&["b.yml"], 1, "path 'b.yml' does not exist"),
    ];
    for (args, code, words) in rows {
        let (own_code, said) = run(folder.path(), &[&["check", "rules"], args].concat());
        assert!(own_code == code && said.contains(words), "{args:?}: {own_code} {said}");
    }
}
