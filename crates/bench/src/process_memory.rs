//! What the system says of a process's memory.

/// Resident memory of a process, mapped files included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProcessMemory {
    /// Now, in bytes (`VmRSS`).
    pub resident_bytes: u64,
    /// At most since the start or since [`forget_peak`], in bytes (`VmHWM`).
    pub peak_bytes: u64,
}

/// Memory of a process of this machine; nothing where the system does not say.
pub fn of_process(id: u32) -> Option<ProcessMemory> {
    parse(&std::fs::read_to_string(format!("/proc/{id}/status")).ok()?)
}

/// Lets the peak start again from now; whether the system does so.
pub fn forget_peak(id: u32) -> bool {
    const RESET_PEAK: &str = "5";
    std::fs::write(format!("/proc/{id}/clear_refs"), RESET_PEAK).is_ok()
}

fn parse(status: &str) -> Option<ProcessMemory> {
    let bytes = |field: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(field))?;
        let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
        Some(kilobytes * 1024)
    };
    Some(ProcessMemory {
        resident_bytes: bytes("VmRSS:")?,
        peak_bytes: bytes("VmHWM:")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_read_in_bytes() {
        let status = "Name:\tserve\nVmHWM:\t    2048 kB\nVmRSS:\t    1024 kB\nThreads:\t3\n";
        assert_eq!(
            parse(status),
            Some(ProcessMemory {
                resident_bytes: 1024 * 1024,
                peak_bytes: 2 * 1024 * 1024,
            })
        );
        assert_eq!(parse("Name:\tkernel thread\n"), None);
    }
}
