//! The one query of vmalert that is not PromQL: `default_rollup(ALERTS_FOR_STATE{…}[3600s])`, with
//! which it finds after a start when its alerts began.
//!
//! In MetricsQL that is each series' newest sample in the range, unless a staleness marker came
//! after it: what an instant selector with that lookback gives. No other form is understood.

use promql::ast::ExprKind;
use promql::parse::{Features, parse};

/// The selector and the range in milliseconds, if `text` is such a query.
pub(super) fn read(text: &str) -> Option<(&str, i64)> {
    let inner = text.strip_prefix("default_rollup(")?.strip_suffix("s])")?;
    let (selector, seconds) = inner.rsplit_once('[')?;
    let seconds: u32 = seconds.parse().ok()?;
    let expr = parse(selector, &Features::default()).ok()?;
    matches!(expr.kind, ExprKind::Vector(_)).then_some((selector, i64::from(seconds) * 1000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_that_query_is_understood() {
        let rows = [
            ("default_rollup(a{b=\"[1s])\"}[3600s])", Some(("a{b=\"[1s])\"}", 3_600_000))),
            ("default_rollup(a[1m])", None),
            ("default_rollup(a[99999999999s])", None),
            ("default_rollup(sum(a)[5s])", None),
            ("default_rollup(a[5s]) + default_rollup(b[5s])", None),
            ("default_rollup(a)", None),
            ("last_over_time(a[5s])", None),
        ];
        for (text, expected) in rows {
            assert_eq!(read(text), expected, "{text}");
        }
    }
}
