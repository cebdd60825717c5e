//! The end of a process that may have loaded ONNX Runtime.
//!
//! `exit` runs the destructors of shared libraries while other threads still use them: a batch that runs at that moment
//! fails or crashes. [`leave`] runs none.

use std::io::Write;

/// Ends the process at once with an exit code. Nothing is dropped, and no thread is waited for.
pub fn leave(code: u8) -> ! {
    // If standard output is closed, the exit code is all that remains.
    let _ = std::io::stdout().flush();
    signal_hook::low_level::exit(code.into())
}
