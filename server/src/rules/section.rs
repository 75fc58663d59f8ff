//! Sections of rule files and of their tests: mirrors of what is written, nothing decided.
//!
//! A section is a struct whose fields are the names that are read. A field is `None` if its name
//! does not stand there, and holds `None` if its value is null. Names that are not fields are kept
//! with their places, so that all of them can be refused at once.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{IgnoredAny, MapAccess, Visitor};

use crate::config::nearest::nearest;
use crate::config::yaml::{At, Value};
use crate::config::{Place, Problem};

/// A list whose items may be null.
pub(in crate::rules) type List<T> = Vec<Value<T>>;

/// A mapping with known names.
pub(in crate::rules) trait Section: Default {
    /// What Prometheus calls it in errors.
    const TYPE: &'static str;
    /// The names that are read.
    const NAMES: &'static [&'static str];

    /// Reads the value of `name`, if that is one of them.
    fn read<'de, A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<bool, A::Error>;

    /// The names that stood here and are none of the fields.
    fn others(&mut self) -> &mut Vec<At<String>>;
}

/// Why the names that stand in a section and are not read are refused.
pub(in crate::rules) fn refused<S: Section>(section: &mut S) -> Vec<Problem> {
    let others = std::mem::take(section.others());
    let refuse = |name: At<String>| {
        let cure = match nearest(&name.value, S::NAMES.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("fields here are {}", S::NAMES.join(", ")),
        };
        let text = format!("field {} not found in type {}; {cure}", name.value, S::TYPE);
        Problem { place: name.place, text }
    };
    others.into_iter().map(refuse).collect()
}

/// Reads a section.
pub(in crate::rules) struct Reader<S>(pub(in crate::rules) PhantomData<S>);

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
                section.others().push(key);
            }
        }
        Ok(section)
    }
}

/// Declares a section with the name that Prometheus has for it; each field with the type that its
/// value has if it is not null.
macro_rules! section {
    ($(#[$doc:meta])* $name:ident = $type_name:literal {
        $($field:ident $(= $key:literal)?: $type:ty,)*
    }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default)]
        pub(in crate::rules) struct $name {
            $(pub(in crate::rules) $field: Option<$crate::config::yaml::Value<$type>>,)*
            others: Vec<$crate::config::yaml::At<String>>,
        }

        impl $crate::rules::section::Section for $name {
            const TYPE: &'static str = $type_name;
            const NAMES: &'static [&'static str] = &[$(section!(@name $field $($key)?)),*];

            fn read<'de, A: serde::de::MapAccess<'de>>(
                &mut self,
                name: &str,
                map: &mut A,
            ) -> Result<bool, A::Error> {
                $(if name == section!(@name $field $($key)?) {
                    self.$field = Some(map.next_value()?);
                    return Ok(true);
                })*
                Ok(false)
            }

            fn others(&mut self) -> &mut Vec<$crate::config::yaml::At<String>> {
                &mut self.others
            }
        }

        impl<'de> serde::de::Deserialize<'de> for $name {
            fn deserialize<D: serde::de::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                from.deserialize_map($crate::rules::section::Reader(std::marker::PhantomData))
            }
        }
    };
    (@name $field:ident) => { stringify!($field) };
    (@name $field:ident $key:literal) => { $key };
}

pub(in crate::rules) use section;

/// What was written, unless the name does not stand there or its value is null.
pub(in crate::rules) fn given<T>(field: &Option<Value<T>>) -> Option<&T> {
    field.as_ref().and_then(|at| at.value.as_ref())
}

/// Where the value stands; nowhere if the name does not.
pub(in crate::rules) fn place<T>(field: &Option<Value<T>>) -> Place {
    field.as_ref().map(|at| at.place).unwrap_or_default()
}

/// The first document of a text. As Prometheus does, what follows it is not looked at.
pub(in crate::rules) fn first_document(text: &str) -> &str {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let (mut offset, mut has_begun) = (0, false);
    for line in text.split_inclusive('\n') {
        let content = line.trim_end();
        let is_marker = content == "---" || content.starts_with("--- ");
        if has_begun && (is_marker || content == "...") {
            return &text[..offset];
        }
        let is_content = !content.is_empty() && !content.starts_with(['#', '%']);
        has_begun |= is_content;
        offset += line.len();
    }
    text
}
