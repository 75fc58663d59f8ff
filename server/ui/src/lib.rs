//! The web page of Inferometer, embedded: what a server needs to answer for its files.
//!
//! The build script lets npm build the page and gzips its files; this crate looks them up. When
//! the page could not be built there is one plain `index.html` that says why (`is_real`).
//! Files are kept gzipped only, since nearly every browser asks for that; `Asset::plain` is for
//! the client that does not.

use std::borrow::Cow;
use std::io::{self, Read};

use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "$OUT_DIR/embed"]
struct Files;

/// The `Content-Security-Policy` under which the page works: only its own files, nothing inline.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; \
     style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'";

/// One file of the page.
#[derive(Debug, Clone)]
pub struct Asset {
    /// The file, gzipped.
    pub gzip: Cow<'static, [u8]>,
    /// The value of `Content-Type`.
    pub content_type: &'static str,
    /// The value of `ETag`, with its quotes; it changes with the content.
    pub etag: String,
    /// Whether the name changes with the content, so that a client may keep the file for ever;
    /// otherwise it has to ask again (`Cache-Control: no-cache`).
    pub immutable: bool,
}

impl Asset {
    /// The value of `Cache-Control`.
    pub fn cache_control(&self) -> &'static str {
        if self.immutable { "public, max-age=31536000, immutable" } else { "no-cache" }
    }

    /// The file unpacked, for a client that does not accept gzip.
    ///
    /// # Errors
    /// Only if the embedded bytes are damaged.
    pub fn plain(&self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        flate2::read::GzDecoder::new(&*self.gzip).read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

/// Looks up a file by its path below the page's address, with or without a leading slash; the
/// empty path is `index.html`.
pub fn asset(path: &str) -> Option<Asset> {
    let path = match path.strip_prefix('/').unwrap_or(path) {
        "" => "index.html",
        path => path,
    };
    let file = Files::get(&format!("{path}.gz"))?;
    Some(Asset {
        gzip: file.data,
        content_type: content_type(path),
        etag: etag(&file.metadata.sha256_hash()),
        immutable: path.starts_with("assets/"),
    })
}

/// The paths of all files, for `asset`.
pub fn paths() -> impl Iterator<Item = String> {
    Files::iter().filter_map(|path| path.strip_suffix(".gz").map(str::to_owned))
}

/// Whether this is the dashboard, and not the plain page that says why it is missing.
pub fn is_real() -> bool {
    env!("INFEROMETER_UI_KIND") == "page"
}

/// Half of the hash is plenty to tell versions apart.
fn etag(hash: &[u8; 32]) -> String {
    let hex: String = hash[..16].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("\"{hex}\"")
}

/// The media type that belongs to a file name's ending.
fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map_or("", |(_, ending)| ending) {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests;
