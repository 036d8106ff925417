//! PostgreSQL servers of a test's own, in a temporary folder, as a user that is not root: copied, stopped, promoted.

use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// One server; its data directory stays when it is stopped.
pub struct Cluster {
    root: PathBuf,
    name: String,
    pub port: u16,
    child: Option<Child>,
}

fn program(name: &str) -> PathBuf {
    Path::new(&std::env::var("APB_POSTGRES_BIN").unwrap()).join(name)
}

/// The server refuses to run as root: whom it runs as then.
fn user() -> Option<(u32, u32)> {
    if !nix::unistd::Uid::effective().is_root() {
        return None;
    }
    let users = std::fs::read_to_string("/etc/passwd").unwrap();
    let of = |name: &str| {
        let line = users.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut numbers = line.split(':').skip(2).map(|number| number.parse().unwrap());
        Some((numbers.next()?, numbers.next()?))
    };
    of("postgres").or_else(|| of("nobody"))
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl Cluster {
    fn command(&self, name: &str) -> Command {
        let mut command = Command::new(program(name));
        command.current_dir(&self.root).stdin(Stdio::null());
        if let Some((user, group)) = user() {
            command.uid(user).gid(group);
        }
        command
    }

    /// Runs a program of the server to its end; what it prints.
    pub fn run(&self, name: &str, arguments: &[&str]) -> String {
        let done = self.command(name).args(arguments).output().unwrap();
        let failure = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "{name} {arguments:?}: {failure}");
        String::from_utf8_lossy(&done.stdout).into_owned()
    }

    fn data(&self) -> String {
        self.root.join(&self.name).display().to_string()
    }

    /// A new one, started.
    pub fn new() -> Cluster {
        let root = std::env::temp_dir().join(format!("apb-cluster-{}-{}", std::process::id(), free_port()));
        std::fs::create_dir(&root).unwrap();
        if let Some((user, group)) = user() {
            chown(&root, Some(user), Some(group)).unwrap();
        }
        let mut made = Cluster { root, name: "first".to_owned(), port: free_port(), child: None };
        made.run(
            "initdb",
            &["-D", &made.data(), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"],
        );
        made.start(&[]);
        made
    }

    pub fn start(&mut self, settings: &[&str]) {
        let mut command = self.command("postgres");
        command.args(["-D", &self.data()]).stdout(Stdio::null()).stderr(Stdio::null());
        let port = format!("port={}", self.port);
        for setting in ["listen_addresses=127.0.0.1", "unix_socket_directories=", &port]
            .into_iter()
            .chain(settings.iter().copied())
        {
            command.args(["-c", setting]);
        }
        self.child = Some(command.spawn().unwrap());
        let begun = Instant::now();
        while !Command::new(program("pg_isready"))
            .args(["-q", "-h", "127.0.0.1", "-p", &self.port.to_string()])
            .status()
            .unwrap()
            .success()
        {
            assert!(begun.elapsed() < Duration::from_secs(60), "the server did not start");
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// As by a loss of power.
    pub fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            self.run("pg_ctl", &["-D", &self.data(), "-m", "immediate", "-w", "stop"]);
            child.wait().unwrap();
        }
    }

    /// A copy of it as it is now, in a folder of its own: as a standby of that name, or as nothing but a copy.
    pub fn copy(&self, name: &str, is_standby: bool) -> Cluster {
        let copy = Cluster {
            root: self.root.clone(),
            name: name.to_owned(),
            port: if is_standby { free_port() } else { self.port },

            child: None,
        };
        let from = format!("host=127.0.0.1 port={} user=postgres application_name={name}", self.port);
        let mut arguments = vec!["-d", &from, "-X", "stream", "-c", "fast", "-N", "-D"];
        let data = copy.data();
        arguments.push(&data);
        if is_standby {
            arguments.push("-R");
        }
        self.run("pg_basebackup", &arguments);
        copy
    }

    pub fn promote(&self) {
        self.run("pg_ctl", &["-D", &self.data(), "-w", "promote"]);
    }

    /// The rows of a statement, each as a line.
    pub fn sql(&self, text: &str) -> String {
        self.run("psql", &["-XAtq", "-v", "ON_ERROR_STOP=1", "-d", &self.url(), "-c", text]).trim().to_owned()
    }

    /// Waits until a statement gives `true`.
    pub fn wait_for(&self, condition: &str) {
        let begun = Instant::now();
        while self.sql(&format!("SELECT {condition}")) != "t" {
            assert!(begun.elapsed() < Duration::from_secs(60), "{condition}");
            thread::sleep(Duration::from_millis(50));
        }
    }

    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres?sslmode=disable", self.port)
    }

    /// Both servers, whichever takes writes; this one is tried first.
    pub fn url_with(&self, other: &Cluster) -> String {
        format!(
            "postgres://postgres@127.0.0.1:{},127.0.0.1:{}/postgres?sslmode=disable&target_session_attrs=read-write",
            self.port, other.port
        )
    }

    /// A file beside the data.
    pub fn file(&self, name: &str) -> String {
        self.root.join(name).display().to_string()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = self.command("pg_ctl").args(["-D", &self.data(), "-m", "immediate", "-w", "stop"]).output();
            let _ = child.kill();
            let _ = child.wait();
        }
        // The one that was made first is dropped last: its folder holds the others.
        if self.name == "first" {
            let _ = std::fs::remove_dir_all(&self.root);
        }
    }
}
