use actix_http::ServiceConfig;

use super::*;

/// What Java's own client sends unless it is told otherwise.
const JAVA: &[u8] = b"POST /runsync HTTP/1.1\r\nConnection: Upgrade, HTTP2-Settings\r\nHost: a\r\nHTTP2-Settings: AAEAAEAAAAIAAAAB\r\nTransfer-encoding: chunked\r\nUpgrade: h2c\r\n\r\n4\r\nbody\r\n0\r\n\r\n";
const JAVA_PASSED: &[u8] =
    b"POST /runsync HTTP/1.1\r\nHost: a\r\nTransfer-encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n";
/// An offer that is the content of a body.
const LENGTH: &[u8] =
    b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 34\r\n\r\nGET / HTTP/1.1\r\nUpgrade: other\r\n\r\n";
const CHUNKED: &[u8] =
    b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1e;x=y\r\nGET / HTTP/1.1\r\nUpgrade: a\r\n\r\n\r\n3\r\nabc\r\n0\r\nT: z\r\n\r\n";
const WEBSOCKET: &[u8] =
    b"GET /ping HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\r\n";
const WEBSOCKET_PASSED: &[u8] = b"GET /ping HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\n\r\n";
const PLAIN: &[u8] = b"\r\nGET /ping HTTP/1.1\nHost:a\n\n";

fn filter() -> UpgradeFilter {
    UpgradeFilter::new(Codec::new(ServiceConfig::default()))
}

/// What passes of bytes that arrive in pieces.
fn passed<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut filter = filter();
    let mut passed = BytesMut::new();
    for piece in pieces {
        filter.push(piece, &mut passed);
    }
    filter.end(&mut passed);
    passed.to_vec()
}

#[track_caller]
fn assert_passes(arrived: &[u8], expected: &[u8]) {
    let assert_same = |passed: Vec<u8>, how: &str| {
        let (passed, expected) = (passed.escape_ascii(), expected.escape_ascii());
        assert_eq!(passed.to_string(), expected.to_string(), "{how}");
    };
    assert_same(passed([arrived]), "at once");
    assert_same(passed(arrived.chunks(1)), "byte by byte");
    for split in 0..arrived.len() {
        let (first, second) = arrived.split_at(split);
        assert_same(passed([first, second]), &format!("split at {split}"));
    }
}

#[actix_web::test]
async fn offers_are_removed_however_the_bytes_arrive() {
    assert_passes(JAVA, JAVA_PASSED);
    assert_passes(WEBSOCKET, WEBSOCKET_PASSED);
}

#[actix_web::test]
async fn every_request_of_a_connection_is_filtered_and_no_body_is() {
    let requests = [JAVA, LENGTH, WEBSOCKET, CHUNKED, PLAIN, JAVA].concat();
    let expected = [
        JAVA_PASSED,
        LENGTH,
        WEBSOCKET_PASSED,
        CHUNKED,
        PLAIN,
        JAVA_PASSED,
    ];
    assert_passes(&requests, &expected.concat());
}

#[actix_web::test]
async fn requests_without_an_offer_pass_unchanged() {
    for request in [
        PLAIN,
        LENGTH,
        CHUNKED,
        b"HEAD / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
    ] {
        assert_passes(request, request);
    }
}

#[actix_web::test]
async fn after_a_head_that_is_not_understood_everything_passes_unchanged() {
    let many = format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "x: y\r\n".repeat(96));
    for refused in [
        "\x16\x03\x01\x02\n\r\n\r\n",
        "GET / HTTP/2.0\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\n folded: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost a\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nno size\r\n\r\n",
        "CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n",
        &many,
    ] {
        let arrived = [refused.as_bytes(), JAVA].concat();
        assert_passes(&arrived, &arrived);
    }
}

#[actix_web::test]
async fn a_head_that_the_library_refuses_as_too_long_is_not_held_back() {
    let mut filter = filter();
    let mut passed = BytesMut::new();
    let start = b"GET / HTTP/1.1\r\nx: ";
    filter.push(start, &mut passed);
    let most = MOST_HEAD_BYTES - start.len() - 1;
    filter.push(&vec![b'y'; most], &mut passed);
    assert!(passed.is_empty());
    filter.push(b"y", &mut passed);
    assert_eq!(passed.len(), MOST_HEAD_BYTES);
    filter.push(JAVA, &mut passed);
    assert!(passed.ends_with(JAVA));
}

/// The requests that the library reads, each as its method, target and body.
fn requests(mut bytes: BytesMut) -> Vec<(String, String, Vec<u8>)> {
    let mut decoder = Codec::new(ServiceConfig::default());
    let mut requests = Vec::new();
    while let Ok(Some(message)) = decoder.decode(&mut bytes) {
        match message {
            Message::Item(request) => requests.push((
                request.method().to_string(),
                request.uri().to_string(),
                Vec::new(),
            )),
            Message::Chunk(Some(chunk)) => {
                requests.last_mut().unwrap().2.extend_from_slice(&chunk);
            }
            Message::Chunk(None) => {}
        }
    }
    requests
}

#[actix_web::test]
async fn the_library_reads_the_requests_that_were_sent_whatever_their_order_and_pieces() {
    let sent = [JAVA, LENGTH, WEBSOCKET, CHUNKED, PLAIN];
    let expected: Vec<_> = [JAVA_PASSED, LENGTH, WEBSOCKET_PASSED, CHUNKED, PLAIN]
        .map(|request| requests(request.into()).remove(0))
        .into();
    assert!(expected[3].2.ends_with(b"Upgrade: a\r\n\r\nabc"));
    let mut random = fastrand::Rng::with_seed(7);
    for _ in 0..500 {
        let number = random.usize(1..9);
        let order: Vec<usize> = std::iter::repeat_with(|| random.usize(..sent.len()))
            .take(number)
            .collect();
        let arrived: Vec<u8> = order.iter().flat_map(|&one| sent[one]).copied().collect();
        let mut pieces = Vec::new();
        let mut rest = &arrived[..];
        while !rest.is_empty() {
            let (piece, behind) = rest.split_at(random.usize(1..=rest.len().min(200)));
            pieces.push(piece);
            rest = behind;
        }
        let read = requests(BytesMut::from(&passed(pieces)[..]));
        let wanted: Vec<_> = order.iter().map(|&one| expected[one].clone()).collect();
        assert_eq!(read, wanted, "{order:?}");
    }
}
