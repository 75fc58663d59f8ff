//! Functions of instant vectors and scalars, element by element.

use promql::ast::{Call, Expr, ExprKind, ValueType};
use tsdb::model::{BUCKET_LABEL, Labels};

use super::date::Date;
use super::number::{go_max, go_min};
use super::quantile::of_buckets;
use super::{Found, Moment, Reference, Sample, Value, Vector, bare, derived, label, nameless};

impl Reference<'_> {
    pub(super) fn call(&self, expr: &Expr, call: &Call, at: Moment) -> Found<Vector> {
        let args = &call.args;
        if args.iter().any(|own| own.value_type() == ValueType::Matrix) {
            return self.range_call(expr, call, at);
        }
        let name = call.function.name;
        let one = |labels: Labels, value: f64| {
            vec![Sample { labels, time: at.time, value: Value::Float(value) }]
        };
        if name == "vector" {
            return Ok(one(Labels::empty(), self.scalar(&args[0], at)?));
        }
        if args.is_empty() {
            return Ok(one(Labels::empty(), Date::at(at.time / 1000).part(name)));
        }
        let of = |kind| args.iter().filter(move |own| own.value_type() == kind);
        let vector = self.vector(of(ValueType::Vector).next().expect("a vector"), at)?;
        let params: Vec<f64> =
            of(ValueType::Scalar).map(|own| self.scalar(own, at)).collect::<Found<_>>()?;
        match name {
            "absent" if vector.is_empty() => Ok(one(label::of_absent(&args[0]), 1.0)),
            "absent" => Ok(Vec::new()),
            "sort" | "sort_desc" => {
                Ok(vector.into_iter().filter(|own| own.value.float().is_some()).collect())
            }
            "sort_by_label" | "sort_by_label_desc" => Ok(vector),
            "label_replace" => vector.into_iter().map(|own| label::replaced(own, args)).collect(),
            "label_join" => vector.into_iter().map(|own| label::joined(own, args)).collect(),
            "timestamp" => Ok(times(vector, &args[0], at)),
            "histogram_count" | "histogram_sum" | "histogram_avg" => {
                Ok(of_histograms(name, vector))
            }
            "histogram_quantile" => Ok(bucket_quantiles(params[0], &vector, at)),
            "clamp" if params[1] < params[0] => Ok(Vec::new()),
            _ => Ok(of_floats(vector, |value| float(name, value, &params))),
        }
    }
}

/// When the samples of a selector were taken; anything else is of now.
fn times(vector: Vector, arg: &Expr, at: Moment) -> Vector {
    let is_selected = matches!(bare(arg).kind, ExprKind::Vector(_));
    let time = |own: &Sample| if is_selected { own.time } else { at.time };
    let seconds = vector.into_iter().map(|own| {
        let value = Value::Float(time(&own) as f64 / 1000.0);
        derived(own, |_| value)
    });
    seconds.collect()
}

fn of_floats(vector: Vector, change: impl Fn(f64) -> f64) -> Vector {
    let floats = vector.into_iter().filter_map(|own| {
        let value = Value::Float(change(own.value.float()?));
        Some(derived(own, |_| value))
    });
    floats.collect()
}

fn of_histograms(function: &str, vector: Vector) -> Vector {
    let values = vector.into_iter().filter_map(|own| {
        let Value::Histogram(histogram) = &own.value else { return None };
        let value = Value::Float(match function {
            "histogram_count" => histogram.count,
            "histogram_sum" => histogram.sum,
            _ => histogram.sum / histogram.count,
        });
        Some(derived(own, |_| value))
    });
    values.collect()
}

fn float(function: &str, x: f64, params: &[f64]) -> f64 {
    match function {
        "abs" => x.abs(),
        "ceil" => x.ceil(),
        "floor" => x.floor(),
        "exp" => x.exp(),
        "sqrt" => x.sqrt(),
        "ln" => x.ln(),
        "log2" => x.log2(),
        "log10" => x.log10(),
        "sin" => x.sin(),
        "cos" => x.cos(),
        "tan" => x.tan(),
        "asin" => x.asin(),
        "acos" => x.acos(),
        "atan" => x.atan(),
        "sinh" => x.sinh(),
        "cosh" => x.cosh(),
        "tanh" => x.tanh(),
        "rad" => x * std::f64::consts::PI / 180.0,
        "deg" => x * 180.0 / std::f64::consts::PI,
        "sgn" => {
            if x < 0.0 {
                -1.0
            } else if x > 0.0 {
                1.0
            } else {
                x
            }
        }
        "round" => {
            let inverse = 1.0 / params.first().copied().unwrap_or(1.0);
            (x * inverse + 0.5).floor() / inverse
        }
        "clamp" => go_max(params[0], go_min(params[1], x)),
        "clamp_min" => go_max(params[0], go_min(f64::INFINITY, x)),
        "clamp_max" => go_max(f64::NEG_INFINITY, go_min(params[0], x)),
        _ => Date::at(x as i64).part(function),
    }
}

/// `histogram_quantile` of classic histograms: a quantile for each set of labels but `le`.
fn bucket_quantiles(q: f64, vector: &Vector, at: Moment) -> Vector {
    let mut histograms: Vec<(Labels, Vec<(f64, f64)>)> = Vec::new();
    for sample in vector {
        let bound = sample.labels.get(BUCKET_LABEL).and_then(|le| le.parse::<f64>().ok());
        let (Some(bound), Some(count)) = (bound, sample.value.float()) else { continue };
        let labels = sample.labels.filtered(|name| name != BUCKET_LABEL);
        match histograms.iter_mut().find(|(own, _)| *own == labels) {
            Some((_, buckets)) => buckets.push((bound, count)),
            None => histograms.push((labels, vec![(bound, count)])),
        }
    }
    let quantile = |(labels, buckets): (Labels, Vec<(f64, f64)>)| {
        let value = Value::Float(of_buckets(q, buckets));
        Sample { labels: nameless(&labels), time: at.time, value }
    };
    histograms.into_iter().map(quantile).collect()
}
