//! The program: everything it does is in the library.

fn main() -> ! {
    runpod_query::cli::run(
        std::env::args_os(),
        runpod_query::runpod::ProtocolDurations::default(),
    )
}
