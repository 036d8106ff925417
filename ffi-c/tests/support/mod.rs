//! What the tests of generated files share.
// Each test uses a part.
#![allow(dead_code)]

pub mod abi;
pub mod c_header;
pub mod shapes;
pub mod typed;

use std::fmt;
use std::path::{Path, PathBuf};

use atlas_postbooking::dispatch;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};

/// A row of the operation table, as `describe` gives it.
#[derive(Debug, Clone, Deserialize)]
pub struct Operation {
    pub name: String,
    pub kind: String,
    pub path: Option<String>,
    pub c: String,
    pub python: String,
    pub doc: String,
    pub request: Schema,
    pub reply: Schema,
}

/// As much of a JSON Schema as `describe` uses for the fields at the top.
#[derive(Debug, Clone, Deserialize)]
pub struct Schema {
    pub title: String,
    pub properties: Fields,
    #[serde(default)]
    pub required: Vec<String>,
    #[serde(default, rename = "allOf")]
    pub rules: Vec<Rule>,
    #[serde(rename = "additionalProperties")]
    pub is_open: bool,
}

/// At least one of several groups of fields is required.
#[derive(Debug, Clone, Deserialize)]
pub struct Rule {
    #[serde(rename = "anyOf")]
    pub any_of: Vec<Group>,
}

/// Fields that are required together.
#[derive(Debug, Clone, Deserialize)]
pub struct Group {
    pub required: Vec<String>,
}

/// A field: its types, and what is in it.
#[derive(Debug, Clone, Deserialize)]
pub struct Field {
    /// Of an object: the name of its type.
    #[serde(default)]
    pub title: String,
    #[serde(default)]
    pub description: String,
    #[serde(default, rename = "type")]
    pub types: serde_json::Value,
    #[serde(default)]
    pub format: String,
    #[serde(default)]
    pub default: Option<serde_json::Value>,
    #[serde(default)]
    pub required: Vec<String>,
    #[serde(default)]
    pub properties: Option<Fields>,
    #[serde(default)]
    pub items: Option<Box<Field>>,
}

/// Fields in the order of the table, which a map of serde_json does not keep.
#[derive(Debug, Clone)]
pub struct Fields(pub Vec<(String, Field)>);

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Fields, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Fields;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Fields(fields))
            }
        }

        deserializer.deserialize_map(InOrder)
    }
}

/// A file of the repository, named from the directory of this crate.
pub fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// The operation table.
pub fn operations() -> Vec<Operation> {
    #[derive(Deserialize)]
    struct Described {
        data: Data,
    }
    #[derive(Deserialize)]
    struct Data {
        operations: Vec<Operation>,
    }
    let described: Described = serde_json::from_str(dispatch::describe(None).json()).unwrap();
    described.data.operations
}

/// Fails if the checked-in file differs from what is generated; with BLESS=1 the file is written first.
pub fn assert_current(name: &str, generated: &str) {
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(file(name), generated).unwrap();
    }
    let checked_in = std::fs::read_to_string(file(name)).unwrap_or_default();
    assert!(generated == checked_in, "{name} is not current: run `BLESS=1 cargo test -p atlas-postbooking-c`");
}
