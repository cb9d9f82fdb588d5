//! The directory of areas: that of Điện Biên Đông, or a folder of files in the same form.
//!
//! The built-in files are part of the program. `config/areas/README.md` describes the form.

use anyhow::Context;
use loa_area::{AreaFile, Directory};
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// The directory that is part of the binary.
const EMBEDDED: &[AreaFile<'static>] = &[
    AreaFile {
        label: "config/areas/dien-bien-dong-before-2025-07-01.csv",
        text: include_str!("../../../../config/areas/dien-bien-dong-before-2025-07-01.csv"),
    },
    AreaFile {
        label: "config/areas/dien-bien-dong-from-2025-07-01.csv",
        text: include_str!("../../../../config/areas/dien-bien-dong-from-2025-07-01.csv"),
    },
];

/// Which areas there are.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AreasConfig {
    /// A folder of `*.csv` files, in the form of `config/areas/`; empty: the embedded directory of Điện Biên Đông.
    pub folder: PathBuf,
}

impl AreasConfig {
    /// Reads the directory.
    pub fn load(&self) -> anyhow::Result<Directory> {
        if self.folder.as_os_str().is_empty() {
            return Directory::load(EMBEDDED).context("the embedded directory of areas");
        }
        let files = read_folder(&self.folder)?;
        let files: Vec<AreaFile<'_>> = files.iter().map(|(label, text)| AreaFile { label, text }).collect();
        Directory::load(&files).context("the directory of areas (`areas.folder`)")
    }
}

/// The `*.csv` files of a folder, by name.
fn read_folder(folder: &Path) -> anyhow::Result<Vec<(String, String)>> {
    let listing =
        std::fs::read_dir(folder).with_context(|| format!("cannot read `areas.folder` {}", folder.display()))?;
    let mut paths = Vec::new();
    for entry in listing {
        let path = entry.with_context(|| format!("cannot read `areas.folder` {}", folder.display()))?.path();
        if path.extension().is_some_and(|extension| extension == "csv") {
            paths.push(path);
        }
    }
    paths.sort();
    anyhow::ensure!(!paths.is_empty(), "`areas.folder` {} has no .csv file", folder.display());
    let read = |path: PathBuf| -> anyhow::Result<(String, String)> {
        let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        Ok((path.display().to_string(), text))
    };
    paths.into_iter().map(read).collect()
}
