//! The head of a request, with and without an offer to change the protocol.

use httparse::{EMPTY_HEADER, Error, Header, Request, Status};

/// Most headers of a head: as many as the HTTP library takes. A head with more is malformed.
const MOST_HEADERS: usize = 96;
/// Headers that offer another protocol. As options of `Connection` they announce these headers.
const OFFERS: [&str; 2] = ["upgrade", "http2-settings"];
/// The header that announces them.
const CONNECTION: &str = "connection";

/// A complete head at the beginning of some bytes.
#[derive(Debug, PartialEq, Eq)]
pub struct Head {
    /// Its length in bytes, with the empty line at its end.
    pub length: usize,
    /// The same head without the offer; nothing where it holds none.
    pub without_offer: Option<Vec<u8>>,
}

impl Head {
    /// The head that `bytes` begin with; nothing if it has not ended yet.
    pub fn parse(bytes: &[u8]) -> Result<Option<Self>, Error> {
        let mut headers = [EMPTY_HEADER; MOST_HEADERS];
        let mut request = Request::new(&mut headers);
        Ok(match request.parse(bytes)? {
            Status::Partial => None,
            Status::Complete(length) => Some(Self {
                length,
                without_offer: without_offer(&request),
            }),
        })
    }
}

fn without_offer(request: &Request<'_, '_>) -> Option<Vec<u8>> {
    let (method, path, version) = (request.method?, request.path?, request.version?);
    if !request.headers.iter().any(holds_offer) {
        return None;
    }
    let mut head = format!("{method} {path} HTTP/1.{version}\r\n").into_bytes();
    for header in request.headers.iter() {
        if let Some(value) = kept(header) {
            head.extend_from_slice(header.name.as_bytes());
            head.extend_from_slice(b": ");
            head.extend_from_slice(&value);
            head.extend_from_slice(b"\r\n");
        }
    }
    head.extend_from_slice(b"\r\n");
    Some(head)
}

fn holds_offer(header: &Header<'_>) -> bool {
    is_offer(header.name.as_bytes()) || is_connection(header) && options(header.value).any(is_offer)
}

/// What remains of a header's value; nothing if the header itself goes.
fn kept(header: &Header<'_>) -> Option<Vec<u8>> {
    if is_offer(header.name.as_bytes()) {
        return None;
    }
    if !is_connection(header) {
        return Some(header.value.to_owned());
    }
    let options: Vec<_> = options(header.value)
        .filter(|option| !is_offer(option))
        .collect();
    (!options.is_empty()).then(|| options.join(&b", "[..]))
}

fn is_connection(header: &Header<'_>) -> bool {
    header.name.eq_ignore_ascii_case(CONNECTION)
}

fn options(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii)
}

fn is_offer(name: &[u8]) -> bool {
    OFFERS
        .iter()
        .any(|offer| name.eq_ignore_ascii_case(offer.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn without_offer(headers: &str) -> Option<String> {
        let head = format!("GET /a?b HTTP/1.1\r\n{headers}\r\n");
        let parsed = Head::parse(head.as_bytes()).unwrap().unwrap();
        assert_eq!(parsed.length, head.len());
        let text = String::from_utf8(parsed.without_offer?).unwrap();
        let rest = text.strip_prefix("GET /a?b HTTP/1.1\r\n").unwrap();
        Some(rest.strip_suffix("\r\n").unwrap().to_owned())
    }

    #[test]
    fn an_offer_is_removed_and_nothing_else() {
        for (given, expected) in [
            (
                "Connection: Upgrade, HTTP2-Settings\r\nHost: a\r\nUpgrade: h2c\r\nHTTP2-Settings: AAE\r\n",
                "Host: a\r\n",
            ),
            (
                "Host: a\r\nconnection:keep-alive , upgrade\r\nUPGRADE:websocket\r\nX: y,z\r\n",
                "Host: a\r\nconnection: keep-alive\r\nX: y,z\r\n",
            ),
            (
                "Connection: close\r\nConnection: Upgrade,te\r\n",
                "Connection: close\r\nConnection: te\r\n",
            ),
            ("Upgrade: h2c\r\n", ""),
        ] {
            assert_eq!(without_offer(given).as_deref(), Some(expected), "{given}");
        }
    }

    #[test]
    fn a_head_without_an_offer_is_left_alone() {
        for given in [
            "",
            "Host: a\r\n",
            "Connection: keep-alive\r\nUpgrade-Insecure-Requests: 1\r\n",
            "X-Connection: upgrade\r\n",
        ] {
            assert_eq!(without_offer(given), None, "{given}");
        }
    }

    #[test]
    fn a_head_ends_with_an_empty_line() {
        let head = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
        for length in 0..head.len() {
            assert_eq!(Head::parse(&head[..length]), Ok(None), "{length}");
        }
        let with_body = [&head[..], b"body"].concat();
        let parsed = Head::parse(&with_body).unwrap().unwrap();
        assert_eq!(parsed.length, head.len());
    }
}
