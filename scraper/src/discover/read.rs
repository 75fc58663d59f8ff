//! Lists of target groups as files and URLs have them: `[{targets: […], labels: {…}}]`, in JSON
//! or YAML. The only place of this crate that knows these languages.
//!
//! What is read is not trusted: text that is no such list is refused as a whole, and so is one with
//! more targets or labels than the limits below, before it takes the memory.
//!
//! Source of the rules: Prometheus 3.14, `discovery/targetgroup`.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::{ADDRESS, LabelPairs, TARGETS_MAX, TargetGroup};

/// Longest text that is read, in bytes: room for 200 000 targets with a few labels each.
pub(super) const TEXT_BYTES_MAX: u64 = 64 << 20;
/// Labels that a group may have.
const GROUP_LABELS_MAX: usize = 1_000;
/// Nodes of a YAML document: those of [`TARGETS_MAX`] groups with a target and three labels each.
const YAML_NODES_MAX: usize = 12 * TARGETS_MAX;

/// The language of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// JSON.
    Json,
    /// YAML.
    Yaml,
}

/// The groups in `text`. Each one's source is `<from>:<its place>`, and each gets the label
/// `label` with the value `from`.
pub(super) fn groups(
    text: &[u8],
    form: Form,
    from: &str,
    label: &str,
) -> Result<Vec<TargetGroup>, String> {
    let groups = written(text, form)?.into_iter().enumerate().map(|(index, group)| {
        let mut labels = group.labels.unwrap_or_default().0;
        labels.insert(label.to_owned(), from.to_owned());
        let targets = group.targets.unwrap_or_default().0.into_iter();
        let address = |text: Option<String>| (ADDRESS.to_owned(), text.unwrap_or_default());
        let targets = targets.map(|text| LabelPairs::from([address(text)])).collect();
        TargetGroup { source: format!("{from}:{index}"), targets, labels }
    });
    Ok(groups.collect())
}

fn written(text: &[u8], form: Form) -> Result<Vec<Written>, String> {
    let read: Option<Groups> = match form {
        Form::Json => serde_json::from_slice(text).map_err(|error| error.to_string())?,
        Form::Yaml => yaml(text)?,
    };
    Ok(read.unwrap_or_default().0)
}

fn yaml(text: &[u8]) -> Result<Option<Groups>, String> {
    let options = serde_saphyr::options! {
        with_snippet: false,
        budget: serde_saphyr::budget! {
            max_nodes: YAML_NODES_MAX,
            max_events: 2 * YAML_NODES_MAX,
            max_total_scalar_bytes: TEXT_BYTES_MAX as usize,
            max_total_comment_bytes: TEXT_BYTES_MAX as usize,
            max_buffered_comment_events: TEXT_BYTES_MAX as usize,
        },
    };
    let read = serde_saphyr::from_slice_with_options(text, options);
    read.map_err(|error| error.without_snippet().to_string())
}

/// A group as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default)]
    targets: Option<Targets>,
    #[serde(default)]
    labels: Option<GroupLabels>,
}

/// A list of groups, in which none may be null.
#[derive(Debug, Default)]
struct Groups(Vec<Written>);

impl<'de> Deserialize<'de> for Groups {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let size = |group: &Option<Written>| {
            let targets = group.as_ref().and_then(|group| group.targets.as_ref());
            // A group without targets takes memory, too.
            targets.map_or(1, |targets| targets.0.len().max(1))
        };
        let groups = deserializer.deserialize_seq(List { size, element: PhantomData })?;
        let present: Option<Vec<Written>> = groups.into_iter().collect();
        present.map(Self).ok_or_else(|| D::Error::custom("nil target group item found"))
    }
}

/// The addresses of a group.
#[derive(Debug, Default)]
struct Targets(Vec<Option<String>>);

impl<'de> Deserialize<'de> for Targets {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let size = |_: &Option<String>| 1;
        deserializer.deserialize_seq(List { size, element: PhantomData }).map(Self)
    }
}

/// Reads a list whose elements together count for at most [`TARGETS_MAX`].
struct List<T, F> {
    size: F,
    element: PhantomData<T>,
}

impl<'de, T: Deserialize<'de>, F: Fn(&T) -> usize> Visitor<'de> for List<T, F> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<T>, A::Error> {
        let (mut elements, mut sum) = (Vec::new(), 0);
        while let Some(element) = list.next_element()? {
            sum += (self.size)(&element);
            if sum > TARGETS_MAX {
                return Err(A::Error::custom(format!("more than {TARGETS_MAX} targets")));
            }
            elements.push(element);
        }
        Ok(elements)
    }
}

/// The labels of a group; null is an empty value.
#[derive(Debug, Default)]
struct GroupLabels(LabelPairs);

impl<'de> Deserialize<'de> for GroupLabels {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(LabelsVisitor)
    }
}

struct LabelsVisitor;

