//! The parser of the language: any text is parsed or refused.

#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| {
    let _ = promql::parse(text, &promql::Features::default());
});
