//! Clients that offer another protocol: they are answered as if they did not.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use crate::support::server::TestServer;

/// One connection, whose answers are read one after the other.
struct Connection(BufReader<TcpStream>);

impl Connection {
    fn open(server: &TestServer) -> Self {
        let stream = TcpStream::connect(server.url("").replace("http://", "")).unwrap();
        Self(BufReader::new(stream))
    }

    fn send(&mut self, bytes: &str) {
        self.0.get_mut().write_all(bytes.as_bytes()).unwrap();
    }

    /// The next answer: its head in lower case, and its body.
    #[track_caller]
    fn answer(&mut self) -> (String, String) {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            let read = self.0.read_line(&mut head).unwrap();
            assert_ne!(read, 0, "the connection is closed after {head:?}");
        }
        let head = head.to_lowercase();
        let length = head.lines().find_map(|line| {
            let (name, value) = line.split_once(": ")?;
            (name == "content-length").then(|| value.parse().unwrap())
        });
        let mut body = vec![0; length.unwrap_or(0)];
        self.0.read_exact(&mut body).unwrap();
        (head, String::from_utf8(body).unwrap())
    }

    /// Fails unless the next answer is a success that says nothing about another protocol.
    #[track_caller]
    fn assert_answered(&mut self, words: &str) {
        let (head, body) = self.answer();
        assert!(head.starts_with("http/1.1 200"), "{head}{body}");
        assert!(!head.contains("connection:"), "{head}");
        assert!(!head.contains("upgrade"), "{head}");
        assert!(body.contains(words), "{body}");
    }
}

/// A job with a text of its own, as Java's client sends it by default.
fn java_job(number: usize) -> String {
    let body = format!(r#"{{"input":{{"query":"w{number}"}}}}"#);
    let length = body.len();
    format!(
        "POST /runsync HTTP/1.1\r\nConnection: Upgrade, HTTP2-Settings\r\nHost: a\r\n\
         HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA\r\nTransfer-encoding: chunked\r\n\
         Upgrade: h2c\r\nUser-Agent: Java-http-client/21\r\nContent-Type: application/json\r\n\r\n\
         {length:x}\r\n{body}\r\n0\r\n\r\n"
    )
}

/// The beginning of the vector that the job gets.
fn expected(number: usize) -> String {
    let vector = crate::support::fake::vector(number, 1);
    format!(r#""embedding":[{:?},"#, vector[0])
}

#[test]
fn an_offer_of_http_2_is_answered_as_if_it_were_not_there_and_the_connection_stays_open() {
    let server = TestServer::start();
    let mut connection = Connection::open(&server);
    for number in 0..40 {
        connection.send(&java_job(number));
        connection.assert_answered(&expected(number));
    }
}

#[test]
fn requests_with_offers_that_are_sent_ahead_are_answered_in_their_order() {
    let server = TestServer::start();
    let mut connection = Connection::open(&server);
    let requests: String = (0..8)
        .map(|number| java_job(number) + "GET /health HTTP/1.1\r\nHost: a\r\n\r\n")
        .collect();
    connection.send(&requests);
    for number in 0..8 {
        connection.assert_answered(&expected(number));
        connection.assert_answered("workers");
    }
}

#[test]
fn an_offer_of_a_websocket_is_answered_as_if_it_were_not_there() {
    let server = TestServer::start();
    let mut connection = Connection::open(&server);
    let offer =
        "Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n";
    let body = r#"{"input":{"query":"w1"}}"#;
    let length = body.len();
    for _ in 0..3 {
        connection.send(&format!("GET /health HTTP/1.1\r\nHost: a\r\n{offer}\r\n"));
        connection.assert_answered("workers");
        connection.send(&format!(
            "POST /runsync HTTP/1.1\r\nHost: a\r\n{offer}Content-Length: {length}\r\n\r\n{body}"
        ));
        connection.assert_answered(&expected(1));
        // Without `Connection` it is no offer, and the body is one as well.
        connection.send(&format!(
            "POST /runsync HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nContent-Length: {length}\r\n\r\n{body}"
        ));
        connection.assert_answered(&expected(1));
    }
}

#[test]
fn a_request_that_is_not_http_is_refused_at_once_with_and_without_an_offer() {
    let server = TestServer::start();
    for refused in [
        "\x16\x03\x01\x02",
        "POST /runsync HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        "GET /health HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\n a\r\n",
    ] {
        let mut connection = Connection::open(&server);
        connection.send(refused);
        let (head, _) = connection.answer();
        assert!(head.starts_with("http/1.1 400"), "{head}");
        assert!(head.contains("connection: close"), "{head}");
    }
}

#[test]
fn a_client_that_offers_and_asks_to_close_is_answered_and_disconnected() {
    let server = TestServer::start();
    let mut connection = Connection::open(&server);
    connection.send(
        "GET /health HTTP/1.1\r\nHost: a\r\nConnection: close, Upgrade\r\nUpgrade: h2c\r\n\r\n",
    );
    let (head, _) = connection.answer();
    assert!(head.contains("connection: close"), "{head}");
    assert_eq!(connection.0.read(&mut [0]).unwrap(), 0);
}
