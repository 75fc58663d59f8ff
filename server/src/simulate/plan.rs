//! The fleet of the demo, as data: two models, three vLLM pods on one node, sizes and speeds.
//!
//! Model 0 is served disaggregated, by a prefill and a decode pod with vLLM 0.32.0; model 1 by a
//! decode pod with vLLM 0.10.2 that computes its prompts itself. Speeds are those of H100s, KV
//! caches are small enough for the load to fill them now and then.

use super::dialect::{VLLM_0_10, VLLM_0_32};
use super::engine::{EngineOptions, Role};
use super::family::Dialect;
use super::process::Process;
use super::traffic::Workload;

/// Namespace of the pods.
pub(crate) const NAMESPACE: &str = "llm-d";

/// Namespace of the DCGM exporter.
pub(crate) const GPU_NAMESPACE: &str = "gpu-operator";

/// The inference pool.
pub(crate) const POOL: &str = "llm-d-inference-pool";

/// The pod of the endpoint picker.
pub(crate) const PICKER_POD: &str = "llm-d-epp-6f9c7d5b8-x2kqv";

/// The pod of the DCGM exporter.
pub(crate) const GPU_POD: &str = "dcgm-exporter-9wz4t";

/// The node with the GPUs.
pub(crate) const NODE: &str = "gpu-node-1";

/// What the GPUs are.
pub(crate) const GPU_MODEL: &str = "NVIDIA H100 80GB HBM3";

/// GPUs of the node; the last one has no pod.
pub(crate) const GPUS: [&str; 4] = [
    "GPU-5c0b1f7e-3a52-4d0e-9a6b-0f3f8a7d2c41",
    "GPU-8e2d94aa-71c6-4b1f-8f05-6b9d3c5e1a72",
    "GPU-b7a3e610-0d4f-4c29-a1e8-92c47f5d8b03",
    "GPU-d41f6c98-5be7-4e83-b2d7-1e8a90c3f654",
];

/// Bytes of a token's KV entries, for what `cache_config_info` says.
pub(crate) const KV_TOKEN_BYTES: u64 = 262_144;

/// A model and its load.
#[derive(Debug)]
pub(crate) struct ModelPlan {
    /// The name clients use.
    pub(crate) name: &'static str,
    /// Longest sequence, tokens.
    pub(crate) max_model_len: u32,
    /// Its load.
    pub(crate) load: Workload,
}

/// A vLLM pod.
#[derive(Debug)]
pub(crate) struct PodPlan {
    /// The pod's name.
    pub(crate) name: &'static str,
    /// The port of its metrics.
    pub(crate) port: &'static str,
    /// Number of its model.
    pub(crate) model: usize,
    /// How it writes its page.
    pub(crate) dialect: &'static Dialect,
    /// Size and speed of its engine.
    pub(crate) engine: EngineOptions,
    /// Its process.
    pub(crate) process: Process,
    /// MiB it holds on its GPU.
    pub(crate) held_mib: f64,
}

/// The models.
pub(crate) fn models() -> [ModelPlan; 2] {
    [
        ModelPlan {
            name: "Qwen/Qwen3-32B",
            max_model_len: 32_768,
            load: Workload {
                model: 0,
                rate: 5.6,
                prefixes: 16,
                prompt_median: 480.0,
                output_median: 190.0,
                shared_share: 0.76,
                phase: 0.4,
                first_burst_s: 380.0,
            },
        },
        ModelPlan {
            name: "meta-llama/Llama-3.1-8B-Instruct",
            max_model_len: 16_384,
            load: Workload {
                model: 1,
                rate: 5.6,
                prefixes: 24,
                prompt_median: 400.0,
                output_median: 230.0,
                shared_share: 0.78,
                phase: 2.6,
                first_burst_s: 840.0,
            },
        },
    ]
}

/// The vLLM pods; a model's prefill pod stands before its decode pod.
pub(crate) fn pods() -> [PodPlan; 3] {
    [
        PodPlan {
            name: "qwen3-32b-prefill-7d8f9c6b5-h4lzt",
            port: "8000",
            model: 0,
            dialect: &VLLM_0_32,
            engine: EngineOptions {
                role: Role::Prefill,
                connector: true,
                blocks: 2600,
                max_num_seqs: 64,
                max_num_batched_tokens: 2048,
                step_s: 0.014,
                sequence_s: 0.0,
                prompt_token_s: 0.000_075,
            },
            process: PROCESS,
            held_mib: 73_264.0,
        },
        PodPlan {
            name: "qwen3-32b-decode-5b6d7f8c9-m2xpw",
            port: "8200",
            model: 0,
            dialect: &VLLM_0_32,
            engine: EngineOptions {
                role: Role::Decode,
                connector: true,
                blocks: 4600,
                max_num_seqs: 256,
                max_num_batched_tokens: 2048,
                step_s: 0.0135,
                sequence_s: 0.000_12,
                prompt_token_s: 0.000_075,
            },
            process: PROCESS,
            held_mib: 73_264.0,
        },
        PodPlan {
            name: "llama-3-1-8b-decode-84c5d9f7b-q9rjn",
            port: "8200",
            model: 1,
            dialect: &VLLM_0_10,
            engine: EngineOptions {
                role: Role::Decode,
                connector: false,
                blocks: 5000,
                max_num_seqs: 256,
                max_num_batched_tokens: 2048,
                step_s: 0.0098,
                sequence_s: 0.000_09,
                prompt_token_s: 0.000_055,
            },
            process: PROCESS,
            held_mib: 37_410.0,
        },
    ]
}

/// A vLLM API server.
const PROCESS: Process = Process {
    resident: 1.342_177_28e9,
    address_space: 2.462_580_736e10,
    idle_cpu: 0.06,
    files: 58.0,
};

/// The endpoint picker's process.
pub(crate) const PICKER_PROCESS: Process =
    Process { resident: 8.912_896e7, address_space: 2.118_123_52e9, idle_cpu: 0.03, files: 21.0 };
