//! Somebody else's server: keeps what it is sent and answers as it is told.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// Longest wait for a request.
const PATIENCE: Duration = Duration::from_secs(60);

/// One request as it came.
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
    /// Answers each request with the next of `statuses`, and the last of them for ever.
    pub fn answering(statuses: &[u16]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let statuses = statuses.to_vec();
        let (sender, received) = channel();
        std::thread::spawn(move || {
            for (number, stream) in listener.incoming().enumerate() {
                let status = statuses[number.min(statuses.len() - 1)];
                let Ok((request, mut stream)) = stream.and_then(receive) else {
                    continue;
                };
                // Before the answer, so that a request that was answered is never missed.
                if sender.send(request).is_err() {
                    return;
                }
                // A client that has gone needs no answer.
                let _ = answer(&mut stream, status);
            }
        });
        Self { port, received }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// The next request.
    #[track_caller]
    pub fn next(&self) -> Received {
        self.received.recv_timeout(PATIENCE).unwrap()
    }

    /// Whether every request that was answered has been looked at with [`Listener::next`].
    pub fn has_no_more(&self) -> bool {
        self.received.try_recv().is_err()
    }
}

fn receive(stream: TcpStream) -> std::io::Result<(Received, TcpStream)> {
    stream.set_read_timeout(Some(PATIENCE))?;
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
