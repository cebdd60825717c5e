//! Everything that is tested through the library's public face, in one binary so that it is linked once.

mod architecture;
mod engine;
mod http;
mod support;
