//! A file of unit tests as it is written.

use super::super::section::{List, section};
use crate::config::yaml::{Pairs, Value};

section! {
    /// The whole file.
    File = "main.unitTestFile" {
        rule_files: List<String>,
        evaluation_interval: String,
        group_eval_order: List<String>,
        tests: List<TestGroup>,
        fuzzy_compare: bool,
    }
}

section! {
    /// Series, and what rules and queries make of them.
    TestGroup = "main.testGroup" {
        name: String,
        interval: String,
        input_series: List<InputSeries>,
        alert_rule_test: List<AlertTest>,
        promql_expr_test: List<QueryTest>,
        external_labels: Pairs<Value<String>>,
        external_url: String,
        start_timestamp: String,
    }
}

section! {
    /// A series and its values.
    InputSeries = "main.series" {
        series: String,
        values: String,
    }
}

section! {
    /// Which alerts fire at a time.
    AlertTest = "main.alertTestCase" {
        eval_time: String,
        alertname: String,
        exp_alerts: List<ExpectedAlert>,
    }
}

section! {
    /// One of them.
    ExpectedAlert = "main.alert" {
        exp_labels: Pairs<Value<String>>,
        exp_annotations: Pairs<Value<String>>,
    }
}

section! {
    /// What a query gives at a time.
    QueryTest = "main.promqlTestCase" {
        expr: String,
        eval_time: String,
        exp_samples: List<ExpectedSample>,
    }
}

section! {
    /// One of its samples.
    ExpectedSample = "main.sample" {
        labels: String,
        value: f64,
        histogram: String,
    }
}
