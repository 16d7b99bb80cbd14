#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| replyscope_fuzz::transcript(bytes));
