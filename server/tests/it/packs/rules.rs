//! The packs of rules in unit tests, ours and promtool's.

use std::path::PathBuf;
use std::process::Command;

use server::features::Enabled;
use server::packs::PACKS;
use server::rules::file::Reading;
use server::rules::unit_test;

use crate::running::{peer, testdata};

fn test_files() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(testdata("packs")).unwrap();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 6, "{files:?}");
    files
}

#[test]
fn unit_tests_pass() {
    let features = Enabled::new(&[]);
    for file in test_files() {
        let failures =
            unit_test::run(&file, &[], Reading::default(), &features, |text| panic!("{text}"));
        assert!(failures.is_empty(), "{}:\n{}", file.display(), failures.join("\n"));
    }
}

#[test]
fn every_pack_and_every_alert_is_tested() {
    let text: String =
        test_files().iter().map(|file| std::fs::read_to_string(file).unwrap()).collect();
    for pack in PACKS {
        assert!(text.contains(&format!("packs/{}.yml", pack.name)), "{}", pack.name);
        for rule in pack.groups().iter().flat_map(|group| &group.rules) {
            // Windows of one kind are alike; three of them are asked for.
            let is_window = rule.name.starts_with("llm:slo_bad:ratio_rate");
            assert!(is_window || text.contains(&rule.name), "{}: {}", pack.name, rule.name);
        }
    }
}

#[test]
fn promtool_agrees() {
    let Some(promtool) = peer("promtool") else { return };
    let packs = testdata("../server/packs");
    let files = PACKS.iter().map(|pack| packs.join(format!("{}.yml", pack.name)));
    let check = [("check", files.collect::<Vec<_>>()), ("test", test_files())];
    for (command, files) in check {
        let done = Command::new(&promtool).args([command, "rules"]).args(files).output().unwrap();
        let said = [done.stdout, done.stderr].concat();
        assert!(done.status.success(), "{command}: {}", String::from_utf8_lossy(&said));
    }
    let jobs = packs.join("llm-d-jobs.yml");
    let done =
        Command::new(&promtool).args(["check", "config", "--syntax-only"]).arg(jobs).output();
    let done = done.unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}
