//! Builds the web page and lays it, gzipped, into `$OUT_DIR/embed` for `src/lib.rs` to embed.
//!
//! 1. `INFEROMETER_UI_DIST=dir`: takes the page that was built there, and needs no Node.
//! 2. Otherwise Node builds it: `npm ci` if `node_modules` is not what `package-lock.json` asks
//!    for, then Vite. A file lock keeps parallel builds apart, which share `node_modules`.
//! 3. If that fails, the build goes on with a warning and with a plain page that says what is
//!    missing; the next build tries again. `INFEROMETER_UI=require` makes it a failure,
//!    `INFEROMETER_UI=skip` does not try.
//!
//! The crate learns from `INFEROMETER_UI_KIND` (`page` or `fallback`) which of them it embeds.

use std::env::{var, var_os};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What the page is made of; a change of one of these builds it again.
const SOURCES: [&str; 7] = [
    "web",
    "fallback.html",
    "package.json",
    "package-lock.json",
    ".npmrc",
    "vite.config.ts",
    "tsconfig.json",
];

/// Where `npm ci` left word of what it installed.
const STAMP: &str = "node_modules/.inferometer-stamp";

/// How many lines of a failed command's output the warning repeats; the cause comes first.
const OUTPUT_LINES: usize = 12;

fn main() {
    let out = PathBuf::from(var("OUT_DIR").expect("cargo sets OUT_DIR"));
    for name in ["INFEROMETER_UI", "INFEROMETER_UI_DIST"] {
        println!("cargo::rerun-if-env-changed={name}");
    }
    SOURCES.iter().for_each(|source| println!("cargo::rerun-if-changed={source}"));

    let embed = out.join("embed");
    let kind = match page(&out).and_then(|dist| embed_all(&dist, &embed)) {
        Ok(()) => "page",
        Err(reason) => {
            assert!(mode() != "require", "INFEROMETER_UI=require, but {reason}");
            give_up(&reason, &out, &embed);
            "fallback"
        }
    };
    println!("cargo::rustc-env=INFEROMETER_UI_KIND={kind}");
}

fn mode() -> String {
    var("INFEROMETER_UI").unwrap_or_else(|_| "auto".to_string())
}

/// The folder that holds the built page.
fn page(out: &Path) -> Result<PathBuf, String> {
    if let Some(dist) = var_os("INFEROMETER_UI_DIST").map(PathBuf::from) {
        println!("cargo::rerun-if-changed={}", dist.display());
        let there = dist.join("index.html").is_file();
        return there
            .then(|| dist.clone())
            .ok_or(format!("INFEROMETER_UI_DIST={} has no index.html", dist.display()));
    }
    match mode().as_str() {
        "auto" | "require" => build(&out.join("dist")),
        "skip" => Err("INFEROMETER_UI=skip leaves the page out".to_string()),
        other => panic!("INFEROMETER_UI={other}: must be auto, require or skip"),
    }
}

fn build(dist: &Path) -> Result<PathBuf, String> {
    check_node(&run(Command::new("node").arg("--version"))?)?;
    let lock = File::create(".node_modules.lock").map_err(|error| format!("no lock: {error}"))?;
    lock.lock().map_err(|error| format!("no lock: {error}"))?;
    install()?;
    let vite = ["node_modules/vite/bin/vite.js", "build", "--emptyOutDir", "--outDir"];
    run(Command::new("node").env("NODE_ENV", "production").args(vite).arg(dist))?;
    Ok(dist.to_path_buf())
}

/// Vite's own condition: Node 20.19, or 22.12 and later.
fn check_node(version: &str) -> Result<(), String> {
    let mut numbers = version.trim().trim_start_matches('v').split('.').map(str::parse::<u32>);
    let (Some(Ok(major)), Some(Ok(minor))) = (numbers.next(), numbers.next()) else {
        return Err(format!("node --version says {version:?}"));
    };
    let good = (major == 20 && minor >= 19) || (major, minor) >= (22, 12);
    good.then_some(()).ok_or(format!(
        "Node {major}.{minor} cannot build the page: it takes Node 20.19, or 22.12 and later"
    ))
}

/// `npm ci`, unless what is installed is what the lock file asks for, on this platform.
fn install() -> Result<(), String> {
    let read = |path: &str| fs::read_to_string(path).map_err(|error| format!("{path}: {error}"));
    let wanted = format!("{}\n{}", var("HOST").unwrap_or_default(), read("package-lock.json")?);
    if read(STAMP).is_ok_and(|stamp| stamp == wanted) {
        return Ok(());
    }
    let npm = if cfg!(windows) { "npm.cmd" } else { "npm" };
    let quiet = ["--no-audit", "--no-fund", "--prefer-offline", "--ignore-scripts"];
    run(Command::new(npm).arg("ci").args(quiet).arg("--include=dev"))?;
    fs::write(STAMP, wanted).map_err(|error| format!("{STAMP}: {error}"))
}

/// Runs a command to its end; its standard output, or why it failed.
fn run(command: &mut Command) -> Result<String, String> {
    let name = format!("{} {}", command.get_program().display(), first_argument(command));
    let output = command.stdin(Stdio::null()).output().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => format!("{name}: the program is not there (is Node installed?)"),
        _ => format!("{name}: {error}"),
    })?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() {
        return Ok(text(&output.stdout));
    }
    let said = text(&output.stderr) + &text(&output.stdout);
    let lines: Vec<&str> = said.lines().filter(|line| !line.trim().is_empty()).collect();
    let cause = &lines[..lines.len().min(OUTPUT_LINES)];
    Err(format!("`{name}` failed ({}):\n{}", output.status, cause.join("\n")))
}

fn first_argument(command: &Command) -> String {
    command.get_args().next().map(|arg| arg.to_string_lossy().into_owned()).unwrap_or_default()
}

/// Gzips every file of `dist` into a new folder `embed`.
fn embed_all(dist: &Path, embed: &Path) -> Result<(), String> {
    let fail = |error: io::Error| format!("cannot gzip the page: {error}");
    if embed.exists() {
        fs::remove_dir_all(embed).map_err(fail)?;
    }
    gzip_folder(dist, embed).map_err(fail)
}

fn gzip_folder(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let (path, name) = entry.map(|entry| (entry.path(), entry.file_name()))?;
        if path.is_dir() {
            gzip_folder(&path, &to.join(name))?;
            continue;
        }
        let mut target = to.join(name).into_os_string();
        target.push(".gz");
        let mut encoder =
            flate2::write::GzEncoder::new(File::create(target)?, flate2::Compression::best());
        encoder.write_all(&fs::read(&path)?)?;
        encoder.finish()?;
    }
    Ok(())
}

/// Warns, embeds the plain page, and has cargo run this script again at the next build.
fn give_up(reason: &str, out: &Path, embed: &Path) {
    println!("cargo::warning=The web page is not built in; a plain page takes its place.");
    reason.lines().for_each(|line| println!("cargo::warning={line}"));
    if mode() != "skip" {
        println!("cargo::rerun-if-changed={}", out.join("never-there").display());
    }
    let plain = out.join("fallback");
    let page = fs::read_to_string("fallback.html").expect("fallback.html is beside build.rs");
    fs::create_dir_all(&plain)
        .and_then(|()| {
            fs::write(plain.join("index.html"), page.replace("{reason}", &escape(reason)))
        })
        .map_err(|error| error.to_string())
        .and_then(|()| embed_all(&plain, embed))
        .unwrap_or_else(|error| panic!("cannot write the plain page: {error}"));
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
