#![no_main]

// A panic about sizes that do not fit is caught by the entry, and its message would end the fuzzer.
libfuzzer_sys::fuzz_target!(
    init: std::panic::set_hook(Box::new(|_| {})),
    |call: &[u8]| kernels::fuzzing::kernels(call)
);
