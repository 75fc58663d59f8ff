//! Prometheus's flags that have no effect here: taken, so that its command lines work, listed with
//! its defaults, and said in the log when given.
//!
//! What would make a promise that is not kept (a receiver, an agent) is not among them.

use std::collections::BTreeMap;

/// Name, default, and whether it takes a value; one that takes none can have `no-` before it.
const FLAGS: [(&str, &str, bool); 22] = [
    ("auto-gomaxprocs", "true", false),
    ("auto-gomemlimit", "true", false),
    ("auto-gomemlimit.ratio", "0.9", true),
    ("query.max-concurrency", "20", true),
    ("scrape.adjust-timestamps", "true", false),
    ("scrape.discovery-reload-interval", "5s", true),
    ("scrape.timestamp-tolerance", "2ms", true),
    ("storage.tsdb.allow-overlapping-blocks", "true", false),
    ("storage.tsdb.allow-overlapping-compaction", "true", false),
    ("storage.tsdb.delayed-compaction.max-percent", "10", true),
    ("storage.tsdb.head-chunks-write-queue-size", "0", true),
    ("storage.tsdb.max-block-chunk-segment-size", "0B", true),
    ("storage.tsdb.max-block-duration", "1d12h", true),
    ("storage.tsdb.min-block-duration", "2h", true),
    ("storage.tsdb.no-lockfile", "false", false),
    ("storage.tsdb.samples-per-chunk", "120", true),
    ("storage.tsdb.wal-compression", "true", false),
    ("storage.tsdb.wal-compression-type", "snappy", true),
    ("storage.tsdb.wal-segment-size", "0B", true),
    ("web.console.libraries", "console_libraries", true),
    ("web.console.templates", "consoles", true),
    ("web.user-assets", "", true),
];

/// Takes those flags out of a command line; what is left, and what they were given as.
pub fn take(args: Vec<String>) -> (Vec<String>, BTreeMap<String, String>) {
    let (mut rest, mut taken) = (Vec::new(), BTreeMap::new());
    let mut args = args.into_iter();
    while let Some(arg) = args.next() {
        let Some((name, given, takes_value)) = recognise(&arg) else {
            rest.push(arg);
            continue;
        };
        let value = match given {
            Some(value) => value,
            None if takes_value => args.next().unwrap_or_default(),
            None => "true".to_owned(),
        };
        taken.insert(name.to_owned(), value);
    }
    (rest, taken)
}

/// Which flag an argument is, the value in it, and whether it takes one.
fn recognise(arg: &str) -> Option<(&'static str, Option<String>, bool)> {
    let text = arg.strip_prefix("--")?;
    let (name, value) = match text.split_once('=') {
        Some((name, value)) => (name, Some(value.to_owned())),
        None => (text, None),
    };
    let known = |name: &str| FLAGS.iter().find(|(own, ..)| *own == name);
    if let Some((own, _, takes_value)) = known(name) {
        return Some((own, value, *takes_value));
    }
    let (own, ..) = known(name.strip_prefix("no-")?).filter(|(_, _, takes_value)| !takes_value)?;
    Some((own, Some("false".to_owned()), false))
}

/// All of them, with their defaults where they were not given.
pub fn listed(given: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let value =
        |name: &str, default: &str| given.get(name).map_or(default, String::as_str).to_owned();
    FLAGS.iter().map(|(name, default, _)| ((*name).to_owned(), value(name, default))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_taken_out() {
        let line = "inferometer serve --web.console.templates=/c --config.file a.yml \
                    --web.user-assets /x --no-storage.tsdb.wal-compression \
                    --storage.tsdb.no-lockfile --no-web.user-assets";
        let (rest, taken) = take(line.split_whitespace().map(str::to_owned).collect());
        assert_eq!(rest.join(" "), "inferometer serve --config.file a.yml --no-web.user-assets");
        let expected = [
            ("storage.tsdb.no-lockfile", "true"),
            ("storage.tsdb.wal-compression", "false"),
            ("web.console.templates", "/c"),
            ("web.user-assets", "/x"),
        ];
        let taken: Vec<_> = taken.iter().map(|(name, own)| (name.as_str(), own.as_str())).collect();
        assert_eq!(taken, expected);
    }
}
