//! What the measurements are made with.

mod synthetic;
