//! Builds and starts the callers of all languages: the four that the project has, and those that a file names.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use crate::callers::{Caller, InProcess, OtherProcess};

use serde::Deserialize;

/// The languages that are built here, in the order of the output.
const BUILT_IN: &[&str] = &["rust", "c", "cpp", "python"];

/// A caller that is built elsewhere: its command, or why there is none.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Given {
    #[serde(default)]
    command: Vec<String>,
    #[serde(default)]
    environment: BTreeMap<String, String>,
    #[serde(default)]
    skipped: String,
}

/// The callers of the file that APB_CALLERS names: an object of name and [`Given`].
pub fn given() -> Result<BTreeMap<String, Given>, String> {
    let Some(path) = std::env::var_os("APB_CALLERS") else { return Ok(BTreeMap::new()) };
    let path = PathBuf::from(path);
    let text = std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    serde_json::from_str(&text).map_err(|e| format!("{}: {e}", path.display()))
}

/// Directories of a run.
pub struct Directories {
    /// The root of the repository.
    pub root: PathBuf,
    /// The build directory of the callers.
    pub work: PathBuf,
    /// Callers that are built elsewhere, by name.
    pub given: BTreeMap<String, Given>,
}

impl Directories {
    /// All languages, in the order of the output.
    pub fn languages(&self) -> Vec<&str> {
        BUILT_IN.iter().copied().chain(self.given.keys().map(String::as_str)).collect()
    }
}

static BUILDING: Mutex<()> = Mutex::new(());

/// Starts the caller of a language. An error is the reason why the language is skipped.
pub fn start(language: &str, directories: &Directories) -> Result<Box<dyn Caller>, String> {
    if let Some(given) = directories.given.get(language) {
        let (program, arguments) = given.command.split_first().ok_or_else(|| given.skipped.clone())?;
        let mut command = Command::new(program);
        command.args(arguments).envs(&given.environment);
        return Ok(Box::new(OtherProcess::start(&mut command)?));
    }
    let callers = directories.root.join("tests/vectors/callers");
    match language {
        "rust" => Ok(Box::new(InProcess)),
        "python" => {
            let python = std::env::var_os("APB_PYTHON").unwrap_or_else(|| "python3".into());
            let mut command = Command::new(python);
            if let Some(path) = std::env::var_os("APB_PYTHONPATH") {
                command.env("PYTHONPATH", path);
            }
            command.arg(callers.join("caller.py"));
            Ok(Box::new(OtherProcess::start(&mut command)?))
        }
        _ => {
            let _one_at_a_time = BUILDING.lock().unwrap_or_else(PoisonError::into_inner);
            let program = directories.work.join(format!("caller-{language}"));
            if program.exists() {
                return Ok(Box::new(OtherProcess::start(&mut Command::new(program))?));
            }
            let library = library(directories)?;
            let mut command = if language == "c" {
                let mut cc = compiler("CC", "cc");
                cc.args(["-std=c99", "-O1"]).arg(callers.join("caller.c"));
                // C uses the shared library and C++ the static one, because both are delivered.
                cc.arg("-L").arg(&library).arg("-latlas_postbooking");
                // The loader searches for the soname, which only an installation has, so a link is made.
                let soname = directories.work.join("libatlas_postbooking.so.1");
                std::os::unix::fs::symlink(library.join("libatlas_postbooking.so"), soname)
                    .map_err(|e| e.to_string())?;
                cc.arg(format!("-Wl,-rpath,{}", directories.work.display()));
                cc
            } else {
                let mut cxx = compiler("CXX", "c++");
                cxx.args(["-std=c++17", "-O1"]).arg(callers.join("caller.cpp"));
                cxx.arg(library.join("libatlas_postbooking.a")).args(["-lpthread", "-ldl", "-lm"]);
                cxx
            };
            command.args(["-Wall", "-Wextra", "-Werror", "-pedantic", "-I"]).arg(directories.root.join("include"));
            command.arg("-o").arg(&program);
            run(&mut command)?;
            Ok(Box::new(OtherProcess::start(&mut Command::new(program))?))
        }
    }
}

fn compiler(variable: &str, default: &str) -> Command {
    Command::new(std::env::var_os(variable).unwrap_or_else(|| default.into()))
}

/// The directory of the C libraries. Without APB_LIB_DIR they are built, so that no outdated library is tested.
fn library(directories: &Directories) -> Result<PathBuf, String> {
    if let Some(directory) = std::env::var_os("APB_LIB_DIR") {
        return Ok(directory.into());
    }
    let me = std::env::current_exe().map_err(|e| e.to_string())?;
    let profile = me.parent().filter(|p| !p.ends_with("deps")).or_else(|| me.parent()?.parent());
    let directory = profile.ok_or("no target directory")?.to_owned();
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(&directories.root).args(["build", "--quiet", "--package", "atlas-postbooking-c"]);
    // Variables that an outer cargo sets for this package would make build scripts run on every build.
    for (name, _) in std::env::vars_os() {
        let of_package = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_", "CARGO_PRIMARY_"];
        if name.to_str().is_some_and(|n| of_package.iter().any(|p| n.starts_with(p))) {
            cargo.env_remove(name);
        }
    }
    if directory.ends_with("release") {
        cargo.arg("--release");
    }
    if let Some(target) = directory.parent() {
        cargo.arg("--target-dir").arg(target);
    }
    run(&mut cargo)?;
    Ok(directory)
}

fn run(command: &mut Command) -> Result<(), String> {
    let name = Path::new(command.get_program()).display().to_string();
    let output = command.output().map_err(|e| format!("{name}: {e}"))?;
    if output.status.success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&output.stderr);
    Err(format!("{name} failed: {}", text.lines().take(20).collect::<Vec<_>>().join("\n    ")))
}
