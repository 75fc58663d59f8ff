//! From files to a configuration: the file itself, and those that it names.

use std::collections::HashMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use scraper::job::ClientOptions;

use super::error::{ConfigError, Problem};
use super::resolve::{self, Inherited, Resolved};
use super::web::WebConfig;
use super::{CONFIG_BYTES_MAX, Config, NotifyFile, glob, raw, secret, yaml};

/// Reads and resolves the file at `path`, and the jobs of `scrape_config_files`; relative files in
/// each are relative to its folder.
pub fn load(path: &Path) -> Result<Config, ConfigError> {
    let name = path.display().to_string();
    let text = read(path, &name)?;
    let (mut config, inherited) = one(&text, &name, folder(path))?;
    let mut first: HashMap<String, String> = HashMap::new();
    first.extend(config.jobs.iter().map(|job| (job.name.clone(), "main config file".to_owned())));
    for pattern in config.scrape_config_files.clone() {
        for path in glob::expand(&pattern) {
            more_jobs(&path, &inherited, &mut config, &mut first)?;
        }
    }
    Ok(config)
}

/// Reads and resolves the file of the built-in sender.
pub fn load_notify(path: &Path) -> Result<NotifyFile, ConfigError> {
    let name = path.display().to_string();
    let text = read(path, &name)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let refused = |problems| ConfigError::refused(&name, text, problems);
    let file: raw::NotifyFile = yaml::read(text).map_err(|problem| refused(vec![problem]))?;
    resolve::notify_file(&file, folder(path)).map_err(refused)
}

/// As [`load`], without the files that it names.
pub fn load_alone(path: &Path) -> Result<Config, ConfigError> {
    let name = path.display().to_string();
    parse(&read(path, &name)?, &name, folder(path))
}

/// Resolves the text of a file, without the files that it names. Errors call it `name`; relative
/// files in it are in `base_dir`.
pub fn parse(text: &str, name: &str, base_dir: &Path) -> Result<Config, ConfigError> {
    one(text, name, base_dir).map(|(config, _)| config)
}

/// Reads and resolves the file of `--http.config.file`: how a client connects.
pub(crate) fn client(path: &Path) -> Result<ClientOptions, ConfigError> {
    let name = path.display().to_string();
    let text = read(path, &name)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let refused = |problems| ConfigError::refused(&name, text, problems);
    let file: raw::ClientFile = yaml::read(text).map_err(|problem| refused(vec![problem]))?;
    resolve::client_file(&file, folder(path)).map_err(refused)
}

/// Reads and resolves the file of `--web.config.file`.
pub(super) fn web(path: &Path) -> Result<WebConfig, ConfigError> {
    let name = path.display().to_string();
    let text = read(path, &name)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let refused = |problems| ConfigError::refused(&name, text, problems);
    let file: raw::Web = yaml::read(text).map_err(|problem| refused(vec![problem]))?;
    resolve::web(&file, folder(path)).map_err(refused)
}

fn one(text: &str, name: &str, base_dir: &Path) -> Result<(Config, Inherited), ConfigError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let refused = |problems| ConfigError::refused(name, text, problems);
    if text.len() as u64 > CONFIG_BYTES_MAX {
        return Err(too_large(name));
    }
    let file: raw::File = yaml::read(text).map_err(|problem| refused(vec![problem]))?;
    let resolved = resolve::file(&file, base_dir).map_err(refused)?;
    let Resolved { global, storage, jobs, alerting, rule_files, scrape_config_files, inherited } =
        resolved;
    let text = secret::mask(text, &file);
    let config = Config { global, jobs, storage, alerting, rule_files, scrape_config_files, text };
    Ok((config, inherited))
}

/// Adds the jobs of a file of `scrape_config_files`; `first` says where each name was first.
fn more_jobs(
    path: &Path,
    inherited: &Inherited,
    config: &mut Config,
    first: &mut HashMap<String, String>,
) -> Result<(), ConfigError> {
    let name = path.display().to_string();
    let text = read(path, &name)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let refused = |problems| ConfigError::refused(&name, text, problems);
    let file: raw::ScrapeFile = yaml::read(text).map_err(|problem| refused(vec![problem]))?;
    let jobs = resolve::scrape_file(&file, inherited, folder(path)).map_err(refused)?;
    for job in jobs {
        if let Some(other) = first.insert(job.name.clone(), format!("{name:?}")) {
            let what = format!("found multiple scrape configs with job name {:?}", job.name);
            let cure = format!("first found in {other}: give each its own name");
            let place = resolve::place_of(&file, &job.name);
            return Err(refused(vec![Problem::new(place, what, cure)]));
        }
        config.jobs.push(job);
    }
    Ok(())
}

fn folder(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new(""))
}

/// Every file that `path` is made of, as far as it can be read: itself, and those of
/// `scrape_config_files` and `rule_files`. For those who want to notice a change.
pub fn files(path: &Path, config: &Config) -> Vec<PathBuf> {
    let patterns = config.scrape_config_files.iter().chain(&config.rule_files);
    let named = patterns.flat_map(|pattern| glob::expand(pattern));
    std::iter::once(path.to_owned()).chain(named).collect()
}

/// The text of a file of bounded size.
pub(crate) fn read_text(path: &Path) -> Result<String, ConfigError> {
    read(path, &path.display().to_string())
}

fn read(path: &Path, name: &str) -> Result<String, ConfigError> {
    let unreadable = |source| ConfigError::Unreadable { name: name.to_owned(), source };
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(unreadable)?;
    file.take(CONFIG_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > CONFIG_BYTES_MAX {
        return Err(too_large(name));
    }
    String::from_utf8(bytes).map_err(|error| {
        let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = valid.iter().filter(|byte| **byte == b'\n').count() + 1;
        ConfigError::NotUtf8 { name: name.to_owned(), line }
    })
}

fn too_large(name: &str) -> ConfigError {
    ConfigError::TooLarge { name: name.to_owned(), bytes_max: CONFIG_BYTES_MAX }
}
