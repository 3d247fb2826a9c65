//! Fetches what the GraphiQL page is made of, from npm, so that the page needs no other server when it is looked at.
//! A build without npm, or without a network, goes on without it: the gateway then has a plain query page, which says
//! why. `PULSE_GRAPHIQL=require` makes that an error, `PULSE_GRAPHIQL=off` does not even try.

use std::fmt::Write;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Says what to do about GraphiQL.
const WISH: &str = "PULSE_GRAPHIQL";
/// How long npm may take.
const PATIENCE: Duration = Duration::from_mins(2);
/// What npm needs to know.
const MANIFESTS: [&str; 3] = [".npmrc", "package.json", "package-lock.json"];
/// What the page loads: its name there, its type, and where npm puts it.
const ASSETS: [(&str, &str, &str); 4] = [
    ("graphiql.css", "text/css; charset=utf-8", "graphiql/graphiql.min.css"),
    ("react.js", "text/javascript; charset=utf-8", "react/umd/react.production.min.js"),
    ("react-dom.js", "text/javascript; charset=utf-8", "react-dom/umd/react-dom.production.min.js"),
    ("graphiql.js", "text/javascript; charset=utf-8", "graphiql/graphiql.min.js"),
];

fn main() -> ExitCode {
    for manifest in MANIFESTS {
        println!("cargo::rerun-if-changed=graphiql/{manifest}");
    }
    println!("cargo::rerun-if-env-changed={WISH}");
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets it"));
    let wish = std::env::var_os(WISH).unwrap_or_default();
    let fetched = match wish.to_str() {
        Some("off") => Err(format!("the program was built with {WISH}=off")),
        _ => fetch(&out.join("graphiql")),
    };
    let assets = match &fetched {
        Ok(folder) => list(folder),
        Err(why) if wish == "require" => {
            println!("cargo::error={WISH}=require, and GraphiQL could not be fetched: {why}");
            return ExitCode::FAILURE;
        }
        Err(why) => format!("Err({why:?})"),
    };
    let list = format!("const ASSETS: Result<&[Asset], &str> = {assets};\n");
    fs::write(out.join("graphiql.rs"), list).expect("cargo's own folder can be written to");
    ExitCode::SUCCESS
}

/// Lets npm fetch what the lock file names, each file with its checksum. Where the assets are then.
fn fetch(folder: &Path) -> Result<PathBuf, String> {
    let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
    // What an earlier attempt left.
    let _not_there = fs::remove_dir_all(folder);
    fs::create_dir_all(folder).map_err(failed)?;
    for manifest in MANIFESTS {
        fs::copy(Path::new("graphiql").join(manifest), folder.join(manifest)).map_err(failed)?;
    }
    let mut npm = Command::new("npm");
    npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-progress", "--loglevel=error"]);
    npm.args(["--prefer-offline", "--fetch-retries=1", "--fetch-timeout=30000"]);
    run(npm.current_dir(folder))?;
    for (name, _, source) in ASSETS {
        fs::rename(folder.join("node_modules").join(source), folder.join(name))
            .map_err(|error| format!("npm brought no {source}: {error}"))?;
    }
    fs::remove_dir_all(folder.join("node_modules")).map_err(failed)?;
    Ok(folder.to_owned())
}

fn run(npm: &mut Command) -> Result<(), String> {
    let started = npm.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let mut npm = started.map_err(|error| format!("npm cannot be started: {error}"))?;
    let began = Instant::now();
    while began.elapsed() < PATIENCE {
        match npm.try_wait() {
            Ok(Some(status)) if status.success() => return Ok(()),
            Ok(Some(status)) => return Err(format!("npm could not fetch it ({status})")),
            Ok(None) => sleep(Duration::from_millis(50)),
            Err(error) => return Err(format!("npm cannot be waited for: {error}")),
        }
    }
    // It may have ended by now.
    let _ended = npm.kill();
    let _reaped = npm.wait();
    Err(format!("npm took longer than {} s", PATIENCE.as_secs()))
}

/// The list as Rust, each file with what names this version of it.
fn list(folder: &Path) -> String {
    let mut list = String::from("Ok(&[");
    for (name, content_type, _) in ASSETS {
        let path = folder.join(name);
        let mut hasher = DefaultHasher::new();
        fs::read(&path).expect("npm brought it").hash(&mut hasher);
        write!(
            list,
            "Asset {{ name: {name:?}, version: \"{:016x}\", content_type: {content_type:?}, bytes: include_bytes!({:?}) }}, ",
            hasher.finish(),
            path.display().to_string()
        )
        .expect("writing to a string cannot fail");
    }
    list + "])"
}