impl<'de> Visitor<'de> for LabelsVisitor {
    type Value = GroupLabels;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("label names with values")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<GroupLabels, A::Error> {
        let mut labels = LabelPairs::new();
        while let Some((name, value)) = map.next_entry::<String, Option<String>>()? {
            if name.is_empty() {
                return Err(A::Error::custom("\"\" is not a valid label name"));
            }
            labels.insert(name, value.unwrap_or_default());
            if labels.len() > GROUP_LABELS_MAX {
                return Err(A::Error::custom(format!("more than {GROUP_LABELS_MAX} labels")));
            }
        }
        Ok(GroupLabels(labels))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Groups as `source{labels}[addresses]`, or the beginning of what is wrong.
    fn read(text: &str, form: Form) -> Result<String, String> {
        let groups = groups(text.as_bytes(), form, "f", "from")?;
        let shown = groups.iter().map(|group| {
            let addresses: Vec<&str> = group.targets.iter().map(|t| &*t[ADDRESS]).collect();
            let labels = group.labels.iter().filter(|(name, _)| *name != "from");
            let labels: Vec<String> =
                labels.map(|(name, value)| format!("{name}={value}")).collect();
            assert_eq!(group.labels["from"], "f");
            format!("{}{{{}}}[{}]", group.source, labels.join(","), addresses.join(","))
        });
        Ok(shown.collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn good_and_bad_lists() {
        let rows = [
            (
                Form::Json,
                r#"[{"targets":["a:1","b:1"],"labels":{"x":"1"}}]"#,
                Ok("f:0{x=1}[a:1,b:1]"),
            ),
            (Form::Json, r#"[{"targets":["a"]},{"labels":{"x":"ü"}}]"#, Ok("f:0{}[a] f:1{x=ü}[]")),
            (Form::Json, r#"[{"targets":null,"labels":null}]"#, Ok("f:0{}[]")),
            (Form::Json, r#"[{"targets":["a"],"labels":{"x":null}}]"#, Ok("f:0{x=}[a]")),
            (Form::Json, "[]", Ok("")),
            (Form::Json, "null", Ok("")),
            (Form::Json, "", Err("EOF while parsing")),
            (Form::Json, "[null]", Err("nil target group item found")),
            (Form::Json, "{}", Err("invalid type: map, expected a list")),
            (Form::Json, r#"[{"target":["a"]}]"#, Err("unknown field `target`")),
            (Form::Json, r#"[{"targets":"a"}]"#, Err("invalid type: string")),
            (Form::Json, r#"[{"targets":[1]}]"#, Err("invalid type: integer")),
            (Form::Json, r#"[{"targets":["a"],"labels":{"x":1}}]"#, Err("invalid type: integer")),
            (
                Form::Json,
                r#"[{"targets":["a"],"labels":{"":"1"}}]"#,
                Err("\"\" is not a valid label"),
            ),
            (Form::Json, r#"[{"targets":["a"]}]x"#, Err("trailing characters")),
            (Form::Json, "<html>", Err("expected value")),
            (
                Form::Yaml,
                "- targets: [a, b]\n  labels: {x: 1, y: true, z: 1.50}",
                Ok("f:0{x=1,y=true,z=1.50}[a,b]"),
            ),
            (
                Form::Yaml,
                "- targets:\n  - 10.0.0.1:80\n- targets: [c]\n  labels:",
                Ok("f:0{}[10.0.0.1:80] f:1{}[c]"),
            ),
            (Form::Yaml, "", Ok("")),
            (Form::Yaml, "# nothing\n", Ok("")),
            (Form::Yaml, "-\n", Err("nil target group item found")),
            (Form::Yaml, "- target: [a]", Err("unknown field")),
            (Form::Yaml, "targets: [a]", Err("")),
            (Form::Yaml, "- targets: [a]\n  targets: [b]", Err("")),
            (Form::Yaml, "[[[", Err("")),
        ];
        for (form, text, expected) in rows {
            match (read(text, form), expected) {
                (Ok(read), Ok(expected)) => assert_eq!(read, expected, "{text}"),
                (Err(error), Err(part)) => assert!(error.contains(part), "{text}: {error}"),
                (read, expected) => panic!("{text}: {read:?} instead of {expected:?}"),
            }
        }
    }

    #[test]
    fn limits_hold() {
        let list = |count: usize| format!("[{}\"a\"]", "\"a\",".repeat(count - 1));
        let group = |targets: &str| format!("{{\"targets\":{targets}}}");
        let labels: Vec<String> =
            (0..=GROUP_LABELS_MAX).map(|n| format!("\"l{n}\":\"\"")).collect();
        let rows = [
            (format!("[{}]", group(&list(TARGETS_MAX))), true),
            (format!("[{}]", group(&list(TARGETS_MAX + 1))), false),
            (format!("[{},{}]", group(&list(TARGETS_MAX)), group(&list(1))), false),
            (format!("[{}{{}}]", "{},".repeat(TARGETS_MAX)), false),
            (format!("[{{\"labels\":{{{}}}}}]", labels.join(",")), false),
        ];
        for (text, is_good) in rows {
            for form in [Form::Json, Form::Yaml] {
                let read = read(&text, form);
                assert_eq!(read.is_ok(), is_good, "{form:?} {}", &text[..40]);
            }
        }
    }
}
