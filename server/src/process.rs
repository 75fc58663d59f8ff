//! What the system says about this process, from `/proc`; elsewhere nothing is known.

/// What is known of a process.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Process {
    /// User and system time.
    pub cpu_seconds: f64,
    /// Memory that is not swapped out or given back.
    pub resident_bytes: i64,
    /// All that was mapped.
    pub virtual_bytes: i64,
    /// Threads.
    pub threads: i64,
    /// When it started, in seconds after the system did.
    pub started_after: f64,
}

/// This process.
pub fn read() -> Option<Process> {
    std::fs::read_to_string("/proc/self/stat").ok().and_then(|text| parse(&text))
}

/// Threads of this process; 0 where nothing is known.
pub fn threads() -> i64 {
    read().map_or(0, |process| process.threads)
}

/// Open files and how many there may be.
pub fn open_files() -> Option<(usize, u64)> {
    let open = std::fs::read_dir("/proc/self/fd").ok()?.count();
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    Some((open, limit.unwrap_or(u64::MAX)))
}

/// When this process started, in seconds since 1970.
pub fn start_seconds() -> Option<f64> {
    let system = std::fs::read_to_string("/proc/stat").ok()?;
    let booted = system.lines().find_map(|line| line.strip_prefix("btime "))?;
    Some(booted.trim().parse::<f64>().ok()? + read()?.started_after)
}

/// Reads `/proc/self/stat` (proc(5)): user and system time are its fields 14 and 15 in clock ticks,
/// threads its field 20, the start its field 22 in clock ticks, memory its fields 23 in bytes and 24
/// in pages. The second field may hold spaces, so counting starts after its closing parenthesis,
/// with field 3.
fn parse(stat: &str) -> Option<Process> {
    let (_, after_name) = stat.rsplit_once(')')?;
    let field = |number: usize| -> Option<i64> {
        after_name.split_ascii_whitespace().nth(number - 3)?.parse().ok()
    };
    let ticks_per_second = rustix::param::clock_ticks_per_second() as f64;
    Some(Process {
        cpu_seconds: (field(14)? + field(15)?) as f64 / ticks_per_second,
        resident_bytes: field(24)? * rustix::param::page_size() as i64,
        virtual_bytes: field(23)?,
        threads: field(20)?,
        started_after: field(22)? as f64 / ticks_per_second,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_process_is_read() {
        let stat =
            format!("1 (a b) c) S {}", (4..=30).map(|n| format!("{n} ")).collect::<String>());
        let process = parse(&stat).unwrap();
        assert_eq!(process.resident_bytes, 24 * rustix::param::page_size() as i64);
        assert_eq!((process.virtual_bytes, process.threads), (23, 20));
        assert!(process.cpu_seconds > 0.0 && process.started_after > 0.0);
    }
}
