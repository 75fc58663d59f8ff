//! The head of an HTTP/1.1 answer: what of it a scrape has to know. Error texts are Go's.

use reqwest::StatusCode;

use super::unpack::Encoding;

/// Largest head of an answer, in bytes.
const HEAD_BYTES_MAX: usize = 256 << 10;
/// Most headers of an answer.
const HEADERS_MAX: usize = 100;

/// How the end of a body is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Length {
    Bytes(u64),
    Chunks,
    ToTheEnd,
}

/// What a head says.
pub(super) struct Parsed {
    pub(super) status: StatusCode,
    pub(super) content_type: Option<String>,
    pub(super) encoding: Encoding,
    pub(super) length: Length,
    /// Whether the connection stays open.
    pub(super) keep: bool,
}

/// The head at the start of `buffer`, and its length; `None` if it is not whole yet.
pub(super) fn parse(buffer: &[u8]) -> Result<Option<(Parsed, usize)>, String> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut response = httparse::Response::new(&mut headers);
    let length = match response.parse(buffer) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) if buffer.len() < HEAD_BYTES_MAX => return Ok(None),
        Ok(httparse::Status::Partial) => {
            return Err(format!(
                "net/http: server response headers exceeded {HEAD_BYTES_MAX} bytes; aborted"
            ));
        }
        Err(_) => return Err(malformed(buffer)),
    };
    let status = response.code.and_then(|code| StatusCode::from_u16(code).ok());
    let status = status.ok_or_else(|| malformed(buffer))?;
    let mut parsed = Parsed {
        status,
        content_type: None,
        encoding: Encoding::None,
        length: Length::ToTheEnd,
        keep: response.version == Some(1),
    };
    for header in response.headers.iter() {
        parsed.note(header.name, header.value)?;
    }
    Ok(Some((parsed, length)))
}

impl Parsed {
    fn note(&mut self, name: &str, value: &[u8]) -> Result<(), String> {
        let text = String::from_utf8_lossy(value);
        let text = text.trim();
        if name.eq_ignore_ascii_case("content-type") {
            self.content_type.get_or_insert_with(|| text.to_owned());
        } else if name.eq_ignore_ascii_case("content-encoding") {
            self.encoding = Encoding::of(text);
        } else if name.eq_ignore_ascii_case("transfer-encoding") {
            match text.eq_ignore_ascii_case("chunked") {
                true => self.length = Length::Chunks,
                false => return Err(format!("unsupported transfer encoding: {text:?}")),
            }
        } else if name.eq_ignore_ascii_case("content-length") {
            let is_number = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
            let bytes = text.parse().ok().filter(|_| is_number).map(Length::Bytes);
            let bytes = bytes.ok_or_else(|| format!("bad Content-Length {text:?}"))?;
            match self.length {
                // Chunks win over a length (RFC 9112, 6.3).
                Length::Chunks => {}
                Length::Bytes(_) if self.length != bytes => {
                    return Err(format!(
                        "http: message cannot contain multiple Content-Length headers; got {text:?}"
                    ));
                }
                _ => self.length = bytes,
            }
        } else if name.eq_ignore_ascii_case("connection") {
            let close = text.split(',').any(|own| own.trim().eq_ignore_ascii_case("close"));
            self.keep &= !close;
        }
        Ok(())
    }
}

/// Go's words for bytes that are no HTTP.
fn malformed(buffer: &[u8]) -> String {
    let line = buffer.split(|b| *b == b'\n').next().unwrap_or_default();
    let line = String::from_utf8_lossy(&line[..line.len().min(100)]).trim_end().to_owned();
    let line = tsdb::model::labels::Quoted(&line);
    format!("net/http: HTTP/1.x transport connection broken: malformed HTTP response {line}")
}
