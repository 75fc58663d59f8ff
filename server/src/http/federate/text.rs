//! Text 0.0.4: a `TYPE` line for each family, then a line for each sample. Native histograms do not
//! fit in and are left out.

use promql::value::PointValue;
use tsdb::model::labels::{is_legacy_metric_name, is_legacy_name};
use tsdb::model::number::format_general;

use super::Exposed;

/// All families, whose samples stand together.
pub(super) fn write(samples: &[Exposed]) -> String {
    let (mut out, mut family) = (String::new(), None);
    for sample in samples {
        let PointValue::Float(value) = sample.value else { continue };
        if family != Some(&sample.name) {
            family = Some(&sample.name);
            out.push_str("# TYPE ");
            write_name(&mut out, &sample.name, is_legacy_metric_name(&sample.name));
            out.push_str(" untyped\n");
        }
        write_series(&mut out, sample);
        out.push_str(&format!(" {} {}\n", format_general(value), sample.timestamp.ms()));
    }
    out
}

/// `name{label="value"}`, or `{"name",label="value"}` if the name is not of the old kind.
fn write_series(out: &mut String, sample: &Exposed) {
    let is_legacy = is_legacy_metric_name(&sample.name);
    if is_legacy {
        out.push_str(&sample.name);
    }
    let mut separator = '{';
    if !is_legacy {
        out.push(separator);
        write_quoted(out, &sample.name);
        separator = ',';
    }
    for (name, value) in &sample.labels {
        out.push(separator);
        write_name(out, name, is_legacy_name(name));
        out.push('=');
        write_quoted(out, value);
        separator = ',';
    }
    if separator == ',' {
        out.push('}');
    }
}

fn write_name(out: &mut String, name: &str, is_legacy: bool) {
    match is_legacy {
        true => out.push_str(name),
        false => write_quoted(out, name),
    }
}

fn write_quoted(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '"' => out.push_str("\\\""),
            '\n' => out.push_str("\\n"),
            c => out.push(c),
        }
    }
    out.push('"');
}
