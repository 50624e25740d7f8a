//! A PostgreSQL server of its own for a test that must stop one.

use std::{
    env,
    path::PathBuf,
    process::{Command, Stdio},
};

use tempfile::TempDir;

use crate::port::free_port;

/// The name of the variable with the folder of the server's programs.
const BIN_VARIABLE: &str = "MYCAREER_TEST_POSTGRES_BIN";
/// The name of the variable with the user that they run as, because root may not; empty for whoever runs the test.
const USER_VARIABLE: &str = "MYCAREER_TEST_POSTGRES_USER";

/// A PostgreSQL server of one test, on a port of its own. It goes when this value goes.
#[derive(Debug)]
pub struct OwnPostgres {
    port: u16,
    folder: TempDir,
}

impl OwnPostgres {
    /// With an empty database.
    ///
    /// # Panics
    /// When it can't be started.
    pub fn start() -> Self {
        let folder = tempfile::tempdir_in(if user().is_some() {
            PathBuf::from("/tmp")
        } else {
            env::temp_dir()
        })
        .unwrap();
        let server = Self {
            port: free_port(),
            folder,
        };
        if let Some(user) = user() {
            succeed(Command::new("chown").arg(user).arg(server.folder.path()));
        }
        let data = server.data();
        succeed(
            program("initdb")
                .args([
                    "--pgdata",
                    &data,
                    "--username",
                    "mycareer",
                    "--auth",
                    "trust",
                ])
                .args(["--encoding", "UTF8", "--locale", "C", "--no-sync"]),
        );
        server.control("start", &[]);
        server
    }

    /// As `DATABASE_URL` wants it.
    pub fn url(&self) -> String {
        format!("postgres://mycareer@127.0.0.1:{}/postgres", self.port)
    }

    /// Ends it in the middle of whatever it does, as a crash would, and starts it again.
    ///
    /// # Panics
    /// When it doesn't come back.
    pub fn crash(&self) {
        self.control("restart", &["--mode", "immediate"]);
    }

    fn data(&self) -> String {
        self.folder.path().join("data").display().to_string()
    }

    /// Every commit reaches the operating system, which outlives a crash of the server; none has to reach the disk.
    fn control(&self, what: &str, further: &[&str]) {
        let folder = self.folder.path().display();
        let options = format!(
            "-c port={} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c fsync=off",
            self.port
        );
        let data = self.data();
        succeed(
            program("pg_ctl")
                .args([
                    what,
                    "--pgdata",
                    &data,
                    "--wait",
                    "--timeout",
                    "60",
                    "--silent",
                ])
                .args(["--log", &format!("{folder}/log"), "--options", &options])
                .args(further),
        );
    }
}

impl Drop for OwnPostgres {
    fn drop(&mut self) {
        let stopped = program("pg_ctl")
            .args([
                "stop",
                "--pgdata",
                &self.data(),
                "--mode",
                "immediate",
                "--silent",
            ])
            .status();
        if !stopped.is_ok_and(|status| status.success()) {
            eprintln!("The PostgreSQL server of this test could not be stopped.");
        }
    }
}

fn user() -> Option<String> {
    env::var(USER_VARIABLE).ok().filter(|user| !user.is_empty())
}

fn program(name: &str) -> Command {
    let folder = env::var_os(BIN_VARIABLE).unwrap_or_else(|| {
        panic!("{BIN_VARIABLE} is not set: run this test with `tests/run`, which finds PostgreSQL for it")
    });
    let program = PathBuf::from(folder).join(name);
    let mut command = match user() {
        Some(user) => {
            let mut command = Command::new("runuser");
            command.args(["-u", &user, "--"]).arg(program);
            command
        }
        None => Command::new(program),
    };
    command.current_dir("/");
    command
}

fn succeed(command: &mut Command) {
    let output = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert!(output.success(), "{command:?}: {output}");
}
