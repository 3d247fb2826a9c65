//! The one binary. See the library of the same name.

use std::process::ExitCode;

use clap::Parser;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = pulse::cli::Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            return pulse::exit_code(&anyhow::Error::new(error).context("the runtime does not start"));
        }
    };
    let done = runtime.block_on(pulse::run(cli));
    // A read of standard input that is under way cannot be cancelled; waiting for it would hold up the end.
    runtime.shutdown_background();
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => pulse::exit_code(&error),
    }
}
