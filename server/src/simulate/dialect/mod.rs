//! What the exporters' pages look like, as tables: one list of families per kind of exporter.

mod bucket;
mod gpu;
mod picker;
mod process;
mod vllm;
mod vllm_0_10;
mod vllm_0_32;

pub(crate) use gpu::GPU;
pub(crate) use picker::PICKER;
pub(crate) use vllm_0_10::VLLM_0_10;
pub(crate) use vllm_0_32::VLLM_0_32;
