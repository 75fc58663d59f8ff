//! The fleet: traffic, picker, engines and GPUs wired together, as a step function of the clock.
//!
//! One step of [`STEP_MS`]:
//! 1. traffic makes the step's requests; the picker sends each to a decode engine, or to the
//!    model's prefill engine first;
//! 2. the engines run to the step's end, prefill engines before decode engines; prompts that are
//!    ready go on to the decode engine, blocks that were fetched are freed at the prefill engine;
//! 3. the picker notes the answers, processes and GPUs follow the work.
//!
//! Invariant: the pages at a time depend on the seed and the start alone, not on the sizes of the
//! advances that led there: steps are counted from the start and never split. No clock is read.

use super::dialect::{GPU, PICKER};
use super::engine::{Effort, Engine, Role};
use super::gpu::Gpus;
use super::ledger::Ledger;
use super::page::Page;
use super::picker::{Decision, Picker};
use super::plan::{self, ModelPlan, PodPlan};
use super::process::Process;
use super::random::Random;
use super::record;
use super::request::Request;
use super::scope::{gpu_scopes, picker_scopes, pod_scopes};
use super::target::{Target, TargetKind};
use super::traffic::Traffic;

/// Length of a step. Pages show the last whole step before the time asked for.
pub const STEP_MS: i64 = 100;

/// Longest jump of one call of [`Fleet::advance_to`] (a simulated hour takes about 0.2 s); further
/// calls catch up the rest. It keeps a leap of the wall clock from stalling a scrape.
pub const LONGEST_JUMP_MS: i64 = 3600 * 1000;

/// Seconds from the picker's decision to the arrival at a pod, and from a prefill pod to a
/// decode pod: proxies and network.
const HOP_S: f64 = 0.0025;

/// Share of malformed calls among all.
const MALFORMED_SHARE: f64 = 0.006;

/// Every so many steps somebody lists the models.
const LISTING_EVERY: u64 = 300;

/// One garbage collection of the API servers per so many finished requests.
const REQUESTS_PER_COLLECTION: u64 = 3;

/// CPU seconds of an API server per token that goes through it.
const CPU_PER_TOKEN_S: f64 = 0.000_09;

/// CPU seconds of the picker per request.
const PICKER_CPU_S: f64 = 0.0011;

/// What the fleet knows about a vLLM pod, besides its engine.
#[derive(Debug)]
struct Pod {
    model: usize,
    role: Role,
    process: Process,
    /// Requests that ended since the last garbage collection.
    uncollected: u64,
}

/// The simulated fleet.
#[derive(Debug)]
pub struct Fleet {
    start_ms: i64,
    steps: u64,
    random: Random,
    traffic: Vec<Traffic>,
    pods: Vec<Pod>,
    /// The engines of the pods, in the same order.
    engines: Vec<Engine>,
    picker: Picker,
    gpus: Gpus,
    /// The pages of the targets, in the same order.
    pages: Vec<Page>,
    targets: Vec<Target>,
}

impl Fleet {
    /// An idle fleet that starts at `start_unix_ms`.
    pub fn new(seed: u64, start_unix_ms: i64) -> Fleet {
        let (models, plans) = (plan::models(), plan::pods());
        let start_s = seconds(start_unix_ms);
        let traffic: Vec<Traffic> = (1..)
            .zip(&models)
            .map(|(stream, model)| Traffic::new(model.load.clone(), Random::new(seed, stream)))
            .collect();
        let mut pages = Vec::new();
        let mut engines = Vec::new();
        for (stream, pod) in (100..).zip(&plans) {
            let scopes = pod_scopes(pod, &models[pod.model]);
            pages.push(Page::new(pod.dialect, &scopes));
            let mut ledger = Ledger::new(pod.dialect, &scopes, start_s);
            pod.process.start(&mut ledger, start_s);
            let (options, random) = (pod.engine.clone(), Random::new(seed, stream));
            let prefixes = traffic[pod.model].prefixes();
            engines.push(Engine::new(options, prefixes, ledger, random, start_s));
        }
        let picker = new_picker(&plans, &models, &mut pages, Random::new(seed, 200), start_s);
        let gpus = new_gpus(&plans, &mut pages, start_s);
        let mut fleet = Fleet {
            start_ms: start_unix_ms,
            steps: 0,
            random: Random::new(seed, 0),
            traffic,
            pods: plans.iter().map(Pod::new).collect(),
            engines,
            picker,
            gpus,
            pages,
            targets: targets(&plans, &models),
        };
        fleet.picker.show(&fleet.engines, start_s);
        fleet
    }

