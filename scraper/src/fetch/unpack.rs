//! Compressed bodies: gzip and zstd, bounded in what comes out.

use std::io::{self, Read};

use tokio::task::spawn_blocking;

use super::FetchError;

/// What is unpacked where it was received, in bytes; more would keep other targets waiting.
const HERE_MAX: u64 = 1 << 20;

/// Largest window that a zstd body may ask for, as a power of two: 8 MiB (RFC 9659).
const ZSTD_WINDOW_LOG_MAX: u32 = 23;

/// How a body is compressed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    /// Not at all.
    None,
    Gzip,
    Zstd,
    /// In a way that nobody asked for.
    Other(String),
}

impl Encoding {
    /// What a `Content-Encoding` header names.
    pub(super) fn of(text: &str) -> Self {
        match text.to_ascii_lowercase().as_str() {
            "" | "identity" => Self::None,
            "gzip" | "x-gzip" => Self::Gzip,
            "zstd" => Self::Zstd,
            other => Self::Other(other.to_owned()),
        }
    }

    /// Replaces `body` by what it unpacks to, at most `limit` bytes; on another thread if that is
    /// much.
    pub(super) async fn unpack(self, body: &mut Vec<u8>, limit: u64) -> Result<(), FetchError> {
        match self.unpack_here(body, limit.min(HERE_MAX)) {
            Err(FetchError::TooLarge) if limit > HERE_MAX => {}
            done => return done,
        }
        let mut packed = std::mem::take(body);
        let unpacked = spawn_blocking(move || {
            self.unpack_here(&mut packed, limit)?;
            Ok(packed)
        });
        *body = unpacked.await.map_err(|failed| FetchError::Body(failed.to_string()))??;
        Ok(())
    }

    fn unpack_here(&self, body: &mut Vec<u8>, limit: u64) -> Result<(), FetchError> {
        let mut unpacked = Vec::new();
        let read = match self {
            Self::None => return Ok(()),
            // An unknown encoding is no page; its parser will say so.
            Self::Other(_) => return Ok(()),
            Self::Gzip => drain(flate2::read::MultiGzDecoder::new(&body[..]), limit, &mut unpacked),
            Self::Zstd => zstd::Decoder::with_buffer(&body[..]).and_then(|mut decoder| {
                decoder.window_log_max(ZSTD_WINDOW_LOG_MAX)?;
                drain(decoder, limit, &mut unpacked)
            }),
        };
        read.map_err(|error| FetchError::Body(text(&error)))?;
        if unpacked.len() as u64 > limit {
            return Err(FetchError::TooLarge);
        }
        *body = unpacked;
        Ok(())
    }
}

/// Reads one byte more than the limit at the most.
fn drain(reader: impl Read, limit: u64, into: &mut Vec<u8>) -> io::Result<usize> {
    reader.take(limit.saturating_add(1)).read_to_end(into)
}

/// Go's words where they are known.
fn text(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => "unexpected EOF".into(),
        io::ErrorKind::InvalidInput if error.to_string().contains("header") => {
            "gzip: invalid header".into()
        }
        _ => error.to_string(),
    }
}
