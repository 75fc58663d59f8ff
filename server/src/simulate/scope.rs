//! The label values of the fleet's targets: what the variables of the dialects stand for.

use super::family::{Scope, Scopes};
use super::kv::BLOCK_TOKENS;
use super::plan::{self, ModelPlan, PodPlan};

/// The scopes of a vLLM pod.
pub(crate) fn pod_scopes(pod: &PodPlan, model: &ModelPlan) -> Scopes {
    let tokens = pod.engine.blocks * BLOCK_TOKENS;
    let concurrency = f64::from(tokens) / f64::from(model.max_model_len);
    let target = vec![
        ("model", model.name.to_owned()),
        ("block_size", BLOCK_TOKENS.to_string()),
        ("blocks", pod.engine.blocks.to_string()),
        ("kv_tokens", tokens.to_string()),
        ("kv_bytes", (u64::from(tokens) * plan::KV_TOKEN_BYTES).to_string()),
        ("kv_concurrency", concurrency.to_string()),
    ];
    Scopes { target, max_model_len: model.max_model_len, ..Scopes::default() }
}

/// The scopes of the endpoint picker: its models and endpoints.
pub(crate) fn picker_scopes(pods: &[PodPlan], models: &[ModelPlan]) -> Scopes {
    let pool = || ("pool", plan::POOL.to_owned());
    let endpoint = |pod: &PodPlan| -> Scope {
        vec![
            pool(),
            ("endpoint", pod.name.to_owned()),
            ("namespace", plan::NAMESPACE.to_owned()),
            ("port", pod.port.to_owned()),
            ("model", models[pod.model].name.to_owned()),
        ]
    };
    let model = |model: &ModelPlan| vec![pool(), ("model", model.name.to_owned())];
    Scopes {
        target: vec![pool()],
        models: models.iter().map(model).collect(),
        endpoints: pods.iter().map(endpoint).collect(),
        ..Scopes::default()
    }
}

/// The scopes of the DCGM exporter: the GPUs, each with the pod that uses it.
pub(crate) fn gpu_scopes(pods: &[PodPlan]) -> Scopes {
    let gpu = |(number, uuid): (usize, &&str)| -> Scope {
        let pod = pods.get(number);
        let if_used = |text: &str| pod.map(|_| text.to_owned()).unwrap_or_default();
        vec![
            ("gpu", number.to_string()),
            ("uuid", (*uuid).to_owned()),
            ("device", format!("nvidia{number}")),
            ("gpu_model", plan::GPU_MODEL.to_owned()),
            ("node", plan::NODE.to_owned()),
            ("container", if_used("vllm")),
            ("namespace", if_used(plan::NAMESPACE)),
            ("pod", pod.map(|pod| pod.name.to_owned()).unwrap_or_default()),
        ]
    };
    Scopes { gpus: plan::GPUS.iter().enumerate().map(gpu).collect(), ..Scopes::default() }
}
