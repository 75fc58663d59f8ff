//! What must hold for every page of the fleet, and that the vLLM pages look like captured ones.

mod parse;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::Read;
use std::path::Path;

use super::dialect::{VLLM_0_10, VLLM_0_32};
use super::engine::{Engine, EngineOptions, Role};
use super::family::{Dialect, Kind, Scopes};
use super::fleet::{Fleet, LONGEST_JUMP_MS, STEP_MS};
use super::ledger::Ledger;
use super::measure::Measure;
use super::page::Page;
use super::random::Random;
use super::request::Request;
use super::target::TargetKind;
use parse::{Parsed, parse, parse_sample};

const START_MS: i64 = 1_795_500_000_000;
const HOUR_MS: i64 = 3_600_000;

fn pages(fleet: &Fleet) -> Vec<String> {
    let page = |target| {
        let mut out = String::new();
        fleet.page(target, &mut out);
        out
    };
    fleet.targets().iter().map(page).collect()
}

#[test]
fn the_same_seed_gives_the_same_pages_and_another_seed_others() {
    let after_ten_minutes = |seed| {
        let mut fleet = Fleet::new(seed, START_MS);
        fleet.advance_to(START_MS + HOUR_MS / 6);
        pages(&fleet)
    };
    let first = after_ten_minutes(1);
    assert!(first == after_ten_minutes(1));
    let other = after_ten_minutes(2);
    assert!(first.iter().zip(&other).all(|(one, other)| one != other));
}

#[test]
fn one_jump_gives_the_same_pages_as_many_steps() {
    let end_ms = START_MS + 300_000;
    let mut jumping = Fleet::new(3, START_MS);
    jumping.advance_to(end_ms);
    for sizes in [&[STEP_MS][..], &[1, 99, 100, 101, 7919, 0, -5000], &[5000], &[33_333]] {
        let mut walking = Fleet::new(3, START_MS);
        let mut now_ms = START_MS;
        for size in sizes.iter().cycle() {
            now_ms = (now_ms + size).min(end_ms);
            walking.advance_to(now_ms);
            if now_ms == end_ms {
                break;
            }
        }
        assert_eq!(walking.now_ms(), end_ms);
        assert!(pages(&walking) == pages(&jumping), "steps of {sizes:?}");
    }
}

#[test]
fn the_clock_may_stand_go_back_and_leap() {
    let mut fleet = Fleet::new(3, START_MS);
    fleet.advance_to(START_MS + 1050);
    assert_eq!(fleet.now_ms(), START_MS + 1000, "whole steps only");
    let before = pages(&fleet);
    for now_ms in [START_MS + 1000, START_MS, 0, i64::MIN] {
        fleet.advance_to(now_ms);
        assert!(pages(&fleet) == before);
    }
    let mut early = Fleet::new(3, 0);
    early.advance_to(i64::MAX);
    assert_eq!(early.now_ms(), LONGEST_JUMP_MS);
}

/// Everything that must hold within one page.
fn check_page(families: &[Parsed]) {
    let mut seen = BTreeSet::new();
    for family in families {
        let mut buckets: BTreeMap<String, Vec<(f64, f64)>> = BTreeMap::new();
        let mut counts = BTreeMap::new();
        for sample in &family.samples {
            assert!(sample.value.is_finite(), "{sample:?}");
            let le = sample.label("le");
            assert!(seen.insert((sample.key(), le.map(str::to_owned))), "twice: {sample:?}");
            if let Some(le) = le {
                let le = le.parse().expect("a bound");
                let key = sample.key().replace("_bucket[", "[");
                buckets.entry(key).or_default().push((le, sample.value));
            } else if family.kind == "histogram" && sample.name.ends_with("_count") {
                counts.insert(sample.key().replace("_count[", "["), sample.value);
            }
        }
        assert_eq!(buckets.len(), counts.len(), "{}", family.name);
        for (key, buckets) in buckets {
            assert!(buckets.is_sorted_by(|(le, low), (next, high)| le < next && low <= high));
            let (le, all) = buckets.last().expect("a bucket");
            assert_eq!((*le, Some(all)), (f64::INFINITY, counts.get(&key)), "{key}");
        }
    }
}

