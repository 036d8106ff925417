//! The order of the modules, as ARCHITECTURE.md draws it, and whether a graph of imports keeps to it.
//!
//! The picture is a block of text whose fence is marked `module-order`. A line is a floor: the names of its rooms,
//! then two spaces and a remark. An import goes to a lower floor, or to another room of the same floor. The floors
//! inside a room are indented below it, and the room is alone on its line. A room is a file or a directory of the
//! source tree; `mod` is the `mod.rs` of a directory.
//!
//! `lib.rs`, and the `mod.rs` of a room with floors, need not be named: they are below everything beside them, so
//! that they may declare and re-export modules and import nothing.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::sources::{Graph, Import};

pub const MARK: &str = "module-order";

/// Floors, the highest first.
#[derive(Debug, Default, PartialEq)]
pub struct Order {
    floors: Vec<Vec<Room>>,
}

#[derive(Debug, Default, PartialEq)]
struct Room {
    name: String,
    inside: Order,
}

impl Order {
    /// Reads the picture from a page.
    pub fn read(page: &str) -> Result<Order, String> {
        let is_start = |line: &&str| line.starts_with("```") && line.contains(MARK);
        let lines: Vec<&str> = page.lines().skip_while(|line| !is_start(line)).skip(1).collect();
        let end = lines.iter().position(|line| line.starts_with("```"));
        let end = end.ok_or(format!("the page has no block that is marked `{MARK}`"))?;
        Order::floors(&lines[..end])
    }

    fn floors(lines: &[&str]) -> Result<Order, String> {
        let indent = |line: &str| line.len() - line.trim_start().len();
        let mut order = Order::default();
        let mut rest = lines;
        while let Some((line, below)) = rest.split_first() {
            let inside = below.iter().take_while(|other| indent(other) > indent(line)).count();
            let (inside, after) = below.split_at(inside);
            rest = after;
            let names = line.trim_start().split("  ").next().unwrap_or_default();
            let mut rooms: Vec<Room> =
                names.split_whitespace().map(|name| Room { name: name.to_owned(), ..Room::default() }).collect();
            let is_name =
                |room: &Room| room.name.bytes().all(|b| b.is_ascii_lowercase() || b"_0123456789".contains(&b));
            match rooms.as_mut_slice() {
                [] => continue,
                [room] => room.inside = Order::floors(inside)?,
                _ if !inside.is_empty() => return Err(format!("which room has floors inside? `{}`", line.trim())),
                _ => {}
            }
            if !rooms.iter().all(is_name) {
                return Err(format!("not names of modules: `{}`", line.trim()));
            }
            order.floors.push(rooms);
        }
        Ok(order)
    }

    fn find(&self, name: &str) -> Option<(usize, &Room)> {
        let in_floor = |(floor, rooms): (usize, &'_ Vec<Room>)| {
            rooms.iter().position(|room| room.name == name).map(|room| (floor, room))
        };
        let (floor, room) = self.floors.iter().enumerate().find_map(in_floor)?;
        Some((floor, &self.floors[floor][room]))
    }

    /// The floor of a file or directory, and the floors inside it; `lib` and `mod` may be unnamed.
    fn place(&self, name: &str) -> Option<(usize, Option<&Order>)> {
        match self.find(name) {
            Some((floor, room)) => Some((floor, Some(&room.inside).filter(|inside| !inside.floors.is_empty()))),
            None if matches!(name, "lib" | "mod") => Some((self.floors.len(), None)),
            None => None,
        }
    }

    /// Everything in which the graph and the picture differ, one line each.
    pub fn check(&self, graph: &Graph) -> Vec<String> {
        let mut wrong = BTreeSet::new();
        for file in &graph.files {
            if !self.has(file) {
                wrong.insert(format!("{file}.rs is not in the picture"));
            }
        }
        self.missing(graph, "", &mut wrong);
        let mut down = Vec::new();
        for import in &graph.imports {
            let (from, to) = (&graph.files[import.from], &graph.files[import.to]);
            match self.is_upward(from, to) {
                true => drop(wrong.insert(format!("upward: {}", describe(graph, import)))),
                false => down.push(import),
            }
        }
        for circle in circles(graph, &down) {
            let parts: Vec<String> = circle.iter().map(|import| describe(graph, import)).collect();
            wrong.insert(format!("circle: {}", parts.join("; ")));
        }
        wrong.into_iter().collect()
    }

