//! The modules of the core import downwards only, in the order that ARCHITECTURE.md draws, and in no circle. The
//! picture is what is checked: it names every file, and nothing that there is not.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod order;
mod sources;
mod tokens;

use std::path::{Path, PathBuf};

use order::Order;

/// Every difference between the sources and the picture.
fn check(sources: &Path, page: &str) -> Vec<String> {
    match Order::read(page) {
        Ok(order) => order.check(&sources::read(sources)),
        Err(error) => vec![error],
    }
}

/// The directory of the repository, and ARCHITECTURE.md in it.
fn repository() -> (PathBuf, String) {
    let home = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned();
    let page = std::fs::read_to_string(home.join("ARCHITECTURE.md")).expect("ARCHITECTURE.md is beside the crate");
    (home, page)
}

#[test]
fn the_core_keeps_to_the_picture() {
    let (home, page) = repository();
    let wrong = check(&home.join("core/src"), &page);
    assert!(wrong.is_empty(), "{} differences:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_file_that_the_page_names_exists() {
    let (home, page) = repository();
    // What stands between backticks and looks like a path.
    let is_path = |text: &&str| !text.contains([' ', '\n']) && (text.contains('/') || text.ends_with(".rs"));
    let named: Vec<&str> = page.split('`').skip(1).step_by(2).filter(is_path).collect();
    let exists = |path: &str| home.join(path).exists() || home.join("core/src").join(path).exists();
    let missing: Vec<&str> = named.iter().copied().filter(|path| !exists(path)).collect();
    assert_eq!(missing, Vec::<&str>::new());
    assert!(named.len() > 40, "{named:?}");
}

const PICTURE: &str = "
# A page

```text module-order
api            what callers see
work           remarks may be `anything`
    steps      one per file
    plan facts
low high       two rooms of one floor
base
```
";

/// A tree that keeps to [`PICTURE`].
const TREE: &[(&str, &str)] = &[
    ("lib.rs", "mod api; mod work; mod low; mod high; mod base; pub use api::Door; pub use work::run;"),
    ("api.rs", "use crate::work::{self, run}; pub struct Door; pub fn open() { run(); work::steps::go(); }"),
    ("work/mod.rs", "pub(crate) mod steps; pub(crate) mod plan; mod facts; pub(crate) use steps::run;"),
    ("work/steps/mod.rs", "mod tell; pub fn run() { tell::tell() } pub fn go() {}"),
    ("work/steps/tell.rs", "use super::super::plan::Plan; pub fn tell() { let _ = Plan; crate::base::note!(1) }"),
    ("work/plan.rs", "use super::facts::Fact; use crate::low; pub struct Plan; impl low::Low for Fact {}"),
    ("work/facts.rs", "pub struct Fact; impl Fact { pub fn base() -> crate::base::Base { crate::base::Base } }"),
    ("low/mod.rs", "mod words; pub use words::*; pub trait Low {}"),
    ("low/words.rs", "crate::base::named! { Word { a } } named! { Other { b } }"),
    ("high.rs", "use crate::low::Low; pub struct High; impl Low for High {}"),
    (
        "base.rs",
        "pub struct Base; macro_rules! note { ($x:expr) => { $crate::base::Base } } pub(crate) use note;
         #[cfg(test)] mod tests { use crate::api::open; use super::*; }
         #[cfg(all(test, unix))] use crate::work::run;
         #[cfg(test)] fn helper<A, B>() { crate::api::open() }
         pub struct Kept { #[cfg(test)] seen: crate::api::Door, pub(in crate::work) kept: u8 }",
    ),
];

/// A directory that is removed at the end.
struct Directory(PathBuf);

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// [`TREE`] on the disk, with text appended to some of its files, or files added.
fn tree(name: &str, added: &[(&str, &str)]) -> Directory {
    let root = std::env::temp_dir().join(format!("apb-modules-{}-{name}", std::process::id()));
    let _ = std::fs::remove_dir_all(&root);
    let mut files: Vec<(&str, String)> = TREE.iter().map(|(file, text)| (*file, (*text).to_owned())).collect();
    for (file, text) in added {
        match files.iter_mut().find(|(known, _)| known == file) {
            Some((_, whole)) => *whole = format!("{whole}\n{text}"),
            None => files.push((file, (*text).to_owned())),
        }
    }
    for (file, text) in files {
        let path = root.join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    Directory(root)
}

#[test]
fn a_tree_that_keeps_to_the_picture_has_no_differences() {
    let tree = tree("clean", &[]);
    assert_eq!(check(&tree.0, PICTURE), Vec::<String>::new());
    let graph = sources::read(&tree.0);
    let at = |file: &str| graph.files.iter().position(|f| f == file).unwrap();
    let imports = |from: &str, to: &str| graph.imports.iter().any(|i| (i.from, i.to) == (at(from), at(to)));
    // Found through a re-export, an alias of a module, a macro, `super`, a path in a body.
    for (from, to) in [
        ("api", "work/steps/mod"),
        ("work/steps/tell", "work/plan"),
        ("work/steps/tell", "base"),
        ("work/plan", "low/mod"),
        ("work/facts", "base"),
        ("high", "low/mod"),
    ] {
        assert!(imports(from, to), "{from} imports {to}: {:?}", graph.imports);
    }
    assert!(!imports("work/mod", "work/steps/mod"), "a re-export is no import");
}

#[test]
fn an_upward_import_is_found_however_it_is_written() {
    let planted = [
        ("base.rs", "use crate::api::Door;", "base.rs:6 imports api.rs (`crate::api::Door`)"),
        ("base.rs", "use super::api as other;", "base.rs:6 imports api.rs (`super::api`)"),
        ("base.rs", "use crate::{low::{Low, Word}, high::{self}};", "base.rs:6 imports high.rs (`crate::high`)"),
        ("base.rs", "use crate::{low::{Low, Word}};", "base.rs:6 imports low/words.rs (`crate::low::Word`)"),
        ("base.rs", "use crate::Door as D;", "base.rs:6 imports api.rs (`crate::Door`)"),
        ("base.rs", "use crate::low::*; fn f(_: Other) {}", "base.rs:6 imports low/words.rs (`crate::low::Other`)"),
        ("base.rs", "fn f() { vec![crate::api::open()]; }", "base.rs:6 imports api.rs (`crate::api::open`)"),
        (
            "base.rs",
            "mod inside { fn f() { super::super::high::f() } }",
            "base.rs:6 imports high.rs (`super::super::high::f`)",
        ),
        (
            "base.rs",
            "#[serde(default = \"crate::low::f\")] struct S;",
            "base.rs:6 imports low/mod.rs (`crate::low::f`)",
        ),
        ("base.rs", "#[cfg(not(test))] use crate::api::Door;", "base.rs:6 imports api.rs (`crate::api::Door`)"),
        ("base.rs", "fn f() -> <crate::high::High as X>::Y {}", "base.rs:6 imports high.rs (`crate::high::High`)"),
        ("low/mod.rs", "use crate::work::run;", "low/mod.rs:2 imports work/steps/mod.rs (`crate::work::run`)"),
        ("low/words.rs", "\npub use super::super::work::plan::Plan;", "low/words.rs:3 imports work/plan.rs"),
        ("work/plan.rs", "use super::steps;", "work/plan.rs:2 imports work/steps/mod.rs (`super::steps`)"),
        ("work/plan.rs", "use crate::work::steps as s; fn f() { s::tell::tell() }", "imports work/steps/tell.rs"),
        ("work/mod.rs", "fn f() { plan::f() }", "work/mod.rs:2 imports work/plan.rs (`plan::f`)"),
        ("lib.rs", "fn f() { api::open() }", "lib.rs:2 imports api.rs (`api::open`)"),
    ];
    for (number, (file, text, expected)) in planted.into_iter().enumerate() {
        let tree = tree(&format!("up{number}"), &[(file, text)]);
        let wrong = check(&tree.0, PICTURE);
        let is_found = wrong.iter().any(|line| line.starts_with("upward: ") && line.contains(expected));
        assert!(is_found, "{file}: {text}\nexpected {expected}\n{}", wrong.join("\n"));
    }
}

#[test]
fn a_circle_is_found_at_every_level() {
    let planted: [(&[(&str, &str)], &str); 6] = [
        (
            &[("low/words.rs", "use super::Low;"), ("low/mod.rs", "use words::Word as W;")],
            "low/mod.rs:2 imports low/words.rs",
        ),
        (&[("low/mod.rs", "use crate::high::High;")], "high.rs:1 imports low/mod.rs (`crate::low::Low`)"),
        (&[("work/facts.rs", "use super::plan::Plan;")], "work/facts.rs:2 imports work/plan.rs (`super::plan::Plan`)"),
        (&[("work/steps/tell.rs", "use super::go;")], "work/steps/tell.rs:2 imports work/steps/mod.rs (`super::go`)"),
        // Between directories, though no file imports itself in the end.
        (
            &[("low/far.rs", "use crate::high::High;"), ("low/mod.rs", "mod far;")],
            "low/far.rs:1 imports high.rs (`crate::high::High`)",
        ),
        (
            &[
                ("work/steps/mod.rs", "mod a; mod b; mod c;"),
                ("work/steps/a.rs", "pub fn f() { super::b::f() }"),
                ("work/steps/b.rs", "use super::c; pub fn f() { c::f() }"),
                ("work/steps/c.rs", "pub fn f() { super::a::f() }"),
            ],
            "work/steps/c.rs:1 imports work/steps/a.rs (`super::a::f`)",
        ),
    ];
    for (number, (added, expected)) in planted.into_iter().enumerate() {
        let tree = tree(&format!("circle{number}"), added);
        let wrong = check(&tree.0, PICTURE);
        let is_found = wrong.len() == 1 && wrong[0].starts_with("circle: ") && wrong[0].contains(expected);
        assert!(is_found, "expected {expected}\n{}", wrong.join("\n"));
    }
}

#[test]
fn the_picture_and_the_sources_name_the_same_modules() {
    let tree =
        tree("names", &[("lib.rs", "mod more;"), ("more.rs", ""), ("work/mod.rs", "mod odd;"), ("work/odd.rs", "")]);
    let picture = PICTURE.replace("low high", "low high none");
    let expected = [
        "more.rs is not in the picture",
        "the picture has none, the sources have not",
        "work/odd.rs is not in the picture",
    ];
    assert_eq!(check(&tree.0, &picture), expected);
    assert_eq!(check(&tree.0, "# A page"), ["the page has no block that is marked `module-order`"]);
    assert_eq!(check(&tree.0, "```text module-order\nApi\n```"), ["not names of modules: `Api`"]);
    assert_eq!(check(&tree.0, "```module-order\na b\n    c\n```"), ["which room has floors inside? `a b`"]);
}
