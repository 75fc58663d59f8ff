//! Values, labels and texts as JSON, byte for byte as Prometheus writes them.
//!
//! Source of the layout: `util/jsonutil/marshal.go` and `web/api/v1/json_codec.go`. Label sets in
//! results are written without HTML escapes; all other texts have `<`, `>` and `&` escaped. Scalars
//! and strings go through Go's general encoder, so their times and numbers have another layout.

use promql::value::{InstantSample, Point, PointValue, RangeSeries, Value};
use tsdb::model::histogram::Bucket;
use tsdb::model::number::{format_plain, write_json};
use tsdb::model::{Histogram, Labels, Timestamp};

/// Writes a text without HTML escapes (label names and values of results).
pub(super) fn write_text(out: &mut String, text: &str) {
    write_escaped(out, text, false);
}

/// Writes a text with HTML escapes (everything else).
pub(super) fn write_html_safe(out: &mut String, text: &str) {
    write_escaped(out, text, true);
}

fn write_escaped(out: &mut String, text: &str, html: bool) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '<' | '>' | '&' if html => out.push_str(&format!("\\u{:04x}", c as u32)),
            '\u{2028}' | '\u{2029}' if html => out.push_str(&format!("\\u{:04x}", c as u32)),
            c if c < ' ' => out.push_str(&format!("\\u{:04x}", c as u32)),
            c => out.push(c),
        }
    }
    out.push('"');
}

/// Writes `items` as an array.
pub(super) fn write_list<T>(
    out: &mut String,
    items: impl IntoIterator<Item = T>,
    mut write: impl FnMut(&mut String, T),
) {
    out.push('[');
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        write(out, item);
    }
    out.push(']');
}

/// Writes an object; names as they are, each value by `write`.
pub(super) fn write_object<N: AsRef<str>, T>(
    out: &mut String,
    fields: impl IntoIterator<Item = (N, T)>,
    mut write: impl FnMut(&mut String, T),
) {
    out.push('{');
    for (index, (name, value)) in fields.into_iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        write_html_safe(out, name.as_ref());
        out.push(':');
        write(out, value);
    }
    out.push('}');
}

/// Writes a label set as an object.
pub(super) fn write_labels(out: &mut String, labels: &Labels) {
    out.push('{');
    for (index, (name, value)) in labels.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        write_text(out, name);
        out.push(':');
        write_text(out, value);
    }
    out.push('}');
}

/// Writes seconds: no decimals, or exactly three.
pub(super) fn write_seconds(out: &mut String, time: Timestamp) {
    let ms = time.ms().unsigned_abs();
    if time.ms() < 0 {
        out.push('-');
    }
    out.push_str(&(ms / 1000).to_string());
    if !ms.is_multiple_of(1000) {
        out.push_str(&format!(".{:03}", ms % 1000));
    }
}

/// Writes a number, quoted.
pub(super) fn write_float(out: &mut String, value: f64) {
    out.push('"');
    write_json(out, value);
    out.push('"');
}

