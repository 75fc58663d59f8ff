//! What runs and with which settings: `/api/v1/status/{flags,runtimeinfo,walreplay,tsdb/blocks}`,
//! `/version`.

use axum::extract::State as Shared;
use axum::response::{IntoResponse, Response};
use tsdb::BlockFacts;
use tsdb::model::Timestamp;
use tsdb::model::duration::format_duration;

use super::envelope::Success;
use super::error::ApiError;
use super::{State, blocking, json, status};
use crate::upkeep::Retention;

/// Every flag with its value, as texts.
pub(super) async fn flags(Shared(state): Shared<State>) -> Success {
    Success::with(|out| {
        json::write_object(out, &state.options.flags, |out, value| {
            json::write_html_safe(out, value)
        });
    })
}

/// When it started, where, with how much. What only Go has is empty, or without a limit.
pub(super) async fn info(Shared(state): Shared<State>) -> Success {
    let directory = std::env::current_dir().unwrap_or_default();
    let name = rustix::system::uname();
    let threads = std::thread::available_parallelism().map_or(1, |cores| cores.get());
    let (is_loaded, loaded_at) = state.metrics.config_loaded();
    let fields = [
        ("startTime", text(&time(state.started))),
        ("CWD", text(&directory.to_string_lossy())),
        ("hostname", text(&name.nodename().to_string_lossy())),
        ("serverTime", text(&time(state.clock.now()))),
        ("reloadConfigSuccess", is_loaded.to_string()),
        ("lastConfigTime", text(&time(Timestamp::from_ms(1_000 * loaded_at as i64)))),
        ("corruptionCount", "0".to_owned()),
        ("goroutineCount", crate::process::threads().to_string()),
        ("GOMAXPROCS", threads.to_string()),
        ("GOMEMLIMIT", i64::MAX.to_string()),
        ("GOGC", text("")),
        ("GODEBUG", text("")),
        ("storageRetention", text(&retention(&state.options.retention))),
    ];
    Success::with(|out| json::write_object(out, fields, |out, value| out.push_str(&value)))
}

/// How much of the log was replayed: all of it, since nothing is answered before.
pub(super) async fn wal_replay(Shared(state): Shared<State>) -> Success {
    let last = state.options.replayed_segments.saturating_sub(1);
    Success::with(|out| out.push_str(&format!(r#"{{"min":0,"max":{last},"current":{last}}}"#)))
}

/// What each block holds.
pub(super) async fn blocks(Shared(state): Shared<State>) -> Result<Success, ApiError> {
    blocking(move || {
        let blocks = state.db.blocks();
        Ok(Success::with(|out| {
            out.push_str(r#"{"blocks":"#);
            json::write_list(out, &blocks, write_block);
            out.push('}');
        }))
    })
    .await
}

/// `/version`, which is no part of the API proper.
pub(super) async fn version() -> Response {
    let mut body = String::new();
    status::write_build(&mut body);
    ([("content-type", "text/plain; charset=utf-8")], body + "\n").into_response()
}

/// In the layout of Prometheus's block meta; the end of a block is not in it there.
fn write_block(out: &mut String, block: &BlockFacts) {
    let id = ulid(block.number);
    let (oldest, end) = (block.oldest.ms(), block.newest.ms() + 1);
    let BlockFacts { samples, series, level, .. } = block;
    out.push_str(&format!(
        r#"{{"ulid":"{id}","minTime":{oldest},"maxTime":{end},"stats":{{"numSamples":{samples},"numSeries":{series},"numChunks":{series}}},"compaction":{{"level":{},"sources":["{id}"]}},"version":1}}"#,
        level + 1,
    ));
}

/// A block's number as 26 digits in Crockford's base 32.
fn ulid(number: u64) -> String {
    const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let digit = |place: u32| DIGITS[(number.checked_shr(5 * place).unwrap_or(0) & 31) as usize];
    (0..26).rev().map(|place| char::from(digit(place))).collect()
}

fn text(text: &str) -> String {
    let mut out = String::new();
    json::write_html_safe(&mut out, text);
    out
}

/// RFC 3339.
pub(super) fn time(at: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(at.ms()).unwrap_or_default().to_string()
}

/// `15d`, `512MiB` or `15d or 512MiB`.
fn retention(own: &Retention) -> String {
    let time = own.ms.map(format_duration);
    let parts: Vec<_> = time.into_iter().chain(own.bytes.map(binary_size)).collect();
    parts.join(" or ")
}

/// With the largest unit that leaves a whole number.
fn binary_size(bytes: u64) -> String {
    const UNITS: [&str; 7] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    let power = (bytes.trailing_zeros() / 10).min(6) as usize;
    format!("{}{}", bytes >> (10 * power), UNITS[power])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retentions() {
        let rows = [
            (None, None, ""),
            (Some(15 * 86_400_000), None, "15d"),
            (None, Some(512 << 20), "512MiB"),
            (Some(3_600_000), Some(1 << 30), "1h or 1GiB"),
            (None, Some(1_500), "1500B"),
        ];
        for (ms, bytes, expected) in rows {
            assert_eq!(retention(&Retention { ms, bytes }), expected);
        }
    }

    #[test]
    fn a_block_is_written_as_prometheus_writes_its_meta() {
        let at = Timestamp::from_ms;
        let block = BlockFacts {
            number: 33,
            path: "33".into(),
            level: 1,
            oldest: at(5),
            newest: at(9),
            samples: 7,
            series: 2,
            bytes: 99,
        };
        let mut out = String::new();
        write_block(&mut out, &block);
        let id = format!("{:0>26}", "11");
        let expected = format!(
            r#"{{"ulid":"{id}","minTime":5,"maxTime":10,"stats":{{"numSamples":7,"numSeries":2,"numChunks":2}},"compaction":{{"level":2,"sources":["{id}"]}},"version":1}}"#
        );
        assert_eq!(out, expected);
    }

    #[test]
    fn numbers_of_blocks_are_ulids() {
        let rows = [(0, "0"), (33, "11"), (u64::MAX, "FZZZZZZZZZZZZ")];
        for (number, end) in rows {
            assert_eq!(ulid(number), format!("{end:0>26}"));
        }
    }
}
