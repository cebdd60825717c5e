//! An HTTP server that records its requests and responds with scripted statuses.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// Longest wait for a request.
const TIMEOUT: Duration = Duration::from_secs(60);

/// One received request.
#[derive(Debug)]
pub struct Received {
    /// Method, address and headers, in lower case.
    pub head: String,
    /// The body.
    pub body: String,
}

/// A server on a free port of this machine.
pub struct Listener {
    port: u16,
    received: Receiver<Received>,
}

impl Listener {
    /// Responds to each request with the next of `statuses`, then always with the last; without any, never.
    pub fn answering(statuses: &[u16]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let statuses = statuses.to_vec();
        let (sender, received) = channel();
        std::thread::spawn(move || {
            let mut unanswered = Vec::new();
            for (number, stream) in listener.incoming().enumerate() {
                let status = statuses.get(number).or(statuses.last());
                let Ok((request, mut stream)) = stream.and_then(receive) else {
                    continue;
                };
                // Before the response, so that a client that received it finds its request recorded.
                if sender.send(request).is_err() {
                    return;
                }
                match status {
                    // The client may have disconnected.
                    Some(status) => drop(answer(&mut stream, *status)),
                    None => unanswered.push(stream),
                }
            }
        });
        Self { port, received }
    }

    pub fn url(&self, path: &str) -> String {
        self.url_at("127.0.0.1", path)
    }

    /// As [`Listener::url`], with another name or address of this machine.
    pub fn url_at(&self, host: &str, path: &str) -> String {
        format!("http://{host}:{}{path}", self.port)
    }

    /// The next request.
    #[track_caller]
    pub fn next(&self) -> Received {
        self.received.recv_timeout(TIMEOUT).unwrap()
    }

    /// Whether [`Listener::next`] has returned every request.
    pub fn has_no_more(&self) -> bool {
        self.received.try_recv().is_err()
    }
}

fn receive(stream: TcpStream) -> std::io::Result<(Received, TcpStream)> {
    stream.set_read_timeout(Some(TIMEOUT))?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head)? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    }
    let head = head.to_lowercase();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length:"))
        .map_or(0, |length| length.trim().parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let body = String::from_utf8(body).unwrap();
    Ok((Received { head, body }, stream))
}

fn answer(stream: &mut TcpStream, status: u16) -> std::io::Result<()> {
    let answer =
        format!("HTTP/1.1 {status} Status\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    stream.write_all(answer.as_bytes())
}
