//! Takes the offers out of the bytes that arrive on one connection.
//!
//! A head is held back until it is complete, and a body passes as it arrives. Where a head cannot be understood, or the
//! library would not go on to another request after it, everything from there on passes unchanged.

use actix_http::h1::{Codec, Message, MessageType};
use bytes::BytesMut;
use tokio_util::codec::Decoder;

use super::head::Head;

/// Most bytes of a head that are held back: as many as the HTTP library takes. It refuses a longer head itself.
const MOST_HEAD_BYTES: usize = 128 * 1024;

/// What has arrived on a connection so far.
pub struct UpgradeFilter {
    place: Place,
    /// The beginning of a head that is not complete.
    head: BytesMut,
    /// Has read what has passed.
    decoder: Codec,
    /// The end of what has passed, as far as the decoder waits for more of it.
    undecoded: BytesMut,
}

/// Where in the sequence of requests the next byte belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Head,
    Body,
    /// No further head is looked for.
    Unfiltered,
}

impl UpgradeFilter {
    /// The filter of a new connection, with a decoder that has read nothing.
    pub fn new(decoder: Codec) -> Self {
        Self {
            place: Place::Head,
            head: BytesMut::new(),
            decoder,
            undecoded: BytesMut::new(),
        }
    }

    /// Takes bytes that have arrived, and appends to `passed` what the library may read.
    pub fn push(&mut self, arrived: &[u8], passed: &mut BytesMut) {
        let mut rest = arrived;
        while !rest.is_empty() {
            rest = match self.place {
                Place::Head => self.push_head(rest, passed),
                Place::Body => self.push_body(rest, passed),
                Place::Unfiltered => {
                    passed.extend_from_slice(rest);
                    &[]
                }
            };
        }
    }

    /// Passes what is held back, because nothing more will arrive.
    pub fn end(&mut self, passed: &mut BytesMut) {
        self.give_up(passed);
    }

    /// Takes the bytes of a head and returns those behind it.
    fn push_head<'a>(&mut self, bytes: &'a [u8], passed: &mut BytesMut) -> &'a [u8] {
        let is_first = self.head.is_empty();
        self.head.extend_from_slice(bytes);
        // Only the end of a line can complete a head, and what is no HTTP at all shows at once.
        if !is_first && !bytes.contains(&b'\n') {
            self.limit_head(passed);
            return &[];
        }
        match Head::parse(&self.head) {
            Ok(None) => self.limit_head(passed),
            Err(_) => self.give_up(passed),
            Ok(Some(head)) => {
                let behind = self.head.len() - head.length;
                self.pass_head(&head, passed);
                return &bytes[bytes.len() - behind..];
            }
        }
        &[]
    }

    fn limit_head(&mut self, passed: &mut BytesMut) {
        if self.head.len() >= MOST_HEAD_BYTES {
            self.give_up(passed);
        }
    }

    fn pass_head(&mut self, head: &Head, passed: &mut BytesMut) {
        let arrived = std::mem::take(&mut self.head);
        let bytes = match &head.without_offer {
            Some(bytes) => bytes,
            None => &arrived[..head.length],
        };
        passed.extend_from_slice(bytes);
        self.undecoded.extend_from_slice(bytes);
        let decoded = self.decoder.decode(&mut self.undecoded);
        self.place = match (decoded, self.decoder.message_type()) {
            (Ok(Some(Message::Item(_))), MessageType::None) => Place::Head,
            (Ok(Some(Message::Item(_))), MessageType::Payload) => Place::Body,
            // Refused, or the rest of the connection is no longer HTTP.
            _ => Place::Unfiltered,
        };
    }

    /// Passes the bytes of a body and returns those behind it.
    fn push_body<'a>(&mut self, bytes: &'a [u8], passed: &mut BytesMut) -> &'a [u8] {
        self.undecoded.extend_from_slice(bytes);
        let behind = loop {
            match self.decoder.decode(&mut self.undecoded) {
                Ok(Some(Message::Chunk(None))) => {
                    self.place = Place::Head;
                    break self.undecoded.split().len();
                }
                Ok(Some(_)) => {}
                Ok(None) => break 0,
                Err(_) => {
                    self.place = Place::Unfiltered;
                    break 0;
                }
            }
        };
        let (body, rest) = bytes.split_at(bytes.len() - behind);
        passed.extend_from_slice(body);
        rest
    }

    fn give_up(&mut self, passed: &mut BytesMut) {
        passed.extend_from_slice(&std::mem::take(&mut self.head));
        self.place = Place::Unfiltered;
    }
}

#[cfg(test)]
mod tests;
