//! What the embedded page must look like, whichever of the two it is.

use super::*;

fn text(path: &str) -> String {
    let plain = asset(path).expect("embedded").plain().expect("gzip");
    String::from_utf8(plain).expect("UTF-8")
}

/// The files that `index.html` loads, without the leading `./`.
fn loaded(index: &str) -> Vec<String> {
    index.split(['"', '\'']).filter_map(|part| part.strip_prefix("./")).map(str::to_owned).collect()
}

#[test]
fn the_dashboard_is_embedded() {
    if is_real() {
        return;
    }
    assert!(
        std::env::var_os("INFEROMETER_REQUIRE").is_none_or(|value| value != "1"),
        "the plain page is embedded instead of the dashboard:\n{}",
        text("index.html")
    );
    // Past the test harness, which shows nothing of a test that passes.
    drop(std::io::Write::write_all(
        &mut std::io::stderr(),
        b"skipped: the dashboard is not built in\n",
    ));
}

#[test]
fn the_page_says_which_of_the_two_it_is() {
    let kind = if is_real() { "dashboard" } else { "fallback" };
    let mark = format!("name=\"inferometer-page\" content=\"{kind}\"");
    assert!(text("index.html").contains(&mark), "{}", text("index.html"));
}

#[test]
fn the_plain_page_has_its_reason() {
    assert!(!text("index.html").contains("{reason}"));
}

#[test]
fn index_is_found_under_each_of_its_paths() {
    let etags = ["", "/", "index.html", "/index.html"].map(|path| asset(path).expect(path).etag);
    assert!(etags.iter().all(|etag| *etag == etags[0]), "{etags:?}");
}

#[test]
fn unknown_paths_are_not_found() {
    for path in ["nothing", "index.html.gz", "../Cargo.toml", "assets", "assets/", "//index.html"] {
        assert!(asset(path).is_none(), "{path}");
    }
}

#[test]
fn all_that_index_loads_is_embedded_and_nothing_is_inline() {
    let index = text("index.html");
    let files = loaded(&index);
    assert_eq!(files.iter().any(|file| file.ends_with(".js")), is_real(), "{index}");
    for file in files {
        let asset = asset(&file).unwrap_or_else(|| panic!("{file} is missing"));
        assert!(asset.immutable, "{file}");
    }
    assert!(!index.contains("<script>") && !index.contains("<style"), "{index}");
    assert!(!index.contains("src=\"/") && !index.contains("href=\"/"), "{index}");
}

#[test]
fn every_file_has_a_type_an_etag_and_its_text() {
    for path in paths() {
        let asset = asset(&path).expect("listed");
        assert_ne!(asset.content_type, "application/octet-stream", "{path}");
        assert_eq!(asset.etag.len(), 34, "{path}");
        assert!(asset.etag.starts_with('"') && asset.etag.ends_with('"'), "{path}");
        assert!(!asset.plain().expect("gzip").is_empty(), "{path}");
    }
    let mut etags: Vec<String> = paths().filter_map(|path| asset(&path)).map(|a| a.etag).collect();
    let all = etags.len();
    etags.sort();
    etags.dedup();
    assert_eq!(etags.len(), all, "two files share an ETag");
}

#[test]
fn index_is_asked_for_again_and_hashed_files_are_kept() {
    assert_eq!(asset("").expect("index").cache_control(), "no-cache");
    for path in paths().filter(|path| path.starts_with("assets/")) {
        let asset = asset(&path).expect("listed");
        assert_eq!(asset.cache_control(), "public, max-age=31536000, immutable", "{path}");
    }
}

#[test]
fn content_types_follow_the_ending() {
    let rows = [
        ("index.html", "text/html; charset=utf-8"),
        ("assets/a.b.js", "text/javascript; charset=utf-8"),
        ("assets/a.css", "text/css; charset=utf-8"),
        ("assets/a.js.map", "application/json"),
        ("a.svg", "image/svg+xml"),
        ("a.woff2", "font/woff2"),
        ("LICENSE", "application/octet-stream"),
    ];
    for (path, expected) in rows {
        assert_eq!(content_type(path), expected, "{path}");
    }
}

#[test]
fn damaged_bytes_are_an_error() {
    let mut index = asset("").expect("index");
    let half = index.gzip.len() / 2;
    index.gzip.to_mut().truncate(half);
    assert!(index.plain().is_err());
}
