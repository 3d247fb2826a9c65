//! Lists the SQL files, so that the binary carries them and a new file needs no line of Rust.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs};

const OWNERS: [(&str, &str); 7] = [
    ("Platform", "platform"),
    ("Accounts", "accounts"),
    ("Entities", "entities"),
    ("Vectors", "vectors"),
    ("Analytics", "analytics"),
    ("Operations", "operations"),
    ("Registry", "registry"),
];

fn main() {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it")).join("embedded.rs");
    let mut code = String::from("&[\n");
    for (variant, folder) in OWNERS {
        for up in up_files(&root.join(folder)) {
            let down = up.with_file_name(file_name(&up).replace(".up.sql", ".down.sql"));
            assert!(down.is_file(), "{} has no {}", up.display(), file_name(&down));
            // As Rust writes a string, with its quotes.
            let literal =
                |path: &Path| format!("{:?}", path.to_str().expect("the workspace's path is UTF-8"));
            writeln!(
                code,
                "    EmbeddedFile {{ owner: Owner::{variant}, file: {:?}, up: include_str!({}), down: include_str!({}) }},",
                file_name(&up),
                literal(&up),
                literal(&down)
            )
            .expect("a string can be written to");
        }
        println!("cargo::rerun-if-changed={folder}");
    }
    code.push_str("]\n");
    fs::write(&out, code).expect("OUT_DIR can be written to");
    println!("cargo::rerun-if-changed=build.rs");
}

fn up_files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.expect("the folder can be listed").path())
        .filter(|path| file_name(path).ends_with(".up.sql"))
        .collect();
    files.sort();
    files
}

fn file_name(path: &Path) -> String {
    path.file_name().expect("a listed file has a name").to_string_lossy().into_owned()
}
