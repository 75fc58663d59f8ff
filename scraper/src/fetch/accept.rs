//! What a target is asked for: the `Accept` header, as Prometheus writes it.

use crate::job::{Escaping, Job, Protocol};

/// The header for a job. Weights fall from the first form to the last; anything else is taken too,
/// so that the target says what it has.
pub(super) fn accept(job: &Job) -> String {
    let mut weight = Protocol::ALL.len() + 1;
    let mut header = String::new();
    for protocol in &job.protocols {
        header += &format!("{};q=0.{weight},", media_type(*protocol, job.escaping));
        weight -= 1;
    }
    header + &format!("*/*;q=0.{weight}")
}

/// Only the newer text forms know of escaping.
fn media_type(protocol: Protocol, escaping: Escaping) -> String {
    let escaping = escaping.as_str();
    match protocol {
        Protocol::PrometheusProto => "application/vnd.google.protobuf;\
            proto=io.prometheus.client.MetricFamily;encoding=delimited"
            .to_owned(),
        Protocol::PrometheusText0_0_4 => "text/plain;version=0.0.4".to_owned(),
        Protocol::PrometheusText1_0_0 => format!("text/plain;version=1.0.0;escaping={escaping}"),
        Protocol::OpenMetricsText0_0_1 => "application/openmetrics-text;version=0.0.1".to_owned(),
        Protocol::OpenMetricsText1_0_0 => {
            format!("application/openmetrics-text;version=1.0.0;escaping={escaping}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers() {
        let text = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,\
            application/openmetrics-text;version=0.0.1;q=0.5,\
            text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,\
            text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
        let proto = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;\
            encoding=delimited;q=0.6,\
            application/openmetrics-text;version=1.0.0;escaping=underscores;q=0.5,\
            application/openmetrics-text;version=0.0.1;q=0.4,\
            text/plain;version=1.0.0;escaping=underscores;q=0.3,\
            text/plain;version=0.0.4;q=0.2,*/*;q=0.1";
        let one = "text/plain;version=0.0.4;q=0.6,*/*;q=0.5";
        let rows = [
            (Protocol::TEXT_FIRST.to_vec(), Escaping::AllowUtf8, text),
            (Protocol::PROTO_FIRST.to_vec(), Escaping::Underscores, proto),
            (vec![Protocol::PrometheusText0_0_4], Escaping::Values, one),
        ];
        for (protocols, escaping, expected) in rows {
            assert_eq!(accept(&Job { protocols, escaping, ..Job::new("a") }), expected);
        }
    }
}
