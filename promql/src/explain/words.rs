//! The words for nodes, times and durations.

use tsdb::model::duration::format_duration;
use tsdb::model::number::format_plain;
use tsdb::model::{TimeRange, Timestamp};

use crate::ast::{
    AggregateOp, BinaryOp, Cardinality, Grouping, MatchingLabels, RangeExtension, ValueType,
    VectorMatching,
};
use crate::civil;
use crate::plan::{
    Aggregate, Binary, Call, Node, NodeKind, Range, RangeSource, Select, Shift, Sight,
};
use crate::value::Steps;

/// What a node does.
pub(crate) fn of(node: &Node, lookback_ms: i64) -> String {
    match &node.kind {
        NodeKind::Number(number) => format!("the number {}", format_plain(*number)),
        NodeKind::Text(text) => format!("the text {text:?}"),
        NodeKind::Select(select) => selector(select, lookback_ms),
        NodeKind::Range(own) => range_vector(own),
        NodeKind::Aggregate(own) => aggregate(own),
        NodeKind::Binary(own) => binary(own),
        NodeKind::Negate(_) => "each value with the other sign".to_owned(),
        NodeKind::Plus(_) => "the same values".to_owned(),
        NodeKind::Invariant(inner) => of(inner, lookback_ms),
        NodeKind::Call(own) => call(own, node.value_type),
    }
}

fn selector(select: &Select, lookback_ms: i64) -> String {
    let (within, at) = (format_duration(lookback_ms), shift(select.shift));
    match select.extension {
        Some(RangeExtension::Smoothed) => {
            format!("each series' value on the line between its samples around {at}")
        }
        _ => format!("each series' newest sample in the {within} up to {at}"),
    }
}

fn range_vector(range: &Range) -> String {
    let (length, at) = (format_duration(range.range_ms), shift(range.shift()));
    match &range.source {
        RangeSource::Subquery(own) => {
            let step = format_duration(own.step_ms);
            format!("values in the {length} up to {at}, evaluated every {step}")
        }
        RangeSource::Select(select) => {
            let borders = match select.extension {
                None => "",
                Some(RangeExtension::Anchored) => ", and the one before them",
                Some(RangeExtension::Smoothed) => ", and those around them",
            };
            format!("samples in the {length} up to {at}{borders}")
        }
    }
}

/// The time that is looked at.
fn shift(shift: Shift) -> String {
    let at = shift.at.map_or_else(|| "each step".to_owned(), time);
    match shift.offset_ms {
        0 => at,
        ahead if ahead < 0 => format!("{} after {at}", format_duration(ahead.saturating_neg())),
        back => format!("{} before {at}", format_duration(back)),
    }
}

fn aggregate(own: &Aggregate) -> String {
    let groups = match &own.grouping {
        Grouping::By(labels) if labels.is_empty() => "all series".to_owned(),
        Grouping::By(labels) => format!("the series with the same {}", labels.join(", ")),
        Grouping::Without(labels) if labels.is_empty() => {
            "the series with the same labels".to_owned()
        }
        Grouping::Without(labels) => {
            format!("the series with the same labels but {}", labels.join(", "))
        }
    };
    use AggregateOp::{Bottomk, LimitRatio, Limitk, Topk};
    match own.op {
        Topk | Bottomk | Limitk | LimitRatio => format!("{} of {groups}", own.op.as_str()),
        op => format!("{} over {groups}", op.as_str()),
    }
}

fn binary(own: &Binary) -> String {
    let op = own.op.as_str();
    let what = match own.op {
        BinaryOp::And | BinaryOp::Or | BinaryOp::Unless => format!("series of left {op} right"),
        _ if own.op.is_comparison() && own.returns_bool => {
            format!("1 where left {op} right, else 0")
        }
        _ if own.op.is_comparison() => format!("values where left {op} right"),
        _ => format!("left {op} right"),
    };
    match &own.matching {
        None => what,
        Some(matching) => format!("{what}, {}", matched(matching)),
    }
}

fn matched(own: &VectorMatching) -> String {
    let labels = match &own.labels {
        MatchingLabels::On(labels) if labels.is_empty() => "whatever their labels".to_owned(),
        MatchingLabels::On(labels) => format!("matched by {}", labels.join(", ")),
        MatchingLabels::Ignoring(labels) if labels.is_empty() => "matched by all labels".to_owned(),
        MatchingLabels::Ignoring(labels) => {
            format!("matched by all labels but {}", labels.join(", "))
        }
    };
    match own.cardinality {
        Cardinality::ManyToOne => format!("{labels}, many on the left to one"),
        Cardinality::OneToMany => format!("{labels}, one to many on the right"),
        Cardinality::OneToOne | Cardinality::ManyToMany => labels,
    }
}

fn call(own: &Call, gives: ValueType) -> String {
    let name = own.function.name;
    let takes_range = own.args.iter().any(|arg| matches!(arg.kind, NodeKind::Range(_)));
    let takes_vector = own.args.iter().any(|arg| arg.value_type == ValueType::Vector);
    match (gives, takes_range, takes_vector) {
        (ValueType::Scalar, ..) => format!("{name}, a number for each step"),
        (_, true, _) => format!("{name} of each series' window"),
        (_, _, true) => format!("{name} of each step's vector"),
        _ => format!("{name}, for each step"),
    }
}

/// Which steps.
pub(super) fn steps(steps: &Steps) -> String {
    match steps.count() {
        1 => format!("one step, {}", time(steps.start)),
        count => {
            let (start, step) = (time(steps.start), format_duration(steps.step_ms));
            let end = time(steps.time(count.saturating_sub(1)));
            format!("{count} steps, every {step} from {start} to {end}")
        }
    }
}

/// Where samples may lie.
pub(super) fn range(range: TimeRange) -> String {
    format!("from {} to {}", time(range.start), time(range.end))
}

/// What steps look at, if they may be kept.
pub(super) fn kept(sight: &Sight) -> String {
    let mut words = "its steps, until a sample changes that they look at".to_owned();
    if let Some((first, last)) = sight.moving {
        let (first, last) = (from_step(first), from_step(last));
        words = format!("{words}: {first} to {last}");
    }
    if let Some((first, last)) = sight.fixed {
        let (first, last) = (Timestamp::from_ms(first), Timestamp::from_ms(last));
        let of_all = range(TimeRange::new(first, last));
        words = format!("{words}; all look at samples {of_all}");
    }
    words
}

fn from_step(ms: i64) -> String {
    match ms {
        0 => "the step's time".to_owned(),
        ahead if ahead > 0 => format!("{} after it", format_duration(ahead)),
        back => format!("{} before it", format_duration(back.saturating_neg())),
    }
}

/// A time with milliseconds if it has some.
fn time(time: Timestamp) -> String {
    let text = civil::rfc3339(time);
    match time.ms().rem_euclid(1000) {
        0 => text,
        ms => format!("{}.{ms:03}Z", text.trim_end_matches('Z')),
    }
}
