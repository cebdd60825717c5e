//! The processor, as `/proc/cpuinfo` describes it. Other systems than Linux give an unknown processor.

/// What is known of the processor.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Processor {
    /// Its model name.
    pub name: Option<String>,
    /// Number of logical processors of the machine.
    pub logical_processors: Option<usize>,
    /// The instruction sets that matter to the kernels.
    pub instruction_sets: Vec<String>,
}

impl Processor {
    /// This machine's processor.
    #[cfg(target_os = "linux")]
    pub fn detect() -> Self {
        use procfs::Current;
        procfs::CpuInfo::current()
            .map(|description| linux::describe(&description))
            .unwrap_or_default()
    }

    /// Unknown on this system.
    #[cfg(not(target_os = "linux"))]
    pub fn detect() -> Self {
        Self::default()
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use procfs::CpuInfo;

    use super::Processor;

    /// Instruction sets that the kernels benefit from on x86-64 and ARM64, oldest first.
    const INSTRUCTION_SETS: &str = "avx fma avx2 avx_vnni avx512f avx512bw avx512_vnni avx512_bf16 \
        amx_tile amx_int8 amx_bf16 asimd asimddp i8mm bf16 sve sve2";

    pub fn describe(description: &CpuInfo) -> Processor {
        let field = |name| description.get_field(0, name);
        // x86-64 calls them flags, ARM64 features.
        let flags = field("flags").or_else(|| field("Features"));
        let flags: Vec<&str> = flags.unwrap_or_default().split_whitespace().collect();
        Processor {
            name: field("model name").map(str::to_owned),
            logical_processors: Some(description.num_cores()),
            instruction_sets: INSTRUCTION_SETS
                .split(' ')
                .filter(|set| flags.contains(set))
                .map(str::to_owned)
                .collect(),
        }
    }

    #[cfg(test)]
    mod tests {
        use procfs::FromRead;

        use super::*;

        const INTEL: &str = "processor\t: 0\nmodel name\t: Some Processor @ 2.0GHz\nflags\t\t: fpu avx avx2 amx_int8\n\n\
            processor\t: 1\nmodel name\t: Some Processor @ 2.0GHz\nflags\t\t: fpu avx avx2 amx_int8\n";
        const ARM: &str = "processor\t: 0\nFeatures\t: fp asimd asimddp i8mm\nCPU part\t: 0xd40\n";

        fn processor(description: &str) -> Processor {
            describe(&CpuInfo::from_read(description.as_bytes()).unwrap())
        }

        #[test]
        fn both_architectures_are_understood() {
            let intel = processor(INTEL);
            assert_eq!(intel.name.unwrap(), "Some Processor @ 2.0GHz");
            assert_eq!(intel.logical_processors, Some(2));
            assert_eq!(intel.instruction_sets, ["avx", "avx2", "amx_int8"]);
            let arm = processor(ARM);
            assert_eq!(arm.name, None);
            assert_eq!(arm.instruction_sets, ["asimd", "asimddp", "i8mm"]);
        }

        #[test]
        fn this_machine_has_a_logical_processor() {
            assert!(Processor::detect().logical_processors.unwrap() > 0);
        }
    }
}
