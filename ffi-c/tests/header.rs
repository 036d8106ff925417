//! include/atlas_postbooking.h is what cbindgen makes of the sources, has the core's numbers, declares every exported
//! symbol, and compiles in every dialect. `BLESS=1 cargo test -p atlas-postbooking-c` writes it anew.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use atlas_postbooking::Status;
use support::{assert_current, c_header, file, operations};

const HEADER: &str = "../include/atlas_postbooking.h";

fn header_path() -> PathBuf {
    file(HEADER)
}

#[test]
fn the_checked_in_header_is_current() {
    assert_current(HEADER, &c_header::generate());
}

#[test]
fn its_constants_are_the_cores() {
    let header = std::fs::read_to_string(header_path()).unwrap();
    let constants: BTreeMap<&str, i32> = header
        .lines()
        .filter_map(|l| l.strip_prefix("#define APB_")?.split_once(' '))
        .filter_map(|(name, value)| Some((name, value.trim_matches(['(', ')']).parse().ok()?)))
        .collect();
    for status in Status::all() {
        let name = status.c_name().strip_prefix("APB_").unwrap();
        assert_eq!(constants.get(name), Some(&status.number()), "{name}");
    }
    let statuses = constants.keys().filter(|n| n.starts_with("E_") || **n == "OK").count();
    assert_eq!(statuses, Status::all().len(), "the header has a status that the core does not have");
}

/// Functions declared in the header.
fn functions() -> Vec<String> {
    let header = std::fs::read_to_string(header_path()).unwrap();
    let mut names: Vec<String> = header
        .split("apb_")
        .skip(1)
        .filter_map(|rest| rest.split_once('('))
        .map(|(name, _)| format!("apb_{name}"))
        .filter(|name| name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_'))
        .collect();
    names.sort();
    names.dedup();
    names
}

#[test]
fn nothing_is_declared_twice() {
    let header = std::fs::read_to_string(header_path()).unwrap();
    for function in functions() {
        let declarations =
            header.lines().filter(|l| !l.starts_with([' ', '/']) && l.contains(&format!("{function}("))).count();
        assert!(declarations <= 1, "{function} is declared {declarations} times");
    }
}

#[test]
fn every_operation_has_its_function() {
    let functions = functions();
    let operations = operations();
    assert!(operations.len() >= 28);
    for op in operations {
        assert!(functions.contains(&op.c), "{} is missing in the header", op.c);
    }
}

/// The shared library beside the test exports exactly what the header declares.
#[test]
fn exported_symbols_are_the_headers() {
    let target = std::env::current_exe().unwrap();
    let library = target.ancestors().nth(2).map(Path::new).unwrap().join("libatlas_postbooking.so");
    if !library.exists() {
        // `cargo test` alone does not build a cdylib; the Makefile does, and CI demands it.
        assert!(std::env::var_os("APB_REQUIRE_ALL").is_none(), "{} is not built", library.display());
        println!("SKIPPED: {} is not built", library.display());
        return;
    }
    let nm = std::process::Command::new("nm").args(["-D", "--defined-only"]).arg(&library).output().unwrap();
    let mut exported: Vec<String> = String::from_utf8(nm.stdout)
        .unwrap()
        .lines()
        .filter_map(|l| l.split_whitespace().last())
        .map(str::to_owned)
        .collect();
    exported.sort();
    let mut declared = functions();
    declared.retain(|f| !matches!(f.as_str(), "apb_log_fn"));
    assert_eq!(exported, declared);
}

/// Alone and twice, as every dialect of C and C++ that the compiler at hand knows.
#[test]
fn it_compiles_everywhere() {
    let header = header_path();
    let dialects = [
        ("cc", "c", ["c89", "c99", "c11", "c17", "c2x", "gnu89"].as_slice()),
        ("c++", "c++", ["c++98", "c++03", "c++11", "c++14", "c++17", "c++20", "c++23"].as_slice()),
    ];
    for (compiler, language, standards) in dialects {
        for standard in standards {
            let output = std::process::Command::new(compiler)
                .args([
                    &format!("-std={standard}"),
                    "-Wall",
                    "-Wextra",
                    "-Wpedantic",
                    "-Werror",
                    "-fsyntax-only",
                    "-include",
                ])
                .arg(&header)
                .args(["-x", language])
                .arg(&header)
                .output()
                .expect("a C and a C++ compiler");
            assert!(output.status.success(), "{standard}: {}", String::from_utf8_lossy(&output.stderr));
        }
    }
}
