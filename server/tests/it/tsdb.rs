//! `inferometer tsdb …`, as a user calls it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;

use ::tsdb::disk::os::OsDisk;
use ::tsdb::model::{Histogram, Labels, Timestamp};
use ::tsdb::{Cell, CellValue, Db, Options, Storage};

use crate::running::peer;

/// In no order, with every kind of value and name.
const TEXT: &str = r#"# TYPE a counter
# HELP a A counter.
a_total{b="x\\y\"z\n"} 1 1700000000.001
a_total{b="x\\y\"z\n"} 2.5 1699999990
{"dotted.name","l.x"="v",m="n"} -0 1700000000
b 1e+06 1700000000.003
b +Inf 1700000001
b -Inf 1700000002
b NaN 1700000003
b 5e-324 12
a_total 9007199254740993 1700000000
# EOF
"#;

/// The same samples as `dump` writes them.
const DUMPED: &str = r#"a_total 9.007199254740992e+15 1700000000.000
a_total{b="x\\y\"z\n"} 2.5 1699999990.000
a_total{b="x\\y\"z\n"} 1 1700000000.001
b 5e-324 12.000
b 1e+06 1700000000.003
b +Inf 1700000001.000
b -Inf 1700000002.000
b NaN 1700000003.000
{"dotted.name","l.x"="v",m="n"} -0 1700000000.000
# EOF
"#;

fn run(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_inferometer")).arg("tsdb").args(args).output().unwrap()
}

