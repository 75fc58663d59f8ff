//! `/api/v1/format_query` and `/api/v1/parse_query`: a query as text on several lines, and as a
//! tree. The tree's layout is Prometheus's (`web/api/v1/translate_ast.go`).

use axum::extract::{RawQuery, State as Shared};
use promql::ast::{
    Aggregate, At, Binary, Call, Cardinality, DurationExpr, Expr, ExprKind, Grouping,
    MatchingLabels, Modifiers, RangeExtension, Subquery, VectorMatching, VectorSelector,
};
use promql::parse::parse_written_matchers;
use promql::pretty::pretty;
use tsdb::model::Matcher;
use tsdb::model::number::format_plain;

use super::envelope::Success;
use super::error::ApiError;
use super::params::{Form, Params, invalid};
use super::{State, json};

/// The query, printed as Prometheus prints it.
pub(super) async fn format(
    Shared(state): Shared<State>,
    RawQuery(query): RawQuery,
    Form(body): Form,
) -> Result<Success, ApiError> {
    let (_, expr) = parsed(&state, query, &body)?;
    Ok(Success::with(|out| json::write_html_safe(out, &pretty(&expr))))
}

/// The query's tree.
pub(super) async fn parse(
    Shared(state): Shared<State>,
    RawQuery(query): RawQuery,
    Form(body): Form,
) -> Result<Success, ApiError> {
    let (text, expr) = parsed(&state, query, &body)?;
    Ok(Success::with(|out| Tree { text: &text, out }.write(&expr)))
}

fn parsed(state: &State, query: Option<String>, body: &[u8]) -> Result<(String, Expr), ApiError> {
    let params = Params::new(body, query.as_deref().unwrap_or(""));
    let text = params.get("query").unwrap_or("").to_owned();
    let expr = state.queries.parse(&text);
    let expr = expr.map_err(|error| invalid("query", error.to_string()))?;
    Ok((text, expr))
}

/// Writes the tree of `text`, each object's fields in order of their names.
struct Tree<'a> {
    text: &'a str,
    out: &'a mut String,
}

