//! What finds targets. Checks and words are those of Prometheus's `discovery`.

mod dns;
mod file;
mod fixed;
mod http;
mod kubernetes;

use std::path::Path;

use scraper::discover::Mechanism;

use super::super::error::Problem;
use super::super::raw::{Discovery, items};
use super::super::yaml::Value;
use super::{client, present, value};

/// Every mechanism of a job; addresses that are written down are `checked` or may be anything.
pub(super) fn mechanisms(
    raw: &Discovery,
    checked: bool,
    base_dir: &Path,
) -> Result<Vec<Mechanism>, Problem> {
    let mut mechanisms = Vec::new();
    let fixed = fixed::fixed(items(&raw.static_configs), checked)?;
    if !fixed.is_empty() {
        mechanisms.push(Mechanism::Fixed(fixed));
    }
    for item in items(&raw.file_sd_configs) {
        mechanisms.push(Mechanism::File(file::file(section(item, "file_sd_configs")?, base_dir)?));
    }
    for item in items(&raw.http_sd_configs) {
        let http = http::http(section(item, "http_sd_configs")?, base_dir)?;
        mechanisms.push(Mechanism::Http(Box::new(http)));
    }
    for item in items(&raw.dns_sd_configs) {
        mechanisms.push(Mechanism::Dns(dns::dns(section(item, "dns_sd_configs")?)?));
    }
    for item in items(&raw.kubernetes_sd_configs) {
        let section = section(item, "kubernetes_sd_configs")?;
        let kubernetes = kubernetes::kubernetes(section, base_dir)?;
        mechanisms.push(Mechanism::Kubernetes(Box::new(kubernetes)));
    }
    Ok(mechanisms)
}

fn section<'a, T>(
    item: &'a Value<T>,
    name: &str,
) -> Result<(&'a T, super::super::error::Place), Problem> {
    present(item, &format!("empty or null section in {name}"))
}
