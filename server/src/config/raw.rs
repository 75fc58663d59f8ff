//! The file as it is written: a mirror of `prometheus.yml`, nothing decided.
//!
//! Each section is a struct whose fields are the names that are read. A field is `None` if its
//! name does not stand there. Names that are not fields are kept, with their places, so that
//! `resolve` can refuse all of them at once.

use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};

use super::error::Place;
use super::yaml::{At, Pairs, Value};

/// A list whose items may be null.
pub(super) type List<T> = Vec<Value<T>>;

/// A section of the file: what stands in it that no field has a name for.
pub(super) trait Section {
    /// Every name that is read here.
    const NAMES: &'static [&'static str];

    /// The other names that stood here.
    fn others(&self) -> &[At<String>];
}

/// Declares a section: its fields, each with the type that its value has if it is not null.
macro_rules! section {
    ($(#[$doc:meta])* $name:ident { $($field:ident $(= $key:literal)?: $type:ty,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default)]
        pub(super) struct $name {
            $(pub(super) $field: Option<Value<$type>>,)+
            others: Vec<At<String>>,
        }

        impl Section for $name {
            const NAMES: &'static [&'static str] = &[$(section!(@name $field $($key)?)),+];

            fn others(&self) -> &[At<String>] {
                &self.others
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Reader;

                impl<'de> Visitor<'de> for Reader {
                    type Value = $name;

                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str("a section")
                    }

                    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<$name, A::Error> {
                        let mut section = $name::default();
                        while let Some(key) = map.next_key::<At<String>>()? {
                            match key.value.as_str() {
                                $(section!(@name $field $($key)?) => {
                                    section.$field = Some(map.next_value()?);
                                })+
                                _ => {
                                    map.next_value::<IgnoredAny>()?;
                                    section.others.push(key);
                                }
                            }
                        }
                        Ok(section)
                    }
                }

                deserializer.deserialize_map(Reader)
            }
        }
    };
    (@name $field:ident) => { stringify!($field) };
    (@name $field:ident $key:literal) => { $key };
}

section! {
    /// The whole file.
    File {
        global: Global,
        scrape_configs: List<ScrapeConfig>,
        storage: Storage,
    }
}

section! {
    /// `global`.
    Global {
        scrape_interval: String,
        scrape_timeout: String,
        evaluation_interval: String,
        external_labels: Pairs<Value<String>>,
    }
}

section! {
    /// `storage`.
    Storage {
        tsdb: Tsdb,
    }
}

section! {
    /// `storage.tsdb`.
    Tsdb {
        out_of_order_time_window: String,
        retention: Retention,
    }
}

section! {
    /// `storage.tsdb.retention`.
    Retention {
        time: String,
        size: String,
    }
}

section! {
    /// An item of `scrape_configs`.
    ScrapeConfig {
        job_name: String,
        scrape_interval: String,
        scrape_timeout: String,
        metrics_path: String,
        scheme: String,
        params: Pairs<Value<List<String>>>,
        honor_labels: bool,
        honor_timestamps: bool,
        body_size_limit: String,
        static_configs: List<StaticConfig>,
        relabel_configs: List<RelabelConfig>,
        metric_relabel_configs: List<RelabelConfig>,
        authorization: Authorization,
        basic_auth: BasicAuth,
        bearer_token: String,
        bearer_token_file: String,
        tls_config: TlsConfig,
        follow_redirects: bool,
        enable_http2: bool,
    }
}

section! {
    /// An item of `static_configs`.
    StaticConfig {
        targets: List<String>,
        labels: Pairs<Value<String>>,
    }
}

section! {
    /// An item of `relabel_configs` or `metric_relabel_configs`.
    RelabelConfig {
        source_labels: List<String>,
        separator: String,
        regex: String,
        modulus: u64,
        target_label: String,
        replacement: String,
        action: String,
    }
}

section! {
    /// `authorization`.
    Authorization {
        kind = "type": String,
        credentials: String,
        credentials_file: String,
    }
}

section! {
    /// `basic_auth`.
    BasicAuth {
        username: String,
        password: String,
        password_file: String,
    }
}

section! {
    /// `tls_config`.
    TlsConfig {
        ca: String,
        ca_file: String,
        cert: String,
        cert_file: String,
        key: String,
        key_file: String,
        server_name: String,
        insecure_skip_verify: bool,
        min_version: String,
        max_version: String,
    }
}

/// What was written and where, unless the name does not stand there or its value is null.
pub(super) fn given<T>(field: &Option<Value<T>>) -> Option<(&T, Place)> {
    field.as_ref().and_then(|at| at.value.as_ref().map(|value| (value, at.place)))
}

/// The items of a list, none if it does not stand there or is null.
pub(super) fn items<T>(field: &Option<Value<List<T>>>) -> &[Value<T>] {
    given(field).map_or(&[], |(items, _)| items)
}

/// The pairs of a mapping, none if it does not stand there or is null.
pub(super) fn pairs<T>(field: &Option<Value<Pairs<T>>>) -> &[(At<String>, T)] {
    given(field).map_or(&[], |(pairs, _)| &pairs.0)
}

/// `default` if the name does not stand there, the zero value if its value is null: so does the
/// reader of Prometheus (Go's YAML).
pub(super) fn or_default<T: Clone + Default>(field: &Option<Value<T>>, default: T) -> T {
    match field {
        Some(at) => at.value.clone().unwrap_or_default(),
        None => default,
    }
}
