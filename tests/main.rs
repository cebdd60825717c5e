//! The one integration test program: it uses the library as the binary does.
//!
//! One program, because each would link all dependencies again.

mod artifacts;
mod support;
