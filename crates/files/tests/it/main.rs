//! Files in a folder.
#![expect(clippy::unwrap_used, reason = "a test fails where it stands")]

use pulse_files::{FileName, Files, FilesError};
use tokio::io::AsyncReadExt;

fn name(text: &str) -> FileName {
    text.parse().unwrap()
}

async fn content(files: &Files, file: &str) -> Option<String> {
    let (mut file, size) = files.open(&name(file)).await.unwrap()?;
    let mut text = String::new();
    file.read_to_string(&mut text).await.unwrap();
    assert_eq!(text.len() as u64, size);
    Some(text)
}

/// Everything below the folder.
fn all(folder: &std::path::Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_dir() {
            found.extend(all(&entry.path()));
        } else {
            found.push(entry.file_name().into_string().unwrap());
        }
    }
    found
}

#[tokio::test]
async fn a_file_is_there_when_it_is_finished_and_not_before() {
    let folder = tempfile::tempdir().unwrap();
    let files = Files::new(&folder.path().join("kept"));
    let mut new = files.create(&name("a/b.json")).await.unwrap();
    new.write(b"half").await.unwrap();
    assert_eq!(content(&files, "a/b.json").await, None);
    drop(new);
    assert_eq!(all(folder.path()), Vec::<String>::new());

    let mut new = files.create(&name("a/b.json")).await.unwrap();
    new.write(b"who").await.unwrap();
    new.write(b"le").await.unwrap();
    assert_eq!(new.finish().await.unwrap(), 5);
    assert_eq!(content(&files, "a/b.json").await.as_deref(), Some("whole"));
    assert_eq!(all(folder.path()), ["b.json"]);
    assert!(files.delete(&name("a/b.json")).await.unwrap());
    assert!(!files.delete(&name("a/b.json")).await.unwrap());
}

#[tokio::test]
async fn a_file_that_is_too_large_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let files = Files::new(folder.path()).at_most(4);
    let mut new = files.create(&name("a")).await.unwrap();
    new.write(b"1234").await.unwrap();
    assert!(matches!(new.write(b"5").await, Err(FilesError::TooLarge(4))));
    drop(new);
    assert_eq!(all(folder.path()), Vec::<String>::new());
}

#[tokio::test]
async fn without_a_folder_nothing_is_kept() {
    let files = Files::new(std::path::Path::new(""));
    assert!(matches!(files.create(&name("a")).await, Err(FilesError::NoFolder)));
    assert!(files.open(&name("a")).await.unwrap().is_none());
    assert!(!files.delete(&name("a")).await.unwrap());
}
