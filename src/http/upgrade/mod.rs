//! Offers to change the protocol of a connection (`Upgrade: h2c`, `Upgrade: websocket`), which this server declines.
//!
//! A server that declines an offer answers as if it were not there, on a connection that stays open. The HTTP library
//! takes every offer for accepted: it announces an upgrade in its response and closes the connection. So the offer is
//! taken out of the bytes of a connection before the library reads them. Invariant: whatever else a client sends
//! arrives unchanged, and where a request ends is found by the library's own decoder, which reads the same bytes as
//! the library. So the two can never disagree about it.

mod filter;
mod head;
mod stream;

pub use filter::UpgradeFilter;
pub use stream::WithoutUpgrade;