    /// What there is to scrape: the vLLM pods, the endpoint picker, the DCGM exporter.
    pub fn targets(&self) -> &[Target] {
        &self.targets
    }

    /// Unix milliseconds of the state that the pages show.
    pub fn now_ms(&self) -> i64 {
        self.start_ms + self.steps as i64 * STEP_MS
    }

    /// Goes on to the last whole step at or before `now_unix_ms`; a time in the past changes
    /// nothing. One call goes at most [`LONGEST_JUMP_MS`].
    pub fn advance_to(&mut self, now_unix_ms: i64) {
        let ahead_ms = now_unix_ms.saturating_sub(self.now_ms()).min(LONGEST_JUMP_MS);
        for _ in 0..ahead_ms.max(0) / STEP_MS {
            self.step();
        }
    }

    /// Appends the page of one of [`Fleet::targets`] to `out`.
    pub fn page(&self, target: &Target, out: &mut String) {
        let ledger = match target.kind {
            TargetKind::Vllm => &self.engines[target.position].ledger,
            TargetKind::Picker => &self.picker.ledger,
            TargetKind::Gpu => &self.gpus.ledger,
        };
        self.pages[target.position].render(ledger, out);
    }

    fn step(&mut self) {
        let from_s = seconds(self.now_ms());
        let age_s = self.steps as f64 * STEP_MS as f64 / 1000.0;
        self.steps += 1;
        let to_s = seconds(self.now_ms());
        for model in 0..self.traffic.len() {
            for request in self.traffic[model].arrivals(age_s, from_s, to_s - from_s) {
                self.send(request);
            }
        }
        self.run(to_s);
        self.follow(to_s - from_s, to_s);
    }

    /// The engine of `model` with `role`.
    fn engine_of(&self, model: usize, role: Role) -> Option<usize> {
        self.pods.iter().position(|pod| pod.model == model && pod.role == role)
    }

    fn send(&mut self, request: Request) {
        let Some(decode) = self.engine_of(request.model, Role::Decode) else { return };
        let prefill = self.engine_of(request.model, Role::Prefill);
        if self.random.chance(MALFORMED_SHARE) {
            self.engines[decode].ledger.at(request.born_s);
            record::refused(&mut self.engines[decode].ledger);
        }
        let arrival_s = request.born_s + HOP_S;
        match self.picker.route(&request, &self.engines, decode, prefill) {
            Decision::Refused => {}
            Decision::Decode(at) | Decision::Prefill(at) => {
                self.engines[at].send(request, arrival_s);
            }
        }
    }

    fn run(&mut self, to_s: f64) {
        for at in 0..self.engines.len() {
            self.engines[at].advance(to_s);
            let outbox = std::mem::take(&mut self.engines[at].outbox);
            for (ready_s, request) in outbox.prefilled {
                self.pods[at].uncollected += 1;
                if let Some(decode) = self.engine_of(self.pods[at].model, Role::Decode) {
                    self.engines[decode].send(request, ready_s + HOP_S);
                }
            }
            for lease in outbox.fetched {
                if let Some(prefill) = self.engine_of(self.pods[at].model, Role::Prefill) {
                    self.engines[prefill].free(lease);
                }
            }
            for finished in outbox.finished {
                self.pods[at].uncollected += 1;
                self.picker.answered(&finished);
            }
        }
    }

