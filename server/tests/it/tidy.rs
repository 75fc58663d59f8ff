//! The rules of the house that a machine can check.
//!
//! Arrows between crates and inside `tsdb`, headers, absences (clock, environment, printing in
//! the libraries), paths named in documents, the size of Cargo.lock. Lengths are only printed.

use std::fs;
use std::path::{Path, PathBuf};

/// Packages that Cargo.lock may hold. The chosen dependencies make about 350 with Kubernetes
/// (`docs/decisions/0007-kubernetes-client.md`).
const PACKAGES_MAX: usize = 360;

/// Which of our crates a crate's sources may name.
const ARROWS: [(&str, &[&str]); 5] = [
    ("tsdb", &[]),
    ("promql", &["tsdb"]),
    ("scraper", &["tsdb"]),
    ("server", &["tsdb", "promql", "scraper", "ui"]),
    ("server/ui", &[]),
];

/// Parts of `tsdb` that a crate's sources may name (its tests may open a store): the vocabulary,
/// errors, and the types of one port.
const PORTS: [(&str, &[&str]); 2] = [
    (
        "promql",
        &["model", "select", "Error", "Select", "Selection", "Batch", "BatchColumn", "Batches"],
    ),
    (
        "scraper",
        &[
            "model",
            "append",
            "Error",
            "Rejected",
            "Append",
            "Cell",
            "CellValue",
            "ColumnRef",
            "FamilyColumns",
            "GroupRef",
            "RowReport",
            "Storage",
        ],
    ),
];