/// Exit code, stdout, stderr.
fn said(args: &[&str]) -> (i32, String, String) {
    let output = run(args);
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

fn stdout(args: &[&str]) -> String {
    let (code, stdout, stderr) = said(args);
    assert_eq!((code, stderr.as_str()), (0, ""), "{args:?}: {stdout}");
    stdout
}

/// All files below `dir` with their bytes.
fn files(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(dir).unwrap().map(Result::unwrap) {
        match entry.file_type().unwrap().is_dir() {
            true => found.extend(files(&entry.path())),
            false => drop(found.insert(entry.path(), fs::read(entry.path()).unwrap())),
        }
    }
    found
}

/// A directory with `TEXT` in the file `text` and imported into the store `store`.
struct Imported {
    dir: tempfile::TempDir,
    text: String,
    store: String,
}

impl Imported {
    fn new(text: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
        let (file, store) = (path("text"), path("store"));
        fs::write(&file, text).unwrap();
        stdout(&["import", "openmetrics", &file, &store]);
        Self { text: file, store, dir }
    }

    fn path(&self, name: &str) -> String {
        self.dir.path().join(name).to_str().unwrap().to_owned()
    }

    fn block(&self) -> PathBuf {
        let files = files(Path::new(&self.store));
        let is_block = |path: &PathBuf| path.extension().is_some_and(|own| own == "block");
        files.into_keys().find(is_block).unwrap()
    }
}

/// Commits one loose sample through the library.
fn commit(dir: &str, name: &str, value: CellValue<'_>) {
    let (db, _) = Db::open(Arc::new(OsDisk), Path::new(dir), Options::default()).unwrap();
    let mut appender = db.appender();
    let labels = Labels::from_pairs([("__name__", name)]);
    let cell = Cell { value, start: None };
    appender.sample(&labels, Timestamp::from_ms(1_800_000_000_000), cell).unwrap();
    appender.commit().unwrap();
    db.close().unwrap();
}

#[test]
fn what_is_imported_is_dumped_and_imported_again() {
    let first = Imported::new(TEXT);
    let dumped = stdout(&["dump", &first.store]);
    assert_eq!(dumped, DUMPED.replace("1700000000.001", &dumped_time(&dumped)));
    let second = Imported::new(&dumped);
    assert_eq!(stdout(&["dump", &second.store]), dumped);
    let promtool = ["dump", "--format=promtool"];
    let lines = stdout(&[promtool.as_slice(), &[&second.store]].concat());
    assert!(
        lines.contains("{__name__=\"a_total\", b=\"x\\\\y\\\"z\\n\"} 1 1700000000001\n"),
        "{lines}"
    );
    // The same file once more changes nothing that is seen.
    stdout(&["import", "openmetrics", &first.text, &first.store]);
    assert_eq!(stdout(&["dump", &first.store]), dumped);
}

/// How the time with one millisecond is written: with more digits where it has to be.
fn dumped_time(dumped: &str) -> String {
    let line = dumped.lines().find(|line| line.contains("} 1 17000")).unwrap();
    line.rsplit(' ').next().unwrap().to_owned()
}

#[test]
fn a_dump_is_cut_to_times_and_selectors() {
    let store = Imported::new(TEXT).keep();
    let rows: [(&[&str], usize); 6] = [
        (&[], 9),
        (&["--min-time=1700000000000"], 7),
        (&["--max-time=12000"], 1),
        (&["--match=b"], 5),
        (&["--match=b", "--match=a_total{b=\"\"}"], 6),
        (&["--match={__name__=~\".+\"}", "--match=b"], 9),
    ];
    for (flags, lines) in rows {
        let args = [&["dump", &store.1], flags].concat();
        assert_eq!(stdout(&args).lines().count(), lines + 1, "{flags:?}");
    }
    let (code, _, stderr) = said(&["dump", &store.1, "--match=b{"]);
    assert_eq!(code, 1);
    assert!(stderr.contains("--match=b{"), "{stderr}");
}

impl Imported {
    /// The directory, which lives as long, and the store in it.
    fn keep(self) -> (tempfile::TempDir, String) {
        (self.dir, self.store)
    }
}

#[test]
fn what_open_metrics_cannot_say_is_told() {
    let store = Imported::new(TEXT);
    let histogram = Histogram { count: 3.0, sum: 0.5, ..Histogram::default() };
    commit(&store.store, "h", CellValue::Histogram(&histogram));
    commit(&store.store, "s", CellValue::Stale);
    let (code, dumped, stderr) = said(&["dump", &store.store]);
    assert_eq!(code, 1);
    assert!(stderr.contains("1 native histograms were left out"), "{stderr}");
    assert!(stderr.contains("1 staleness markers were written as NaN"), "{stderr}");
    assert!(!dumped.contains("\nh "), "{dumped}");
    assert!(dumped.contains("\ns NaN 1800000000"), "{dumped}");
    let lines = stdout(&["dump", "--format=promtool", &store.store]);
    assert!(lines.contains("{__name__=\"h\"} {count:3, sum:0.5} 1800000000000\n"), "{lines}");
}

#[test]
fn bad_input_is_refused_with_its_place() {
    let rows = [
        ("a 1 1\nb 2\n# EOF\n", "line 2: {__name__=\"b\"} has no timestamp"),
        ("a 1 1\nb 2 x\n# EOF\n", "line 2, column 5"),
        ("a 1 1\na 2 1\n# EOF\n", "line 2: {__name__=\"a\"} at 1.000 was refused"),
        ("a 1 1\n", "does not end with # EOF"),
        ("a 1 1\n# EOF\na 2 2\n", "unexpected data after # EOF"),
        ("", "does not end with # EOF"),
    ];
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    for (number, (text, part)) in rows.iter().enumerate() {
        fs::write(path("text"), text).unwrap();
        let store = path(&format!("store{number}"));
        let (code, _, stderr) = said(&["import", "openmetrics", &path("text"), &store]);
        assert_eq!(code, 1, "{text}");
        assert!(stderr.contains(part), "{text}: {stderr}");
    }
}

#[test]
fn pieces_keep_their_lines() {
    let mut text = String::new();
    for at in 0..100_000 {
        text.push_str(&format!("a{{series=\"{}\"}} {at} {}\n", at % 7, 200_000 - at));
    }
    let store = Imported::new(&format!("{text}# EOF\n"));
    let dumped = stdout(&["dump", "--format=promtool", &store.store]);
    assert_eq!(dumped.lines().count(), 100_000);
    fs::write(&store.text, format!("{text}b x 1\n# EOF\n")).unwrap();
    let (code, _, stderr) = said(&["import", "openmetrics", &store.text, &store.path("other")]);
    assert_eq!(code, 1);
    assert!(stderr.contains("line 100001, column 3"), "{stderr}");
}

#[test]
fn a_flipped_byte_is_found() {
    let store = Imported::new(TEXT);
    let (code, said_good, _) = said(&["verify", &store.store]);
    assert_eq!(code, 0, "{said_good}");
    assert!(said_good.contains(".block: ok, 9 samples"), "{said_good}");
    let block = store.block();
    let good = fs::read(&block).unwrap();
    // In the windows, which opening does not read, and in the index, which it does.
    for at in [40, good.len() - 40] {
        let mut bytes = good.clone();
        bytes[at] ^= 1;
        fs::write(&block, &bytes).unwrap();
        let before = files(Path::new(&store.store));
        let (code, _, stderr) = said(&["verify", &store.store]);
        assert_eq!(code, 1, "{at}");
        assert!(stderr.contains(".block: "), "{at}: {stderr}");
        assert_eq!(files(Path::new(&store.store)), before, "{at}");
    }
}

#[test]
fn reading_changes_nothing() {
    let store = Imported::new(TEXT);
    commit(&store.store, "in_the_log", CellValue::Float(1.0));
    let blocks = store.block().parent().unwrap().to_owned();
    fs::write(blocks.join("0000000077.block.new"), "unfinished").unwrap();
    fs::write(blocks.join("0000000078.block"), "damaged").unwrap();
    fs::write(Path::new(&store.store).join("wal/0000000099.wal.new"), "unfinished").unwrap();
    let before = files(Path::new(&store.store));
    for command in ["analyze", "verify", "dump"] {
        let (code, stdout, stderr) = said(&[command, &store.store]);
        assert_eq!(code, 1, "{command}: {stderr}");
        assert!(stderr.contains("0000000078.block"), "{command}: {stderr}");
        let part = if command == "verify" { "log: " } else { "in_the_log" };
        assert!(stdout.contains(part), "{command}: {stdout}");
        assert_eq!(files(Path::new(&store.store)), before, "{command}");
    }
}

#[test]
fn a_store_that_is_open_for_reading_only_takes_nothing() {
    let store = Imported::new(TEXT);
    let before = files(Path::new(&store.store));
    let dir = Path::new(&store.store);
    let (writer, _) = Db::open(Arc::new(OsDisk), dir, Options::default()).unwrap();
    let (db, recovery) = Db::open_read_only(Arc::new(OsDisk), dir, Options::default()).unwrap();
    assert!(!recovery.is_damaged());
    let mut appender = db.appender();
    let labels = Labels::from_pairs([("__name__", "a")]);
    appender.sample(&labels, Timestamp::from_ms(2_000_000_000_000), Cell::float(1.0)).unwrap();
    let refused = appender.commit().unwrap_err().to_string();
    assert!(refused.contains("open for reading only"), "{refused}");
    assert!(db.snapshot(&dir.join("copy"), true).is_err());
    assert!(db.close().is_ok());
    assert_eq!(files(dir), before);
    let (code, _, stderr) = said(&["import", "openmetrics", &store.text, &store.store]);
    assert_eq!(code, 1);
    assert!(stderr.contains("used by another process"), "{stderr}");
    drop(writer);
}

#[test]
fn no_store_is_made_where_none_is() {
    let dir = tempfile::tempdir().unwrap();
    let missing = dir.path().join("missing").to_str().unwrap().to_owned();
    let target = dir.path().join("target").to_str().unwrap().to_owned();
    let rows: [&[&str]; 4] = [
        &["analyze", &missing],
        &["verify", &missing],
        &["dump", &missing],
        &["snapshot", &missing, &target],
    ];
    for args in rows {
        let (code, _, stderr) = said(args);
        assert_eq!(code, 1, "{args:?}");
        assert!(stderr.contains("there is no store of Inferometer"), "{args:?}: {stderr}");
    }
    assert!(files(dir.path()).is_empty());
}

#[test]
fn a_snapshot_holds_the_same() {
    let store = Imported::new(TEXT);
    commit(&store.store, "in_the_log", CellValue::Float(1.0));
    let (dumped, target) = (stdout(&["dump", &store.store]), store.path("target"));
    stdout(&["snapshot", &store.store, &target]);
    for dir in [&store.store, &target] {
        assert_eq!(stdout(&["dump", dir]), dumped, "{dir}");
    }
    let (code, _, stderr) = said(&["snapshot", &store.store, &target]);
    assert_eq!(code, 1);
    assert!(stderr.contains("not empty"), "{stderr}");
}

#[test]
fn an_analysis_counts() {
    let store = Imported::new(TEXT);
    let text = stdout(&["analyze", &store.store]);
    let parts = [
        "level 0  1970-01-01T00:00:12.000Z to 2023-11-14T22:13:23.000Z  9 samples",
        "Total Series: 4\nLabel names: 4\n",
        "Highest cardinality metric names:\n2 a_total\n1 b\n1 dotted.name\n",
        "Highest cardinality labels:\n3 __name__\n1 b\n",
    ];
    for part in parts {
        assert!(text.contains(part), "{part} is not in: {text}");
    }
    let text = stdout(&["analyze", "--match=b", "--limit=1", &store.store]);
    assert!(text.ends_with("Highest cardinality metric names:\n1 b\n"), "{text}");
}

#[test]
fn promtool_reads_and_says_the_same() {
    let Some(promtool) = peer("promtool") else { return };
    let mut text = String::new();
    for at in 0..2_000_i64 {
        let (series, value, ms) = (at % 5, at as f64 / 7.0, at % 1000);
        let time = format!("{}.{ms:03}", 1_700_000_000 + at);
        text.push_str(&format!("a{{s=\"{series}\\n\"}} {value} {time}\n"));
        text.push_str(&format!("{{\"b.c\",\"d.e\"=\"\\\"\"}} {value:e} {time}\n"));
    }
    text.push_str("x NaN 1700003000\nx +Inf 1700003001\nx -Inf 1700003002\n# EOF\n");
    let ours = Imported::new(&text);
    let said = stdout(&["dump", "--format=promtool", &ours.store]);
    let dumped = ours.path("dumped");
    fs::write(&dumped, stdout(&["dump", &ours.store])).unwrap();
    // It reads the same from the text, and from what we made of it.
    for (number, file) in [&ours.text, &dumped].into_iter().enumerate() {
        let theirs = ours.path(&format!("theirs{number}"));
        let create = ["tsdb", "create-blocks-from", "openmetrics", file, &theirs];
        let made = Command::new(&promtool).args(create).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        // It wants one, be it empty.
        fs::create_dir_all(Path::new(&theirs).join("wal")).unwrap();
        let output = Command::new(&promtool).args(["tsdb", "dump", &theirs]).output().unwrap();
        let expected = String::from_utf8(output.stdout).unwrap();
        assert_eq!(expected.lines().count(), 4_003, "{}", String::from_utf8_lossy(&output.stderr));
        for (line, (own, other)) in (1..).zip(said.lines().zip(expected.lines())) {
            assert_eq!(own, other, "{file}, line {line}");
        }
        assert_eq!(said.len(), expected.len());
    }
}
