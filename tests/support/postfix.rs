//! A Postfix of its own for a test that wants the mail, and the reports of failed delivery, of a real mail server.

use std::{
    env,
    fmt::Write as _,
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Command, Stdio},
};

use tempfile::TempDir;

use crate::port::free_port;

/// The name of the variable with the path of the program `postfix`.
const PROGRAM_VARIABLE: &str = "MYCAREER_TEST_POSTFIX";
/// Whose mailboxes are: the user `nobody`, on every system that has Postfix.
const NOBODY: u32 = 65_534;

/// A mail server that delivers to some mailboxes, says of all others why not, and keeps what is sent to one domain as
/// files, message by message. It goes when this value goes.
#[derive(Debug)]
pub struct Postfix {
    port: u16,
    folder: TempDir,
}

impl Postfix {
    /// With a mailbox at each of `addresses`, which are in one domain, and a full one for whoever is at `full`. What comes
    /// for the domain `returns` is kept.
    ///
    /// # Panics
    /// When it can't be started; root alone can.
    pub fn start(addresses: &[&str], full: &str, returns: &str) -> Self {
        let folder = tempfile::tempdir_in("/tmp").unwrap();
        let postfix = Self {
            port: free_port(),
            folder,
        };
        let root = postfix.folder.path();
        fs::set_permissions(root, Permissions::from_mode(0o755)).unwrap();
        for (name, owner) in [
            ("config", "root"),
            ("spool", "root"),
            ("data", "postfix"),
            ("mail", "nobody"),
            ("returned", "nobody"),
        ] {
            fs::create_dir(root.join(name)).unwrap();
            succeed(Command::new("chown").arg(owner).arg(root.join(name)));
        }
        let config = root.join("config");
        let domain = addresses[0].split_once('@').unwrap().1;
        fs::write(config.join("main.cf"), main_cf(root, domain)).unwrap();
        fs::write(config.join("master.cf"), master_cf(root, postfix.port)).unwrap();
        let mut mailboxes = String::new();
        for (at, address) in addresses.iter().enumerate() {
            writeln!(mailboxes, "{address} {at}/").unwrap();
        }
        fs::write(config.join("mailboxes"), mailboxes).unwrap();
        let transport = format!("{returns} returned:\n{full} error:5.2.2 the mailbox is full\n");
        fs::write(config.join("transport"), transport).unwrap();
        // `$$` tells messages apart. The name is complete when the message is.
        let keep = format!(
            "#!/bin/sh\nset -e\ncd {}\n{{ printf '%s\\n' \"$1\"; cat; }} >.$$\nmv .$$ message.$$\n",
            root.join("returned").display()
        );
        fs::write(root.join("keep"), keep).unwrap();
        fs::set_permissions(root.join("keep"), Permissions::from_mode(0o755)).unwrap();
        succeed(&mut postfix.command("start"));
        postfix
    }

    /// As `SMTP_URL` wants it.
    pub fn url(&self) -> String {
        format!("smtp://127.0.0.1:{}", self.port)
    }

    /// The mails in all mailboxes.
    pub fn delivered(&self) -> Vec<String> {
        let mailboxes = children(&self.folder.path().join("mail"));
        let new = mailboxes
            .into_iter()
            .flat_map(|mailbox| children(&Path::new(&mailbox).join("new")));
        new.map(|file| fs::read_to_string(file).unwrap()).collect()
    }

    /// What came back: to which address, and the message.
    pub fn returned(&self) -> Vec<(String, String)> {
        let files = children(&self.folder.path().join("returned")).into_iter();
        files
            .filter(|file| file.contains("/message."))
            .map(|file| {
                let text = fs::read_to_string(file).unwrap();
                let (recipient, message) = text.split_once('\n').unwrap();
                (recipient.to_owned(), message.to_owned())
            })
            .collect()
    }

    /// What it says of its doings.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    fn command(&self, what: &str) -> Command {
        let program = env::var_os(PROGRAM_VARIABLE).unwrap_or_else(|| {
            panic!("{PROGRAM_VARIABLE} is not set: run this test with `tests/run` as root, which finds Postfix for it")
        });
        let mut command = Command::new(program);
        command
            .arg("-c")
            .arg(self.folder.path().join("config"))
            .arg(what);
        command
    }
}

impl Drop for Postfix {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- log of Postfix\n{}---", self.log());
        }
        succeed(&mut self.command("stop"));
    }
}

fn main_cf(root: &Path, domain: &str) -> String {
    let root = root.display();
    format!(
        "compatibility_level = 3.6
queue_directory = {root}/spool
data_directory = {root}/data
maillog_file = {root}/log
maillog_file_prefixes = /tmp
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
myhostname = relay.test
mydestination =
alias_maps =
smtpd_reject_unlisted_recipient = no
smtpd_recipient_restrictions = permit_mynetworks, reject
virtual_mailbox_domains = {domain}
virtual_mailbox_base = {root}/mail
virtual_mailbox_maps = texthash:{root}/config/mailboxes
virtual_uid_maps = static:{NOBODY}
virtual_gid_maps = static:{NOBODY}
transport_maps = texthash:{root}/config/transport
default_transport = error:5.1.2 there is no such domain
"
    )
}

fn master_cf(root: &Path, port: u16) -> String {
    let root = root.display();
    format!(
        "127.0.0.1:{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
returned unix - n n - 2 pipe user=nobody argv={root}/keep ${{original_recipient}}
"
    )
}

fn children(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut paths: Vec<String> = entries
        .map(|entry| entry.unwrap().path().display().to_string())
        .collect();
    paths.sort();
    paths
}

fn succeed(command: &mut Command) {
    let status = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success(), "{command:?}: {status}");
}
