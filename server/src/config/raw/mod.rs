//! The file as it is written: a mirror of `prometheus.yml`, nothing decided.
//!
//! Each section is a struct whose fields are the names that are read. A field is `None` if its
//! name does not stand there. Names that are not fields are kept, with their places, so that
//! `resolve` can refuse all of them at once. Every section, and what it holds, can be looked
//! through ([`Inspect`]) for such names and for secrets.

mod alerting;
mod client;
mod discovery;
mod file;
mod inspect;
mod job;
mod notify;
mod scalar;
mod web;

use std::fmt;
use std::marker::PhantomData;

use serde::de::{IgnoredAny, MapAccess, Visitor};

pub(super) use alerting::{Alerting, Alertmanager};
pub(super) use client::{
    Authorization, BasicAuth, Client, ClientFile, Header, OAuth2, ProxyFields, TlsConfig,
};
pub(super) use discovery::{
    AttachMetadata, Discovery, DnsConfig, FileConfig, HttpConfig, KubernetesConfig, Namespaces,
    Selector, StaticConfig,
};
pub(super) use file::{
    ChunkEncoding, Exemplars, File, Global, Otlp, Retention, Runtime, ScrapeFile, Storage, Tsdb,
};
pub(super) use inspect::{Found, Inspect, found};
pub(super) use job::{RelabelConfig, ScrapeConfig};
pub(super) use notify::{NotifyFile, Receiver};
pub(super) use scalar::{Hidden, Url};
pub(super) use web::{HttpServer, RateLimit, TlsServer, Web};

use super::error::{Place, Problem};
use super::names::Level;
use super::yaml::{At, Pairs, Value};

/// A list whose items may be null.
pub(super) type List<T> = Vec<Value<T>>;

/// Names with values: a section, or what several sections have in common.
pub(super) trait Fields: Default {
    /// Every name that is read.
    fn names() -> Vec<&'static str>;

    /// Reads the value of `name`, if that is one of them.
    fn read<'de, A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<bool, A::Error>;
}

/// A section of the file.
pub(super) trait Section: Fields {
    /// What its names are checked against.
    const LEVEL: Level;

    /// The names that stood here and are none of the fields.
    fn others(&self) -> &[At<String>];

    /// The same, to add one.
    fn others_mut(&mut self) -> &mut Vec<At<String>>;
}

/// Why the names that stand in this section itself are refused.
pub(super) fn refused_here<S: Section>(section: &S) -> Vec<Problem> {
    section.others().iter().map(|name| S::LEVEL.refuse(name)).collect()
}

/// Reads a section.
struct Reader<S>(PhantomData<S>);

impl<'de, S: Section> Visitor<'de> for Reader<S> {
    type Value = S;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a section")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<S, A::Error> {
        let mut section = S::default();
        while let Some(key) = map.next_key::<At<String>>()? {
            if !section.read(&key.value, &mut map)? {
                map.next_value::<IgnoredAny>()?;
                section.others_mut().push(key);
            }
        }
        Ok(section)
    }
}

/// Declares fields, each with the type that its value has if it is not null; behind `..`, the
/// fields that others declare.
macro_rules! fields {
    ($(#[$doc:meta])* $name:ident {
        $($field:ident $(= $key:literal)?: $type:ty,)*
        $(.. $part:ident: $part_type:ty,)*
        $(@ $others:ident,)?
    }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default)]
        pub(in crate::config) struct $name {
            $(pub(in crate::config) $field: Option<Value<$type>>,)*
            $(pub(in crate::config) $part: $part_type,)*
            $($others: Vec<At<String>>,)?
        }

        impl $crate::config::raw::Fields for $name {
            fn names() -> Vec<&'static str> {
                let own: &[&str] = &[$(fields!(@name $field $($key)?)),*];
                let parts: &[fn() -> Vec<&'static str>] =
                    &[$(<$part_type as $crate::config::raw::Fields>::names),*];
                let parts = parts.iter().flat_map(|names| names());
                own.iter().copied().chain(parts).collect()
            }

            fn read<'de, A: serde::de::MapAccess<'de>>(
                &mut self,
                name: &str,
                map: &mut A,
            ) -> Result<bool, A::Error> {
                $(if name == fields!(@name $field $($key)?) {
                    self.$field = Some(map.next_value()?);
                    return Ok(true);
                })*
                $(if $crate::config::raw::Fields::read(&mut self.$part, name, map)? {
                    return Ok(true);
                })*
                Ok(false)
            }
        }

        impl $crate::config::raw::Inspect for $name {
            fn look_through(&self, place: Place, found: &mut $crate::config::raw::Found) {
                $(self.$field.look_through(place, found);)*
                $(self.$part.look_through(place, found);)*
                $(found.refuse(
                    &<Self as $crate::config::raw::Section>::LEVEL, &self.$others
                );)?
                let _ = (place, found);
            }
        }
    };
    (@name $field:ident) => { stringify!($field) };
    (@name $field:ident $key:literal) => { $key };
}

/// Declares a section; its names are checked against a level of `names`.
macro_rules! settings {
    ($(#[$doc:meta])* $name:ident in $level:ident { $($body:tt)* }) => {
        fields! { $(#[$doc])* $name { $($body)* @ others, } }

        impl $crate::config::raw::Section for $name {
            const LEVEL: $crate::config::names::Level = $crate::config::names::$level;

            fn others(&self) -> &[At<String>] {
                &self.others
            }

            fn others_mut(&mut self) -> &mut Vec<At<String>> {
                &mut self.others
            }
        }

        impl<'de> serde::de::Deserialize<'de> for $name {
            fn deserialize<D: serde::de::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let reader = $crate::config::raw::Reader(std::marker::PhantomData);
                from.deserialize_map(reader)
            }
        }
    };
}

use {fields, settings};

/// What was written and where, unless the name does not stand there or its value is null.
pub(super) fn given<T>(field: &Option<Value<T>>) -> Option<(&T, Place)> {
    field.as_ref().and_then(|at| at.value.as_ref().map(|value| (value, at.place)))
}

/// What was written, unless the name does not stand there or its value is null.
pub(super) fn section<T>(field: &Option<Value<T>>) -> Option<&T> {
    given(field).map(|(section, _)| section)
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