impl Tree<'_> {
    /// Depth is bounded by the parser ([`promql::parse::HEIGHT_MAX`]).
    fn write(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::Number(number) => self.literal("numberLiteral", &format_plain(number.value)),
            ExprKind::Text(text) => self.literal("stringLiteral", text),
            ExprKind::Vector(selector) => self.selector(expr, selector, None),
            ExprKind::Matrix(matrix) => self.selector(expr, &matrix.selector, Some(&matrix.range)),
            ExprKind::Subquery(subquery) => self.subquery(subquery),
            ExprKind::Aggregate(aggregate) => self.aggregate(aggregate),
            ExprKind::Binary(binary) => self.binary(binary),
            ExprKind::Call(call) => self.call(call),
            ExprKind::Unary(op, inner) => {
                self.child("{\"expr\":", inner);
                self.raw(&format!(r#","op":"{op}","type":"unaryExpr"}}"#));
            }
            ExprKind::Paren(inner) => {
                self.child("{\"expr\":", inner);
                self.raw(r#","type":"parenExpr"}"#);
            }
        }
    }

    fn raw(&mut self, text: &str) {
        self.out.push_str(text);
    }

    fn child(&mut self, key: &str, expr: &Expr) {
        self.raw(key);
        self.write(expr);
    }

    fn literal(&mut self, kind: &str, value: &str) {
        self.raw(&format!(r#"{{"type":"{kind}","val":"#));
        json::write_html_safe(self.out, value);
        self.raw("}");
    }

    fn list(&mut self, key: &str, texts: &[String]) {
        self.raw(key);
        json::write_list(self.out, texts, |out, text| json::write_html_safe(out, text));
    }

    fn selector(&mut self, node: &Expr, selector: &VectorSelector, range: Option<&DurationExpr>) {
        let is = |extension| selector.extension == Some(extension);
        let anchored = is(RangeExtension::Anchored);
        self.raw(&format!(r#"{{"anchored":{anchored},"matchers":"#));
        // Where it stands its conditions are in the order in which they were written.
        let written = self.text.get(node.span.start..).map(parse_written_matchers);
        let matchers = match &written {
            Some(Ok(matchers)) => matchers,
            _ => &selector.matchers,
        };
        json::write_list(self.out, matchers, write_matcher);
        self.raw(r#","name":"#);
        json::write_html_safe(self.out, selector.name.as_deref().unwrap_or(""));
        self.raw(&format!(r#","offset":{}"#, offset_ms(&selector.modifiers)));
        if let Some(range) = range {
            self.raw(&format!(r#","range":{}"#, duration_ms(range)));
        }
        self.raw(&format!(r#","smoothed":{}"#, is(RangeExtension::Smoothed)));
        self.at(&selector.modifiers, "");
        let kind = if range.is_some() { "matrixSelector" } else { "vectorSelector" };
        self.raw(&format!(r#","type":"{kind}"}}"#));
    }

    fn subquery(&mut self, subquery: &Subquery) {
        self.child("{\"expr\":", &subquery.expr);
        let step_ms = subquery.step.as_ref().map_or(0, duration_ms);
        let (offset, range) = (offset_ms(&subquery.modifiers), duration_ms(&subquery.range));
        self.raw(&format!(r#","offset":{offset},"range":{range}"#));
        self.at(&subquery.modifiers, &format!(r#","step":{step_ms}"#));
        self.raw(r#","type":"subquery"}"#);
    }

    /// The `@` modifier, with `between` its two fields.
    fn at(&mut self, modifiers: &Modifiers, between: &str) {
        let (border, time) = match modifiers.at {
            None => ("null", "null".to_owned()),
            Some(At::Start) => ("\"start\"", "null".to_owned()),
            Some(At::End) => ("\"end\"", "null".to_owned()),
            Some(At::Time(time)) => ("null", time.ms().to_string()),
        };
        self.raw(&format!(r#","startOrEnd":{border}{between},"timestamp":{time}"#));
    }

    fn aggregate(&mut self, aggregate: &Aggregate) {
        let (labels, without) = match &aggregate.grouping {
            Grouping::By(labels) => (labels, false),
            Grouping::Without(labels) => (labels, true),
        };
        self.child("{\"expr\":", &aggregate.expr);
        self.list(r#","grouping":"#, labels);
        self.raw(&format!(r#","op":"{}","param":"#, aggregate.op.as_str()));
        match &aggregate.param {
            Some(param) => self.write(param),
            None => self.raw("null"),
        }
        self.raw(&format!(r#","type":"aggregation","without":{without}}}"#));
    }

    fn binary(&mut self, binary: &Binary) {
        self.raw(&format!(r#"{{"bool":{}"#, binary.returns_bool));
        self.child(r#","lhs":"#, &binary.left);
        self.raw(r#","matching":"#);
        match &binary.matching {
            Some(matching) => self.matching(matching),
            None => self.raw("null"),
        }
        self.raw(r#","op":"#);
        json::write_html_safe(self.out, binary.op.as_str());
        self.child(r#","rhs":"#, &binary.right);
        self.raw(r#","type":"binaryExpr"}"#);
    }

    fn matching(&mut self, matching: &VectorMatching) {
        let cardinality = match matching.cardinality {
            Cardinality::OneToOne => "one-to-one",
            Cardinality::ManyToOne => "many-to-one",
            Cardinality::OneToMany => "one-to-many",
            Cardinality::ManyToMany => "many-to-many",
        };
        let number = |fill: Option<f64>| fill.map_or("null".to_owned(), format_plain);
        let (left, right) = (number(matching.fill_left), number(matching.fill_right));
        let fills = format!(r#""fillValues":{{"lhs":{left},"rhs":{right}}}"#);
        self.raw(&format!(r#"{{"card":"{cardinality}",{fills}"#));
        self.list(r#","include":"#, &matching.include);
        let (labels, on) = match &matching.labels {
            MatchingLabels::On(labels) => (labels, true),
            MatchingLabels::Ignoring(labels) => (labels, false),
        };
        self.list(r#","labels":"#, labels);
        self.raw(&format!(r#","on":{on}}}"#));
    }

    fn call(&mut self, call: &Call) {
        self.raw(r#"{"args":["#);
        for (index, arg) in call.args.iter().enumerate() {
            self.child(if index == 0 { "" } else { "," }, arg);
        }
        let function = call.function;
        self.raw(r#"],"func":{"argTypes":"#);
        json::write_list(self.out, function.args, |out, own| {
            json::write_html_safe(out, own.as_str());
        });
        let (name, returns, variadic) = (function.name, function.returns, function.variadic);
        self.raw(&format!(r#","name":"{name}","returnType":"{returns}","variadic":{variadic}}}"#));
        self.raw(r#","type":"call"}"#);
    }
}

fn write_matcher(out: &mut String, matcher: &Matcher) {
    out.push_str(r#"{"name":"#);
    json::write_html_safe(out, matcher.name());
    out.push_str(&format!(r#","type":"{}","value":"#, matcher.op().as_str()));
    json::write_html_safe(out, matcher.value());
    out.push('}');
}

fn offset_ms(modifiers: &Modifiers) -> i64 {
    modifiers.offset.as_ref().map_or(0, duration_ms)
}

/// 0 for what depends on the query's times, as in Prometheus.
fn duration_ms(duration: &DurationExpr) -> i64 {
    match duration {
        DurationExpr::Ms(ms) => *ms,
        DurationExpr::Seconds(seconds) => (seconds * 1000.0) as i64,
        _ => 0,
    }
}
