#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    assert!(wirebeat_fuzz::run("segment", data));
});