    /// Processes, picker and GPUs follow the engines.
    fn follow(&mut self, step_s: f64, to_s: f64) {
        let mut efforts = Vec::with_capacity(self.engines.len());
        let lists_models = self.steps.is_multiple_of(LISTING_EVERY);
        for (pod, engine) in self.pods.iter_mut().zip(&mut self.engines) {
            let effort: Effort = std::mem::take(&mut engine.effort);
            pod.follow(engine, &effort, step_s);
            if lists_models && pod.role == Role::Decode {
                record::models_listed(&mut engine.ledger);
            }
            efforts.push(effort);
        }
        self.picker.show(&self.engines, to_s);
        let open = f64::from(self.picker.open());
        let busy_s = PICKER_CPU_S * open * step_s;
        plan::PICKER_PROCESS.beat(&mut self.picker.ledger, step_s, busy_s, open);
        self.gpus.advance(&efforts, step_s, to_s);
    }
}

impl Pod {
    fn new(plan: &PodPlan) -> Pod {
        let PodPlan { model, process, engine, .. } = plan;
        Pod { model: *model, role: engine.role, process: *process, uncollected: 0 }
    }

    /// The process follows what its engine did.
    fn follow(&mut self, engine: &mut Engine, effort: &Effort, step_s: f64) {
        let open = (engine.num_running() + engine.num_waiting()) as f64;
        let busy_s = CPU_PER_TOKEN_S * effort.tokens;
        self.process.beat(&mut engine.ledger, step_s, busy_s, open);
        while self.uncollected >= REQUESTS_PER_COLLECTION {
            self.uncollected -= REQUESTS_PER_COLLECTION;
            self.process.collect_garbage(&mut engine.ledger);
        }
    }
}

fn seconds(unix_ms: i64) -> f64 {
    unix_ms as f64 / 1000.0
}

fn new_picker(
    pods: &[PodPlan],
    models: &[ModelPlan],
    pages: &mut Vec<Page>,
    random: Random,
    start_s: f64,
) -> Picker {
    let scopes = picker_scopes(pods, models);
    pages.push(Page::new(&PICKER, &scopes));
    let mut ledger = Ledger::new(&PICKER, &scopes, start_s);
    plan::PICKER_PROCESS.start(&mut ledger, start_s);
    Picker::new(models.len(), ledger, random)
}

fn new_gpus(pods: &[PodPlan], pages: &mut Vec<Page>, start_s: f64) -> Gpus {
    let scopes = gpu_scopes(pods);
    pages.push(Page::new(&GPU, &scopes));
    let held = |gpu: usize| pods.get(gpu).map_or(0.0, |pod| pod.held_mib);
    let held: Vec<f64> = (0..plan::GPUS.len()).map(held).collect();
    Gpus::new(&held, Ledger::new(&GPU, &scopes, start_s))
}

fn targets(pods: &[PodPlan], models: &[ModelPlan]) -> Vec<Target> {
    let mut targets = Vec::new();
    for (at, pod) in pods.iter().enumerate() {
        let role = match pod.engine.role {
            Role::Prefill => "prefill",
            Role::Decode => "decode",
        };
        let target = Target::new(at, pod.name, TargetKind::Vllm, plan::NAMESPACE, pod.dialect);
        targets.push(target.label("vllm_role", role).label("vllm_model", models[pod.model].name));
    }
    let (name, kind) = (plan::PICKER_POD, TargetKind::Picker);
    targets.push(Target::new(targets.len(), name, kind, plan::NAMESPACE, &PICKER));
    let (name, kind) = (plan::GPU_POD, TargetKind::Gpu);
    targets.push(Target::new(targets.len(), name, kind, plan::GPU_NAMESPACE, &GPU));
    targets
}
