//! `atlas-simulator [--port 0] [--seed N] [--profile P] [--config k=v]… [--until-eof]`

use atlas_simulator::{Options, Simulator};
use lexopt::{Arg, Parser, ValueExt};
use std::error::Error;
use std::io::{Write, copy, sink, stdin, stdout};

fn main() -> Result<(), Box<dyn Error>> {
    let mut options = Options::default();
    // Switches count from left to right, whichever flag they came with.
    let mut switches = vec![options.profile];
    let mut until_eof = false;
    let mut parser = Parser::from_env();
    while let Some(arg) = parser.next()? {
        match arg {
            Arg::Long("port") => options.port = parser.value()?.parse()?,
            Arg::Long("seed") => options.seed = parser.value()?.parse()?,
            Arg::Long("profile") => switches.push(parser.value()?.string()?),
            Arg::Long("config") => {
                for value in parser.values()? {
                    switches.push(value.string()?);
                }
            }
            Arg::Long("until-eof") => until_eof = true,
            Arg::Long("help") => {
                let usage = "atlas-simulator [--port 0] [--seed N] [--profile default|strict|k=v,…] [--config k=v …] \
                             [--until-eof]";
                return print_line(&format!(
                    "{usage}\n\nSwitches, the default first; * undocumented, strict takes the second value:\n{}",
                    atlas_simulator::switches()
                ));
            }
            other => return Err(other.unexpected().into()),
        }
    }
    options.profile = switches.join(",");
    let simulator = Simulator::start(options)?;
    print_line(&format!("{{\"ready\":true,\"url\":\"{}\"}}", simulator.url()))?;
    if until_eof {
        // A pipe of the process that started it: it ends with that process, however that one ends.
        copy(&mut stdin(), &mut sink())?;
        return Ok(());
    }
    simulator.wait();
    Ok(())
}

fn print_line(line: &str) -> Result<(), Box<dyn Error>> {
    writeln!(stdout(), "{line}")?;
    Ok(stdout().flush()?)
}
