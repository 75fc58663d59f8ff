//! `inferometer check config`: exact output and exit codes, and promtool's verdicts.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::running::shared;

/// Where promtool 3.5.3 only warns, or does not know a setting that came later.
const OTHER_WORDS: [(&str, &str); 2] = [
    ("promtool/prometheus-config.bad.yml", "`not-prometheus` is not a setting"),
    ("promtool/prometheus-config.rules.good.yml", "`groups` is not a setting"),
];

/// Exit code, stdout and stderr of `check config` in a folder.
fn check(folder: &Path, args: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_inferometer"))
        .args(["check", "config"])
        .args(args)
        .current_dir(folder)
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[test]
fn what_it_says() {
    let directory = tempfile::tempdir().unwrap();
    let files = [
        ("good.yml", "scrape_configs: [{job_name: a, static_configs: [{targets: ['a:1']}]}]\n"),
        ("bad.yml", "scrape_configs: [{job_name: a, schema: https}]\n"),
        ("long.yml", "scrape_configs: [{job_name: a, scrape_interval: 10m}]\n"),
        ("rules.yml", "rule_files: [group.yml, 'more/*.yml']\n"),
        ("group.yml", "groups: [{name: g, rules: [{record: a, expr: b}, {record: a, expr: c}]}]\n"),
        ("wrong_rules.yml", "rule_files: [wrong_group.yml]\n"),
        ("wrong_group.yml", "groups: [{name: g, rules: [{record: a, expr: '('}]}]\n"),
        ("b.json", "[{\"targets\": [\"a:1\"]}, {\"targets\": [\"a:1\", \"a/b\"]}]"),
        ("c.yml", "- target: [a]\n"),
        (
            "wrong_target.yml",
            "scrape_configs: [{job_name: a, file_sd_configs: [{files: [b.json]}]}]\n",
        ),
        (
            "wrong_list.yml",
            "alerting: {alertmanagers: [{file_sd_configs: [{files: ['c*.yml', d.yml]}]}]}\n",
        ),
        ("no_rules.yml", "rule_files: [none.yml]\n"),
        ("token.yml", "scrape_configs: [{job_name: a, bearer_token_file: none}]\n"),
        ("key.yml", "scrape_configs: [{job_name: a, tls_config: {cert_file: a, key_file: b}}]\n"),
        ("files.yml", "scrape_configs: [{job_name: a, file_sd_configs: [{files: [a.json]}]}]\n"),
        (
            "target.yml",
            "scrape_configs: [{job_name: a, static_configs: [{targets: ['a:1', 'http://b']}], \
             relabel_configs: [{target_label: c, replacement: d}]}]\n",
        ),
        ("more.yml", "scrape_config_files: [good.yml, long.yml]\n"),
    ];
    for (name, text) in files {
        fs::write(directory.path().join(name), text).unwrap();
    }
    let good = |name: &str| {
        format!("Checking {name}\n SUCCESS: {name} is valid prometheus config file syntax\n\n")
    };
    let bad = |name: &str| format!("Checking {name}\n\n");
    let long = "  FAILED: too long scrape interval found, data point will be marked as stale - \
                job: a, interval: 10m\n";
    let schema = "  FAILED: bad.yml:1:32: `schema` is not a setting of `scrape_configs`; did you \
                  mean `scheme`?\n  |\n1 | scrape_configs: [{job_name: a, schema …\n  |               \
                  \u{20}                ^^^^^^\n";
    let rules = "Checking rules.yml\n  SUCCESS: 1 rule files found\n SUCCESS: rules.yml is valid \
                 prometheus config file syntax\n\nChecking group.yml\n\n";
    let repeated = "  FAILED:\nlint error 1 duplicate rule(s) found.\nMetric: a\nLabel(s):\nMight \
                    cause inconsistency while recording expressions\n";
    let rows: [(&[&str], i32, String, &str); 17] = [
        (&["good.yml"], 0, good("good.yml"), ""),
        (&["bad.yml"], 1, bad("bad.yml"), schema),
        (&["bad.yml", "good.yml"], 1, bad("bad.yml") + &good("good.yml"), schema),
        (&["long.yml"], 0, good("long.yml"), ""),
        (&["--lint=too-long-scrape-interval", "long.yml"], 0, good("long.yml"), long),
        (&["--lint=all", "--lint-fatal", "long.yml"], 3, good("long.yml"), long),
        (&["--lint=all", "--query.lookback-delta=1h", "--lint-fatal", "long.yml"], 0, good("long.yml"), ""),
        (
            &["rules.yml"],
            0,
            rules.to_owned(),
            repeated,
        ),
        (&["--lint-fatal", "rules.yml"], 3, rules.to_owned(), repeated),
        (&["--lint=none", "rules.yml"], 0, rules.replace("group.yml\n\n", "group.yml\n  SUCCESS: 2 rules found\n\n"), ""),
        (
            &["wrong_target.yml"],
            1,
            bad("wrong_target.yml"),
            "  FAILED: instance 1 in group 1: \"a/b\" is not a valid hostname\n",
        ),
        (&["--syntax-only", "no_rules.yml"], 0, good("no_rules.yml"), ""),
        (
            &["token.yml"],
            1,
            bad("token.yml"),
            "  FAILED: error checking authorization credentials or bearer token file \"none\": stat \
             none: no such file or directory\n",
        ),
        (
            &["key.yml"],
            1,
            bad("key.yml"),
            "  FAILED: error checking client cert file \"a\": stat a: no such file or directory\n",
        ),
        (
            &["files.yml"],
            0,
            "Checking files.yml\n  WARNING: file \"a.json\" for file_sd in scrape job \"a\" does not \
             exist\n SUCCESS: files.yml is valid prometheus config file syntax\n\n"
                .to_owned(),
            "",
        ),
        (
            &["target.yml"],
            1,
            bad("target.yml"),
            "  FAILED: instance 1 in group 0: \"http://b\" is not a valid hostname\n",
        ),
        (&["--syntax-only", "more.yml", "token.yml"], 0, good("more.yml") + &good("token.yml"), ""),
    ];
    for (args, code, out, err) in rows {
        assert_eq!(check(directory.path(), args), (code, out, err.to_owned()), "{args:?}");
    }
    let (code, _, err) = check(directory.path(), &["more.yml"]);
    assert_eq!(code, 1);
    let twice = "  FAILED: long.yml:1:29: found multiple scrape configs with job name \"a\"; first \
                 found in \"good.yml\"";
    assert!(err.starts_with(twice), "{err}");
    for (file, words) in [
        ("wrong_rules.yml", "wrong_group.yml: 1:46: group \"g\", rule 1, \"a\": could not parse"),
        ("wrong_list.yml", "checking SD file \"c*.yml\": "),
    ] {
        let (code, _, err) = check(directory.path(), &[file]);
        assert_eq!(code, 1, "{file}");
        assert!(err.contains(words), "{err}");
    }
    let (code, _, err) = check(directory.path(), &["no_rules.yml"]);
    assert_eq!(code, 1);
    assert!(err.ends_with("  FAILED: \"none.yml\" does not point to an existing file\n"), "{err}");
}

#[test]
fn verdicts_of_promtool() {
    let Some(folder) = shared("prometheus-testdata") else { return };
    let verdicts = fs::read_to_string(folder.join("verdicts.tsv")).unwrap();
    let mut checked = 0;
    for row in verdicts.lines().filter(|row| row.starts_with("promtool/")) {
        let fields: Vec<&str> = row.split('\t').collect();
        let [name, "check config", exit, verdict] = fields[..] else { continue };
        let (code, out, err) = check(&folder, &[name]);
        assert_eq!(code.to_string(), exit, "{name}: {err}");
        let own = OTHER_WORDS.iter().find(|(file, _)| *file == name).map(|(_, words)| *words);
        let words = own.unwrap_or(verdict.trim());
        assert!(out.contains(words) || err.contains(words), "{name}: {words}\n{out}{err}");
        checked += 1;
    }
    assert!(checked >= 12, "{checked}");
}
