//! What is built in: its jobs on the objects of a whole cluster, its rules in unit tests and on the
//! pages of real servers, and on the command line.

mod data;
mod jobs;
mod rules;

use std::process::Command;

/// Exit code, stdout and stderr.
fn run(args: &[&str]) -> (i32, String, String) {
    let done = Command::new(env!("CARGO_BIN_EXE_inferometer")).args(args).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (done.status.code().unwrap_or(-1), text(done.stdout), text(done.stderr))
}

#[test]
fn they_are_listed_and_shown() {
    let (code, listed, _) = run(&["packs", "--packs=-llm-d-energy"]);
    assert_eq!(code, 0);
    for part in [
        "llm-d-jobs  7 jobs\n  Jobs that find all of llm-d",
        "  jobs: llm-d/vllm, llm-d/endpoint-picker, ",
        "\nllm-d-alerts  on, 5 rules\n  The five alerts of",
        "\nllm-d-energy  off, 10 rules\n  Power, ",
        "  reads: DCGM_FI_DEV_POWER_USAGE, DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION, kepler_node_gpu_watts,",
        "  reads: llm:slo_bad:ratio_rate5m, llm:slo_events:rate5m\n",
    ] {
        assert!(listed.contains(part), "{part}\n{listed}");
    }
    for (name, text) in [
        ("llm-d-slo", include_str!("../../packs/llm-d-slo.yml")),
        ("llm-d-jobs", include_str!("../../packs/llm-d-jobs.yml")),
    ] {
        assert_eq!(run(&["packs", "show", name]), (0, text.to_owned(), String::new()));
    }
    let (code, _, said) = run(&["packs", "show", "llm-d-alert"]);
    let words =
        "inferometer: nothing built in is called \"llm-d-alert\"; did you mean llm-d-alerts?\n";
    assert_eq!((code, said.as_str()), (1, words));
    let (code, _, said) = run(&["packs", "--packs=llm-d-slos"]);
    assert!(
        code == 2 && said.contains("there is no pack \"llm-d-slos\"; did you mean llm-d-slo?"),
        "{said}"
    );
}

#[test]
fn without_a_configuration_nothing_is_served_outside_kubernetes() {
    let directory = tempfile::tempdir().unwrap();
    let serve = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_inferometer"));
        command.current_dir(directory.path()).args(args).env_remove("KUBERNETES_SERVICE_HOST");
        let done = command.output().unwrap();
        (done.status.code(), String::from_utf8(done.stderr).unwrap())
    };
    let (code, said) = serve(&["serve", "--web.listen-address=127.0.0.1:0"]);
    assert_eq!(code, Some(1));
    assert!(said.contains("prometheus.yml: No such file or directory"), "{said}");
    // A file that was named has to be there, whatever is added to it.
    let (code, said) = serve(&["serve", "--config.file=mine.yml", "--preset=llm-d"]);
    assert_eq!(code, Some(1));
    assert!(said.contains("mine.yml: No such file or directory"), "{said}");
}
