//! A strict reader of HTTP/1 message framing, between the socket and the HTTP library.
//!
//! Two readers of one byte stream that disagree on where a message ends are how requests are
//! smuggled (threat H01). The library is lenient where old clients were; this reader is not. It
//! holds a head back until it is whole and clean, follows each body to its end, and hands on
//! only what has exactly one reading. The first doubt turns the stream into a line no parser
//! takes, so that the library answers 400 and closes.
//!
//! HTTP/2 has lengths in its frames; after its preface the bytes pass unread.

use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use std::{future::Future, io};

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

use crate::head::{self, Body, Refusal};

/// The first bytes of an HTTP/2 connection.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// A request line without a single legal letter.
const POISON: &[u8] = b"\0\r\n\r\n";
const CHUNK: usize = 8 * 1024;
/// Sixteen digits and the line's end.
const MAX_SIZE_LINE: usize = 18;

/// A stream whose HTTP/1 framing has been checked before anybody reads it.
pub(crate) struct Strict<S> {
    inner: S,
    phase: Phase,
    /// Read from the socket, not yet handed on.
    held: BytesMut,
    /// How far `held` has been looked at, in the phases that look for a line's end.
    seen: usize,
    /// Checked, waiting for the reader.
    checked: BytesMut,
    head_bytes: usize,
    head_time: Duration,
    timer: Option<Pin<Box<Sleep>>>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Phase {
    /// Nothing tells HTTP/1 from HTTP/2 yet.
    Start,
    Head,
    Sized(u64),
    ChunkSize,
    ChunkData(u64),
    ChunkEnd,
    LastChunk,
    Http2,
    /// The head outgrew its limit: the library, which has the same one, says so.
    Oversize,
    Refused,
}

impl<S> Strict<S> {
    /// Reads `inner` strictly. A head may have `head_bytes` bytes and take `head_time` from its
    /// first byte (the first head: from now).
    pub(crate) fn new(inner: S, head_bytes: usize, head_time: Duration) -> Self {
        Self {
            inner,
            phase: Phase::Start,
            held: BytesMut::new(),
            seen: 0,
            checked: BytesMut::new(),
            head_bytes,
            head_time,
            timer: Some(Box::pin(tokio::time::sleep(head_time))),
        }
    }

    /// Hands on what can be judged; returns when more bytes are needed.
    fn advance(&mut self) {
        while !self.held.is_empty() {
            let before = (self.phase, self.held.len());
            if let Err(refusal) = self.step() {
                tracing::debug!(%refusal, "request framing refused");
                metrics::counter!("bailiwick_framing_refusals_total").increment(1);
                self.phase = Phase::Refused;
                self.held.clear();
                self.checked.extend_from_slice(POISON);
            }
            if before == (self.phase, self.held.len()) {
                return;
            }
        }
    }

    fn step(&mut self) -> Result<(), Refusal> {
        match self.phase {
            Phase::Start => {
                let known = self.held.len().min(PREFACE.len());
                if self.held.get(..known) != PREFACE.get(..known) {
                    self.phase = Phase::Head;
                } else if known == PREFACE.len() {
                    self.phase = Phase::Http2;
                }
            }
            Phase::Head => {
                if let Some(end) = self.line_end(true)? {
                    let body = self.held.get(..end).map_or(Ok(Body::None), head::check)?;
                    self.pass(end);
                    self.phase = match body {
                        Body::None => Phase::Head,
                        Body::Sized(length) => Phase::Sized(length),
                        Body::Chunked => Phase::ChunkSize,
                    };
                } else if self.held.len() > self.head_bytes {
                    self.phase = Phase::Oversize;
                }
            }
            Phase::Sized(left) => {
                let left = self.pass_some(left);
                self.phase = if left == 0 { Phase::Head } else { Phase::Sized(left) };
            }
            Phase::ChunkSize => {
                if let Some(end) = self.line_end(false)? {
                    let size = self.held.get(..end).map_or(Ok(0), head::chunk_size)?;
                    self.pass(end);
                    self.phase = if size == 0 { Phase::LastChunk } else { Phase::ChunkData(size) };
                } else if self.held.len() > MAX_SIZE_LINE {
                    return Err(Refusal::ChunkSize);
                }
            }
            Phase::ChunkData(left) => {
                let left = self.pass_some(left);
                self.phase = if left == 0 { Phase::ChunkEnd } else { Phase::ChunkData(left) };
            }
            Phase::ChunkEnd | Phase::LastChunk => {
                let known = self.held.len().min(2);
                if self.held.get(..known) != b"\r\n".get(..known) {
                    let last = self.phase == Phase::LastChunk;
                    return Err(if last { Refusal::Trailer } else { Refusal::ChunkEnd });
                }
                if known == 2 {
                    self.pass(2);
                    self.phase = match self.phase {
                        Phase::LastChunk => Phase::Head,
                        _ => Phase::ChunkSize,
                    };
                }
            }
            Phase::Http2 | Phase::Oversize => self.pass(self.held.len()),
            Phase::Refused => self.held.clear(),
        }
        Ok(())
    }

    /// Where the line (or with `whole`, the head) ends, if it does. Every CR must have its LF,
    /// every LF its CR.
    fn line_end(&mut self, whole: bool) -> Result<Option<usize>, Refusal> {
        while let Some(byte) = self.held.get(self.seen) {
            let next = self.held.get(self.seen + 1);
            match (byte, next) {
                (b'\r', Some(b'\n')) => {
                    let end = self.seen + 2;
                    if !whole || self.held.get(..end).is_some_and(|h| h.ends_with(b"\r\n\r\n")) {
                        return Ok(Some(end));
                    }
                    self.seen = end;
                }
                (b'\r', None) => return Ok(None),
                (b'\r' | b'\n', _) => return Err(Refusal::LineEnd),
                _ => self.seen += 1,
            }
        }
        Ok(None)
    }

