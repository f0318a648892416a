//! Ctrl-C.

use std::process::{Child, Command};
use std::thread;
use std::time::Duration;

use crate::INTERRUPTED;
use crate::process::{Workplace, end};

#[test]
fn ctrl_c_ends_a_hunt_with_what_was_done_so_far() {
    let here = Workplace::new("ctrl_c");
    for format in ["text", "json"] {
        let seeds = "1000000000";
        let arguments = ["hunt", "lost-update", "--fixed", "--seeds", seeds, "--format", format];
        let mut child = here.begin(&arguments);
        thread::sleep(Duration::from_millis(500));
        assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
        interrupt(&child);
        let ended = end(child, Duration::from_secs(5)).with_code(INTERRUPTED);
        ended.says(&["interrupted"]);
    }
}

fn interrupt(child: &Child) {
    let status = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(status.unwrap().success());
}