fn total(families: &[Parsed], name: &str) -> f64 {
    let samples = families.iter().flat_map(|family| &family.samples);
    samples.filter(|sample| sample.name == name).map(|sample| sample.value).sum()
}

/// What must hold between the families of a vLLM page.
fn check_vllm(families: &[Parsed]) {
    let total = |name: &str| total(families, &format!("vllm:{name}"));
    let has = |name: &str| families.iter().any(|family| family.name == format!("vllm:{name}"));
    let finished = total("request_success_total");
    for family in families {
        let per_request = family.name.starts_with("vllm:request_")
            || family.name == "vllm:e2e_request_latency_seconds";
        if per_request && family.kind == "histogram" {
            let name = family.name.trim_start_matches("vllm:");
            assert_eq!(total(&format!("{name}_count")), finished, "{name}");
        }
    }
    assert!(total("time_to_first_token_seconds_count") >= finished);
    assert!(total("generation_tokens_total") >= total("request_generation_tokens_sum"));
    assert!(total("prompt_tokens_total") >= total("request_prompt_tokens_sum"));
    assert!(total("prefix_cache_hits_total") <= total("prefix_cache_queries_total"));
    let tokens =
        total("time_to_first_token_seconds_count") + total("inter_token_latency_seconds_count");
    assert_eq!(tokens, total("generation_tokens_total"), "a token is a first one or follows one");
    let mut equal = vec![];
    if has("prompt_tokens_by_source_total") {
        let external = total("external_prefix_cache_hits_total");
        let hits = total("prefix_cache_hits_total") + external;
        equal.push((total("prompt_tokens_by_source_total"), total("prompt_tokens_total")));
        equal.push((total("prompt_tokens_cached_by_source_total"), hits));
        equal.push((total("num_requests_waiting_by_reason"), total("num_requests_waiting")));
    }
    if has("gpu_cache_usage_perc") {
        for (old, new) in [
            ("gpu_cache_usage_perc", "kv_cache_usage_perc"),
            ("gpu_prefix_cache_queries_total", "prefix_cache_queries_total"),
            ("gpu_prefix_cache_hits_total", "prefix_cache_hits_total"),
            ("time_per_output_token_seconds_sum", "inter_token_latency_seconds_sum"),
            ("time_per_output_token_seconds_count", "inter_token_latency_seconds_count"),
        ] {
            equal.push((total(old), total(new)));
        }
    }
    assert!(!equal.is_empty());
    for (left, right) in equal {
        assert_eq!(left, right);
    }
}

#[test]
fn an_hour_of_pages_is_consistent() {
    let mut fleet = Fleet::new(1, START_MS);
    let targets = fleet.targets().to_vec();
    let mut last: Vec<HashMap<String, f64>> = vec![HashMap::new(); targets.len()];
    for now_ms in (START_MS..=START_MS + HOUR_MS).step_by(30_000) {
        fleet.advance_to(now_ms);
        for ((target, page), last) in targets.iter().zip(pages(&fleet)).zip(&mut last) {
            let families = parse(&page);
            check_page(&families);
            if target.kind == TargetKind::Vllm {
                check_vllm(&families);
            }
            let mut going_up = HashMap::new();
            for family in families.iter().filter(|family| family.kind != "gauge") {
                for sample in &family.samples {
                    let key = format!("{} {:?}", sample.key(), sample.label("le"));
                    going_up.insert(key, sample.value);
                }
            }
            for (key, before) in last.iter() {
                let now = going_up.get(key).expect("a series stays");
                assert!(now >= before, "{key}: {before} then {now}");
            }
            *last = going_up;
        }
    }
}

/// The sum of a metric's samples on a page, found without parsing the rest.
fn sum_of(page: &str, name: &str) -> f64 {
    let samples = page.lines().filter(|line| line.starts_with(&format!("{name}{{")));
    samples.map(|line| parse_sample(line).value).sum()
}

