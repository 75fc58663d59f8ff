//! The conformance scripts: our own, which pass entirely, and the shared ones, whose numbers are
//! written down: a change that improves them raises the numbers. All stores give the same.

use std::fs;
use std::path::{Path, PathBuf};

use promql::promqltest::{Case, MemoryStore, Report, Settings, run};

use crate::database::{Database, Way};

/// Each shared script: cases that pass, and that fail.
const SHARED: [(&str, usize, usize); 21] = [
    ("aggregators", 121, 0),
    ("at_modifier", 59, 0),
    ("collision", 2, 0),
    ("duration_expression", 44, 0),
    ("extended_vectors", 133, 0),
    ("fill-modifier", 33, 0),
    ("functions", 329, 0),
    ("histograms", 139, 0),
    ("info", 41, 0),
    ("limit", 28, 0),
    ("literals", 19, 0),
    ("name_label_dropping", 23, 0),
    ("native_histograms", 522, 0),
    ("operators", 162, 0),
    ("range_queries", 14, 0),
    ("selectors", 23, 0),
    ("staleness", 13, 0),
    ("start_timestamps", 19, 0),
    ("subquery", 26, 0),
    ("trig_functions", 14, 0),
    ("type_and_unit", 44, 0),
];

/// The stores that scripts are run on.
#[derive(Clone, Copy, Debug)]
enum Store {
    Memory,
    Database(Way),
}

const STORES: [Store; 6] = [
    Store::Memory,
    Store::Database(Way::Rows),
    Store::Database(Way::Samples),
    Store::Database(Way::SealedRows),
    Store::Database(Way::ReopenedLog),
    Store::Database(Way::MergedBlocks),
];

fn run_file(path: &Path, store: Store) -> Report {
    let text =
        fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let settings = Settings::default();
    let report = match store {
        Store::Memory => run(&text, &settings, || Ok(MemoryStore::new())),
        Store::Database(way) => run(&text, &settings, || Database::open(way)),
    };
    report.unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn from_crate(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The scripts of a folder by name, sorted.
fn scripts(folder: &Path) -> Vec<(String, PathBuf)> {
    let entries = fs::read_dir(folder).expect("a folder");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let scripts = paths.filter(|path| path.extension().is_some_and(|end| end == "test"));
    let name = |path: &Path| path.file_stem().expect("a name").to_string_lossy().into_owned();
    let mut scripts: Vec<_> = scripts.map(|path| (name(&path), path)).collect();
    scripts.sort();
    scripts
}

#[test]
fn our_scripts_pass() {
    let scripts = scripts(&from_crate("../testdata/promql"));
    assert!(!scripts.is_empty());
    for (name, path) in scripts {
        for store in STORES {
            let report = run_file(&path, store);
            let failures: Vec<String> = report.failures().map(Case::to_string).collect();
            let failures = failures.join("\n");
            assert!(failures.is_empty(), "{name} on {store:?}: {report}\n{failures}");
            assert!(report.passed() > 0, "{name} has no cases");
        }
    }
}

#[test]
fn shared_scripts_pass_as_far_as_written_down() {
    let folder = from_crate("../../shared/promqltest");
    if !folder.exists() {
        assert!(std::env::var_os("INFEROMETER_REQUIRE").is_none(), "../shared is not there");
        // Past the test harness, which shows nothing of a test that passes.
        drop(std::io::Write::write_all(
            &mut std::io::stderr(),
            b"skipped: ../shared is not there\n",
        ));
        return;
    }
    let mut expected = String::new();
    for (name, passed, failed) in SHARED {
        expected += &format!("{name}: {passed} pass, {failed} fail\n");
    }
    for store in STORES {
        let mut found = String::new();
        for (name, path) in scripts(&folder) {
            let report = run_file(&path, store);
            let failed = report.failures().count();
            found += &format!("{name}: {} pass, {failed} fail\n", report.passed());
            for case in report.failures() {
                println!("{name} on {store:?}: {case}");
            }
        }
        assert_eq!(found, expected, "{store:?}");
    }
}
