//! `alerting`.

use super::super::error::Place;
use super::super::yaml::{At, Value};
use super::{Client, Discovery, List, RelabelConfig, fields, settings};

settings! {
    /// `alerting`.
    Alerting in ALERTING {
        alert_relabel_configs: List<RelabelConfig>,
        alertmanagers: List<Alertmanager>,
    }
}

settings! {
    /// An item of `alertmanagers`.
    Alertmanager in ALERTMANAGER {
        scheme: String,
        path_prefix: String,
        timeout: String,
        api_version: String,
        relabel_configs: List<RelabelConfig>,
        alert_relabel_configs: List<RelabelConfig>,
        ..client: Client,
        ..discovery: Discovery,
    }
}
