//! The directory of areas: parts of that of Việt Nam, which is part of the program, or a folder of files in the same form.
//!
//! `config/areas/README.md` describes the form. Which areas an installation has is part of its identity and has no default; that
//! it has none is said in so many words. Else an update could take the areas from an installation without anybody's knowing.

use anyhow::Context;
use loa_area::{AreaFile, Directory, within};
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// The whole country, as it is part of the binary.
pub const VIET_NAM: &[AreaFile<'static>] = &[
    AreaFile {
        label: "config/areas/viet-nam/before-2025-07-01.csv",
        text: include_str!("../../../../config/areas/viet-nam/before-2025-07-01.csv"),
    },
    AreaFile {
        label: "config/areas/viet-nam/from-2025-07-01.csv",
        text: include_str!("../../../../config/areas/viet-nam/from-2025-07-01.csv"),
    },
];

/// The word for no areas.
pub const NONE: &str = "none";

/// Which areas there are.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AreasConfig {
    /// Which parts of the embedded directory: provinces, former districts, areas; [`NONE`] alone: no areas. Empty: not set.
    pub within: Vec<String>,
    /// A folder of `*.csv` files, in the form of `config/areas/`, instead.
    pub folder: PathBuf,
}

impl AreasConfig {
    /// Whether nobody has said which areas there are.
    pub fn is_unset(&self) -> bool {
        self.within.is_empty() && self.folder.as_os_str().is_empty()
    }

    /// Reads the directory.
    pub fn load(&self) -> anyhow::Result<Directory> {
        if self.folder.as_os_str().is_empty() {
            return self.embedded();
        }
        anyhow::ensure!(
            self.within.is_empty(),
            "`areas.folder` and `areas.within` are both set; all areas of a folder count, so leave `areas.within` out"
        );
        let files = read_folder(&self.folder)?;
        let files: Vec<AreaFile<'_>> = files.iter().map(|(label, text)| AreaFile { label, text }).collect();
        Directory::load(&files).context("the directory of areas (`areas.folder`)")
    }

    fn embedded(&self) -> anyhow::Result<Directory> {
        if self.within.is_empty() || self.within == [NONE] {
            return Ok(Directory::empty());
        }
        let texts = within(VIET_NAM, &self.within).context("`areas.within`")?;
        let files: Vec<AreaFile<'_>> =
            VIET_NAM.iter().zip(&texts).map(|(file, text)| AreaFile { label: file.label, text }).collect();
        Directory::load(&files).context("the embedded directory of areas")
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
