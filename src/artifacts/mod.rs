//! Downloaded files and the cache that keeps them.
//!
//! Owns the pins (`nix/pins.json`, shared with Nix), verified downloads and the layout of the cache. Imports only
//! [`crate::config`]. Invariant: a path that a [`Store`] returns is complete and was verified against a pin when it was
//! downloaded. What the cache holds is not downloaded again.
//!
//! ```text
//! <cache>/runtime/onnxruntime-<version>-<system>/     the shared library and its notices
//! <cache>/pins/<owner>--<name>@<revision>.json        the pin of a repository of the hub
//! <cache>/checkpoints/<model>-<identity>/             the files of a checkpoint, as on the hub
//! <cache>/<key>/                                      what other layers create, see Store::populate
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
mod remote_repository;
mod repository;
mod repository_error;
mod resolution;
mod retry;
mod runtime;
mod store;
mod transfer;
mod wanted_files;

pub use digest::{NotASha256, Sha256};
pub use error::{Error, Fault};
pub use pins::Pins;
pub use repository::repository_of;
pub use repository_error::RepositoryError;
pub use resolution::ResolvedModel;
pub use retry::RetryPolicy;
pub use store::{Sources, Store};
