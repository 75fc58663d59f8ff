//! Samples that others send: remote write, later OTLP and text.

pub mod remote_write;
