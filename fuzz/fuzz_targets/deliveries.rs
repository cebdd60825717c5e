#![no_main]

libfuzzer_sys::fuzz_target!(|body: &[u8]| runpod_query::fuzzing::deliveries(body));
