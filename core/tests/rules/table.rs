//! `RULES.md` names the tests that exist, and all of them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rules")
}

/// `module::test` of every test beside this file.
fn tests() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir(directory()).unwrap() {
        let path = entry.unwrap().path();
        let module = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if path.extension().is_none_or(|end| end != "rs") || module == "table" {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        for block in text.split("#[test]\n").skip(1) {
            let name = block.split_once("fn ").and_then(|(_, rest)| rest.split_once('(')).unwrap().0;
            found.insert(format!("{module}::{name}"));
        }
    }
    // The other half of a test of two processes.
    found.remove("steps::child");
    found
}

#[test]
fn the_table_names_the_tests_that_exist() {
    let table = std::fs::read_to_string(directory().join("RULES.md")).unwrap();
    let words = table.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == ':'));
    let named: BTreeSet<String> =
        words.filter(|word| word.contains("::") && !word.starts_with("module::")).map(str::to_owned).collect();
    assert_eq!(named, tests());
}

/// Each mutant takes out a rule that stands in the code once, and names a test that exists.
#[test]
fn the_mutants_name_rules_and_tests_that_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let text = std::fs::read_to_string(root.join("tests/mutants/mutants.json")).unwrap();
    let mutants: serde_json::Value = serde_json::from_str(&text).unwrap();
    let tests = tests();
    for mutant in mutants.as_array().unwrap() {
        let of = |key: &str| mutant[key].as_str().unwrap();
        let source = std::fs::read_to_string(root.join(of("file"))).unwrap();
        assert_eq!(source.matches(of("rule")).count(), 1, "{}", of("name"));
        assert!(tests.contains(of("test")), "{}", of("test"));
    }
}
