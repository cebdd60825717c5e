//! The processor, from the text of `/proc/cpuinfo`.

/// What speeds the kernels up, from the oldest to the newest, on both architectures.
const INSTRUCTION_SETS: [&str; 17] = [
    "avx",
    "fma",
    "avx2",
    "avx_vnni",
    "avx512f",
    "avx512bw",
    "avx512_vnni",
    "avx512_bf16",
    "amx_tile",
    "amx_int8",
    "amx_bf16",
    "asimd",
    "asimddp",
    "i8mm",
    "bf16",
    "sve",
    "sve2",
];

/// Model of the processor.
pub fn name(description: &str) -> Option<String> {
    value(description, "model name").map(str::to_owned)
}

/// Number of logical processors.
pub fn count(description: &str) -> Option<usize> {
    let count = description
        .lines()
        .filter(|line| key(line) == "processor")
        .count();
    (count > 0).then_some(count)
}

/// The instruction sets that matter.
pub fn instruction_sets(description: &str) -> Vec<String> {
    let flags = value(description, "flags").or_else(|| value(description, "Features"));
    let flags: Vec<&str> = flags.unwrap_or_default().split_whitespace().collect();
    INSTRUCTION_SETS
        .into_iter()
        .filter(|set| flags.contains(set))
        .map(str::to_owned)
        .collect()
}

fn value<'a>(description: &'a str, wanted: &str) -> Option<&'a str> {
    let line = description.lines().find(|line| key(line) == wanted)?;
    Some(line.split_once(':')?.1.trim())
}

fn key(line: &str) -> &str {
    line.split(':').next().unwrap_or_default().trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTEL: &str = "processor\t: 0\nmodel name\t: Some Processor @ 2.0GHz\nflags\t\t: fpu avx avx2 amx_int8\n\n\
        processor\t: 1\nmodel name\t: Some Processor @ 2.0GHz\nflags\t\t: fpu avx avx2 amx_int8\n";
    const ARM: &str = "processor\t: 0\nFeatures\t: fp asimd asimddp i8mm\nCPU part\t: 0xd40\n";

    #[test]
    fn both_architectures_are_understood() {
        assert_eq!(name(INTEL).unwrap(), "Some Processor @ 2.0GHz");
        assert_eq!(count(INTEL), Some(2));
        assert_eq!(instruction_sets(INTEL), ["avx", "avx2", "amx_int8"]);
        assert_eq!(name(ARM), None);
        assert_eq!(instruction_sets(ARM), ["asimd", "asimddp", "i8mm"]);
    }

    #[test]
    fn a_system_without_the_file_says_nothing() {
        assert_eq!((name(""), count("")), (None, None));
        assert!(instruction_sets("").is_empty());
    }
}
