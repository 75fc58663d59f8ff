//! Flags of what is read in Kubernetes beside the configuration.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use scraper::discover::kubernetes::MonitorOptions;

use crate::config::Global;
use crate::monitors::{self, MonitorSettings};

/// Flags of what is read in Kubernetes beside the configuration.
#[derive(Args, Clone, Debug)]
pub struct MonitorFlags {
    /// Scrape what ServiceMonitor, PodMonitor, Probe and ScrapeConfig objects of the API server say,
    /// and evaluate PrometheusRule objects; auto: in a pod of a cluster [default: off,
    /// auto with the built-in jobs]
    #[arg(long = "kubernetes.monitors", value_enum, value_name = "WHEN")]
    pub monitors: Option<Monitors>,
    /// Only objects with such labels: release=prometheus,team!=a [default: all]
    #[arg(long = "kubernetes.monitor-selector", value_name = "SELECTOR")]
    pub monitor_selector: Option<String>,
    /// Only objects in these namespaces, between commas [default: all]
    #[arg(long = "kubernetes.monitor-namespaces", value_delimiter = ',', value_name = "NAMES")]
    pub monitor_namespaces: Vec<String>,
    /// YAML files with such objects, whether or not there is a cluster; the last part of a path may
    /// hold *, ? and [a-z]; may be given several times
    #[arg(long = "kubernetes.monitor-files", value_name = "PATTERN")]
    pub monitor_files: Vec<PathBuf>,
    /// How the API server of the monitors and of their targets is reached [default: as a pod does]
    #[arg(long = "kubernetes.kubeconfig", value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
}

/// When monitors are read in the API server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[expect(missing_docs, reason = "named as on the command line")]
pub enum Monitors {
    Off,
    On,
    Auto,
}

impl MonitorFlags {
    /// Where monitors are read, in the API server as `otherwise` says if no flag does; files are
    /// looked at that often.
    pub fn settings(
        &self,
        otherwise: Monitors,
        global: &Global,
        watch: Option<Duration>,
    ) -> MonitorSettings {
        let is_pod = || std::env::var_os("KUBERNETES_SERVICE_HOST").is_some();
        let is_on = match self.monitors.unwrap_or(otherwise) {
            Monitors::Off => false,
            Monitors::On => true,
            Monitors::Auto => self.kubeconfig.is_some() || is_pod(),
        };
        let options = MonitorOptions {
            kubeconfig: self.kubeconfig.clone(),
            namespaces: self.monitor_namespaces.clone(),
            selector: self.monitor_selector.clone().unwrap_or_default(),
        };
        MonitorSettings {
            cluster: is_on.then_some(options),
            kubeconfig: self.kubeconfig.clone(),
            files: self.monitor_files.clone(),
            watch,
            defaults: monitors::defaults(global),
            ..MonitorSettings::default()
        }
    }
}
