//! Operators between vectors and numbers.

use promql::ast::{Binary, BinaryOp, Cardinality, MatchingLabels, ValueType, VectorMatching};
use tsdb::model::Labels;

use super::number::floats;
use super::{Found, Moment, Reference, Sample, Value, Vector, derived, fail, nameless};

impl Reference<'_> {
    pub(super) fn binary(&self, binary: &Binary, at: Moment) -> Found<Vector> {
        let is_scalar = |own: &promql::ast::Expr| own.value_type() == ValueType::Scalar;
        if is_scalar(&binary.left) {
            let left = self.scalar(&binary.left, at)?;
            return Ok(with_number(binary, self.vector(&binary.right, at)?, left, true));
        }
        let left = self.vector(&binary.left, at)?;
        if is_scalar(&binary.right) {
            let right = self.scalar(&binary.right, at)?;
            return Ok(with_number(binary, left, right, false));
        }
        let right = self.vector(&binary.right, at)?;
        let matching = binary.matching.as_ref().expect("two vectors match somehow");
        if binary.op.is_set() {
            Ok(set(binary.op, matching, left, right))
        } else {
            pairs(binary, matching, left, right)
        }
    }
}

/// The result of two values and whether a comparison holds; nothing if they do not go together.
fn values(op: BinaryOp, left: &Value, right: &Value) -> Option<(Value, bool)> {
    match (left, right) {
        (Value::Float(a), Value::Float(b)) => {
            let (value, holds) = floats(op, *a, *b);
            Some((Value::Float(value), holds))
        }
        (Value::Float(a), Value::Histogram(b)) if op == BinaryOp::Mul => {
            Some((Value::Histogram(b.scaled(*a)), true))
        }
        (Value::Histogram(a), Value::Float(b)) if op == BinaryOp::Mul => {
            Some((Value::Histogram(a.scaled(*b)), true))
        }
        (Value::Histogram(a), Value::Float(b)) if op == BinaryOp::Div => {
            Some((Value::Histogram(a.divided(*b)), true))
        }
        (Value::Histogram(a), Value::Histogram(b)) => {
            let value = match op {
                BinaryOp::Add => a.plus(b, 1.0),
                BinaryOp::Sub => a.plus(b, -1.0).into_gauge(),
                BinaryOp::Equal | BinaryOp::NotEqual => a.clone(),
                _ => return None,
            };
            let holds = match op {
                BinaryOp::Equal => a.equals(b),
                BinaryOp::NotEqual => !a.equals(b),
                _ => true,
            };
            Some((Value::Histogram(value), holds))
        }
        _ => None,
    }
}

/// What an operation leaves: arithmetic its value, `bool` 0 or 1, a comparison its value if it
/// holds.
fn result(binary: &Binary, value: Value, holds: bool) -> Option<Value> {
    match binary.returns_bool {
        true => Some(Value::Float(f64::from(u8::from(holds)))),
        false => holds.then_some(value),
    }
}

fn with_number(binary: &Binary, vector: Vector, number: f64, is_left: bool) -> Vector {
    let number = Value::Float(number);
    let one = |own: Sample| {
        let (left, right) = if is_left { (&number, &own.value) } else { (&own.value, &number) };
        let (value, holds) = values(binary.op, left, right)?;
        // A comparison leaves the vector's value, on whichever side it stands.
        let value = if binary.op.is_comparison() { own.value.clone() } else { value };
        let value = result(binary, value, holds)?;
        let keeps_name = binary.op.is_comparison() && !binary.returns_bool;
        Some(if keeps_name { Sample { value, ..own } } else { derived(own, |_| value) })
    };
    vector.into_iter().filter_map(one).collect()
}

/// The labels that are compared.
fn signature(labels: &Labels, matching: &VectorMatching) -> Labels {
    match &matching.labels {
        MatchingLabels::On(names) => labels.filtered(|own| names.iter().any(|name| name == own)),
        MatchingLabels::Ignoring(names) => {
            nameless(labels).filtered(|own| !names.iter().any(|name| name == own))
        }
    }
}

fn set(op: BinaryOp, matching: &VectorMatching, left: Vector, right: Vector) -> Vector {
    let is_in = |own: &Sample, others: &Vector| {
        let own = signature(&own.labels, matching);
        others.iter().any(|other| signature(&other.labels, matching) == own)
    };
    match op {
        BinaryOp::And => left.into_iter().filter(|own| is_in(own, &right)).collect(),
        BinaryOp::Unless => left.into_iter().filter(|own| !is_in(own, &right)).collect(),
        _ => {
            let others: Vec<_> = right.into_iter().filter(|own| !is_in(own, &left)).collect();
            left.into_iter().chain(others).collect()
        }
    }
}

fn pairs(binary: &Binary, matching: &VectorMatching, left: Vector, right: Vector) -> Found<Vector> {
    // With an empty side nothing is looked at, not even whether the other one is sound.
    if left.is_empty() || right.is_empty() {
        return Ok(Vec::new());
    }
    let one_is_left = matching.cardinality == Cardinality::OneToMany;
    let (many, one) = if one_is_left { (&right, &left) } else { (&left, &right) };
    for (index, own) in one.iter().enumerate() {
        let own = signature(&own.labels, matching);
        if one[..index].iter().any(|other| signature(&other.labels, matching) == own) {
            return fail("many-to-many");
        }
    }
    let mut taken: Vec<(Labels, Labels)> = Vec::new();
    let mut vector = Vec::new();
    for own in many {
        let match_labels = signature(&own.labels, matching);
        let partner = one.iter().find(|other| signature(&other.labels, matching) == match_labels);
        let Some(partner) = partner else { continue };
        let (left, right) = if one_is_left { (partner, own) } else { (own, partner) };
        let Some((value, holds)) = values(binary.op, &left.value, &right.value) else { continue };
        let labels = result_labels(binary, matching, &own.labels, &partner.labels);
        let is_one_to_one = matching.cardinality == Cardinality::OneToOne;
        let is_same = |(group, result): &(Labels, Labels)| {
            *group == match_labels && (is_one_to_one || *result == labels)
        };
        if taken.iter().any(is_same) {
            return fail("multiple matches");
        }
        taken.push((match_labels, labels.clone()));
        if let Some(value) = result(binary, value, holds) {
            vector.push(Sample { labels, time: own.time, value });
        }
    }
    Ok(vector)
}

/// The many side's labels. One to one, only those that were compared; else with those that
/// `group_…` takes from the one side.
fn result_labels(
    binary: &Binary,
    matching: &VectorMatching,
    many: &Labels,
    one: &Labels,
) -> Labels {
    let keeps_name = binary.op.is_comparison() && !binary.returns_bool;
    let labels = if keeps_name { many.clone() } else { nameless(many) };
    if matching.cardinality != Cardinality::OneToOne {
        let mut builder = labels.to_builder();
        for name in &matching.include {
            builder.set(name.as_str(), one.get(name).unwrap_or(""));
        }
        return builder.build();
    }
    match &matching.labels {
        MatchingLabels::On(names) => labels.filtered(|own| names.iter().any(|name| name == own)),
        MatchingLabels::Ignoring(names) => {
            labels.filtered(|own| !names.iter().any(|name| name == own))
        }
    }
}
