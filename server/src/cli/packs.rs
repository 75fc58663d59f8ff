//! `inferometer packs`: lists what is built in. `inferometer packs show NAME`: prints a file of it.

use std::process::ExitCode;

use anyhow::anyhow;

use crate::config::nearest::nearest;
use crate::flags::{PacksCommand, PacksFlags};
use crate::packs::{Choice, PACKS, Pack, jobs};

/// Prints the list, or a file; an unknown name is an error.
pub fn run(flags: &PacksFlags) -> anyhow::Result<ExitCode> {
    match &flags.command {
        None => print!("{}", list(&flags.packs)),
        Some(PacksCommand::Show { name }) => print!("{}", text(name)?),
    }
    Ok(ExitCode::SUCCESS)
}

fn text(name: &str) -> anyhow::Result<&'static str> {
    let files =
        || PACKS.iter().map(|pack| (pack.name, pack.text)).chain([(jobs::NAME, jobs::TEXT)]);
    let names = || files().map(|(name, _)| name);
    let found = files().find(|(own, _)| *own == name).map(|(_, text)| text);
    found.ok_or_else(|| match nearest(name, names()) {
        Some(near) => anyhow!("nothing built in is called {name:?}; did you mean {near}?"),
        None => {
            let names = names().collect::<Vec<_>>().join(", ");
            anyhow!("nothing built in is called {name:?}; there are {names}")
        }
    })
}

fn list(choice: &Choice) -> String {
    let names: Vec<String> = jobs::jobs().into_iter().map(|job| job.name).collect();
    let mut out = format!(
        "Jobs: on with --preset=llm-d, and inside Kubernetes if there is no configuration\n\n\
         {}  {} jobs\n  {}\n{}\n\
         Rules: on with --preset=llm-d; --packs=NAMES chooses\n",
        jobs::NAME,
        names.len(),
        jobs::about(),
        wrapped("jobs: ", names.iter().map(String::as_str)),
    );
    for pack in PACKS {
        out.push_str(&entry(pack, choice.has(pack.name)));
    }
    out + "\ninferometer packs show NAME prints the file. `docs/packs.md` says what each rule means.\n"
}

fn entry(pack: &Pack, is_on: bool) -> String {
    let rules: usize = pack.groups().iter().map(|group| group.rules.len()).sum();
    let metrics = pack.metrics();
    format!(
        "\n{}  {}, {rules} rules\n  {}\n{}",
        pack.name,
        if is_on { "on" } else { "off" },
        pack.about(),
        wrapped("reads: ", metrics.iter().map(String::as_str)),
    )
}

/// Words between commas, on lines of at most 100 characters that begin with two blanks.
fn wrapped<'a>(title: &str, words: impl Iterator<Item = &'a str>) -> String {
    let words: Vec<&str> = words.collect();
    let mut lines = vec![format!("  {title}")];
    for (index, word) in words.iter().enumerate() {
        let comma = if index + 1 < words.len() { ", " } else { "" };
        match lines.last_mut() {
            Some(line) if line.len() + word.len() < 100 => *line += &format!("{word}{comma}"),
            _ => lines.push(format!("    {word}{comma}")),
        }
    }
    lines.iter().map(|line| format!("{}\n", line.trim_end())).collect()
}
