//! A model hub that stands on this machine and fails as it is told to.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// What a client asked for.
#[derive(Debug, Clone)]
pub struct Request {
    pub path: String,
    headers: Vec<(String, String)>,
    /// Bytes of the body that were sent for it.
    pub sent: usize,
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The first byte that is wanted: `Range: bytes=<first>-`.
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

/// How an answer ends.
#[derive(Debug, Clone, Copy)]
enum Ending {
    /// The connection is closed.
    Close,
    /// The connection is reset.
    Reset,
    /// Nothing more comes, and the connection stays.
    Silence,
}

/// What is answered.
#[derive(Debug, Clone)]
pub struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    cut: Option<(usize, Ending)>,
    length_is_told: bool,
}

impl Answer {
    /// A status and an empty body.
    pub fn status(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Vec::new(),
            cut: None,
            length_is_told: true,
        }
    }

    /// A whole file, whatever part of it is asked for.
    pub fn whole(content: &[u8], tag: &str) -> Self {
        Self::tagged(content, &format!("\"{tag}\""))
    }

    /// The same with a tag that proves less.
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

    /// What a well-behaved server answers.
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

    /// The connection is closed when that much of the body is sent.
    pub fn cut_after(mut self, bytes: usize) -> Self {
        self.cut = Some((bytes, Ending::Close));
        self
    }

    /// The connection is reset when that much of the body is sent.
    pub fn reset_after(mut self, bytes: usize) -> Self {
        self.cut = Some((bytes, Ending::Reset));
        self
    }

    /// Nothing more comes when that much of the body is sent.
    pub fn silent_after(mut self, bytes: usize) -> Self {
        self.cut = Some((bytes, Ending::Silence));
        self
    }

    /// The length of the body is not announced.
    pub fn of_untold_length(mut self) -> Self {
        self.length_is_told = false;
        self
    }

    /// Bytes of the body that go out.
    fn sent(&self) -> usize {
        self.cut.map_or(self.body.len(), |(bytes, _)| bytes)
    }

    fn send(&self, stream: &mut TcpStream) -> std::io::Result<()> {
        let mut head = format!("HTTP/1.1 {} Whatever\r\nConnection: close\r\n", self.status);
        if self.length_is_told {
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

type Act = Box<dyn Fn(&Request) -> Answer + Send>;

/// The hub.
pub struct Hub {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Hub {
    /// Starts a hub that answers the first requests with `acts` and all others with `otherwise`.
    pub fn start(acts: Vec<Act>, otherwise: Act) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        let mut acts = VecDeque::from(acts);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let Some(request) = read_request(&stream) else {
                    continue;
                };
                let answer = acts
                    .pop_front()
                    .map_or_else(|| otherwise(&request), |act| act(&request));
                // Before the answer, so that a client that has it finds it recorded.
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

    /// What was asked so far.
    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

fn serve(mut stream: TcpStream, answer: &Answer) {
    // A client that has had enough closes its side; that is its right.
    let _ = answer.send(&mut stream);
    match answer.cut {
        // The request was looked at and not read, and a socket that is closed with something unread resets the
        // connection. The client gets time to read what was sent.
        Some((_, Ending::Reset)) => thread::sleep(Duration::from_millis(50)),
        Some((_, Ending::Silence)) => drain(&mut stream),
        Some((_, Ending::Close)) | None => {
            let _ = stream.shutdown(Shutdown::Write);
            drain(&mut stream);
        }
    }
}

/// Reads until the client closes, so that our own closing resets nothing.
fn drain(stream: &mut TcpStream) {
    let _ = stream.read_to_end(&mut Vec::new());
}

/// Looks at a request without reading it.
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
