//! Running the command in a folder of its own, for a bounded time.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

/// A folder in which one test runs the command, so that its reports meet no others.
pub(crate) struct Workplace {
    pub(crate) folder: PathBuf,
    /// Whether hunts keep what they find for the next.
    is_keeping: bool,
}

/// How the command ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Workplace {
    pub(crate) fn new(test: &str) -> Self {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(test);
        // What an earlier run of the tests has left.
        drop(fs::remove_dir_all(&folder));
        fs::create_dir_all(&folder).expect("a folder for a test");
        Self { folder, is_keeping: false }
    }

    /// Makes one in which hunts keep what they find for the next.
    pub(crate) fn keeping(test: &str) -> Self {
        Self { is_keeping: true, ..Self::new(test) }
    }

    /// Returns the files of the corpus with their contents, in order.
    pub(crate) fn corpus(&self) -> BTreeMap<String, String> {
        let Ok(files) = fs::read_dir(self.folder.join(".parcae")) else { return BTreeMap::new() };
        let read = |file: fs::DirEntry| {
            let name = file.file_name().into_string().expect("a name in Unicode");
            (name, fs::read_to_string(file.path()).expect("a file of text"))
        };
        files.map(|file| read(file.expect("a file of the folder"))).collect()
    }

    /// Begins the command with these arguments.
    pub(crate) fn begin(&self, arguments: &[&str]) -> Child {
        self.begin_as(&mut Command::new(env!("CARGO_BIN_EXE_parcae")), arguments)
    }

    /// Begins the command by a program that goes on as it, with these arguments.
    pub(crate) fn begin_as(&self, program: &mut Command, arguments: &[&str]) -> Child {
        self.begin_into(program, arguments, Stdio::piped())
    }

    /// As [`Workplace::begin_as`], with this for its stdout.
    pub(crate) fn begin_into(
        &self,
        program: &mut Command,
        arguments: &[&str],
        stdout: Stdio,
    ) -> Child {
        program
            .args(arguments)
            .current_dir(&self.folder)
            // Where reports go; relative, so below the folder.
            .env("CARGO_TARGET_DIR", "target")
            .env_remove("PARCAE_SHARD")
            .env_remove("PARCAE_BUILD")
            .env("PARCAE_CORPUS", if self.is_keeping { "" } else { "off" })
            .stdin(Stdio::null())
            .stdout(stdout)
            .stderr(Stdio::piped())
            .spawn()
            .expect("the command begins")
    }

    /// Runs the command to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        end(self.begin(arguments), LIMIT)
    }

    /// Hunts, and returns what `--format json` prints.
    pub(crate) fn hunt(&self, arguments: &[&str]) -> Value {
        let mut all = vec!["hunt", "--format", "json"];
        all.extend(arguments);
        let ended = self.run(&all);
        serde_json::from_str(&ended.stdout)
            .unwrap_or_else(|error| panic!("{arguments:?}: {error}: {ended:?}"))
    }

    /// Returns a token of this scenario's failure.
    pub(crate) fn token(&self, scenario: &str) -> String {
        let report = self.hunt(&[scenario]);
        report["finding"]["token"].as_str().expect("the failure has a token").to_owned()
    }
}

/// Waits until a process ends. What it prints is less than a pipe holds.
pub(crate) fn end(mut child: Child, limit: Duration) -> Ended {
    let start = Instant::now();
    while child.try_wait().expect("the command can be waited for").is_none() {
        if start.elapsed() >= limit {
            drop(child.kill());
            let output = child.wait_with_output();
            panic!("the command was not over after {limit:?}: {output:?}");
        }
        thread::sleep(Duration::from_millis(5));
    }
    let output = child.wait_with_output().expect("the command has ended");
    let text = |bytes| String::from_utf8(bytes).expect("the command prints UTF-8");
    Ended { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

impl Ended {
    /// Fails unless the command ended with this code.
    #[track_caller]
    pub(crate) fn with_code(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:?}");
        self
    }

    /// Fails unless stdout holds all of these texts.
    #[track_caller]
    pub(crate) fn says(self, texts: &[&str]) -> Self {
        for text in texts {
            assert!(self.stdout.contains(text), "{text:?} is missing: {self:?}");
        }
        self
    }

    /// Fails unless stderr holds all of these texts.
    #[track_caller]
    pub(crate) fn complains(self, texts: &[&str]) -> Self {
        for text in texts {
            assert!(self.stderr.contains(text), "{text:?} is missing: {self:?}");
        }
        self
    }
}

pub(crate) const LIMIT: Duration = Duration::from_secs(240);
