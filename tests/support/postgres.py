"""A private PostgreSQL server: on loopback, in a temporary directory, as a user that is not root.

    python3 tests/support/postgres.py COMMAND…   runs the command with APB_TEST_POSTGRES, the server's URL,
                                                 APB_TEST_POSTGRES_CA, the file of its root certificate, and
                                                 APB_POSTGRES_BIN, the folder of its programs
    python3 tests/support/postgres.py --serve    prints the URL; at each line `restart` kills the server and starts it
                                                 again; ends with its input
    with Server() as server: server.url          in a test

The programs are those of the distribution (Debian: `apt-get install postgresql`); no server of the machine is touched.
"""

import glob
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

PASSWORD = "canary-password"


def folder():
    """The newest version's programs; None if there are none."""
    places = [os.environ.get("APB_POSTGRES_BIN", "")]
    places += sorted(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda at: -float(at.split("/")[4]))
    places += glob.glob("/usr/pgsql-*/bin") + ["/usr/local/bin", "/usr/bin"]
    return next((at for at in places if at and os.path.exists(os.path.join(at, "initdb"))), None)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """Started on entry; stopped, and its files removed, on exit."""

    def __init__(self, settings=()):
        self.bin = folder()
        if self.bin is None:
            raise FileNotFoundError("PostgreSQL is not installed")
        self.port = free_port()
        self.settings = settings
        self.root = None
        self.ca = None
        self.process = None

    @property
    def url(self):
        return f"postgres://postgres:{PASSWORD}@127.0.0.1:{self.port}/postgres?sslmode=disable"

    def run(self, program, *arguments, **more):
        """Runs a program of the server as its user."""
        return subprocess.run(
            [os.path.join(self.bin, program), *arguments], check=True, capture_output=True, text=True,
            cwd=self.root, **self.user, **more,
        )

    @property
    def user(self):
        """The server refuses to run as root."""
        if os.getuid() != 0:
            return {}
        for name in ("postgres", "nobody"):
            try:
                found = pwd.getpwnam(name)
                return {"user": found.pw_uid, "group": found.pw_gid, "extra_groups": []}
            except KeyError:
                continue
        raise LookupError("there is no user for the server")

    def __enter__(self):
        self.root = tempfile.mkdtemp(prefix="apb-postgres-")
        owner = self.user
        if owner:
            os.chown(self.root, owner["user"], owner["group"])
        self.data = os.path.join(self.root, "data")
        secret = os.path.join(self.root, "password")
        with open(secret, "w") as file:
            file.write(PASSWORD)
        os.chmod(secret, 0o644)
        # The new directory itself needs no sync; commits are synced all the same.
        self.run(
            "initdb", "-D", self.data, "-U", "postgres", "--pwfile", secret, "-A", "scram-sha-256",
            "-E", "UTF8", "--locale=C", "--no-sync",
        )
        self.settings = [*self.settings, *self.certificates()]
        self.start()
        return self

    def certificates(self):
        """A root of its own and a certificate for 127.0.0.1; without openssl the server is not encrypted."""
        if shutil.which("openssl") is None:
            return []
        at = lambda name: os.path.join(self.root, name)  # noqa: E731
        with open(at("names"), "w") as file:
            file.write("subjectAltName=IP:127.0.0.1\n")
        for arguments in (
            ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=root of a test",
             "-keyout", at("ca.key"), "-out", at("ca.pem")],
            ["req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=server", "-keyout", at("key.pem"), "-out", at("csr")],
            ["x509", "-req", "-in", at("csr"), "-CA", at("ca.pem"), "-CAkey", at("ca.key"), "-CAcreateserial", "-days", "2",
             "-extfile", at("names"), "-out", at("cert.pem")],
        ):
            subprocess.run(["openssl", *arguments], check=True, capture_output=True)
        os.chmod(at("key.pem"), 0o600)
        if self.user:
            os.chown(at("key.pem"), self.user["user"], self.user["group"])
        # The tests need not be the server's user.
        os.chmod(self.root, 0o755)
        self.ca = at("ca.pem")
        return ["ssl=on", f"ssl_cert_file={at('cert.pem')}", f"ssl_key_file={at('key.pem')}"]

    def start(self):
        settings = [f"port={self.port}", "listen_addresses=127.0.0.1", "unix_socket_directories=", *self.settings]
        options = [word for setting in settings for word in ("-c", setting)]
        with open(os.path.join(self.root, "log"), "ab") as log:
            self.process = subprocess.Popen(
                [os.path.join(self.bin, "postgres"), "-D", self.data, *options],
                stdout=log, stderr=log, start_new_session=True, cwd=self.root, **self.user,
            )
        for _ in range(300):
            done = subprocess.run(
                [os.path.join(self.bin, "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)], check=False
            )
            if done.returncode == 0:
                return
            if self.process.poll() is not None:
                break
            try:
                self.process.wait(0.1)
            except subprocess.TimeoutExpired:
                pass
        with open(os.path.join(self.root, "log")) as log:
            raise RuntimeError(f"the server did not start: {log.read()[-2000:]}")

    def stop(self, mode="immediate"):
        if self.process and self.process.poll() is None:
            self.run("pg_ctl", "-D", self.data, "-m", mode, "-w", "stop")
            self.process.wait(30)

    def kill(self):
        """SIGKILL to all of its processes, as by the loss of the machine; what was not synced stays, though."""
        with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children") as file:
            pids = [self.process.pid, *map(int, file.read().split())]
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait(30)
        # A new one is refused while an old one has the shared memory.
        for _ in range(100):
            if not any(os.path.exists(f"/proc/{pid}") for pid in pids):
                return
            time.sleep(0.05)

    def sql(self, text, database="postgres"):
        """The rows of a statement, as lines."""
        environment = {**os.environ, "PGPASSWORD": PASSWORD}
        done = subprocess.run(
            [os.path.join(self.bin, "psql"), "-XAtq", "-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres",
             "-v", "ON_ERROR_STOP=1", "-d", database, "-c", text],
            check=True, capture_output=True, text=True, env=environment,
        )
        return done.stdout.splitlines()

    def __exit__(self, *_):
        try:
            self.stop()
        finally:
            shutil.rmtree(self.root, ignore_errors=True)


def serve(server):
    """For a program in another language, which holds the other end of the input."""
    print(server.url, flush=True)
    for line in sys.stdin:
        if line == "restart\n":
            server.kill()
            server.start()
            print("started", flush=True)
    return 0


def main():
    # Ended from outside, it ends the server too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with Server(settings=("max_connections=300",)) as server:
        if sys.argv[1:] == ["--serve"]:
            return serve(server)
        environment = {**os.environ, "APB_TEST_POSTGRES": server.url, "APB_POSTGRES_BIN": server.bin}
        if server.ca:
            environment["APB_TEST_POSTGRES_CA"] = server.ca
        return subprocess.run(sys.argv[1:], check=False, env=environment).returncode


if __name__ == "__main__":
    sys.exit(main())
