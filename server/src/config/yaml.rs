//! The only place that knows the YAML library.
//!
//! Everything read is [`At`] a place. YAML's null is `None`; who resolves a value decides what
//! that means (Prometheus's reader sets the zero value). Scalars are read as the type that is
//! wanted, so `regex: true` is the text `true`; anchors, aliases and merge keys are expanded;
//! keys that stand twice are refused. The library bounds depth (64), nodes (250 000), events and
//! replayed aliases (a million each).

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, DeserializeOwned, Deserializer, MapAccess, Visitor};
use serde_saphyr::{Error, Location, MessageFormatter, Spanned, UserMessageFormatter};

use super::error::{Place, Problem};

/// Most comment lines in a row: larger than any file that is read can hold.
const COMMENT_LINES_MAX: usize = super::CONFIG_BYTES_MAX as usize;

/// A value and where it is written; for an alias or a merged value, where its anchor is.
#[derive(Clone, Debug)]
pub(crate) struct At<T> {
    pub(crate) value: T,
    pub(crate) place: Place,
}

/// A value that may be null.
pub(crate) type Value<T> = At<Option<T>>;

impl<'de, T: Deserialize<'de>> Deserialize<'de> for At<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<T>::deserialize(deserializer)?;
        Ok(Self { value: spanned.value, place: place(spanned.defined) })
    }
}

/// A mapping with free names, in the order of the file.
#[derive(Clone, Debug)]
pub(crate) struct Pairs<T>(pub(crate) Vec<(At<String>, T)>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Pairs<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(PairsVisitor(PhantomData))
    }
}

struct PairsVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for PairsVisitor<T> {
    type Value = Pairs<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("names with values")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut pairs = Vec::new();
        while let Some(pair) = map.next_entry()? {
            pairs.push(pair);
        }
        Ok(Pairs(pairs))
    }
}

/// Reads one document. An empty text has null for its root.
pub(crate) fn read<T: for<'de> Deserialize<'de> + Default>(text: &str) -> Result<T, Problem> {
    let read: Result<Option<T>, Error> = serde_saphyr::from_str_with_options(text, options());
    read.map(Option::unwrap_or_default).map_err(|error| problem(&error))
}

/// Reads all documents that are not empty.
pub(crate) fn read_all<T: DeserializeOwned>(text: &str) -> Result<Vec<T>, Problem> {
    serde_saphyr::from_multiple_with_options(text, options()).map_err(|error| problem(&error))
}

fn options() -> serde_saphyr::Options {
    serde_saphyr::options! {
        with_snippet: false,
        budget: serde_saphyr::budget! { max_buffered_comment_events: COMMENT_LINES_MAX },
    }
}

fn problem(error: &Error) -> Problem {
    Problem {
        place: error.location().map(place).unwrap_or_default(),
        text: describe(error.without_snippet()),
    }
}

fn place(location: Location) -> Place {
    let number = |n: u64| usize::try_from(n).unwrap_or_default();
    let span = location.span();
    Place {
        line: number(location.line()),
        column: number(location.column()),
        start: number(span.byte_offset().unwrap_or_default()),
        len: number(span.byte_len().unwrap_or_default()),
    }
}

/// The library's errors in the words of somebody who writes a configuration.
fn describe(error: &Error) -> String {
    let text = match error {
        Error::AliasError { error, .. } => return describe(error),
        Error::Unexpected { expected: "mapping start", .. } => {
            "expected a section; write `name: value` lines, indented below"
        }
        Error::Unexpected { expected: "sequence start", .. } => {
            "expected a list; write `- …` lines below, or `[…]`"
        }
        Error::Unexpected { expected: "string scalar", .. } => {
            "expected a text; write it after the name, in quotes if it has special characters"
        }
        Error::NullIntoString { .. } => "expected a text; write it, or `\"\"` for an empty one",
        Error::InvalidScalar { ty: "boolean", .. } => {
            "expected `true` or `false`; write one of them"
        }
        Error::InvalidScalar { ty: "u64", .. } => "expected a whole number; write digits only",
        Error::MultipleDocuments { .. } => {
            "a second document begins; keep one and delete the `---`"
        }
        Error::UnknownAnchor { .. } => {
            "this alias has no anchor; define it above with `&name`, or quote the text"
        }
        Error::DuplicateMappingKey { key: Some(key), .. } => {
            return format!("`{key}` is set twice here; keep one of the two");
        }
        Error::InvalidBinaryBase64 { .. } => "this !!binary is not base64; write the text itself",
        Error::BinaryNotUtf8 { .. } => "this !!binary is not UTF-8 text; write a text",
        Error::Budget { .. } => {
            "nested too deeply, too long, or aliases of aliases; write it flatter or shorter"
        }
        _ => {
            let what = UserMessageFormatter.format_message(error);
            let cure = "check indentation and quotes, of this line and of the one above";
            return format!("{}; {cure}", what.trim_end_matches('.'));
        }
    };
    text.to_owned()
}