    fn pass(&mut self, count: usize) {
        let part = self.held.split_to(count.min(self.held.len()));
        self.checked.unsplit(part);
        self.seen = 0;
    }

    fn pass_some(&mut self, left: u64) -> u64 {
        let count = usize::try_from(left).unwrap_or(usize::MAX).min(self.held.len());
        self.pass(count);
        left.saturating_sub(count as u64)
    }

    /// Keeps the head's timer running exactly while a head is on its way.
    fn late(&mut self, cx: &mut Context<'_>) -> bool {
        let waiting = match self.phase {
            Phase::Start => true,
            Phase::Head => !self.held.is_empty(),
            _ => false,
        };
        if !waiting {
            self.timer = None;
            return false;
        }
        let limit = self.head_time;
        let timer = self
            .timer
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(Instant::now() + limit)));
        timer.as_mut().poll(cx).is_ready()
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Strict<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        loop {
            if !this.checked.is_empty() {
                let part = this.checked.split_to(this.checked.len().min(out.remaining()));
                out.put_slice(&part);
                return Poll::Ready(Ok(()));
            }
            match this.phase {
                Phase::Refused => return Poll::Ready(Ok(())),
                Phase::Http2 if this.held.is_empty() => {
                    return Pin::new(&mut this.inner).poll_read(cx, out);
                }
                _ => {}
            }
            if this.late(cx) {
                metrics::counter!("bailiwick_slow_heads_total").increment(1);
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
            match poll_fill(Pin::new(&mut this.inner), cx, &mut this.held) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Ok(())),
                Poll::Ready(Ok(_)) => this.advance(),
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => {
                    // A head that has just begun must have its timer polled once to be woken.
                    return if this.late(cx) {
                        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
                    } else {
                        Poll::Pending
                    };
                }
            }
        }
    }
}

fn poll_fill<S: AsyncRead>(
    inner: Pin<&mut S>,
    cx: &mut Context<'_>,
    held: &mut BytesMut,
) -> Poll<io::Result<usize>> {
    let mut space = [const { MaybeUninit::uninit() }; CHUNK];
    let mut buffer = ReadBuf::uninit(&mut space);
    match inner.poll_read(cx, &mut buffer) {
        Poll::Ready(Ok(())) => {
            held.extend_from_slice(buffer.filled());
            Poll::Ready(Ok(buffer.filled().len()))
        }
        Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
        Poll::Pending => Poll::Pending,
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Strict<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, data)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write_vectored(cx, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What comes through, fed in pieces of `step` bytes.
    fn through(input: &[u8], step: usize) -> (Vec<u8>, Phase) {
        let mut strict = Strict {
            inner: (),
            phase: Phase::Start,
            held: BytesMut::new(),
            seen: 0,
            checked: BytesMut::new(),
            head_bytes: 1024,
            head_time: Duration::from_secs(1),
            timer: None,
        };
        for piece in input.chunks(step) {
            strict.held.extend_from_slice(piece);
            strict.advance();
        }
        (strict.checked.to_vec(), strict.phase)
    }

    #[test]
    fn clean_messages_pass_whole_in_any_pieces() {
        let input: &[u8] = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc\
            POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\
            5\r\nhello\r\n1F\r\n0123456789012345678901234567890\r\n0\r\n\r\n\
            GET /?a=b HTTP/1.1\r\nHost: a\r\n\r\n";
        for step in [1, 2, 3, 7, 64, 4096] {
            assert_eq!(through(input, step), (input.to_vec(), Phase::Head), "{step}");
        }
    }

    #[test]
    fn http2_passes_after_its_preface() {
        let mut input = PREFACE.to_vec();
        input.extend_from_slice(b"\0\0\n\n\r anything");
        for step in [1, 5, 4096] {
            assert_eq!(through(&input, step), (input.clone(), Phase::Http2), "{step}");
        }
    }

    #[test]
    fn tm_h01_doubtful_chunks_are_refused() {
        let head = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
        for body in [
            "5;a=b\r\nhello\r\n0\r\n\r\n",
            " 5\r\nhello\r\n0\r\n\r\n",
            "5 \r\nhello\r\n0\r\n\r\n",
            "0x5\r\nhello\r\n0\r\n\r\n",
            "+5\r\nhello\r\n0\r\n\r\n",
            "-5\r\nhello\r\n0\r\n\r\n",
            "\r\nhello\r\n0\r\n\r\n",
            "5\nhello\r\n0\r\n\r\n",
            "5\r\nhello!\r\n0\r\n\r\n",
            "5\r\nhello\n0\r\n\r\n",
            "10000000000000000\r\nhello",
            "0\r\nTrailer: x\r\n\r\n",
            "0\r\n\n",
        ] {
            for step in [1, 4096] {
                let (got, phase) = through(&[head, body.as_bytes()].concat(), step);
                assert_eq!(phase, Phase::Refused, "{body:?}");
                assert!(got.ends_with(POISON), "{body:?}");
            }
        }
    }

    #[test]
    fn a_head_beyond_the_limit_is_left_to_the_library() {
        let input = [b"GET / HTTP/1.1\r\nX: ".as_slice(), &[b'a'; 2000]].concat();
        assert_eq!(through(&input, 100), (input, Phase::Oversize));
    }

    #[test]
    fn nothing_of_a_head_passes_before_its_end() {
        assert_eq!(through(b"GET / HTTP/1.1\r\nHost: a\r\n", 1), (Vec::new(), Phase::Head));
    }
}