/// Writes a native histogram: count, sum and the buckets that are not empty, if there are any.
fn write_histogram(out: &mut String, histogram: &Histogram) {
    out.push_str(r#"{"count":"#);
    write_float(out, histogram.count);
    out.push_str(r#","sum":"#);
    write_float(out, histogram.sum);
    let mut buckets = histogram.buckets().filter(|bucket| bucket.count != 0.0).peekable();
    if buckets.peek().is_some() {
        out.push_str(r#","buckets":"#);
        write_list(out, buckets, write_bucket);
    }
    out.push('}');
}

/// Writes `[boundaries,"lower","upper","count"]`.
fn write_bucket(out: &mut String, bucket: Bucket) {
    // Which of its bounds belong to it: the upper one, the lower one, neither, both.
    let boundaries = match (bucket.lower_inclusive, bucket.upper_inclusive) {
        (false, true) => 0,
        (true, false) => 1,
        (false, false) => 2,
        (true, true) => 3,
    };
    out.push_str(&format!("[{boundaries}"));
    for value in [bucket.lower, bucket.upper, bucket.count] {
        out.push(',');
        write_float(out, value);
    }
    out.push(']');
}

fn write_point(out: &mut String, point: &Point) {
    out.push('[');
    write_seconds(out, point.timestamp);
    out.push(',');
    write_point_value(out, &point.value);
    out.push(']');
}

fn write_point_value(out: &mut String, value: &PointValue) {
    match value {
        PointValue::Float(value) => write_float(out, *value),
        PointValue::Histogram(histogram) => write_histogram(out, histogram),
    }
}

fn write_instant_sample(out: &mut String, sample: &InstantSample) {
    out.push_str(r#"{"metric":"#);
    write_labels(out, &sample.labels);
    out.push_str(match sample.point.value {
        PointValue::Float(_) => r#","value":"#,
        PointValue::Histogram(_) => r#","histogram":"#,
    });
    write_point(out, &sample.point);
    out.push('}');
}

/// The beginnings of a matrix's points: `[seconds,`. The series share their times, so that each is
/// written out once.
#[derive(Default)]
struct Times(Vec<(Timestamp, String)>);

impl Times {
    /// The beginning for `time`, which is at `from` or later.
    fn beginning(&mut self, from: &mut usize, time: Timestamp) -> &str {
        while self.0.get(*from).is_some_and(|(own, _)| *own < time) {
            *from += 1;
        }
        if self.0.get(*from).is_none_or(|(own, _)| *own != time) {
            let mut text = String::from("[");
            write_seconds(&mut text, time);
            text.push(',');
            self.0.insert(*from, (time, text));
        }
        &self.0[*from].1
    }
}

fn write_range_series(out: &mut String, series: &RangeSeries, times: &mut Times) {
    out.push_str(r#"{"metric":"#);
    write_labels(out, &series.labels);
    let is_float = |point: &&Point| matches!(point.value, PointValue::Float(_));
    for (key, floats) in [("values", true), ("histograms", false)] {
        let mut points = series.points.iter().filter(|point| is_float(point) == floats).peekable();
        if points.peek().is_some() {
            out.push_str(&format!(r#","{key}":"#));
            let mut from = 0;
            write_list(out, points, |out, point| {
                out.push_str(times.beginning(&mut from, point.timestamp));
                write_point_value(out, &point.value);
                out.push(']');
            });
        }
    }
    out.push('}');
}

/// Bytes of a point, about.
const POINT_BYTES: usize = 36;

/// Writes `{"resultType":…,"result":…}`.
pub(super) fn write_value(out: &mut String, value: &Value) {
    let kind = match value {
        Value::Scalar(..) => "scalar",
        Value::Text(..) => "string",
        Value::Vector(_) => "vector",
        Value::Matrix(_) => "matrix",
    };
    out.push_str(&format!(r#"{{"resultType":"{kind}","result":"#));
    match value {
        Value::Scalar(value, time) => {
            out.push_str(&format!(r#"[{},"{}"]"#, time.seconds(), format_plain(*value)));
        }
        Value::Text(text, time) => {
            out.push_str(&format!("[{},", time.seconds()));
            write_html_safe(out, text);
            out.push(']');
        }
        Value::Vector(samples) => write_list(out, samples, write_instant_sample),
        Value::Matrix(series) => {
            let points: usize = series.iter().map(|series| series.points.len()).sum();
            out.reserve(points * POINT_BYTES);
            let mut times = Times::default();
            write_list(out, series, |out, series| write_range_series(out, series, &mut times));
        }
    }
    out.push('}');
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tsdb::model::histogram::{CUSTOM_BUCKETS_SCHEMA, Span};

    use super::*;

    fn written(value: &Value) -> String {
        let mut out = String::new();
        write_value(&mut out, value);
        out
    }

    #[test]
    fn values() {
        let labels = Labels::from_pairs([("__name__", "up"), ("a", "<\"\n")]);
        let point = |ms, value| Point {
            timestamp: Timestamp::from_ms(ms),
            value: PointValue::Float(value),
        };
        let rows = [
            (
                Value::Scalar(1.5, Timestamp::from_ms(1_050)),
                r#"{"resultType":"scalar","result":[1.05,"1.5"]}"#,
            ),
            (
                Value::Text("<a>".into(), Timestamp::from_ms(-1_001)),
                r#"{"resultType":"string","result":[-1.001,"\u003ca\u003e"]}"#,
            ),
            (Value::Vector(vec![]), r#"{"resultType":"vector","result":[]}"#),
            (
                Value::Vector(vec![InstantSample {
                    labels: labels.clone(),
                    point: point(2_000, f64::NAN),
                }]),
                r#"{"resultType":"vector","result":[{"metric":{"__name__":"up","a":"<\"\n"},"value":[2,"NaN"]}]}"#,
            ),
            (
                Value::Matrix(vec![
                    RangeSeries { labels, points: vec![point(0, 1e21), point(2, 0.0)] },
                    RangeSeries {
                        labels: Labels::empty(),
                        points: vec![
                            point(-1, 1.5),
                            point(1, 2.0),
                            point(2, 3.0),
                            point(1000, 4.0),
                        ],
                    },
                ]),
                r#"{"resultType":"matrix","result":[{"metric":{"__name__":"up","a":"<\"\n"},"values":[[0,"1e+21"],[0.002,"0"]]},{"metric":{},"values":[[-0.001,"1.5"],[0.001,"2"],[0.002,"3"],[1,"4"]]}]}"#,
            ),
        ];
        for (value, json) in rows {
            assert_eq!(written(&value), json);
        }
    }

    #[test]
    fn native_histograms() {
        let spans = |offset, length| vec![Span { offset, length }];
        let exponential = Histogram {
            zero_threshold: 0.001,
            zero_count: 2.0,
            count: 12.5,
            sum: f64::NAN,
            positive_spans: spans(0, 3),
            positive_buckets: vec![1.0, 0.0, 1e21],
            negative_spans: spans(1, 1),
            negative_buckets: vec![1.5],
            ..Histogram::default()
        };
        let custom = Histogram {
            schema: CUSTOM_BUCKETS_SCHEMA,
            count: 3.0,
            sum: -0.5,
            positive_spans: spans(0, 3),
            positive_buckets: vec![1.0, 0.5, 1.5],
            custom_values: vec![1e-7, 0.25],
            ..Histogram::default()
        };
        let rows = [
            (Histogram::default(), r#"{"count":"0","sum":"0"}"#),
            (
                exponential,
                r#"{"count":"12.5","sum":"NaN","buckets":[[1,"-2","-1","1.5"],[3,"-0.001","0.001","2"],[0,"0.5","1","1"],[0,"2","4","1e+21"]]}"#,
            ),
            (
                custom,
                r#"{"count":"3","sum":"-0.5","buckets":[[3,"-Inf","1e-07","1"],[0,"1e-07","0.25","0.5"],[0,"0.25","+Inf","1.5"]]}"#,
            ),
        ];
        let labels = || Labels::from_pairs([("a", "b")]);
        for (histogram, json) in rows {
            let value = PointValue::Histogram(Arc::new(histogram));
            let point = Point { timestamp: Timestamp::from_ms(1_500), value };
            let instant =
                Value::Vector(vec![InstantSample { labels: labels(), point: point.clone() }]);
            assert_eq!(
                written(&instant),
                format!(
                    r#"{{"resultType":"vector","result":[{{"metric":{{"a":"b"}},"histogram":[1.500,{json}]}}]}}"#
                )
            );
            let float = Point { value: PointValue::Float(1.0), ..point.clone() };
            let range =
                Value::Matrix(vec![RangeSeries { labels: labels(), points: vec![float, point] }]);
            assert_eq!(
                written(&range),
                format!(
                    r#"{{"resultType":"matrix","result":[{{"metric":{{"a":"b"}},"values":[[1.500,"1"]],"histograms":[[1.500,{json}]]}}]}}"#
                )
            );
        }
    }
}
