//! Goes the way of a newcomer, with the commands and programs of the README.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::testing::server::Server;
use crate::testing::{checkpoint, said, tags};
use crate::v1::extract_response::Event as Said;
use crate::v1::{Summary, TableStatus, TableSummary};

/// The blocks of the README in that language.
fn blocks(language: &str) -> Vec<String> {
    let readme = include_str!("../README.md");
    // Every second part is a block: closing fences open nothing.
    let parts = readme.split("```").skip(1).step_by(2);
    let (first, rest) = (format!("{language}\n"), |part: &str| part.to_owned());
    parts
        .filter_map(|part| part.strip_prefix(&first))
        .map(rest)
        .collect()
}

/// Ends with the test.
struct Checkout(PathBuf);

impl Checkout {
    fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("readme-{}", std::process::id()));
        fs::create_dir_all(folder.join("clients")).unwrap();
        fs::create_dir(folder.join(".build")).unwrap();
        let client = Path::new(env!("CARGO_MANIFEST_DIR"));
        std::os::unix::fs::symlink(client, folder.join("clients/rust")).unwrap();
        Checkout(folder)
    }
}

impl Drop for Checkout {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// What the commands print. The build stays for the next time, and takes what was loaded for this crate.
fn run(folder: &Path, commands: &str) -> String {
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.build/clients/rust/readme");
    let done = Command::new("bash")
        .args(["-euo", "pipefail", "-c", commands])
        .current_dir(folder)
        .env("CARGO_TARGET_DIR", target)
        .env("CARGO_NET_OFFLINE", "true")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    let complaints = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{commands}: {said}{complaints}");
    said
}

#[tokio::test(flavor = "multi_thread")]
async fn the_programs_of_the_readme_run() {
    let ended = TableSummary {
        table: "tags".into(),
        status: TableStatus::Complete.into(),
        rows: 2,
        ..TableSummary::default()
    };
    let summary = said(Said::Summary(Summary {
        tables: vec![ended],
        ..Summary::default()
    }));
    let server = Server {
        events: vec![tags(&["a", "b"]), checkpoint(1, 2), summary],
        ..Server::default()
    };
    let address = server.start().await;
    let (programs, commands) = (blocks("rust"), blocks(""));
    assert_eq!((programs.len(), commands.len()), (2, 3));

    let checkout = Checkout::new();
    run(&checkout.0, &commands[0]);
    let folder = checkout.0.join(".build/rows");
    // As this crate is tested; what the program does not need is taken out.
    let lock = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.lock");
    fs::copy(lock, folder.join("Cargo.lock")).unwrap();
    let wanted: [&[&str]; 2] = [
        &["tags Some(Text(\"a\"))", "tags Some(Text(\"b\"))"],
        &[
            "0 requests",
            "1 tables, 0 reconnects",
            "tags TABLE_STATUS_COMPLETE 2",
            "tag a ",
            "tag b ",
        ],
    ];
    for (program, wanted) in programs.iter().zip(wanted) {
        let program = program.replace("localhost:50051", &address);
        fs::write(folder.join("src/main.rs"), program).unwrap();
        let said = run(&folder, &commands[1]);
        assert_eq!(said.lines().collect::<Vec<_>>(), wanted);
    }
}