    /// Whether each part of a file's path is drawn, as far as its room has floors.
    fn has(&self, file: &str) -> bool {
        let (name, rest) = file.split_once('/').map_or((file, None), |(name, rest)| (name, Some(rest)));
        match (self.place(name), rest) {
            (None, _) => false,
            (Some((_, Some(inside))), Some(rest)) => inside.has(rest),
            (Some(_), _) => true,
        }
    }

    /// Rooms of the picture that the sources do not have.
    fn missing(&self, graph: &Graph, directory: &str, wrong: &mut BTreeSet<String>) {
        for room in self.floors.iter().flatten() {
            let path = format!("{directory}{}", room.name);
            let below = format!("{path}/");
            if !graph.files.iter().any(|file| *file == path || file.starts_with(&below)) {
                wrong.insert(format!("the picture has {path}, the sources have not"));
            }
            room.inside.missing(graph, &below, wrong);
        }
    }

    fn is_upward(&self, from: &str, to: &str) -> bool {
        let split = |path: &'_ str| path.split_once('/').map(|(a, b)| (a.to_owned(), b.to_owned()));
        let name = |path: &str| split(path).map_or(path.to_owned(), |(name, _)| name);
        let (Some((here, inside)), Some((there, _))) = (self.place(&name(from)), self.place(&name(to))) else {
            return false;
        };
        if name(from) != name(to) {
            return here > there;
        }
        match (inside, split(from), split(to)) {
            (Some(inside), Some((_, from)), Some((_, to))) => inside.is_upward(&from, &to),
            _ => false,
        }
    }
}

fn describe(graph: &Graph, import: &Import) -> String {
    let (from, to) = (&graph.files[import.from], &graph.files[import.to]);
    format!("{from}.rs:{} imports {to}.rs (`{}`)", import.line, import.path.trim_end_matches("::"))
}

/// Circles between the files and directories of one directory, in every directory: the shortest ones.
fn circles<'i>(graph: &Graph, imports: &[&'i Import]) -> Vec<Vec<&'i Import>> {
    let mut levels: BTreeMap<String, BTreeMap<(String, String), &Import>> = BTreeMap::new();
    for import in imports {
        let (from, to) = (&graph.files[import.from], &graph.files[import.to]);
        let common = from.split('/').zip(to.split('/')).take_while(|(a, b)| a == b).count();
        let part = |path: &str| path.split('/').nth(common).unwrap_or_default().to_owned();
        let directory = from.split('/').take(common).collect::<Vec<_>>().join("/");
        levels.entry(directory).or_default().entry((part(from), part(to))).or_insert(import);
    }
    let mut found = Vec::new();
    for edges in levels.values_mut() {
        // One import fewer, and the next circle is another one.
        while let Some(circle) = shortest_circle(edges) {
            found.push(circle.iter().map(|edge| edges[edge]).collect());
            for edge in circle {
                edges.remove(&edge);
            }
        }
    }
    found
}

type Edge = (String, String);

fn shortest_circle(edges: &BTreeMap<Edge, &Import>) -> Option<Vec<Edge>> {
    let starts: BTreeSet<&String> = edges.keys().map(|(from, _)| from).collect();
    starts.into_iter().filter_map(|start| way_back(edges, start)).min_by_key(Vec::len)
}

/// The shortest way from a node to itself.
fn way_back(edges: &BTreeMap<Edge, &Import>, start: &str) -> Option<Vec<Edge>> {
    let mut reached: BTreeSet<&str> = BTreeSet::new();
    let mut waiting: VecDeque<(&str, Vec<Edge>)> = VecDeque::from([(start, Vec::new())]);
    while let Some((node, way)) = waiting.pop_front() {
        for edge in edges.keys().filter(|(from, _)| from == node) {
            let mut longer = way.clone();
            longer.push(edge.clone());
            if edge.1 == start {
                return Some(longer);
            }
            if reached.insert(&edge.1) {
                waiting.push_back((&edge.1, longer));
            }
        }
    }
    None
}
