//! HTTP/1.1 as a worker uses it, with faults.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use socket2::SockRef;

use super::{Request, Route};

/// One connection of the worker.
pub struct Exchange {
    reader: BufReader<TcpStream>,
}

/// A response.
pub struct Answer<'a> {
    pub status: u16,
    pub headers: Vec<(&'static str, &'a str)>,
    pub body: &'a [u8],
}

impl Exchange {
    pub fn new(stream: TcpStream) -> Self {
        stream.set_nodelay(true).unwrap();
        Self {
            reader: BufReader::new(stream),
        }
    }

    /// The next request, or `None` if the worker has closed the connection.
    pub fn next(&mut self) -> Option<Request> {
        let first = self.line()?;
        let at = Instant::now();
        let mut words = first.split(' ');
        let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
        let mut headers = Vec::new();
        loop {
            let line = self.line()?;
            if line.is_empty() {
                break;
            }
            let (name, value) = line.split_once(':').unwrap();
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        let length = headers.iter().find(|(name, _)| name == "content-length");
        let mut body = vec![0; length.map_or(0, |(_, length)| length.parse().unwrap())];
        self.reader.read_exact(&mut body).ok()?;
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        Some(Request {
            at,
            route: route(path),
            method,
            path: path.to_owned(),
            query: query.to_owned(),
            headers,
            body,
        })
    }

    fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        let read = self.reader.read_line(&mut line).ok()?;
        (read > 0).then(|| line.trim_end().to_owned())
    }

    /// Sends a response. Returns whether the connection is still open.
    pub fn answer(&mut self, answer: &Answer<'_>) -> bool {
        let head = head(answer);
        self.write(&[head.as_bytes(), answer.body].concat())
    }

    /// Sends a response with half of its body and closes.
    pub fn truncate(&mut self, answer: &Answer<'_>) {
        let promised = [answer.body, b"............"].concat();
        let head = head(&Answer {
            body: &promised,
            status: answer.status,
            headers: answer.headers.clone(),
        });
        self.write(&[head.as_bytes(), &promised[..promised.len() / 2]].concat());
    }

    fn write(&mut self, bytes: &[u8]) -> bool {
        self.reader.get_mut().write_all(bytes).is_ok()
    }

    /// Resets the connection.
    pub fn reset(&mut self) {
        let socket = SockRef::from(self.reader.get_ref());
        socket.set_linger(Some(Duration::ZERO)).unwrap();
    }

    /// Whether the worker has closed the connection.
    pub fn is_gone(&self) -> bool {
        let stream = self.reader.get_ref();
        stream.set_nonblocking(true).unwrap();
        let peeked = stream.peek(&mut [0]);
        stream.set_nonblocking(false).unwrap();
        match peeked {
            Ok(bytes) => bytes == 0,
            Err(error) => error.kind() != std::io::ErrorKind::WouldBlock,
        }
    }
}

fn head(answer: &Answer<'_>) -> String {
    let mut head = format!("HTTP/1.1 {} Scripted\r\n", answer.status);
    for (name, value) in &answer.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    if answer.status != 204 {
        head.push_str(&format!("content-length: {}\r\n", answer.body.len()));
    }
    head + "\r\n"
}

fn route(path: &str) -> Route {
    match path.split('/').nth(3) {
        Some("job-take" | "job-take-batch") => Route::Take,
        Some("job-done") => Route::Post,
        Some("ping") => Route::Ping,
        Some("job-stop") => Route::Stop,
        Some(_) | None => Route::Unknown,
    }
}
