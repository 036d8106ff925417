//! The C header, as cbindgen makes it of the sources.

use super::file;

/// The C header that cbindgen makes of the sources.
pub fn generate() -> String {
    let mut config = cbindgen::Config::from_file(file("cbindgen.toml")).unwrap();
    config.config_path = None;
    let mut builder = cbindgen::Builder::new().with_config(config);
    // The order of the files is the order of the header.
    for name in ["consts", "version", "client", "cancel", "call", "queue", "operations", "reply"] {
        builder = builder.with_src(file(&format!("src/{name}.rs")));
    }
    let mut out = Vec::new();
    builder.generate().expect("cbindgen reads the sources").write(&mut out);
    for_c(&String::from_utf8(out).unwrap())
}

/// Takes the `# Safety` sections out, which are for Rust, and puts negative constants into parentheses.
fn for_c(text: &str) -> String {
    let mut out: Vec<String> = Vec::new();
    let lines: Vec<&str> = text.lines().collect();
    let mut i = 0;
    while i < lines.len() {
        if lines[i].trim() == "* # Safety" {
            while lines[i].trim() != "*/" {
                i += 1;
            }
            while out.last().is_some_and(|l| l.trim() == "*") {
                out.pop();
            }
            continue;
        }
        let mut line = lines[i].to_owned();
        if let Some((name, value)) = line.strip_prefix("#define ").and_then(|d| d.split_once(' '))
            && value.starts_with('-')
        {
            line = format!("#define {name} ({value})");
        }
        out.push(line);
        i += 1;
    }
    out.join("\n") + "\n"
}
