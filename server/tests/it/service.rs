//! The binary as a service: what it listens on, what it tells systemd, how it ends.

use std::collections::HashSet;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// No test waits longer than that for anything.
const PATIENCE: Duration = Duration::from_secs(60);

/// Inodes of the sockets that listen, of all processes.
fn listening() -> HashSet<String> {
    let mut inodes = HashSet::new();
    // The second table is there only where IPv6 is.
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"].map(Path::new);
    for table in tables.into_iter().filter(|table| table.ends_with("tcp") || table.exists()) {
        let text = fs::read_to_string(table).unwrap();
        // The first line names the fields.
        for line in text.lines().skip(1) {
            let fields: Vec<&str> = line.split_whitespace().collect();
            // 0A is LISTEN.
            if fields[3] == "0A" {
                inodes.insert(fields[9].to_owned());
            }
        }
    }
    inodes
}

/// How many sockets of a process listen.
fn listeners(process: &Child) -> usize {
    let all = listening();
    let files = fs::read_dir(format!("/proc/{}/fd", process.id())).unwrap();
    let links = files.filter_map(|file| fs::read_link(file.unwrap().path()).ok());
    let sockets = links.filter_map(|link| {
        let link = link.to_string_lossy().into_owned();
        Some(link.strip_prefix("socket:[")?.strip_suffix(']')?.to_owned())
    });
    sockets.filter(|inode| all.contains(inode)).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn it_listens_where_it_was_told_and_tells_systemd() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let directory = tempfile::tempdir().unwrap();
    let config = directory.path().join("prometheus.yml");
    fs::write(&config, "scrape_configs: []\n").unwrap();
    let socket = UnixDatagram::bind(directory.path().join("notify")).unwrap();
    let mut process = Command::new(env!("CARGO_BIN_EXE_inferometer"))
        .args(["serve", "--web.listen-address=127.0.0.1:0", "--web.listen-address=0.0.0.0:0"])
        .args(["--web.external-url=/pre/", "--web.config.file="])
        .arg(format!("--config.file={}", config.display()))
        .arg(format!("--storage.tsdb.path={}", directory.path().join("data").display()))
        .env("NOTIFY_SOCKET", directory.path().join("notify"))
        .env("WATCHDOG_USEC", "20000")
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let (heard, messages) = std::sync::mpsc::channel();
    // As the service manager does, whatever else goes on.
    std::thread::spawn(move || {
        let mut message = [0; 64];
        while let Ok(len) = socket.recv(&mut message) {
            let _ = heard.send(String::from_utf8(message[..len].to_vec()).unwrap());
        }
    });
    let hear = || messages.recv_timeout(PATIENCE).unwrap();
    assert_eq!(hear(), "READY=1");
    assert_eq!((hear(), hear()), ("WATCHDOG=1".to_owned(), "WATCHDOG=1".to_owned()));
    assert_eq!(listeners(&process), 2);
    let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
    let mut urls = Vec::new();
    while urls.len() < 2 {
        let line = lines.next().unwrap().unwrap();
        urls.extend(line.split_once("listening on ").map(|(_, url)| url.trim().to_owned()));
    }
    let last = urls[1].clone();
    for url in urls {
        for path in ["/pre/-/healthy", "/pre/-/ready"] {
            let status = reqwest::get(format!("{url}{path}")).await.unwrap().status();
            assert_eq!(status, 200, "{url}{path}");
        }
    }
    // One of the addresses can be reached by others.
    let notice = reqwest::get(format!("{last}/pre/api/v1/status/notice")).await.unwrap();
    assert!(notice.text().await.unwrap().contains("no password is asked for"));
    let pid = rustix::process::Pid::from_child(&process);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    while hear() != "STOPPING=1" {}
    let rest: Vec<String> = lines.map_while(Result::ok).collect();
    assert_eq!(process.wait().unwrap().code(), Some(0));
    assert!(rest.last().unwrap().contains("everything is on disk"), "{rest:?}");
}

#[test]
fn a_wrong_web_configuration_ends_the_start() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("prometheus.yml"), "scrape_configs: []\n").unwrap();
    fs::write(directory.path().join("web.yml"), "basic_auth_users: {u: plain}\n").unwrap();
    let rows = [
        ("--web.config.file=web.yml", "web.yml:1:20"),
        ("--web.config.file=none.yml", "none.yml"),
        ("--web.external-url='http://a'", "must not begin or end with quotes"),
        ("--web.listen-address=256.0.0.1:9", "cannot listen on 256.0.0.1:9"),
    ];
    for (flag, part) in rows {
        let run = Command::new(env!("CARGO_BIN_EXE_inferometer"))
            .args(["serve", flag])
            .args(
                flag.contains("listen")
                    .then_some("--web.max-connections=1")
                    .or(Some("--web.listen-address=127.0.0.1:0")),
            )
            .current_dir(directory.path())
            .output()
            .unwrap();
        let message = String::from_utf8_lossy(&run.stderr);
        assert_eq!(run.status.code(), Some(1), "{message}");
        assert!(message.contains(part), "{part} is not in: {message}");
    }
}
