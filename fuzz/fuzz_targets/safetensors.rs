#![no_main]

libfuzzer_sys::fuzz_target!(|file: &[u8]| model::fuzzing::safetensors(file));
