//! A connection whose reader does not see the offers to change the protocol.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::filter::UpgradeFilter;

/// A connection; what is written passes as it is.
pub struct WithoutUpgrade<S> {
    stream: S,
    filter: UpgradeFilter,
    /// What has passed the filter and is not read yet.
    passed: BytesMut,
}

impl<S> WithoutUpgrade<S> {
    /// Filters what arrives on `stream`.
    pub fn new(stream: S, filter: UpgradeFilter) -> Self {
        Self {
            stream,
            filter,
            passed: BytesMut::new(),
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for WithoutUpgrade<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        while this.passed.is_empty() && buffer.remaining() > 0 {
            let start = buffer.filled().len();
            ready!(Pin::new(&mut this.stream).poll_read(context, buffer))?;
            let arrived = &buffer.filled()[start..];
            if arrived.is_empty() {
                this.filter.end(&mut this.passed);
                break;
            }
            this.filter.push(arrived, &mut this.passed);
            buffer.set_filled(start);
        }
        let length = buffer.remaining().min(this.passed.len());
        buffer.put_slice(&this.passed[..length]);
        this.passed.advance(length);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for WithoutUpgrade<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use actix_http::ServiceConfig;
    use actix_http::h1::Codec;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    #[actix_web::test]
    async fn an_unfinished_head_is_read_when_nothing_more_arrives() {
        let (mut client, server) = duplex(64);
        let filter = UpgradeFilter::new(Codec::new(ServiceConfig::default()));
        let mut server = WithoutUpgrade::new(server, filter);
        client.write_all(b"GET / HTTP/1.1\r\nUpgr").await.unwrap();
        drop(client);
        let mut read = Vec::new();
        server.read_to_end(&mut read).await.unwrap();
        assert_eq!(read, b"GET / HTTP/1.1\r\nUpgr");
    }

    #[actix_web::test]
    async fn a_reader_with_little_room_reads_everything_in_pieces() {
        let (mut client, server) = duplex(64);
        let filter = UpgradeFilter::new(Codec::new(ServiceConfig::default()));
        let mut server = WithoutUpgrade::new(server, filter);
        let request =
            b"POST / HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\nContent-Length: 4\r\n\r\nbody";
        let sender = actix_web::rt::spawn(async move { client.write_all(request).await });
        let mut read = Vec::new();
        let mut piece = [0; 3];
        while let length @ 1.. = server.read(&mut piece).await.unwrap() {
            read.extend_from_slice(&piece[..length]);
        }
        sender.await.unwrap().unwrap();
        assert_eq!(
            read,
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody"
        );
    }
}