#[test]
fn an_hour_is_worth_looking_at() {
    for seed in [1, 2, 3] {
        let mut fleet = Fleet::new(seed, START_MS);
        let mut usage: Vec<Vec<f64>> = vec![Vec::new(); 3];
        let mut longest_queue = [0.0f64; 3];
        for now_ms in (START_MS..=START_MS + HOUR_MS).step_by(15_000) {
            fleet.advance_to(now_ms);
            for (pod, page) in pages(&fleet)[..3].iter().enumerate() {
                usage[pod].push(sum_of(page, "vllm:kv_cache_usage_perc"));
                let queue = sum_of(page, "vllm:num_requests_waiting");
                longest_queue[pod] = longest_queue[pod].max(queue);
            }
        }
        for pod in [1, 2] {
            assert!(longest_queue[pod] > 20.0, "seed {seed} pod {pod}: {longest_queue:?}");
            let share = |of: fn(&f64) -> bool| {
                usage[pod].iter().filter(|usage| of(usage)).count() as f64 / usage[pod].len() as f64
            };
            assert!(share(|usage| *usage > 0.9) > 0.01, "seed {seed} pod {pod}");
            assert!(share(|usage| (0.2..0.9).contains(usage)) > 0.6, "seed {seed} pod {pod}");
        }
        for page in &pages(&fleet)[..3] {
            let queries = sum_of(page, "vllm:prefix_cache_queries_total");
            let hits = sum_of(page, "vllm:prefix_cache_hits_total") / queries;
            assert!((0.3..0.8).contains(&hits), "seed {seed}: hit rate {hits}");
        }
    }
}

#[test]
fn targets_say_what_a_scraper_needs() {
    let fleet = Fleet::new(1, START_MS);
    let label = |wanted: &str| -> Vec<String> {
        let labels = fleet.targets().iter().flat_map(|target| target.labels.clone());
        labels.filter(|(name, _)| *name == wanted).map(|(_, value)| value).collect()
    };
    let vllm = "vllm-instances";
    let jobs = [vllm, vllm, vllm, "gateway-api-inference-extension", "dcgm-exporter"];
    assert_eq!(label("job"), jobs);
    assert_eq!(label("vllm_role"), ["prefill", "decode", "decode"]);
    assert_eq!(label("vllm_model").iter().collect::<BTreeSet<_>>().len(), 2);
    assert_eq!(label("pod").len(), 5);
    assert_eq!(label("namespace").len(), 5);
}

#[test]
fn an_engine_answers_every_request_and_gives_every_block_back() {
    let options = EngineOptions {
        role: Role::Decode,
        connector: false,
        blocks: 400,
        max_num_seqs: 64,
        max_num_batched_tokens: 512,
        step_s: 0.01,
        sequence_s: 0.0001,
        prompt_token_s: 0.00005,
    };
    let scopes = Scopes { max_model_len: 4096, ..Scopes::default() };
    let ledger = Ledger::new(&VLLM_0_32, &scopes, 1000.0);
    let mut engine = Engine::new(options, &[160, 320], ledger, Random::new(5, 0), 1000.0);
    let mut random = Random::new(5, 1);
    let mut tokens = 0.0;
    for number in 0..500 {
        let prefix = [None, Some(0), Some(1)][number % 3];
        let output = random.between(1.0, 300.0) as u32;
        let prompt = [0, 160, 320][number % 3] + random.between(1.0, 900.0) as u32;
        tokens += f64::from(output);
        let request = Request { prompt, prefix, output, max_tokens: 300, ..Request::default() };
        engine.send(request, 1000.0 + number as f64 * 0.05);
    }
    engine.advance(5000.0);
    assert_eq!((engine.num_running(), engine.num_waiting(), engine.kv_usage()), (0, 0, 0.0));
    assert_eq!(engine.outbox.finished.len(), 500);
    assert_eq!(engine.ledger.number(Measure::GenerationTokens, 0).value, tokens);
    assert!(engine.ledger.number(Measure::Preemptions, 0).value > 10.0, "the cache was too small");
    let finished = |reason| engine.ledger.number(Measure::Finished, reason).value;
    assert_eq!(finished(0) + finished(1), 500.0);
    for done in &engine.outbox.finished {
        assert_eq!(done.request.progress.generated, done.request.output);
    }
}

