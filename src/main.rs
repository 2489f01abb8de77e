//! The `portcullis` program: its allocator, then parse, run, exit code; nothing else.

/// Why this one, and how: `docs/decisions/0014-the-allocator.md`.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    portcullis::cli::run()
}