/// What the synchronous libraries must not do, and why.
const ABSENCES: [(&str, &str); 7] = [
    ("SystemTime::now", "time is a parameter"),
    ("Instant::now", "time is a parameter"),
    ("std::env::", "settings are parameters"),
    ("println!", "libraries do not print"),
    ("tokio", "tsdb and promql are synchronous"),
    ("serde", "formats of the outside stay outside"),
    ("std::net", "only the shell speaks to the network"),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// All files below `folder` with that extension, without build output and node modules.
fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let skipped = ["target", "node_modules", ".git", "dist"];
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() && !skipped.iter().any(|name| path.ends_with(name)) {
            found.extend(files(&path, extension));
        } else if path.extension().is_some_and(|own| own == extension) {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The production lines of a file with their numbers: no comments, nothing after `mod tests`.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let numbered = text.lines().enumerate().map(|(index, line)| (index + 1, line));
    numbered
        .take_while(|(_, line)| !line.starts_with("#[cfg(test)]"))
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
}

fn check(problems: &[String]) {
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
}

#[test]
fn crates_point_only_where_the_plan_says() {
    let crates = ["tsdb", "promql", "scraper", "server", "ui", "benches"];
    let mut problems = Vec::new();
    for (room, allowed) in ARROWS {
        for file in files(&root().join(room).join("src"), "rs") {
            let text = read(&file);
            for (number, line) in code(&text) {
                let names = |name: &&&str| line.contains(&format!("{name}::"));
                let own = room.rsplit('/').next().unwrap_or(room);
                let foreign = crates.iter().filter(names);
                for name in foreign.filter(|name| **name != own && !allowed.contains(name)) {
                    let local = line.contains(&format!("::{name}::"))
                        || line.contains(&format!("_{name}::"));
                    if !local {
                        problems.push(format!("{}:{number}: {room} names {name}", file.display()));
                    }
                }
            }
        }
    }
    check(&problems);
}

#[test]
fn promql_and_scraper_see_only_their_port_of_the_store() {
    let mut problems = Vec::new();
    for (room, allowed) in PORTS {
        for file in files(&root().join(room).join("src"), "rs") {
            let text = read(&file);
            for (number, line) in code(&text) {
                for name in names_of_the_store(line).filter(|name| !allowed.contains(name)) {
                    problems.push(format!("{}:{number}: tsdb::{name}", file.display()));
                }
            }
        }
    }
    check(&problems);
}

/// What a line names of `tsdb`: the word after `tsdb::`, or those in the braces after it.
fn names_of_the_store(line: &str) -> impl Iterator<Item = &str> {
    let afters = line.match_indices("tsdb::").map(|(at, found)| &line[at + found.len()..]);
    afters.flat_map(|after| {
        let inside = after.strip_prefix('{').and_then(|inside| inside.split('}').next());
        let first = || after.split([':', ';', '>', '<', ')', ',']).next().unwrap_or("");
        let names = inside.unwrap_or_else(first);
        names.split(',').map(|name| name.trim().split([':', ' ']).next().unwrap_or(""))
    })
}

#[test]
fn the_vocabulary_stands_alone() {
    let mut problems = Vec::new();
    for file in files(&root().join("tsdb/src/model"), "rs") {
        for (number, line) in code(&read(&file)) {
            if line.contains("crate::") && !line.contains("crate::model") {
                problems.push(format!("{}:{number}: {line}", file.display()));
            }
        }
    }
    check(&problems);
}

#[test]
fn the_libraries_ask_nobody() {
    let mut problems = Vec::new();
    for room in ["tsdb/src", "promql/src"] {
        for file in files(&root().join(room), "rs") {
            for (number, line) in code(&read(&file)) {
                let broken = ABSENCES.iter().filter(|(word, _)| line.contains(word));
                for (word, why) in broken {
                    problems.push(format!("{}:{number}: {word}: {why}", file.display()));
                }
            }
        }
    }
    check(&problems);
}

#[test]
fn every_file_opens_with_what_it_is() {
    let mut problems = Vec::new();
    for file in files(&root(), "rs") {
        if !read(&file).starts_with("//! ") {
            problems.push(format!("{}: no `//!` header", file.display()));
        }
    }
    check(&problems);
}

#[test]
fn no_integration_test_is_forgotten() {
    let mut problems = Vec::new();
    for room in ["tsdb", "promql", "scraper", "server"] {
        let folder = root().join(room).join("tests/it");
        let main = read(&folder.join("main.rs"));
        for file in files(&folder, "rs") {
            let Some(module) = file.strip_prefix(&folder).ok().and_then(|f| f.components().next())
            else {
                continue;
            };
            let module = module.as_os_str().to_string_lossy().trim_end_matches(".rs").to_owned();
            if module != "main" && !main.contains(&format!("mod {module};")) {
                problems.push(format!("{}: not in main.rs", file.display()));
            }
        }
    }
    check(&problems);
}

#[test]
fn paths_in_documents_exist() {
    let mut problems = Vec::new();
    for document in files(&root(), "md") {
        let text = read(&document);
        for path in text.split('`').skip(1).step_by(2).filter(|code| looks_like_a_path(code)) {
            if !root().join(path).exists() {
                problems.push(format!("{}: {path} is not there", document.display()));
            }
        }
    }
    check(&problems);
}

/// A path of ours starts with a folder of the root and has no spaces or placeholders.
fn looks_like_a_path(code: &str) -> bool {
    let folders =
        ["tsdb/", "promql/", "scraper/", "server/", "benches/", "testdata/", "docs/", ".ci/"];
    folders.iter().any(|folder| code.starts_with(folder))
        && !code.contains(|c: char| c.is_whitespace() || "*{}<>…:".contains(c))
}

#[test]
fn the_lock_file_stays_small() {
    let lock = read(&root().join("Cargo.lock"));
    let packages = lock.lines().filter(|line| *line == "[[package]]").count();
    println!("Cargo.lock: {packages} packages of at most {PACKAGES_MAX}");
    assert!(packages <= PACKAGES_MAX, "{packages} packages in Cargo.lock");
}

#[test]
fn lengths_are_printed() {
    let (mut file_lengths, mut function_lengths) = (Vec::new(), Vec::new());
    for room in ARROWS.map(|(room, _)| room) {
        for file in files(&root().join(room).join("src"), "rs") {
            let text = read(&file);
            let lines: Vec<&str> =
                text.lines().take_while(|l| !l.starts_with("#[cfg(test)]")).collect();
            file_lengths.push(lines.len());
            function_lengths.extend(functions(&lines));
        }
    }
    println!("                      median    p90    max");
    println!("files (lines)       {}", summary(&mut file_lengths));
    println!("functions (lines)   {}", summary(&mut function_lengths));
    println!("others, files: ripgrep 174/1045/7996, redb 251/1694/2802, lsm-tree 97/336/1197");
    println!("others, functions: ripgrep 4/23, redb 7/29, lsm-tree 5/36, Thanos engine 7/37");
    assert!(file_lengths.len() > 20, "the files were not found");
}

/// Lengths of functions: from `fn` to the closing brace at the same indentation.
fn functions(lines: &[&str]) -> Vec<usize> {
    let is_start = |line: &str| {
        let line = line.trim_start();
        let line = line.trim_start_matches("pub(crate) ").trim_start_matches("pub(super) ");
        let line = line.trim_start_matches("pub ").trim_start_matches("const ");
        line.trim_start_matches("async ").starts_with("fn ")
    };
    let indent = |line: &str| line.len() - line.trim_start().len();
    let starts = (0..lines.len()).filter(|at| is_start(lines[*at]));
    starts
        .filter_map(|start| {
            let end = lines[start..].iter().position(|line| {
                indent(line) == indent(lines[start])
                    && (line.trim() == "}" || line.ends_with(';') || line.ends_with(" }"))
            })?;
            Some(end + 1)
        })
        .collect()
}

fn summary(lengths: &mut [usize]) -> String {
    lengths.sort_unstable();
    let at =
        |share: f64| lengths.get((lengths.len() as f64 * share) as usize).copied().unwrap_or(0);
    format!("{:>6} {:>6} {:>6}", at(0.5), at(0.9), lengths.last().copied().unwrap_or(0))
}
