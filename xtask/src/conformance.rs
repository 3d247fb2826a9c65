//! `cargo xtask conformance`: does REST do what its descriptions say? Asked of a platform with demo data by programs that
//! are not ours, at fixed versions, in a folder of their own below `target`.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, ensure};
use clap::Args;

use crate::cargo;

/// Where it is said what is run, and how.
const FOLDER: &str = "tests/conformance";
/// Which of Python's packages.
const REQUIREMENTS: &str = "requirements.txt";
/// Which of npm's.
const PACKAGES: [&str; 2] = ["package.json", "package-lock.json"];

/// How much to ask.
#[derive(Args)]
pub(crate) struct Options {
    /// How many requests, at most, chance makes for each operation.
    #[arg(long, default_value_t = 20)]
    examples: u32,
    /// Whose chance.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Which phases: of examples, of each rule of each schema by itself, and of chance.
    #[arg(long, default_value = "examples,coverage,fuzzing")]
    phases: String,
}

/// Runs everything, for each version of OpenAPI.
pub(crate) fn run(options: &Options) -> anyhow::Result<ExitCode> {
    let pulse = cargo::build("pulse")?;
    let tools = ready().context("the tools that check REST")?;
    let mut command = Command::new(tools.join("python/bin/python"));
    command.arg(format!("{FOLDER}/run.py")).arg("--pulse").arg(pulse).arg("--tools").arg(tools);
    command.args(["--phases", &options.phases]);
    command.args(["--examples", &options.examples.to_string(), "--seed", &options.seed.to_string()]);
    command.current_dir(cargo::root());
    cargo::exit_code(command)
}

/// Installs what is missing, and says where it is.
fn ready() -> anyhow::Result<PathBuf> {
    let (folder, source) = (cargo::target().join("conformance"), cargo::root().join(FOLDER));
    let read = |file: &str| std::fs::read_to_string(source.join(file)).with_context(|| file.to_owned());
    let wanted = read(REQUIREMENTS)? + &read(PACKAGES[0])? + &read(PACKAGES[1])?;
    let stamp = folder.join("installed");
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(folder);
    }
    println!("installing the tools that check REST");
    let (python, npm) = (folder.join("python"), folder.join("npm"));
    succeed(Command::new("python3").args(["-m", "venv"]).arg(&python))?;
    let requirements = source.join(REQUIREMENTS);
    succeed(
        Command::new(python.join("bin/pip")).args(["install", "--quiet", "--requirement"]).arg(requirements),
    )?;
    install_packages(&source, &npm)?;
    std::fs::write(stamp, wanted)?;
    Ok(folder)
}

/// They are brought below `target`, not beside what names them.
fn install_packages(source: &Path, folder: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder)?;
    for file in PACKAGES {
        std::fs::copy(source.join(file), folder.join(file))?;
    }
    succeed(Command::new("npm").args(["ci", "--no-progress", "--loglevel=error"]).current_dir(folder))
}

fn succeed(command: &mut Command) -> anyhow::Result<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    let status = command.status().with_context(|| format!("could not start {name}"))?;
    ensure!(status.success(), "{name} failed, {status}");
    Ok(())
}
