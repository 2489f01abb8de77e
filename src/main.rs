//! The `portcullis` program: parse, run, exit code; nothing else.

fn main() -> std::process::ExitCode {
    portcullis::cli::run()
}
