//! The machine on which the server is measured: its processor and its memory bandwidth.

use std::num::NonZeroUsize;

use serde::Serialize;

use super::memory_bandwidth;
use super::processor::Processor;

/// The properties of a machine that limit how fast a model runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Machine {
    /// Model name of the processor, if the system tells it.
    pub processor: Option<String>,
    /// Number of logical processors, if the system tells it.
    pub logical_processors: Option<usize>,
    /// Threads that the container's quota and the process's affinity allow.
    pub available_threads: usize,
    /// Instruction sets of the processor that matter to the model's kernels.
    pub instruction_sets: Vec<String>,
    /// Bytes per second that all available threads together read from memory.
    pub memory_bandwidth_bytes_per_second: f64,
}

impl Machine {
    /// Describes this machine and measures its memory bandwidth, which takes about a second and 1 GiB of memory.
    pub fn measure() -> Self {
        let threads = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        let processor = Processor::detect();
        Self {
            processor: processor.name,
            logical_processors: processor.logical_processors,
            available_threads: threads.get(),
            instruction_sets: processor.instruction_sets,
            memory_bandwidth_bytes_per_second: memory_bandwidth::measure(threads),
        }
    }
}
