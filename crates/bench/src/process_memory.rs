//! Resident memory of another process, as Linux reports it in `/proc`. Other systems report nothing.

/// Resident memory of a process, mapped files included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProcessMemory {
    /// Current resident memory, in bytes (`VmRSS`).
    pub resident_bytes: u64,
    /// Peak resident memory since the start or since [`reset_peak`], in bytes (`VmHWM`).
    pub peak_bytes: u64,
}

/// Memory of a process on this machine; `None` if it does not exist or the system does not tell.
#[cfg(target_os = "linux")]
pub fn of_process(id: u32) -> Option<ProcessMemory> {
    const KIBIBYTE: u64 = 1024;
    let status = process(id)?.status().ok()?;
    Some(ProcessMemory {
        resident_bytes: status.vmrss? * KIBIBYTE,
        peak_bytes: status.vmhwm? * KIBIBYTE,
    })
}

/// Sets the peak of a process to its current memory; `false` if the system cannot.
#[cfg(target_os = "linux")]
pub fn reset_peak(id: u32) -> bool {
    use procfs::process::ClearRefs;
    process(id).is_some_and(|process| process.clear_refs(ClearRefs::PeakRSS).is_ok())
}

#[cfg(target_os = "linux")]
fn process(id: u32) -> Option<procfs::process::Process> {
    procfs::process::Process::new(i32::try_from(id).ok()?).ok()
}

/// Nothing is known on this system.
#[cfg(not(target_os = "linux"))]
pub fn of_process(_: u32) -> Option<ProcessMemory> {
    None
}

/// This system has no peak that can be reset.
#[cfg(not(target_os = "linux"))]
pub fn reset_peak(_: u32) -> bool {
    false
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn memory_is_reported_in_bytes() {
        const ALLOCATED: usize = 64 << 20;
        let allocated = std::hint::black_box(vec![1_u8; ALLOCATED]);
        let memory = of_process(std::process::id()).unwrap();
        assert!(memory.resident_bytes > allocated.len() as u64, "{memory:?}");
        assert!(memory.resident_bytes < 1 << 40, "{memory:?}");
        assert!(memory.peak_bytes >= memory.resident_bytes, "{memory:?}");
    }

    #[test]
    fn a_process_that_does_not_exist_has_no_memory() {
        assert_eq!(of_process(i32::MAX as u32), None);
        assert!(!reset_peak(i32::MAX as u32));
    }
}
