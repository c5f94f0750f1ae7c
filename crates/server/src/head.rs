//! The judgement of one HTTP/1 request head: which body follows, or why it is refused (H01).

use std::str::FromStr;

/// What follows a head.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Body {
    /// Nothing: the next byte begins the next head.
    None,
    /// So many bytes.
    Sized(u64),
    /// Chunks.
    Chunked,
}

/// Why bytes are no request with exactly one reading.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum Refusal {
    /// CR without LF or LF without CR.
    #[error("a line ends in a bare CR or LF")]
    LineEnd,
    /// The request line has other than three clean parts, or the target is no path.
    #[error("the request line is malformed")]
    RequestLine,
    /// A header line begins with white space.
    #[error("a header is folded over lines")]
    Folded,
    /// A header name is empty or has other than token letters, for instance a space.
    #[error("a header name is malformed")]
    HeaderName,
    /// A header value has control characters.
    #[error("a header value has control characters")]
    HeaderValue,
    /// Content-Length is no plain number, or stands there twice.
    #[error("the content length is malformed or repeated")]
    ContentLength,
    /// Transfer-Encoding is other than one `chunked`.
    #[error("the transfer coding is not plain `chunked`")]
    TransferEncoding,
    /// Both ways to say where the body ends.
    #[error("content length and transfer coding stand together")]
    BothLengths,
    /// No Host, or several.
    #[error("other than one `Host` header")]
    Host,
    /// A chunk's size line is other than hexadecimal digits.
    #[error("a chunk size is malformed")]
    ChunkSize,
    /// A chunk does not end where its size says.
    #[error("a chunk does not end with its line")]
    ChunkEnd,
    /// Fields after the last chunk.
    #[error("trailers are not accepted")]
    Trailer,
}

/// Judges a whole head, its last empty line included. Every line in it ends in CR LF.
pub(crate) fn check(head: &[u8]) -> Result<Body, Refusal> {
    let mut lines =
        head.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let newer = request_line(lines.next().unwrap_or_default())?;
    let (mut length, mut chunked, mut hosts) = (None, false, 0u32);
    for line in lines.take_while(|line| !line.is_empty()) {
        let (name, value) = header(line)?;
        if name.eq_ignore_ascii_case(b"content-length") {
            if length.replace(content_length(value)?).is_some() {
                return Err(Refusal::ContentLength);
            }
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            if chunked || !newer || !value.eq_ignore_ascii_case(b"chunked") {
                return Err(Refusal::TransferEncoding);
            }
            chunked = true;
        } else if name.eq_ignore_ascii_case(b"host") {
            hosts += 1;
        }
    }
    if hosts > 1 || (newer && hosts == 0) {
        return Err(Refusal::Host);
    }
    match (length, chunked) {
        (Some(_), true) => Err(Refusal::BothLengths),
        (None, true) => Ok(Body::Chunked),
        (None | Some(0), false) => Ok(Body::None),
        (Some(length), false) => Ok(Body::Sized(length)),
    }
}

/// The size a chunk's first line gives, its end included: hexadecimal digits and nothing else.
pub(crate) fn chunk_size(line: &[u8]) -> Result<u64, Refusal> {
    let digits = line.strip_suffix(b"\r\n").unwrap_or(line);
    if digits.is_empty() || digits.len() > 16 || !digits.iter().all(u8::is_ascii_hexdigit) {
        return Err(Refusal::ChunkSize);
    }
    let text = std::str::from_utf8(digits).map_err(|_| Refusal::ChunkSize)?;
    u64::from_str_radix(text, 16).map_err(|_| Refusal::ChunkSize)
}

/// Whether the line speaks HTTP/1.1 rather than 1.0.
fn request_line(line: &[u8]) -> Result<bool, Refusal> {
    let mut parts = line.split(|byte| *byte == b' ');
    let (Some(method), Some(target), Some(version), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(Refusal::RequestLine);
    };
    // Only paths: no proxying (`http://...`), no CONNECT, no `*`.
    let target_ok =
        target.first() == Some(&b'/') && target.iter().all(|b| (0x21..0x7f).contains(b));
    if method.is_empty() || !method.iter().all(|b| is_token(*b)) || !target_ok {
        return Err(Refusal::RequestLine);
    }
    match version {
        b"HTTP/1.1" => Ok(true),
        b"HTTP/1.0" => Ok(false),
        _ => Err(Refusal::RequestLine),
    }
}

fn header(line: &[u8]) -> Result<(&[u8], &[u8]), Refusal> {
    if matches!(line.first(), Some(b' ' | b'\t')) {
        return Err(Refusal::Folded);
    }
    let colon = line.iter().position(|byte| *byte == b':').ok_or(Refusal::HeaderName)?;
    let (name, value) = line.split_at_checked(colon).ok_or(Refusal::HeaderName)?;
    if name.is_empty() || !name.iter().all(|byte| is_token(*byte)) {
        return Err(Refusal::HeaderName);
    }
    let value = value.get(1..).unwrap_or_default();
    if value.iter().any(|byte| (*byte < b' ' && *byte != b'\t') || *byte == 0x7f) {
        return Err(Refusal::HeaderValue);
    }
    Ok((name, trim(value)))
}

