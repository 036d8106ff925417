//! A PostgreSQL server of the harness, run by `tests/support/postgres.py`.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::harness::Result;

const PROGRAM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../support/postgres.py");

/// A running server. Dropping it ends the server and removes its files.
pub struct Database {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    /// Its URL.
    pub url: String,
    /// Its port on the loopback interface.
    pub port: u16,
}

impl Database {
    /// Starts a server with an empty database.
    pub fn start() -> Result<Database> {
        let mut command = Command::new("python3");
        command.args([PROGRAM, "--serve"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn()?;
        let input = child.stdin.take();
        let mut output = BufReader::new(child.stdout.take().ok_or("no output")?);
        let url = match line(&mut output)? {
            None => return Err(String::from_utf8_lossy(&child.wait_with_output()?.stderr).into()),
            Some(url) => url,
        };
        let port = url.rsplit(':').next().and_then(|rest| rest.split('/').next()).unwrap_or_default().parse()?;
        Ok(Database { child, input, output, url, port })
    }

    /// Kills the server and starts it again.
    pub fn restart(&mut self) -> Result<()> {
        if let Some(input) = &mut self.input {
            input.write_all(b"restart\n")?;
        }
        line(&mut self.output)?.map(|_| ()).ok_or_else(|| "the server did not start again".into())
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // The end of its input ends it.
        self.input = None;
        self.child.wait().ok();
    }
}

fn line(output: &mut BufReader<ChildStdout>) -> Result<Option<String>> {
    let mut line = String::new();
    Ok((output.read_line(&mut line)? > 0).then(|| line.trim_end().to_owned()))
}

/// Why no server can be had.
pub fn none_because() -> Option<String> {
    let found = "import postgres, sys; sys.exit(postgres.folder() is None)";
    let folder = std::path::Path::new(PROGRAM).parent()?;
    match Command::new("python3").args(["-c", found]).current_dir(folder).output() {
        Ok(done) if done.status.success() => None,
        Ok(_) => Some("no PostgreSQL server is installed".to_owned()),
        Err(error) => Some(format!("python3: {error}")),
    }
}
