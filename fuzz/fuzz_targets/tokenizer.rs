#![no_main]

libfuzzer_sys::fuzz_target!(|text: &[u8]| model::fuzzing::divided_text(text));
