//! Running a program so that it can neither hang for ever nor outlive us.

use std::io::{PipeReader, Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, LazyLock};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

/// How often signals and silence are looked at while a program prints nothing.
const TICK: Duration = Duration::from_millis(200);

static INTERRUPTED: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);

/// What a program is given before it is ended.
#[derive(Clone, Copy)]
pub(crate) struct Limits {
    /// The longest time without any output.
    pub silence: Option<Duration>,
    /// From the polite signal to the one that cannot be caught.
    pub grace: Duration,
}

/// How a program ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// By itself.
    Exited(ExitStatus),
    /// By us, because it printed nothing for too long.
    Silent,
    /// By us, because somebody asked us to stop.
    Interrupted,
}

/// Turns Ctrl-C, a termination request and a lost terminal into a flag that [`run`] looks at. The signals are handled,
/// not blocked: programs that we start inherit what is blocked, and could then not be told to stop.
pub(crate) fn watch_signals() -> anyhow::Result<()> {
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        signal_hook::flag::register(signal, Arc::clone(&INTERRUPTED)).context("could not handle signals")?;
    }
    Ok(())
}

/// Whether somebody asked us to stop.
pub(crate) fn interrupted() -> bool {
    INTERRUPTED.load(Ordering::Relaxed)
}

/// Runs a program in a process group of its own, passes its output on as it comes and each whole line to
/// `on_line`. Whatever is left of the group is killed at the end.
pub(crate) fn run(
    mut command: Command,
    limits: Limits,
    mut on_line: impl FnMut(&str),
) -> anyhow::Result<Ending> {
    let (reader, writer) = std::io::pipe().context("could not make a pipe")?;
    command.stdin(Stdio::null()).stdout(writer.try_clone()?).stderr(writer).process_group(0);
    let mut child = command.spawn().with_context(|| format!("could not start {command:?}"))?;
    // It holds our copies of the pipe's write end, and the pipe closes with the last one.
    drop(command);

    let mut output = Output { chunks: read_in_background(reader), line: Vec::new() };
    let mut last_output = Instant::now();
    loop {
        if interrupted() {
            stop(&mut child, &output, limits.grace)?;
            return Ok(Ending::Interrupted);
        }
        match output.chunks.recv_timeout(TICK) {
            Ok(chunk) => {
                output.pass_on(&chunk, &mut on_line)?;
                last_output = Instant::now();
            }
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {
                // A process that it left behind may hold the pipe open.
                if child.try_wait()?.is_some() {
                    break;
                }
                if limits.silence.is_some_and(|limit| last_output.elapsed() >= limit) {
                    stop(&mut child, &output, limits.grace)?;
                    return Ok(Ending::Silent);
                }
            }
        }
    }
    let status = child.wait()?;
    signal_group(&child, Signal::SIGKILL);
    Ok(Ending::Exited(status))
}

/// What a program prints: bytes go on at once, lines when they are whole.
struct Output {
    chunks: Receiver<Vec<u8>>,
    line: Vec<u8>,
}

impl Output {
    fn pass_on(&mut self, chunk: &[u8], on_line: &mut impl FnMut(&str)) -> anyhow::Result<()> {
        let mut stdout = std::io::stdout().lock();
        stdout.write_all(chunk)?;
        stdout.flush()?;
        for byte in chunk {
            if *byte == b'\n' {
                on_line(&String::from_utf8_lossy(&self.line));
                self.line.clear();
            } else {
                self.line.push(*byte);
            }
        }
        Ok(())
    }
}

fn read_in_background(mut reader: PipeReader) -> Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut buffer = [0; 16 * 1024];
        while let Ok(length @ 1..) = reader.read(&mut buffer) {
            if sender.send(buffer[..length].to_vec()).is_err() {
                break;
            }
        }
    });
    receiver
}

/// Asks the group to end and waits until nobody holds its output any more, since its own children may need a
/// moment to end theirs; then kills what is left.
fn stop(child: &mut Child, output: &Output, grace: Duration) -> anyhow::Result<()> {
    signal_group(child, Signal::SIGTERM);
    let deadline = Instant::now() + grace;
    while let Some(left) = deadline.checked_duration_since(Instant::now()) {
        if matches!(output.chunks.recv_timeout(left), Err(RecvTimeoutError::Disconnected)) {
            break;
        }
    }
    signal_group(child, Signal::SIGKILL);
    child.wait()?;
    Ok(())
}

fn signal_group(child: &Child, signal: Signal) {
    if let Ok(group) = i32::try_from(child.id()) {
        // It fails only when nobody of the group is left.
        let _ = killpg(Pid::from_raw(group), signal);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUICK: Limits =
        Limits { silence: Some(Duration::from_millis(300)), grace: Duration::from_millis(300) };

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn lines_of_both_streams_arrive_and_the_exit_code_is_kept() {
        let mut lines = Vec::new();
        let ending = run(shell("echo one; echo two >&2; exit 3"), QUICK, |line| lines.push(line.to_owned()));
        let Ending::Exited(status) = ending.unwrap() else { panic!("it ended by itself") };
        assert_eq!((status.code(), lines), (Some(3), vec!["one".to_owned(), "two".to_owned()]));
    }

    #[test]
    fn a_silent_program_is_ended_with_its_children() {
        let mut children = Vec::new();
        let script = "trap '' TERM; cat /dev/zero >/dev/null & echo $!; wait; wait";
        let ending = run(shell(script), QUICK, |line| children.push(line.parse::<i32>().unwrap())).unwrap();
        assert_eq!(ending, Ending::Silent);
        assert!(!is_running(children[0]));
    }

    #[test]
    fn a_process_left_behind_does_not_hold_us_up() {
        let mut children = Vec::new();
        let script = "tail -f /dev/null & echo $!";
        let limits = Limits { silence: None, ..QUICK };
        run(shell(script), limits, |line| children.extend(line.parse::<i32>())).unwrap();
        assert!(!is_running(children[0]));
    }

    /// A killed process that nobody has waited for yet is a zombie, state `Z`.
    fn is_running(process: i32) -> bool {
        let killed_by_now = Instant::now() + Duration::from_secs(5);
        while Instant::now() < killed_by_now {
            let state = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
            if state.is_empty() || state.contains(") Z ") {
                return false;
            }
            thread::yield_now();
        }
        true
    }
}
