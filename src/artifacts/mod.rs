//! Everything that is fetched, and the cache that keeps it.
//!
//! Owns the pins (`nix/pins.json`, shared with Nix), the verified download and the layout of the cache. Imports only
//! [`crate::config`]. Invariant: whatever a [`Store`] hands out is complete and was verified against a pin when it
//! came; what is there is never fetched again.
//!
//! ```text
//! <cache>/runtime/onnxruntime-<version>-<system>/     the shared library and its notices
//! <cache>/checkpoints/<model>-<identity>/             the files of a checkpoint, as on the hub
//! <cache>/<key>/                                      what other layers make, see Store::populate
//! ```

mod cache;
mod checkpoint;
mod digest;
mod download;
mod error;
mod partial;
pub mod pins;
mod pip;
mod progress;
mod retry;
mod runtime;
mod store;

pub use digest::{NotASha256, Sha256};
pub use error::{Error, Fault};
pub use pins::Pins;
pub use retry::RetryPolicy;
pub use store::{Sources, Store};
