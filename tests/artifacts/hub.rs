//! A model hub on loopback with scripted failures.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// A request of a client.
#[derive(Debug, Clone)]
pub struct Request {
    pub path: String,
    headers: Vec<(String, String)>,
    /// Bytes of the response's body that were sent.
    pub sent: usize,
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The first requested byte: `Range: bytes=<first>-`.
    pub fn first_byte(&self) -> usize {
        let first = |range: &str| {
            range
                .strip_prefix("bytes=")?
                .strip_suffix('-')?
                .parse()
                .ok()
        };
        self.header("range")
            .map_or(0, |range| first(range).unwrap_or_else(|| panic!("{range}")))
    }
}

/// How a response ends early.
#[derive(Debug, Clone, Copy)]
enum Ending {
    /// The connection is closed.
    Close,
    /// The connection is reset.
    Reset,
    /// The connection stays open and nothing more is sent.
    Stall,
}

/// A response.
#[derive(Debug, Clone)]
pub struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    cut: Option<(usize, Ending)>,
    has_length: bool,
}

impl Answer {
    /// A status and an empty body.
    pub fn status(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Vec::new(),
            cut: None,
            has_length: true,
        }
    }

    /// A whole file, also if only a part is requested.
    pub fn whole(content: &[u8], tag: &str) -> Self {
        Self::tagged(content, &format!("\"{tag}\""))
    }

    /// As [`Answer::whole`], with a weak entity tag.
    pub fn weakly_tagged(content: &[u8]) -> Self {
        Self::tagged(content, "W/\"weak\"")
    }

    fn tagged(content: &[u8], tag: &str) -> Self {
        let mut answer = Self::status(200).with("ETag", tag);
        answer.body = content.to_vec();
        answer
    }

    /// A file from `first` on.
    pub fn part(content: &[u8], tag: &str, first: usize) -> Self {
        let range = format!("bytes {first}-{}/{}", content.len() - 1, content.len());
        let mut answer = Self::whole(&content[first..], tag).with("Content-Range", &range);
        answer.status = 206;
        answer
    }

    /// The response of a correct server.
    pub fn proper(content: &[u8], tag: &str, request: &Request) -> Self {
        let outdated = request
            .header("if-range")
            .is_some_and(|wanted| wanted != format!("\"{tag}\""));
        match request.first_byte() {
            first if first >= content.len() => Self::status(416),
            0 => Self::whole(content, tag),
            _ if outdated => Self::whole(content, tag),
            first => Self::part(content, tag, first),
        }
    }

    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Closes the connection after this many bytes of the body.
    pub fn cut_after(mut self, bytes: usize) -> Self {
        self.cut = Some((bytes, Ending::Close));
        self
    }

    /// Resets the connection after this many bytes of the body.
    pub fn reset_after(mut self, bytes: usize) -> Self {
        self.cut = Some((bytes, Ending::Reset));
        self
    }

    /// Sends nothing more after this many bytes of the body.
    pub fn stalled_after(mut self, bytes: usize) -> Self {
        self.cut = Some((bytes, Ending::Stall));
        self
    }

    /// Leaves out `Content-Length`.
    pub fn without_length(mut self) -> Self {
        self.has_length = false;
        self
    }

    /// Bytes of the body to send.
    fn sent(&self) -> usize {
        self.cut.map_or(self.body.len(), |(bytes, _)| bytes)
    }

    fn send(&self, stream: &mut TcpStream) -> std::io::Result<()> {
        let mut head = format!("HTTP/1.1 {} Status\r\nConnection: close\r\n", self.status);
        if self.has_length {
            head += &format!("Content-Length: {}\r\n", self.body.len());
        }
        for (name, value) in &self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        stream.write_all(format!("{head}\r\n").as_bytes())?;
        stream.write_all(&self.body[..self.sent()])?;
        stream.flush()
    }
}

type Respond = Box<dyn Fn(&Request) -> Answer + Send>;

/// The hub.
pub struct Hub {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Hub {
    /// Starts a hub that responds to the first requests with `first` and to all others with `otherwise`.
    pub fn start(first: Vec<Respond>, otherwise: Respond) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        let mut first = VecDeque::from(first);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let Some(request) = read_request(&stream) else {
                    continue;
                };
                let answer = first
                    .pop_front()
                    .map_or_else(|| otherwise(&request), |respond| respond(&request));
                // Before the response, so that a client that received it finds it recorded.
                let sent = answer.sent();
                seen.lock().unwrap().push(Request { sent, ..request });
                thread::spawn(move || serve(stream, &answer));
            }
        });
        Self { address, requests }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The requests so far.
    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

fn serve(mut stream: TcpStream, answer: &Answer) {
    // The client may close the connection early.
    let _ = answer.send(&mut stream);
    match answer.cut {
        // The request was peeked and not read, and closing a socket with unread data resets the connection. The client
        // first gets time to read what was sent.
        Some((_, Ending::Reset)) => thread::sleep(Duration::from_millis(50)),
        Some((_, Ending::Stall)) => drain(&mut stream),
        Some((_, Ending::Close)) | None => {
            let _ = stream.shutdown(Shutdown::Write);
            drain(&mut stream);
        }
    }
}

/// Reads until the client closes, so that closing does not reset the connection.
fn drain(stream: &mut TcpStream) {
    let _ = stream.read_to_end(&mut Vec::new());
}

/// Peeks at a request without reading it.
fn read_request(stream: &TcpStream) -> Option<Request> {
    let mut buffer = vec![0; 8192];
    let text = loop {
        let count = stream.peek(&mut buffer).ok()?;
        let text = String::from_utf8_lossy(&buffer[..count]).into_owned();
        if count == 0 {
            return None;
        }
        if text.contains("\r\n\r\n") {
            break text;
        }
    };
    let mut lines = text.lines();
    let path = lines.next()?.split(' ').nth(1)?.to_owned();
    let headers = lines
        .map_while(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    Some(Request {
        path,
        headers,
        sent: 0,
    })
}
