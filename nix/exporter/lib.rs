//! What exporting needs of the program: the same sources, and nothing beside them.

/// The one setting that a model carries.
pub mod config {
    mod precision;

    pub use precision::Precision;
}
pub mod export;
pub mod model;
