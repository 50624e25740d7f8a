//! What the reader of CSV can't be told otherwise.

use std::io::{self, Read};

/// Text whose lines all end with a line feed, the last one too, and whose quotes are counted.
///
/// The reader of CSV takes a carriage return for the end of a line and the line feed after it for an empty line, and so counts
/// wrong. It takes the end of the file for the end of a quoted cell, and so would take half of a file for one long text.
#[derive(Debug)]
pub(super) struct Plain<R> {
    inner: R,
    /// Whether a quote has been opened: in CSV (RFC 4180) they come in pairs.
    is_quoted: bool,
    /// What was read last, before it was changed.
    last: Option<u8>,
    is_over: bool,
}

impl<R> Plain<R> {
    pub const fn new(inner: R) -> Self {
        Self {
            inner,
            is_quoted: false,
            last: None,
            is_over: false,
        }
    }

    /// Whether a quote has been opened and not closed.
    pub const fn has_open_quote(&self) -> bool {
        self.is_quoted
    }

    /// Makes what was read plain, in its place, and answers how much is left of it.
    fn make_plain(&mut self, bytes: &mut [u8]) -> usize {
        let mut kept = 0;
        for at in 0..bytes.len() {
            let byte = bytes[at];
            let is_second_half = byte == b'\n' && self.last == Some(b'\r');
            self.last = Some(byte);
            if is_second_half {
                continue;
            }
            self.is_quoted ^= byte == b'"';
            bytes[kept] = if byte == b'\r' { b'\n' } else { byte };
            kept += 1;
        }
        kept
    }
}

impl<R: Read> Read for Plain<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() || self.is_over {
            return Ok(0);
        }
        loop {
            let read = self.inner.read(buffer)?;
            if read > 0 {
                match self.make_plain(&mut buffer[..read]) {
                    0 => continue,
                    kept => return Ok(kept),
                }
            }
            self.is_over = true;
            let is_ended = matches!(self.last, None | Some(b'\n' | b'\r'));
            if !is_ended {
                buffer[0] = b'\n';
            }
            return Ok(usize::from(!is_ended));
        }
    }
}
