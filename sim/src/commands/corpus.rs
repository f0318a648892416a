//! `parcae corpus`

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use parcae::corpus::{Corpus, Standing, Stored};
use parcae::explore::Check;
use parcae::harness::{Environment, KeepingError};

use crate::cli::{CorpusArguments, CorpusCommand, PruneArguments};
use crate::error::CommandError;
use crate::exit::Exit;
use crate::output;
use crate::scenario::ScenarioProgram;

pub(crate) fn run(command: &CorpusCommand) -> Result<Exit, CommandError> {
    match command {
        CorpusCommand::List(arguments) => list(&folder(arguments)?),
        CorpusCommand::Prune(arguments) => prune(arguments),
    }
}

/// Returns the folder that hunts use, unless another one was named, which is to be there.
fn folder(arguments: &CorpusArguments) -> Result<PathBuf, CommandError> {
    match &arguments.folder {
        Some(folder) if folder.is_dir() => Ok(folder.clone()),
        Some(folder) => Err(CommandError::NoCorpus { folder: folder.clone() }),
        None => Ok(Environment::read_keeping()?.unwrap_or_default().folder),
    }
}

fn list(folder: &Path) -> Result<Exit, CommandError> {
    let mut text = String::new();
    let exit = each(folder, |Stored { path, world, .. }| {
        let _ = writeln!(text, "{}", path.display());
        let _ = writeln!(text, "    {}: {}", world.check(), first_line(&world.failure));
        let (seed, strategy, build) = (world.seed, world.strategy, &world.build);
        let _ = writeln!(text, "    found by seed {seed} ({strategy}) in build {build}");
        Ok(())
    })?;
    if text.is_empty() && exit == Exit::Clean {
        let _ = writeln!(text, "no failing worlds are stored in {}", folder.display());
    }
    output::print(&text)?;
    Ok(exit)
}

fn prune(arguments: &PruneArguments) -> Result<Exit, CommandError> {
    let folder = &folder(&arguments.corpus)?;
    let corpus = Corpus::at(folder);
    let (mut removed_count, mut kept_count) = (0, 0);
    let exit = each(folder, |stored| {
        let path = stored.path.display();
        let Ok(program) = ScenarioProgram::parse(stored.world.check()) else {
            kept_count += 1;
            let check = stored.world.check();
            return output::print(&format!(
                "kept     {path}: there is no scenario `{check}` here\n"
            ));
        };
        let check = Check::new(stored.world.check());
        let replayed = stored.replay(&check, program.program()).map_err(KeepingError::Replay)?;
        if replayed.standing() != Standing::Passes {
            kept_count += 1;
            let how = replayed.stale().unwrap_or_else(|| format!("{path} fails as it did"));
            return output::print(&format!("kept     {how}\n"));
        }
        removed_count += 1;
        if arguments.dry_run {
            return output::print(&format!("would be removed: {path} passes now\n"));
        }
        corpus.remove(stored)?;
        output::print(&format!("removed  {path}: it passes now\n"))
    })?;
    let removed = if arguments.dry_run { "would be removed" } else { "removed" };
    let unread = if exit == Exit::Clean { "" } else { "; there are files that cannot be read" };
    output::print(&format!("{removed_count} {removed}, {kept_count} kept{unread}\n"))?;
    Ok(exit)
}

/// Visits each stored world; complains of those that cannot be read.
fn each(
    folder: &Path,
    mut visit: impl FnMut(&Stored) -> Result<(), CommandError>,
) -> Result<Exit, CommandError> {
    let mut exit = Exit::Clean;
    for stored in Corpus::at(folder).all()? {
        match stored {
            Ok(stored) => visit(&stored)?,
            Err(error) => {
                let error = CommandError::from(error);
                output::complain(&error);
                exit = error.exit();
            }
        }
    }
    Ok(exit)
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}
