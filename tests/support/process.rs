//! The programs as they are delivered, started as processes of their own.

use std::{
    env,
    fs::{self, File},
    path::PathBuf,
    process::{ExitStatus, Stdio},
    thread,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::{
    io::AsyncWriteExt,
    process::{Child, Command},
};

use crate::{confidential, http_client, wait::until};

/// How long a program may take to say where it listens, to become ready, or to leave when asked.
const PATIENCE: Duration = Duration::from_secs(30);
/// What a program prints once it has its port.
const LISTENING: &str = "listening on ";
/// The file with what a program prints for whoever started it.
const PRINTED: &str = "printed";
/// The file with its log.
const LOGGED: &str = "logged";

/// A running `mycareer` or `mycareer-worker`, killed when this value goes.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    folder: TempDir,
}

impl Process {
    /// Starts a program with these variables and arguments, and nothing else of the environment but the path.
    ///
    /// # Panics
    /// When the program has not been built.
    pub fn start<K: AsRef<str>, V: AsRef<str>>(
        name: &str,
        environment: impl IntoIterator<Item = (K, V)>,
        arguments: &[&str],
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new(program(name));
        command
            .args(arguments)
            .env_clear()
            .env("PATH", env::var_os("PATH").unwrap_or_default())
            .env("NO_COLOR", "1")
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(File::create(folder.path().join(PRINTED)).unwrap())
            .stderr(File::create(folder.path().join(LOGGED)).unwrap())
            .kill_on_drop(true);
        if confidential::folder().is_some() {
            command.env("RUST_LOG", confidential::FILTER);
        }
        for (key, value) in environment {
            command.env(key.as_ref(), value.as_ref());
        }
        let child = command
            .spawn()
            .unwrap_or_else(|error| panic!("{name} could not be started: {error}"));
        Self {
            name: name.to_owned(),
            child,
            folder,
        }
    }

    /// Runs a command of a program to its end, with this on its standard input, which is no terminal. Answers whether it
    /// succeeded, and what it printed.
    ///
    /// # Panics
    /// When the program has not been built.
    pub async fn run<K: AsRef<str>, V: AsRef<str>>(
        name: &str,
        environment: impl IntoIterator<Item = (K, V)>,
        arguments: &[&str],
        input: &str,
    ) -> (bool, String) {
        let mut command = Command::new(program(name));
        command
            .args(arguments)
            .env_clear()
            .env("NO_COLOR", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        for (key, value) in environment {
            command.env(key.as_ref(), value.as_ref());
        }
        let mut child = command.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(input.as_bytes()).await.unwrap();
        drop(stdin);
        let output = child.wait_with_output().await.unwrap();
        // What a command answers goes to one, what it logs to the other.
        confidential::keep_log_of(name, &output.stderr);
        let printed = [output.stdout, output.stderr].concat();
        (
            output.status.success(),
            String::from_utf8_lossy(&printed).into_owned(),
        )
    }

    /// The address that the program prints as `listening on http://127.0.0.1:PORT`, without a slash at the end.
    ///
    /// # Panics
    /// When it prints none in time, or ends before it does.
    pub async fn address(&mut self) -> String {
        let what = format!("{} says where it listens", self.name);
        let found = until(PATIENCE, &what, async || {
            let output = self.output();
            let address = output
                .split_once(LISTENING)
                .and_then(|(_, rest)| rest.split_once(|letter| !may_be_in_address(letter)))
                .map(|(address, _)| address.trim_end_matches('/').to_owned());
            match address {
                Some(address) => Some(Ok(address)),
                None => self.child.try_wait().unwrap().map(Err),
            }
        })
        .await;
        found.unwrap_or_else(|status| panic!("{} ended early: {status}", self.name))
    }

    /// Waits until `/health/ready` answers 200, and gives the address.
    ///
    /// # Panics
    /// When it isn't ready in time.
    pub async fn ready(&mut self) -> String {
        let address = self.address().await;
        let url = format!("{address}/health/ready");
        until(PATIENCE, "the program is ready", async || {
            let answer = http_client().build().ok()?.get(&url).send().await.ok()?;
            answer.status().is_success().then_some(())
        })
        .await;
        address
    }

    /// Waits until the program ends by itself.
    ///
    /// # Panics
    /// When it doesn't in time.
    pub async fn ended(&mut self) -> ExitStatus {
        let what = format!("{} has ended", self.name);
        until(PATIENCE, &what, async || self.child.try_wait().unwrap()).await
    }

    /// Waits until the program ends by itself, however long that takes within `patience`.
    ///
    /// # Panics
    /// When it doesn't in time.
    pub async fn ended_within(&mut self, patience: Duration) -> ExitStatus {
        let what = format!("{} has ended", self.name);
        until(patience, &what, async || self.child.try_wait().unwrap()).await
    }

    /// The most memory that the program has had so far, in bytes, as Linux counts it.
    pub fn peak(&self) -> Option<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()?)).ok()?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))?;
        let kilobytes: u64 = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
        Some(kilobytes * 1024)
    }

    /// Asks the program to leave, as a service manager does (SIGTERM), and waits until it has.
    pub async fn terminate(&mut self) -> ExitStatus {
        self.signal(Signal::TERM);
        self.ended().await
    }

    /// Asks the program to read its files again (SIGHUP).
    pub fn hang_up(&self) {
        self.signal(Signal::HUP);
    }

    /// Ends the program in the middle of whatever it does (SIGKILL).
    pub async fn kill_9(&mut self) {
        self.signal(Signal::KILL);
        self.ended().await;
    }

    /// Everything the program has printed and logged so far.
    pub fn output(&self) -> String {
        [PRINTED, LOGGED]
            .map(|file| fs::read_to_string(self.folder.path().join(file)).unwrap_or_default())
            .concat()
    }

    fn signal(&self, signal: Signal) {
        let id = self
            .child
            .id()
            .and_then(|id| Pid::from_raw(id.try_into().unwrap()));
        if let Some(id) = id {
            kill_process(id, signal).unwrap();
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Ok(logged) = std::fs::read(self.folder.path().join(LOGGED)) {
            confidential::keep_log_of(&self.name, &logged);
        }
        if thread::panicking() {
            eprintln!("--- output of {}\n{}---", self.name, self.output());
        }
    }
}

fn may_be_in_address(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || ":/.-[]".contains(letter)
}

/// Beside the folder of the running test: `target/debug/deps/it-…` and `target/debug/mycareer`.
fn program(name: &str) -> PathBuf {
    let test = env::current_exe().unwrap();
    let folder = test.ancestors().nth(2).unwrap();
    let program = folder.join(name).with_extension(env::consts::EXE_EXTENSION);
    assert!(
        program.exists(),
        "{} has not been built: run `cargo build --workspace` first, as `tests/run` does",
        program.display()
    );
    program
}