fn trim(value: &[u8]) -> &[u8] {
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let Some(first) = value.iter().position(|b| !blank(b)) else { return &[] };
    let last = value.iter().rposition(|b| !blank(b)).unwrap_or(first);
    value.get(first..=last).unwrap_or_default()
}

fn content_length(value: &[u8]) -> Result<u64, Refusal> {
    if value.is_empty() || value.len() > 19 || !value.iter().all(u8::is_ascii_digit) {
        return Err(Refusal::ContentLength);
    }
    let text = std::str::from_utf8(value).map_err(|_| Refusal::ContentLength)?;
    u64::from_str(text).map_err(|_| Refusal::ContentLength)
}

/// RFC 9110 5.6.2.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_say_what_follows() {
        for (head, expected) in [
            ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", Body::None),
            ("GET / HTTP/1.0\r\n\r\n", Body::None),
            ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", Body::None),
            ("POST / HTTP/1.1\r\nhost:a\r\ncontent-length:\t12 \r\n\r\n", Body::Sized(12)),
            ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n", Body::Chunked),
            ("GET /?x=%00 HTTP/1.1\r\nHost: a\r\nEmpty:\r\nX: \u{e9}\r\n\r\n", Body::None),
        ] {
            assert_eq!(check(head.as_bytes()), Ok(expected), "{head:?}");
        }
    }

    #[test]
    fn tm_h01_doubtful_heads_are_refused() {
        use Refusal as R;
        for (lines, expected) in [
            (
                "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked",
                R::BothLengths,
            ),
            (
                "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1",
                R::ContentLength,
            ),
            ("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1", R::ContentLength),
            ("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: +1", R::ContentLength),
            ("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x1", R::ContentLength),
            ("GET / HTTP/1.1\r\nHost: a\r\nContent-Length:", R::ContentLength),
            ("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999", R::ContentLength),
            ("GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked", R::TransferEncoding),
            ("GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity", R::TransferEncoding),
            ("GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked", R::TransferEncoding),
            (
                "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
                R::TransferEncoding,
            ),
            ("GET / HTTP/1.0\r\nTransfer-Encoding: chunked", R::TransferEncoding),
            ("GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n folded", R::Folded),
            ("GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n\tfolded", R::Folded),
            ("GET / HTTP/1.1\r\n Host: a", R::Folded),
            ("GET / HTTP/1.1\r\nHost : a", R::HeaderName),
            ("GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked", R::HeaderName),
            ("GET / HTTP/1.1\r\nHost: a\r\n: b", R::HeaderName),
            ("GET / HTTP/1.1\r\nHost: a\r\nno colon", R::HeaderName),
            ("GET / HTTP/1.1\r\nHost: a\r\nX\u{e9}: b", R::HeaderName),
            ("GET / HTTP/1.1\r\nHost: a\r\nX: \0b", R::HeaderValue),
            ("GET / HTTP/1.1\r\nHost: a\r\nX: \x1b[0m", R::HeaderValue),
            ("GET / HTTP/1.1", R::Host),
            ("GET / HTTP/1.1\r\nHost: a\r\nHost: b", R::Host),
            ("GET  / HTTP/1.1\r\nHost: a", R::RequestLine),
            ("GET / HTTP/1.1 \r\nHost: a", R::RequestLine),
            ("GET /\tx HTTP/1.1\r\nHost: a", R::RequestLine),
            ("GET http://a/ HTTP/1.1\r\nHost: a", R::RequestLine),
            ("CONNECT a:443 HTTP/1.1\r\nHost: a", R::RequestLine),
            ("OPTIONS * HTTP/1.1\r\nHost: a", R::RequestLine),
            ("G(T / HTTP/1.1\r\nHost: a", R::RequestLine),
            ("GET / HTTP/2.0\r\nHost: a", R::RequestLine),
            ("GET /\r\nHost: a", R::RequestLine),
            ("\r\nGET / HTTP/1.1\r\nHost: a", R::RequestLine),
        ] {
            let head = format!("{lines}\r\n\r\n");
            assert_eq!(check(head.as_bytes()), Err(expected), "{lines:?}");
        }
    }

    #[test]
    fn chunk_sizes_are_hexadecimal_digits() {
        for (line, expected) in [
            ("0\r\n", Ok(0)),
            ("aF\r\n", Ok(0xaf)),
            ("ffffffffffffffff\r\n", Ok(u64::MAX)),
            ("\r\n", Err(Refusal::ChunkSize)),
            ("1;x\r\n", Err(Refusal::ChunkSize)),
        ] {
            assert_eq!(chunk_size(line.as_bytes()), expected, "{line:?}");
        }
    }
}