/// A captured page of ../shared, if it is there.
fn captured(path: &str) -> Option<String> {
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared");
    if !shared.exists() {
        let required = std::env::var("INFEROMETER_REQUIRE").is_ok_and(|value| value == "1");
        assert!(!required, "{} is not there", shared.display());
        // Past the test harness, which shows nothing of a test that passes.
        drop(std::io::Write::write_all(
            &mut std::io::stderr(),
            b"skipped: ../shared is not there\n",
        ));
        return None;
    }
    let file = std::fs::File::open(shared.join("fixtures").join(path)).expect("a captured page");
    let mut page = String::new();
    flate2::read::GzDecoder::new(file).read_to_string(&mut page).expect("gzip of UTF-8");
    Some(page)
}

/// What two pages of the same exporter have in common: families in order with their types, and of
/// each the distinct lines in order, without values and without the label values that depend on
/// the model, the traffic or the machine.
fn shape(page: &str) -> Vec<(String, String, Vec<String>)> {
    const FREE: [&str; 4] = ["model_name", "handler", "method", "status"];
    const INFO: [&str; 2] = ["vllm:cache_config_info", "python_info"];
    let mut shapes = Vec::new();
    for Parsed { name, kind, samples } in parse(page) {
        let mut lines: Vec<String> = Vec::new();
        for sample in samples {
            let mut line = sample.name.clone();
            for (label, value) in &sample.labels {
                let free = FREE.contains(&label.as_str()) || INFO.contains(&name.as_str());
                line += &format!(" {label}={}", if free { "*" } else { value });
            }
            if !lines.contains(&line) {
                lines.push(line);
            }
        }
        shapes.push((name, kind, lines));
    }
    shapes
}

/// The page of a dialect for the captured server's longest sequence, 1024 tokens; with an event of
/// every kind, or as it is at start.
fn page_of(dialect: &Dialect, with_events: bool) -> String {
    let scopes = Scopes { max_model_len: 1024, ..Scopes::default() };
    let mut ledger = Ledger::new(dialect, &scopes, 1000.0);
    for family in dialect.families.iter().filter(|_| with_events) {
        for cell in 0..family.series.len() {
            match family.kind {
                Kind::Counter | Kind::Gauge => ledger.add(family.measure, cell, 1.0),
                _ => ledger.observe(family.measure, cell, 1.0, 1),
            }
        }
    }
    let mut out = String::new();
    Page::new(dialect, &scopes).render(&ledger, &mut out);
    out
}

#[test]
fn vllm_pages_look_like_captured_ones() {
    for (dialect, path, with_events) in [
        (&VLLM_0_32, "vllm-0.32.0/start.txt.gz", false),
        (&VLLM_0_32, "vllm-0.32.0/page-059.txt.gz", true),
        (&VLLM_0_10, "vllm-0.10.2/start.txt.gz", false),
        (&VLLM_0_10, "vllm-0.10.2/page-019.txt.gz", true),
    ] {
        let Some(captured) = captured(path) else { return };
        let (ours, theirs) = (shape(&page_of(dialect, with_events)), shape(&captured));
        for (ours, theirs) in ours.iter().zip(&theirs) {
            assert_eq!(ours, theirs, "{path}");
        }
        assert_eq!(ours.len(), theirs.len(), "{path}");
    }
}

#[test]
fn the_fleet_shows_whole_dialects() {
    let mut fleet = Fleet::new(1, START_MS);
    fleet.advance_to(START_MS + HOUR_MS / 2);
    let families = |page: &str| -> Vec<(String, String)> {
        shape(page).into_iter().map(|(name, kind, _)| (name, kind)).collect()
    };
    let pages = pages(&fleet);
    for (pod, dialect) in [(0, &VLLM_0_32), (1, &VLLM_0_32), (2, &VLLM_0_10)] {
        assert_eq!(families(&pages[pod]), families(&page_of(dialect, true)));
    }
    let without_bounds = |page: &str| -> BTreeSet<String> {
        let lines = shape(page).into_iter().flat_map(|(_, _, lines)| lines);
        lines.filter(|line| !line.contains(" le=")).collect()
    };
    // The prefill pod gets no malformed calls and lists no models; the decode pods show it all.
    for (pod, dialect) in [(1, &VLLM_0_32), (2, &VLLM_0_10)] {
        assert_eq!(without_bounds(&pages[pod]), without_bounds(&page_of(dialect, true)));
    }
}
