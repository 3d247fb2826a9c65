//! The commands by which containers start `pulse`.

use std::collections::BTreeSet;
use std::process::Command;

use anyhow::Context;

use super::tools::output;
use crate::cargo;

/// One command a line, without the program's name. The platform tests read it, too.
const LIST: &str = "deploy/commands.txt";

/// What differs between the commands in use, the list and the binary.
pub(super) fn violations(used: BTreeSet<String>) -> anyhow::Result<Vec<String>> {
    let list = std::fs::read_to_string(cargo::root().join(LIST)).context(LIST)?;
    let mut violations = differences(&used, &list);
    let program = cargo::build("pulse")?;
    for arguments in used {
        // Help stops before anything happens, but after the arguments before it are understood.
        let mut pulse = Command::new(&program);
        if let Err(error) = output(pulse.args(arguments.split(' ')).arg("--help")) {
            violations.push(format!("pulse {arguments}: {error}"));
        }
    }
    Ok(violations)
}

fn differences(used: &BTreeSet<String>, list: &str) -> Vec<String> {
    let listed: BTreeSet<String> =
        list.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_owned).collect();
    let unlisted = used.difference(&listed).map(|command| format!("`pulse {command}` is not in {LIST}"));
    let unused = listed.difference(used).map(|command| format!("nothing starts `pulse {command}` of {LIST}"));
    unlisted.chain(unused).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_beside_the_list_and_lines_for_nothing_are_found() {
        let used = BTreeSet::from(["serve worker".to_owned(), "serve all".to_owned()]);
        assert_eq!(
            differences(&used, "# why\n\nserve worker\nmigrate up\n"),
            [
                "`pulse serve all` is not in deploy/commands.txt",
                "nothing starts `pulse migrate up` of deploy/commands.txt"
            ]
        );
    }
}
