//! The machine that the measurements are of.

mod bandwidth;
mod processor;

use std::num::NonZeroUsize;

use serde::Serialize;

/// What decides how fast the model can be.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Machine {
    /// Model of the processor, as the system calls it.
    pub processor: Option<String>,
    /// Logical processors that the system shows.
    pub logical_processors: Option<usize>,
    /// Threads that the container's quota and the process's affinity allow.
    pub available_threads: usize,
    /// Those instruction sets that matter to the model's kernels.
    pub instruction_sets: Vec<String>,
    /// Bytes per second that all available threads together read from memory, at best.
    pub memory_bandwidth_bytes_per_second: f64,
}

impl Machine {
    /// Looks at the machine and measures its memory; needs 1 GiB for a second.
    pub fn measure() -> Self {
        let threads = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        let description = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        Self {
            processor: processor::name(&description),
            logical_processors: processor::count(&description),
            available_threads: threads.get(),
            instruction_sets: processor::instruction_sets(&description),
            memory_bandwidth_bytes_per_second: bandwidth::measure(threads),
        }
    }
}
