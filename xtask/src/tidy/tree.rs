//! The workspace as the checks see it.

use std::process::Command;

use anyhow::{Context, ensure};
use cargo_metadata::{DependencyKind, MetadataCommand};

use crate::cargo;

/// All text files that are, or would be, committed, and all crates.
#[derive(Default)]
pub(super) struct Tree {
    pub files: Vec<File>,
    pub packages: Vec<Package>,
}

/// A text file; its path is relative to the root.
pub(super) struct File {
    pub path: String,
    pub text: String,
}

/// A crate of the workspace.
pub(super) struct Package {
    pub name: String,
    /// Relative to the root.
    pub folder: String,
    /// Which crates of the workspace it needs, and whether for its tests only.
    pub needs: Vec<(String, Use)>,
}

/// What a dependency is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    Build,
    TestsOnly,
}

impl Tree {
    pub(super) fn read() -> anyhow::Result<Self> {
        Ok(Self { files: files()?, packages: packages()? })
    }

    pub(super) fn file(&self, path: &str) -> Option<&File> {
        self.files.iter().find(|file| file.path == path)
    }

    pub(super) fn files_below<'a>(&'a self, folder: &'a str) -> impl Iterator<Item = &'a File> {
        self.files
            .iter()
            .filter(move |file| file.path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/')))
    }
}

impl File {
    pub(super) fn extension(&self) -> &str {
        self.path.rsplit_once('.').map_or("", |(_, extension)| extension)
    }

    /// Numbered from one, as editors do.
    pub(super) fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().map(|(index, line)| (index + 1, line))
    }
}

fn files() -> anyhow::Result<Vec<File>> {
    let arguments = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
    let output = Command::new("git").args(arguments).current_dir(cargo::root()).output()?;
    ensure!(output.status.success(), "git ls-files failed: {}", String::from_utf8_lossy(&output.stderr));
    let listing = String::from_utf8(output.stdout).context("a file name is not UTF-8")?;
    let mut files = Vec::new();
    for path in listing.split_terminator('\0') {
        // Neither a deleted file that git still knows nor a picture is text.
        if let Ok(text) = std::fs::read_to_string(cargo::root().join(path)) {
            files.push(File { path: path.to_owned(), text });
        }
    }
    Ok(files)
}

fn packages() -> anyhow::Result<Vec<Package>> {
    let manifest = cargo::root().join("Cargo.toml");
    let metadata = MetadataCommand::new().manifest_path(manifest).no_deps().exec()?;
    let mut packages = Vec::new();
    for package in &metadata.packages {
        let folder = package.manifest_path.parent().context("a manifest lies in a folder")?;
        let needs = package.dependencies.iter().filter(|dependency| dependency.path.is_some());
        let kind = |kind| if kind == DependencyKind::Development { Use::TestsOnly } else { Use::Build };
        packages.push(Package {
            name: package.name.to_string(),
            folder: folder.strip_prefix(cargo::root())?.to_string(),
            needs: needs.map(|dependency| (dependency.name.clone(), kind(dependency.kind))).collect(),
        });
    }
    Ok(packages)
}

#[cfg(test)]
pub(super) mod samples {
    use super::*;

    pub(in crate::tidy) fn files(files: &[(&str, &str)]) -> Tree {
        let file = |(path, text): &(&str, &str)| File { path: (*path).to_owned(), text: (*text).to_owned() };
        Tree { files: files.iter().map(file).collect(), packages: Vec::new() }
    }

    pub(in crate::tidy) fn package(name: &str, folder: &str, needs: &[(&str, Use)]) -> Package {
        let needs = needs.iter().map(|(name, kind)| ((*name).to_owned(), *kind)).collect();
        Package { name: name.to_owned(), folder: folder.to_owned(), needs }
    }
}
