//! Reads the imports between the files of a crate from its sources.
//!
//! The tokens are read, not the syntax tree: a path inside a macro call or a macro definition is an import too, and
//! a parser leaves those unparsed. What only tests compile (`#[cfg(test)]`, `#[test]`) is left out.
//!
//! A path is followed to the file that defines what it names, through `use` aliases and re-exports. A name that
//! cannot be found (most macros define some) counts as defined by the file of the module it was looked for in.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use proc_macro2::TokenTree;

use crate::tokens::{self, Found};

/// One file uses what another one defines.
#[derive(Debug, Clone, PartialEq)]
pub struct Import {
    /// Indices into [`Graph::files`].
    pub from: usize,
    pub to: usize,
    pub line: usize,
    /// The path as it is written.
    pub path: String,
}

#[derive(Debug, Default)]
pub struct Graph {
    /// Paths below the source directory, without `.rs`: `case/machine/mod`.
    pub files: Vec<String>,
    pub imports: Vec<Import>,
}

/// A module: a file, or an inline `mod x { … }` of one.
#[derive(Debug, Default)]
pub struct Module {
    file: usize,
    parent: Option<usize>,
    children: BTreeMap<String, usize>,
    /// What `use` binds: the name, and the paths it stands for.
    aliases: BTreeMap<String, Vec<Vec<String>>>,
    globs: Vec<Vec<String>>,
    /// Names that the module itself defines.
    pub items: BTreeSet<String>,
    pub found: Vec<Found>,
    /// Names that may come from a glob import, with their lines.
    pub mentioned: Vec<(String, usize)>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Target {
    Module(usize),
    /// Something that is defined in this file.
    Item(usize),
}

/// All modules of a crate.
#[derive(Default)]
struct Crate {
    root: PathBuf,
    files: Vec<String>,
    modules: Vec<Module>,
}

/// Reads the crate whose root is `lib.rs` in `directory`.
pub fn read(directory: &Path) -> Graph {
    let mut sources = Crate { root: directory.to_owned(), ..Crate::default() };
    sources.read_file(&directory.join("lib.rs"), None);
    let imports = sources.imports();
    Graph { files: sources.files, imports }
}

impl Crate {
    fn read_file(&mut self, path: &Path, parent: Option<usize>) -> usize {
        let text = std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let tokens: proc_macro2::TokenStream = text.parse().unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let name = path.strip_prefix(&self.root).unwrap().with_extension("");
        self.files.push(name.to_string_lossy().replace('\\', "/"));
        let file = self.files.len() - 1;
        let directory = match path.file_stem().and_then(|stem| stem.to_str()) {
            Some("lib" | "mod") => path.parent().unwrap().to_owned(),
            _ => path.with_extension(""),
        };
        self.read_module(Module { file, parent, ..Module::default() }, tokens.into_iter().collect(), &directory)
    }

    fn read_module(&mut self, module: Module, tokens: Vec<TokenTree>, directory: &Path) -> usize {
        let number = self.modules.len();
        self.modules.push(module);
        let mut declared = Vec::new();
        tokens::read(&tokens, &mut self.modules[number], &mut declared);
        for child in declared {
            let below = directory.join(&child.name);
            let parent = Some(number);
            let read = match child.body {
                Some(body) => {
                    let inline = Module { file: self.modules[number].file, parent, ..Module::default() };
                    self.read_module(inline, body, &below)
                }
                None => {
                    let plain = below.with_extension("rs");
                    let path = if plain.exists() { plain } else { below.join("mod.rs") };
                    self.read_file(&path, parent)
                }
            };
            self.modules[number].children.insert(child.name, read);
        }
        let module = &mut self.modules[number];
        for found in &module.found {
            match &found.alias {
                Some(alias) => module.aliases.entry(alias.clone()).or_default().push(found.path.clone()),
                None if found.is_glob => module.globs.push(found.path.clone()),
                None => {}
            }
        }
        number
    }

    /// What a name means in a module, as seen by other modules (and by the module itself).
    fn look_up(&self, module: usize, name: &str, depth: usize) -> Option<Target> {
        let here = &self.modules[module];
        if let Some(child) = here.children.get(name) {
            return Some(Target::Module(*child));
        }
        if here.items.contains(name) {
            return Some(Target::Item(here.file));
        }
        let aliases = here.aliases.get(name).into_iter().flatten();
        if let Some(target) = aliases.filter_map(|path| self.resolve(module, path, depth + 1)).next() {
            return Some(target);
        }
        here.globs.iter().find_map(|path| match self.resolve(module, path, depth + 1)? {
            Target::Module(other) if other != module => self.look_up(other, name, depth + 1),
            _ => None,
        })
    }

    /// Follows a path that is written in a module; None if it leads out of the crate.
    fn resolve(&self, module: usize, path: &[String], depth: usize) -> Option<Target> {
        // Aliases of one name may lead to each other; a path of this length does not exist.
        if depth > 16 {
            return None;
        }
        let (first, rest) = path.split_first()?;
        let mut target = match first.as_str() {
            "crate" => Target::Module(0),
            "self" => Target::Module(module),
            "super" => Target::Module(self.modules[module].parent?),
            name => self.look_up(module, name, depth)?,
        };
        for name in rest {
            let Target::Module(inside) = target else { break };
            target = match (name.as_str(), self.modules[inside].parent) {
                ("super", Some(parent)) => Target::Module(parent),
                ("self", _) => target,
                _ => self.look_up(inside, name, depth + 1).unwrap_or(Target::Item(self.modules[inside].file)),
            };
        }
        Some(target)
    }

    fn file_of(&self, target: Target) -> usize {
        match target {
            Target::Module(module) => self.modules[module].file,
            Target::Item(file) => file,
        }
    }

    fn imports(&self) -> Vec<Import> {
        let mut imports: Vec<Import> = Vec::new();
        for (number, module) in self.modules.iter().enumerate() {
            let mut add = |to: usize, line: usize, path: String| {
                let import = Import { from: module.file, to, line, path };
                if to != module.file && !imports.contains(&import) {
                    imports.push(import);
                }
            };
            for found in &module.found {
                let Some(target) = self.resolve(number, &found.path, 0) else { continue };
                // `Name::new` says nothing new when `use` has brought `Name` in.
                if !found.is_use && matches!(self.look_up(number, &found.path[0], 0), Some(Target::Item(_))) {
                    continue;
                }
                let to = self.file_of(target);
                // `pub use child::Name` gives a name to what the child defines: nothing here depends on it.
                if !(found.is_public && self.is_below(to, module.file)) {
                    add(to, found.line, found.path.join("::"));
                }
            }
            for path in &module.globs {
                let Some(Target::Module(other)) = self.resolve(number, path, 0) else { continue };
                for (name, line) in &module.mentioned {
                    let is_own = module.children.contains_key(name)
                        || module.aliases.contains_key(name)
                        || module.items.contains(name);
                    if let (false, Some(target)) = (is_own, self.look_up(other, name, 0)) {
                        add(self.file_of(target), *line, format!("{}::{name}", path.join("::")));
                    }
                }
            }
        }
        imports
    }

    /// Whether a file belongs to a module that `file` declares.
    fn is_below(&self, child: usize, file: usize) -> bool {
        let name = &self.files[file];
        let directory = match name.rsplit_once('/') {
            _ if name == "lib" => String::new(),
            Some((directory, "mod")) => format!("{directory}/"),
            _ => format!("{name}/"),
        };
        self.files[child].starts_with(&directory)
    }
}
