//! Reads calendars with another implementation of iCalendar: Python's.

use std::{
    env,
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

use serde::Deserialize;

/// What a calendar means.
#[derive(Clone, Debug, Deserialize)]
pub struct Calendar {
    /// Its name.
    pub name: Option<String>,
    /// What it is sent for.
    pub method: Option<String>,
    /// What is wrong with how it is written.
    pub problems: Vec<String>,
    /// What takes place, by its start.
    pub events: Vec<Event>,
}

/// An event in a calendar. Times are UTC.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct Event {
    pub uid: String,
    pub sequence: i32,
    pub status: String,
    pub summary: String,
    pub description: Option<String>,
    pub location: Option<String>,
    pub url: Option<String>,
    pub transp: String,
    pub starts: String,
    pub ends: String,
    pub stamp: String,
}

impl Calendar {
    /// Reads a calendar in which nothing may be wrong.
    ///
    /// # Panics
    /// When something is, or when the other implementation is missing: `tests/run` installs it.
    pub fn read(text: &str) -> Self {
        let python = env::var("MYCAREER_TEST_PYTHON").expect(
            "MYCAREER_TEST_PYTHON names no Python that has the packages of tests/services.sh",
        );
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/read_calendar.py");
        let mut reader = Command::new(python)
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = reader.stdin.take().unwrap();
        input.write_all(text.as_bytes()).unwrap();
        drop(input);
        let output = reader.wait_with_output().unwrap();
        assert!(output.status.success(), "it can't be read: {text}");
        let calendar: Self = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(calendar.problems, [""; 0], "{text}");
        calendar
    }

    /// The one event with this title.
    ///
    /// # Panics
    /// When there is none or more than one.
    pub fn event(&self, title: &str) -> &Event {
        let found: Vec<&Event> = self
            .events
            .iter()
            .filter(|event| event.summary == title)
            .collect();
        match found[..] {
            [event] => event,
            _ => panic!("{} events are called {title:?}: {self:#?}", found.len()),
        }
    }

    /// The titles, by the start of their events.
    pub fn titles(&self) -> Vec<&str> {
        self.events
            .iter()
            .map(|event| event.summary.as_str())
            .collect()
    }
}
