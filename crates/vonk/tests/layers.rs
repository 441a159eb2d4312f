//! The rooms' arrows point down only (docs/architecture.md).

#![allow(clippy::unwrap_used, clippy::expect_used)] // A test fails by panicking.

use std::process::Command;

/// Crates from the top down: each may use those after it, never those before.
const LAYERS: [&str; 21] = [
    "vonk-cli",
    "vonk-flight",
    "vonk",
    "vonk-cluster",
    "vonk-exec",
    "vonk-planner",
    "vonk-physical",
    "vonk-sources",
    "vonk-shuffle",
    "vonk-rpc",
    "vonk-scheduler",
    "vonk-catalog",
    "vonk-sql",
    "vonk-optimizer",
    "vonk-analyzer",
    "vonk-eval",
    "vonk-functions",
    "vonk-plan",
    "vonk-types",
    "vonk-conf",
    "vonk-error",
];

#[test]
fn crates_depend_downwards_only() {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).expect("cargo metadata is JSON");
    let layer = |name: &str| LAYERS.iter().position(|l| *l == name);
    let mut seen = 0;
    for package in metadata["packages"].as_array().expect("packages") {
        let name = package["name"].as_str().expect("a name");
        let Some(own) = layer(name) else { panic!("{name} has no place in the layers") };
        seen += 1;
        for dependency in package["dependencies"].as_array().expect("dependencies") {
            // Tests may use any crate.
            if dependency["kind"] == "dev" {
                continue;
            }
            let used = dependency["name"].as_str().expect("a name");
            if let Some(theirs) = layer(used) {
                assert!(theirs > own, "{name} must not use {used}");
            }
        }
    }
    assert_eq!(seen, LAYERS.len());
}
